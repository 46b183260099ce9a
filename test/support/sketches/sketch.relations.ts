import { relations } from "../../../src/database/relations.ts";
import { sketchTable } from "./sketch.table.ts";

export const allSketches = relations.page({
  name: "AllSketches",
  table: sketchTable,
  orders: { CREATED_AT: ["createdAt"] },
  defaultOrder: { field: "CREATED_AT", direction: "DESC" },
});
