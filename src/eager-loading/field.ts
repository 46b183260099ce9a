/** The relation that a schema field asks, in the field's `extensions.eager`. Resolver and plan share it. */
import type { GraphQLField, GraphQLSchema } from "graphql";
import type { ColumnRelation, ListRelation, OneRelation, PageRelation } from "./relation.ts";
import type { PassedThrough } from "./table.ts";

/** Arguments of a field, with the types of its schema. */
export type FieldArguments = PassedThrough;

export type EagerField =
  /** Rows by keys from the arguments or the viewer: `document(id:)`, `nodes(ids:)`, `viewer { user }`. */
  | { kind: "lookup"; find: (args: FieldArguments, viewer: unknown, schema: GraphQLSchema) => Lookup[] }
  | { kind: "one"; relation: OneRelation; by: string }
  | { kind: "page"; relation: PageRelation; by?: string; toArguments: (args: FieldArguments) => object }
  | { kind: "list"; relation: ListRelation; by?: string; toArguments: (args: FieldArguments) => object }
  | { kind: "column"; relation: ColumnRelation; by: string }
  /** The field shows its parent's row under another type: `ChunkHit.chunk`. */
  | { kind: "same" };

/** `typename`: the object type of the rows, since the field's type may be an interface. */
export type Lookup = { relation: OneRelation; typename: string; keys: string[] };

/** The extensions of a field that asks a relation. */
export function eagerExtensions(eager: EagerField): { eager: EagerField } {
  return { eager };
}

/** Undefined for a field that asks no relation. */
export function eagerOf({ extensions }: Pick<GraphQLField<unknown, unknown>, "extensions">): EagerField | undefined {
  return extensions.eager as EagerField | undefined;
}
