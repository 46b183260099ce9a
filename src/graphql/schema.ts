/** The schema of all slices. */
import type { GraphQLSchema } from "graphql";
import { builder } from "./builder.ts";
import "./node.ts";
import "./scalars.ts";

/** @param slices whose modules add their types to the builder when they are imported, once per process */
export async function buildSchema(slices: readonly { types?(): Promise<unknown> }[]): Promise<GraphQLSchema> {
  for (const slice of slices) await slice.types?.();
  return builder.toSchema();
}
