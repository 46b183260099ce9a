/** Cost, depth and turns of queries, without a database. */
import { type ExecutionArgs, type ExecutionResult, parse } from "graphql";
import { describe, expect, it } from "vitest";
import { buildSchema } from "../../src/graphql/schema.ts";
import { requireAffordable, useQueries } from "../../src/operations/query-plugin.ts";
import { slices } from "../../src/slices.ts";

const schema = await buildSchema(slices);
const argsOf = (query: string, variableValues: Record<string, unknown> = {}): ExecutionArgs => ({
  schema,
  document: parse(query),
  variableValues,
});

describe("the cost of an operation", () => {
  const costOf = (query: string, variables?: Record<string, unknown>) =>
    requireAffordable(argsOf(query, variables), { maxCost: 1_000_000, maxDepth: 100 });

  it.each<[string, string, number]>([
    ["is none for values", "{ viewer { __typename } __typename __schema { types { name } } }", 0],
    [
      "is the same for a client that selects every __typename",
      "{ documents { __typename nodes { __typename id } } }",
      20,
    ],
    ["is one for an object", "{ viewer { user { id name } } }", 1],
    ["is that of each row of a page, 20 by default", "{ documents { nodes { id } } }", 20],
    ["multiplies pages", "{ documents(first: 3) { nodes { chunks(last: 5) { nodes { id } } } } }", 3 + 3 * 5],
    [
      "counts a fragment wherever it is spread",
      "{ ...D a: documents { ...P } } fragment D on Query { documents { ...P } } fragment P on DocumentConnection { nodes { owner { id } } }",
      80,
    ],
    ["is a page's even where the page is too large", "{ documents(first: 100000) { nodes { id } } }", 100],
    ["has no negative part", "{ documents(first: -100000) { totalCount } users(first: 5) { totalCount } }", 5],
    ["is for all that a subscription selects", "subscription { documentChanged { document { owner { id } } } }", 2],
  ])("%s", (_case, query, cost) => {
    expect(costOf(query)).toBe(cost);
  });

  it("is by the variables and their defaults", () => {
    const query = "query($first: Int = 30) { documents(first: $first) { nodes { id } } }";
    expect(costOf(query)).toBe(30);
    expect(costOf(query, { first: 7 })).toBe(7);
    expect(costOf(query, { first: null })).toBe(20);
  });
});

describe("an operation", () => {
  const nested = "{ documents(first: 2) { nodes { owner { id } } } }";
  const check = (maxCost: number, maxDepth: number) => () => requireAffordable(argsOf(nested), { maxCost, maxDepth });

  it("may cost as much as the maximum, and is refused with both numbers above it", () => {
    expect(check(4, 4)()).toBe(4);
    expect(check(3, 4)).toThrow(
      expect.objectContaining({ code: "BAD_USER_INPUT", details: { cost: 4, maxCost: 3, http: { status: 400 } } }),
    );
  });

  it("may be as deep as the maximum, and is refused with both numbers above it", () => {
    expect(check(4, 3)).toThrow(
      expect.objectContaining({ code: "BAD_USER_INPUT", details: { depth: 4, maxDepth: 3, http: { status: 400 } } }),
    );
  });
});

describe("the turn of a query", () => {
  const cheap = "{ users(first: 50) { nodes { id } } }";
  const expensive = "{ users(first: 51) { nodes { id } } }";

  /** A server on which one expensive query uses up what concurrent ones may cost. */
  function serverOf() {
    const { onExecute } = useQueries({ maxCost: 1_000, maxDepth: 10, together: { maxCost: 51, waitMs: 10 } });
    return async (query: string, work: () => Promise<ExecutionResult>) => {
      let run = work as (args: ExecutionArgs) => Promise<ExecutionResult>;
      const setExecuteFn = (given: typeof run) => {
        run = given;
      };
      const args = { ...argsOf(query), contextValue: {} };
      await onExecute?.({ args, executeFn: work, setExecuteFn } as never);
      return run(args);
    };
  }
  const answer = async () => ({ data: { a: 1 } });

  it("is waited for by an expensive query, and not by a cheap one", async () => {
    const ask = serverOf();
    const { promise, resolve } = Promise.withResolvers<ExecutionResult>();
    const first = ask(expensive, () => promise);
    await expect(ask(expensive, answer)).rejects.toMatchObject({ code: "OVERLOADED" });
    expect(await ask(cheap, answer)).toEqual({ data: { a: 1 } });
    resolve({ data: { a: 2 } });
    expect(await first).toEqual({ data: { a: 2 } });
    expect(await ask(expensive, answer)).toEqual({ data: { a: 1 } });
  });

  it("is given back when the query fails", async () => {
    const ask = serverOf();
    const fails = async () => {
      throw new Error("Broken.");
    };
    for (let round = 0; round < 3; round++) await expect(ask(expensive, fails)).rejects.toThrow("Broken.");
    expect(await ask(expensive, answer)).toEqual({ data: { a: 1 } });
  });
});
