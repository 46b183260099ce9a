/** The steps around the resolver of a mutation field, on a schema of its own. */
import SchemaBuilder from "@pothos/core";
import { execute, parse } from "graphql";
import { describe, expect, it } from "vitest";
import type { OperationContext } from "../../src/graphql/context.ts";
import { SkippedError } from "../../src/graphql/mutation-field-plugin.ts";

let events: string[] = [];
let isFailed = false;

const unused = {
  scopeAuth: { authScopes: () => ({}) },
  prisma: { client: () => undefined as never, dmmf: { datamodel: {} } },
};
const builder = new SchemaBuilder<{ Context: OperationContext; DefaultFieldNullability: false }>({
  plugins: ["mutationFields"],
  defaultFieldNullability: false,
  ...unused,
});
builder.queryType({ fields: (t) => ({ a: t.int({ resolve: () => 0 }) }) });
builder.mutationType({
  fields: (t) => ({
    works: t.int({ resolve: (_root, _args, _context, info) => events.push(`runs ${info.path.key}`) }),
    breaks: t.int({
      // As when a statement fails for a nullable field below it.
      resolve: () => {
        isFailed = true;
        return 0;
      },
    }),
  }),
});
const schema = builder.toSchema();

async function mutate(query: string) {
  events = [];
  isFailed = false;
  const begun: (string | number)[] = [];
  const contextValue = {
    loaders: { clear: () => events.push("clears") },
    mutation: { progress: { begun, hasFailed: () => isFailed } },
  };
  return { begun, ...(await execute({ schema, document: parse(query), contextValue })) };
}

describe("a field of a mutation", () => {
  it("finds nothing in the loaders that the field before it may have changed", async () => {
    const { begun, data } = await mutate("mutation { a: works works }");
    expect(events).toEqual(["clears", "runs a", "clears", "runs works"]);
    expect(begun).toEqual(["a", "works"]);
    expect(data).toEqual({ a: 2, works: 4 });
  });

  it("does not run, nor count as begun, when a statement before it has failed", async () => {
    const { begun, errors } = await mutate("mutation { a: works b: breaks c: works d: breaks }");
    expect(begun).toEqual(["a", "b"]);
    expect(events).toEqual(["clears", "runs a", "clears"]);
    expect(errors?.map(({ path, originalError }) => [path, originalError instanceof SkippedError])).toEqual([
      [["c"], true],
    ]);
  });
});
