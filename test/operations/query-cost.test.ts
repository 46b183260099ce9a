/** Costs of operations: one for each object that may be read, whichever field leads to it. */
import { parse } from "graphql";
import { describe, expect, it } from "vitest";
import { buildSchema } from "../../src/graphql/schema.ts";
import { requireAffordable } from "../../src/operations/query-plugin.ts";
import { slices } from "../../src/slices.ts";

const schema = await buildSchema(slices);

function costOf(query: string, variableValues = {}, maxCost = 1_000_000): number {
  return requireAffordable({ schema, document: parse(query), variableValues }, { maxCost, maxDepth: 100 });
}

const ids = (count: number) => JSON.stringify(Array(count).fill("an id"));

describe("the cost of a query", () => {
  it.each([
    // An object by its id, each object that is selected on it, and its wide text.
    [1, "{ document(id: 1) { id } }"],
    [2, "{ document(id: 1) { title owner { name } } }"],
    [3, "{ document(id: 1) { text owner { name } } }"],
    [2, "{ a: document(id: 1) { id } b: document(id: 2) { id } }"],
    [2, "{ ...F } fragment F on Query { a: document(id: 1) { id } b: document(id: 2) { id } }"],
    [1, '{ node(id: "a") { id } }'],
    [2, '{ node(id: "a") { ... on Document { owner { id } } } }'],
    // As many as there are ids, whatever they are.
    [1, `{ nodes(ids: ${ids(1)}) { id } }`],
    [50, `{ nodes(ids: ${ids(50)}) { id } }`],
    [100, `{ nodes(ids: ${ids(50)}) { ... on Document { owner { id } } } }`],
    [500, `{ nodes(ids: ${ids(50)}) { ... on Document { chunks(first: 9) { nodes { id } } } } }`],
    // As many as a page may hold, also when only the count is asked for.
    [20, "{ documents { totalCount } }"],
    [20, "{ documents { nodes { id } } }"],
    [7, "{ documents(first: 7) { nodes { id } edges { node { id } } } }"],
    [14, "{ documents(last: 7) { edges { node { id owner { id } } } } }"],
    [4, "{ viewer { user { id documents(first: 3) { nodes { id } } } } }"],
    [
      135,
      "{ users(first: 3) { nodes { documents(first: 4) { nodes { chunks(first: 5) { nodes { document { id } } } } } } } }",
    ],
    [30, '{ searchChunks(query: "a", first: 10) { nodes { chunk { document { id } } } } }'],
    // As many as there may be in all.
    [100, "{ categories { id name } }"],
    [600, "{ categories { id } events { id } }"],
    // As many as there may be beside it.
    [3, '{ node(id: "a") { ... on Chunk { neighbours { id } } } }'],
    [31, '{ node(id: "a") { ... on Chunk { neighbours(before: 10, after: 5) { document { id } } } } }'],
  ])("is %i: %s", (cost, query) => {
    expect(costOf(query)).toBe(cost);
  });

  it("is that of the variables' values", () => {
    const query =
      "query ($ids: [ID!]!, $first: Int = 3) { nodes(ids: $ids) { id } documents(first: $first) { totalCount } }";
    expect(costOf(query, { ids: Array(70).fill("an id") })).toBe(73);
    expect(costOf(query, { ids: Array(70).fill("an id"), first: 9 })).toBe(79);
  });

  it("is refused above the limit, and not at it", () => {
    const query = `{ nodes(ids: ${ids(100)}) { ... on Document { chunks(first: 9) { nodes { id } } } } }`;
    expect(costOf(query, {}, 1_000)).toBe(1_000);
    expect(() => costOf(query, {}, 999)).toThrow("The operation may read 1000 objects, the maximum is 999");
  });
});
