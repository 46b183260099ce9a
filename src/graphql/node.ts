/** `Node`: what every type with an id of its own implements, and the two queries that fetch any of them. */
import { brandWithType } from "@pothos/core";
import type { Lookup } from "../eager-loading/field.ts";
import type { OneRelation } from "../eager-loading/relation.ts";
import { badInput } from "../errors.ts";
import { builder } from "./builder.ts";
import type { OperationContext } from "./context.ts";
import { parseGlobalId } from "./global-id.ts";

const relationsByTypename = new Map<string, OneRelation>();

/** Says how rows of a type are found by their id. Called once per node type, beside its definition. */
export function registerNode<Row>(
  type: { readonly name: string; readonly $inferType: Row },
  relation: OneRelation<Row>,
): void {
  relationsByTypename.set(type.name, relation);
}

function lookUp(globalId: string, inputPath: readonly string[]): Lookup {
  const parsed = parseGlobalId(globalId);
  const relation = parsed && relationsByTypename.get(parsed.typename);
  if (!parsed || !relation) throw badInput(inputPath, "This is not an id of this server.");
  return { relation, typename: parsed.typename, keys: [parsed.id] };
}

async function find(lookup: Lookup, { loaders }: OperationContext): Promise<object | null> {
  const row = (await loaders.one(lookup.relation, lookup.keys[0] as string)) as object | null;
  if (row) brandWithType(row, lookup.typename as never);
  return row;
}

/** For the plan as well as for the resolver, so that a plan reads nothing of a list that is too long. */
function lookUpAll(ids: readonly string[]): Lookup[] {
  if (ids.length > 100) throw badInput(["ids"], `At most 100 ids, not ${ids.length}.`);
  return ids.map((id, index) => lookUp(id, ["ids", String(index)]));
}

/** One look-up per type: the plan makes one statement of each. */
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
    description: "Anything by its id; null when it does not exist or is not yours to see.",
    args: { id: t.arg.id({ required: true, description: "The id of anything." }) },
    extensions: { eager: { kind: "lookup", find: (args) => [lookUp(args.id, ["id"])] } },
    resolve: (_root, { id }, context) => find(lookUp(id, ["id"]), context) as never,
  }),
);

builder.queryField("nodes", (t) =>
  t.field({
    type: [builder.nodeInterfaceRef()],
    nullable: { list: false, items: true },
    description: "Several things by their ids, in the order of the ids; 100 at most.",
    args: { ids: t.arg.idList({ required: true, description: "The ids, 100 at most." }) },
    complexity: ({ ids }) => ({ field: ids.length, multiplier: ids.length }),
    extensions: { eager: { kind: "lookup", find: ({ ids }) => grouped(lookUpAll(ids)) } },
    resolve: (_root, { ids }, context) => lookUpAll(ids).map((lookup) => find(lookup, context)) as never,
  }),
);
