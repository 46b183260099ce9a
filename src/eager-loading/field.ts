/**
 * What a field of the schema says of the relation it asks, kept in the field's `extensions.eager`. The resolver and
 * the plan both read it, so they ask for the same thing.
 */
import type { GraphQLField, GraphQLSchema } from "graphql";
import type { ColumnRelation, ListRelation, OneRelation, PageRelation } from "./relation.ts";
import type { PassedThrough } from "./table.ts";

/** As the field's schema says. */
export type FieldArguments = PassedThrough;

export type EagerField =
  /** Rows by keys in the arguments: `document(id:)`, `nodes(ids:)`, or a key of the viewer's own. */
  | { kind: "lookup"; find: (args: FieldArguments, viewer: unknown, schema: GraphQLSchema) => Lookup[] }
  | { kind: "one"; relation: OneRelation; by: string }
  | { kind: "page"; relation: PageRelation; by?: string; toArguments: (args: FieldArguments) => object }
  | { kind: "list"; relation: ListRelation; by: string; toArguments: (args: FieldArguments) => object }
  | { kind: "column"; relation: ColumnRelation; by: string }
  /** The field shows its parent's row under another type: `ChunkHit.chunk`. */
  | { kind: "same" };

/** `typename` says which object type the rows have, where the field's own type is an interface. */
export type Lookup = { relation: OneRelation; typename: string; keys: string[] };

/** The extensions of a field that asks a relation. */
export function eagerExtensions(eager: EagerField): { eager: EagerField } {
  return { eager };
}

/** Undefined for a field that asks no relation. */
export function eagerOf({ extensions }: Pick<GraphQLField<unknown, unknown>, "extensions">): EagerField | undefined {
  return extensions.eager as EagerField | undefined;
}
