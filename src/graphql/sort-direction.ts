import { builder } from "./builder.ts";

export const SortDirection = builder.enumType("SortDirection", {
  description: "The direction of an order.",
  values: { ASC: { description: "Smallest first." }, DESC: { description: "Largest first." } } as const,
});
