/** Which statements a plan holds: none for fields that are left out, and one for equal asks, wherever they stand. */
import { getOperationAST, type OperationDefinitionNode, parse } from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compile } from "../../src/eager-loading/compile-plan.ts";
import { CursorCodec } from "../../src/eager-loading/cursor.ts";
import { Loaders } from "../../src/eager-loading/loaders.ts";
import type { Reader } from "../../src/eager-loading/reader.ts";
import { runPlan } from "../../src/eager-loading/run-plan.ts";
import { buildSchema } from "../../src/graphql/schema.ts";
import { slices } from "../../src/slices.ts";
import { traced } from "../support/budget.ts";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { globalIdOf, uuidOf } from "../support/global-ids.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { processAgain } from "../support/random-library.ts";

let database: TestDatabase;
let planned: Lectern;
let unplanned: Lectern;
let admin: Person;
let variables: Record<string, unknown>;

beforeAll(async () => {
  database = await freshDatabase();
  planned = await startLectern({ database, housekeeping: false });
  unplanned = await startLectern({ database, housekeeping: false, settings: { EAGER_PLAN: "off" } });
  admin = await planned.person("Root", "ADMIN");
  const ids = [];
  // Each of another owner, so that rows which are missing from a statement are missing from the answer of the plan.
  for (const title of ["Oldest", "Old", "New", "Newest"]) {
    const owner = await planned.person(`Owner of ${title}`);
    const { id } = await owner.document({ title, text: title });
    await processAgain(database, uuidOf(id), [`${title} zebra`, "A second chunk.", "A third one."]);
    ids.push(id);
  }
  const [chunk] = await database.query("select id from chunks where document_id = $1 and index = 1", [
    uuidOf(ids[0] as string),
  ]);
  variables = { oldest: ids[0], old: ids[1], chunk: globalIdOf("Chunk", chunk?.id as string), yes: true, no: false };
});
afterAll(async () => {
  await planned.stop();
  await unplanned.stop();
  await database.drop();
});

const declared: Record<string, string> = { oldest: "ID!", old: "ID!", chunk: "ID!", yes: "Boolean!", no: "Boolean!" };

/** The relations of a query's statements, all of which are planned, when the answer is that without a plan. */
async function planOf(selection: string, trips = 1): Promise<string> {
  const used = Object.entries(declared).filter(([name]) => new RegExp(`\\$${name}\\b`).test(selection));
  const head = used.length === 0 ? "" : `query (${used.map(([name, type]) => `$${name}: ${type}`).join(", ")})`;
  const given = Object.fromEntries(used.map(([name]) => [name, variables[name]]));
  const query = `${head} ${selection}`;
  const { data, cost } = await traced(planned, admin, query, given);
  const { data: expected, cost: without } = await traced(unplanned, admin, query, given);
  expect(data).toEqual(expected);
  const relations = cost.batches.map(({ relation }) => relation).sort();
  // Without a plan, a relation may take a statement for each level at which it is asked.
  expect(new Set(relations)).toEqual(new Set(without.batches.map(({ relation }) => relation)));
  expect([cost.roundTrips, cost.batches.every((batch) => batch.planned)], relations.join()).toEqual([trips, true]);
  return relations.join(" ");
}

