/** The interface `Node` of all types with a global id, and the queries `node` and `nodes`. */
import { brandWithType, type OutputType, type SchemaTypes } from "@pothos/core";
import type { GraphQLSchema } from "graphql";
import { eagerExtensions, type Lookup } from "../eager-loading/field.ts";
import { badInput } from "../errors.ts";
import { builder } from "./builder.ts";
import type { OperationContext } from "./context.ts";
import { parseGlobalId } from "./global-id.ts";
import { rowsById } from "./row-node.ts";

function lookUp(schema: GraphQLSchema, globalId: string, inputPath: readonly string[]): Lookup {
  const parsed = parseGlobalId(globalId);
  const relation = parsed && rowsById(schema, parsed.typename);
  if (!parsed || !relation) throw badInput(inputPath, "This is not an id of this server.");
  return { relation, typename: parsed.typename, keys: [parsed.id] };
}

async function find(lookup: Lookup, { loaders }: OperationContext): Promise<object | null> {
  const row = (await loaders.one(lookup.relation, lookup.keys[0] as string)) as object | null;
  if (row) brandWithType(row, lookup.typename as OutputType<SchemaTypes>);
  return row;
}

/** Used by plan and resolver, so that a plan reads nothing for a list that is too long. */
function lookUpAll(schema: GraphQLSchema, ids: readonly string[]): Lookup[] {
  if (ids.length > 100) throw badInput(["ids"], `At most 100 ids, not ${ids.length}.`);
  return ids.map((id, index) => lookUp(schema, id, ["ids", String(index)]));
}

/** One lookup per type, each of which is one statement of the plan. */
function grouped(lookups: readonly Lookup[]): Lookup[] {
  const byTypename = Map.groupBy(lookups, ({ typename }) => typename);
  return [...byTypename.values()].map((same) => ({
    ...(same[0] as Lookup),
    keys: same.flatMap(({ keys }) => keys),
  }));
}

builder.queryField("node", (t) =>
  t.field({
    type: builder.nodeInterfaceRef(),
    nullable: true,
    description: "The object with this id; null when there is none that you may see.",
    args: { id: t.arg.id({ required: true, description: "The id of an object of any type." }) },
    extensions: eagerExtensions({ kind: "lookup", find: ({ id }, _viewer, schema) => [lookUp(schema, id, ["id"])] }),
    resolve: (_root, { id }, context, { schema }) => find(lookUp(schema, id, ["id"]), context),
  }),
);

builder.queryField("nodes", (t) =>
  t.field({
    type: [builder.nodeInterfaceRef()],
    nullable: { list: false, items: true },
    description:
      "The objects with these ids, in their order; null for each that does not exist or that you may not see.",
    args: { ids: t.arg.idList({ required: true, description: "The ids, 100 at most." }) },
    complexity: ({ ids }) => ({ field: ids.length, multiplier: ids.length }),
    extensions: eagerExtensions({
      kind: "lookup",
      find: ({ ids }, _viewer, schema) => grouped(lookUpAll(schema, ids)),
    }),
    resolve: (_root, { ids }, context, { schema }) => lookUpAll(schema, ids).map((lookup) => find(lookup, context)),
  }),
);
