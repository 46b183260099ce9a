/** The schema of all slices. */
import type { GraphQLSchema } from "graphql";
import { builder } from "./builder.ts";
import "./node.ts";
import "./scalars.ts";

/**
 * @param slices whose modules add their types to the builder when they are imported, once per process. Types of models must
 *   be there before the first schema of the process, since Pothos does not find them later
 */
export async function buildSchema(slices: readonly { types?(): Promise<unknown> }[]): Promise<GraphQLSchema> {
  for (const slice of slices) await slice.types?.();
  return builder.toSchema();
}