describe("a field that is left out adds no statement", () => {
  const documents = (selection: string) => `{ documents(first: 2) { nodes { title text ${selection} } } }`;
  const fragment = "fragment Owner on Document { owner { name } }";

  it.each([
    ["@skip(if: true)", documents("owner @skip(if: true) { name }")],
    ["@include(if: false)", documents("owner @include(if: false) { name }")],
    ["@skip by a variable", documents("owner @skip(if: $yes) { name }")],
    ["@include by a variable", documents("owner @include(if: $no) { name }")],
    ["both, of which one leaves it out", documents("owner @include(if: $yes) @skip(if: $yes) { name }")],
    ["both, the other way round", documents("owner @skip(if: $no) @include(if: $no) { name }")],
    ["an alias", documents("a: owner @skip(if: $yes) { name } b: owner @include(if: $no) { email }")],
    ["a field with arguments", documents("chunks(first: 1) @skip(if: $yes) { totalCount nodes { text } }")],
    ["a field of a field", documents("owner @skip(if: $yes) { documents(first: 1) { nodes { id } } }")],
    ["an inline fragment", documents("... @skip(if: $yes) { owner { name } }")],
    ["an inline fragment with a type", documents("... on Document @include(if: $no) { owner { name } }")],
    [
      "an inline fragment of an interface",
      documents("... on Node @skip(if: $yes) { ... on Document { owner { name } } }"),
    ],
    ["a spread", `${documents("...Owner @skip(if: $yes)")} ${fragment}`],
    ["a spread, by a literal", `${documents("...Owner @include(if: false)")} ${fragment}`],
    [
      "a spread in a fragment that is not left out",
      documents("... @include(if: $yes) { ... @skip(if: $yes) { owner { name } } }"),
    ],
    [
      "a fragment in a fragment that is left out",
      documents("... @include(if: $no) { ... @skip(if: $no) { owner { name } } }"),
    ],
    [
      "a field in a spread in a spread",
      `${documents("...Outer @include(if: $yes)")} fragment Outer on Document { title ...Inner @skip(if: $no) }
        fragment Inner on Document { owner @include(if: $no) { name } }`,
    ],
    ["a part of a page", "{ documents(first: 2) { totalCount @skip(if: $yes) nodes { text } } }"],
    [
      "a part of a page in a fragment",
      "{ documents(first: 2) { ... @include(if: $no) { totalCount } nodes { text } } }",
    ],
    [
      "what only one of two ways to the rows selects",
      "{ documents(first: 2) { nodes { text } edges @skip(if: $yes) { node { owner { name } } } } }",
    ],
    [
      "a node of an edge",
      "{ documents(first: 2) { nodes { text } edges { cursor node @skip(if: $yes) { owner { name } } } } }",
    ],
    ["a root field", `{ documents(first: 2) { nodes { text } } users @skip(if: $yes) { totalCount nodes { name } } }`],
    [
      "a root field in a fragment",
      `{ documents(first: 2) { nodes { text } } ... @include(if: $no) { users { totalCount } } }`,
    ],
  ])("%s", async (_name, selection) => {
    expect(await planOf(selection)).toBe("DocumentText Documents");
  });

  it.each([
    ["where another place selects it", documents("owner @skip(if: $yes) { name } ...{ owner { name } }")],
    ["where a directive keeps it", documents("owner @skip(if: $no) @include(if: $yes) { name }")],
    ["where fragments keep it", `${documents("... @include(if: $yes) { ...Owner @skip(if: $no) }")} ${fragment}`],
  ])("except %s", async (_name, selection) => {
    expect(await planOf(selection)).toBe("DocumentText Documents UserById");
  });

  it("by a variable with a default", async () => {
    const query = `query ($show: Boolean = false) ${documents("owner @include(if: $show) { name }")}`;
    const asked = async (given: object) => (await traced(planned, admin, query, { ...given })).cost.statements;
    expect([await asked({}), await asked({ show: false }), await asked({ show: true })]).toEqual([2, 2, 3]);
  });

  it("nor rows of a page that is only counted, nor a count that is not shown", async () => {
    const page = (nodes: string, count: string) =>
      `{ documents(first: 1) { nodes ${nodes} { id } totalCount ${count} } users(first: 1) { nodes { id } } }`;
    expect(await planOf(page("@skip(if: $yes)", ""))).toBe("Documents.count Users");
    expect(await planOf(page("", "@include(if: $no)"))).toBe("Documents Users");
    expect(await planOf(page("", "@include(if: $yes)"))).toBe("Documents Documents.count Users");
  });
});

describe("equal asks are one statement for all their rows and all that is selected on them", () => {
  it.each<[string, string, string]>([
    ["under several aliases", "{ documents { nodes { a: owner { name } b: owner { email } } } }", "Documents UserById"],
    [
      "under several aliases with different selections",
      "{ documents { nodes { a: owner { name } b: owner { documents(first: 1) { nodes { text } } } c: owner { documents(first: 1) { totalCount } } } } }",
      "DocumentText Documents DocumentsByOwner DocumentsByOwner.count UserById",
    ],
    [
      "at the root under several aliases",
      "{ a: documents { nodes { text } } b: documents { nodes { owner { name } } } c: documents { totalCount } }",
      "DocumentText Documents Documents.count UserById",
    ],
    [
      "of one field in several places",
      "{ documents { nodes { owner { name } } } documents { nodes { owner { documents(first: 1) { nodes { id } } } text } } }",
      "DocumentText Documents DocumentsByOwner UserById",
    ],
    [
      "in fragments",
      `{ documents { nodes { ...A ...B ... on Node { ... on Document { text } } } } }
        fragment A on Document { owner { name documents(first: 1) { totalCount } } }
        fragment B on Document { owner { documents(first: 1) { nodes { title } } } }`,
      "DocumentText Documents DocumentsByOwner DocumentsByOwner.count UserById",
    ],
    [
      "as nodes and as edges",
      "{ documents { nodes { owner { name } } edges { node { text } } pageInfo { endCursor } } }",
      "DocumentText Documents UserById",
    ],
    [
      "as edges and as nodes of one field in two places",
      "{ documents { edges { node { text } } } documents { nodes { owner { name } } } }",
      "DocumentText Documents UserById",
    ],
    [
      "of two parents with different rows",
      "{ documents(first: 2) { nodes { owner { name } } } document(id: $oldest) { owner { name } } }",
      "DocumentById Documents UserById",
    ],
    [
      "of two pages",
      `{ a: documents(first: 1) { nodes { text } }
        b: documents(first: 2, orderBy: { field: CREATED_AT, direction: ASC }) { nodes { text } } }`,
      "DocumentText Documents Documents",
    ],
    [
      "of keys that are known and of others",
      "{ document(id: $oldest) { title } node(id: $chunk) { ... on Chunk { document { title text } } } }",
      "ChunkById DocumentById DocumentText",
    ],
    [
      "of several keys that are known",
      "{ a: document(id: $oldest) { text } b: document(id: $old) { owner { name } } nodes(ids: [$old, $chunk]) { id } }",
      "ChunkById DocumentById DocumentText UserById",
    ],
    [
      "of one key in two ways",
      "{ document(id: $old) { title } node(id: $old) { ... on Document { text } } nodes(ids: [$old]) { ... on Document { owner { name } } } }",
      "DocumentById DocumentText UserById",
    ],
    [
      "on several levels",
      "{ documents(first: 2) { nodes { owner { name documents(first: 1) { nodes { title owner { email } } } } } } }",
      "Documents DocumentsByOwner UserById",
    ],
    [
      "of a list and a page of the same type",
      "{ node(id: $chunk) { ... on Chunk { neighbours { document { title } } } } documents(first: 1) { nodes { chunks(first: 1) { nodes { document { title } } } } } }",
      "ChunkById ChunksByDocument DocumentById Documents NeighboursByChunk",
    ],
    [
      "of the viewer and of others",
      "{ viewer { user { name documents { totalCount } } } documents(first: 1) { nodes { owner { documents { totalCount } } } } }",
      "Documents DocumentsByOwner.count UserById",
    ],
  ])("%s", async (_name, selection, relations) => {
    expect(await planOf(selection)).toBe(relations);
  });

  it("of a search, whose rows are read first", async () => {
    const both = `{ a: searchChunks(query: "zebra", first: 2) { nodes { chunk { document { title owner { name } } } } }
      b: searchChunks(query: "zebra", first: 2) { nodes { chunk { neighbours { text } } } } }`;
    expect(await planOf(both, 2)).toBe("ChunkHits DocumentById NeighboursByChunk UserById");
  });

  it("whose text is that of one of them", async () => {
    const documents = (selection: string) => `{ documents(first: 2) { nodes { ${selection} } } }`;
    const [single, ...several] = await Promise.all(
      [
        documents("owner { name documents(first: 1) { nodes { text } } }"),
        documents(
          "a: owner { name documents(first: 1) { nodes { text } } } b: owner { documents(first: 1) { nodes { text } } }",
        ),
        documents(
          "owner { name a: documents(first: 1) { nodes { text } } b: documents(first: 1) { nodes { id text } } }",
        ),
        documents("owner { name } ... { owner { documents(first: 1) { nodes { a: text b: text } } } }"),
      ].map(statementsOf),
    );
    expect(single).toHaveLength(4);
    for (const each of several) expect(each).toEqual(single);
  });
});

const schema = await buildSchema(slices);

/** The texts of a plan's statements, none of which finds anything. */
async function statementsOf(query: string): Promise<string[]> {
  const texts: string[] = [];
  const reader: Reader = {
    read: () => Promise.reject(new Error("All is read by the plan.")),
    readTogether: async (statements) => {
      texts.push(...statements.map(({ text }) => text));
      return statements.map(() => ({ rows: [], ms: 0 }));
    },
  };
  const viewer = { id: uuidOf(admin.id), role: "ADMIN", sessionId: "" };
  const document = parse(query);
  const plan = compile(schema, document, getOperationAST(document) as OperationDefinitionNode);
  await runPlan(plan, {}, new Loaders({ viewer, reader, cursors: new CursorCodec("secret") }), { timeoutMs: 10_000 });
  return texts.sort();
}
