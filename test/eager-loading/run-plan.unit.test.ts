import { type GraphQLSchema, parse } from "graphql";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { Row } from "../../src/eager-loading/answers.ts";
import { compile } from "../../src/eager-loading/compile-plan.ts";
import { CursorCodec } from "../../src/eager-loading/cursor.ts";
import { Loaders } from "../../src/eager-loading/loaders.ts";
import type { Reader, ReadOutcome } from "../../src/eager-loading/reader.ts";
import { runPlan } from "../../src/eager-loading/run-plan.ts";
import { librarySchema } from "../support/library-schema.ts";
import { operationOf } from "../support/operation-of.ts";
import {
  allBooks,
  bookById,
  bookRank,
  booksAlike,
  booksByShelf,
  booksFound,
  booksLent,
  booksOfEdition,
  bookText,
  shelfById,
  shown,
} from "../support/shelves.ts";

let schema: GraphQLSchema;
beforeAll(() => {
  schema = librarySchema();
});
const cursors = new CursorCodec("secret");

type Statement = ReturnType<typeof shown>;
type Answer = Row[] | Error;
type RunOptions = {
  variables?: Record<string, unknown>;
  event?: Row;
  timeoutMs?: number;
  reader?: Partial<Reader>;
};

/**
 * Runs the plan of a query on a database that answers each statement in turn. A statement of the loaders afterwards
 * fails: the plan should have read its rows.
 */
async function run(
  query: string,
  rounds: Answer[][],
  { variables = {}, event, timeoutMs = 1_000, reader }: RunOptions = {},
) {
  const sent: Statement[][] = [];
  const timeouts: number[] = [];
  const loaders = new Loaders({
    viewer: { name: "Ann" },
    cursors,
    reader: {
      read: async (statement) => Promise.reject(new Error(`Not planned: ${statement.text}`)),
      readTogether: async (statements, timeoutMs) => {
        const answers = rounds[sent.length] ?? [];
        sent.push(statements.map(shown));
        timeouts.push(timeoutMs);
        return statements.map((_, index): ReadOutcome => {
          const answer = answers[index] ?? [];
          return answer instanceof Error ? { error: answer, ms: 2 } : { rows: answer, ms: 1 };
        });
      },
      ...reader,
    },
  });
  const document = parse(query);
  await runPlan(compile(schema, document, operationOf(document)), variables, loaders, { timeoutMs }, event);
  const names = loaders.trace.batches.map(({ relation }) => relation);
  return { loaders, sent, names, timeouts };
}

const shelf = { id: "Shelf-1", roomId: "room", name: "Novels" };
const emma = { id: "Book-1", shelfId: "Shelf-1", title: "Emma", $key: "Shelf-1", $row: 1 };
const sanditon = { id: "Book-2", shelfId: "Shelf-1", title: "Sanditon", $key: "Shelf-1", $row: 2 };
const shelfQuery = `{ shelf(id: "Shelf-1") { name books { totalCount nodes { text shelf { name } } } } }`;

describe("a plan", () => {
  it("reads all levels of a query in one round trip, and the loaders then read nothing", async () => {
    const { loaders, sent, names } = await run(shelfQuery, [
      [[shelf], [{ $key: "Shelf-1", $value: 2 }], [sanditon, emma], [{ $key: "Book-1", $value: "Emma Woodhouse" }]],
    ]);
    expect(sent.length).toBe(1);
    expect(names).toEqual(["ShelfById", "BooksByShelf.count", "BooksByShelf", "BookText"]);
    expect(await loaders.one(shelfById, "Shelf-1")).toEqual(shelf);
    const page = loaders.page(booksByShelf, {}, {}, "Shelf-1");
    expect(await page.totalCount).toBe(2);
    expect((await page.edges).map(({ node }) => node)).toEqual([emma, sanditon]);
    expect(await loaders.column(bookText, "Book-1")).toBe("Emma Woodhouse");
    // A book without a text, according to the plan.
    expect(await loaders.column(bookText, "Book-2")).toBeNull();
  });

  it("finds the keys of each level by the statement of the level above it", async () => {
    const { sent } = await run(shelfQuery, [[]]);
    const known = "select unnest($1::uuid[]) as key";
    const page = (limit: number) =>
      `from "books" t where t."shelf_id" = k.key and true order by t."title" ASC, t."id" ASC limit ${limit}`;
    const [ofShelf, count, books, texts] = sent[0] ?? [];
    // The shelf's own key and that of the parent of the books are united.
    const path = `select distinct r.key from (${known.replace("$1", "$2")}) k(key) cross join lateral (select t."shelf_id" as key ${page(20)}) r where r.key is not null`;
    expect(ofShelf?.text).toContain(
      `from ((${known}) union (${path})) k(key) join "shelves" t on t."id" = k.key where true`,
    );
    expect(ofShelf?.values).toEqual([["Shelf-1"], ["Shelf-1"]]);
    // The parent's key is the wanted column, so its rows are not needed for it.
    expect(count?.text).toContain(
      `from (${known}) k(key) join "books" t on t."shelf_id" = k.key where true group by 1`,
    );
    expect(books?.text).toContain(`from (${known}) k(key) inner join lateral (`);
    expect(books?.text).toContain(`${page(21)}) r on true`);
    expect(texts?.text).toContain(
      `from (select distinct r.key from (${known}) k(key) cross join lateral (select t."id" as key ${page(20)}) r where r.key is not null) k(key) join "books" t on t."id" = k.key`,
    );
    expect([count, books, texts].map((statement) => statement?.values)).toEqual([
      [["Shelf-1"]],
      [["Shelf-1"]],
      [["Shelf-1"], "Not for Ann"],
    ]);
  });

  it("knows without a statement that keys without rows have empty answers", async () => {
    const { loaders } = await run(shelfQuery, [[[], [], [], []]]);
    expect(await loaders.one(shelfById, "Shelf-1")).toBeNull();
    const answers = await run(`{ books { nodes { shelf { name } } } }`, [[[{ ...emma, $key: null }], []]]);
    expect(await answers.loaders.one(shelfById, "Shelf-1")).toBeNull();
    expect((await answers.loaders.page(allBooks, {}, {}).edges).length).toBe(1);
    await expect(answers.loaders.one(shelfById, "Shelf-2")).rejects.toThrow("Not planned");
  });

  it("traces each statement: its relation, rows and time, and whether it failed", async () => {
    const { loaders } = await run(shelfQuery, [[[shelf], new Error("failed"), [emma, sanditon]]]);
    const batch = (relation: string, rows: number) => ({ relation, keys: null, rows, ms: 1, planned: true });
    expect(loaders.trace.batches).toEqual([
      batch("ShelfById", 1),
      { ...batch("BooksByShelf.count", 0), ms: 2, failed: true },
      batch("BooksByShelf", 2),
      batch("BookText", 0),
    ]);
    expect(loaders.trace.roundTrips).toBe(1);
  });

  it("of one statement is left to the loaders, which need no more round trips", async () => {
    expect((await run(`{ shelf(id: "Shelf-1") { name } }`, [])).sent).toEqual([]);
    expect((await run("{ time }", [])).sent).toEqual([]);
  });

  it("of more than 50 statements is left to the loaders, so that others need not wait for all of them", async () => {
    const query = (count: number) =>
      `{ ${Array.from({ length: count }, (_, index) => `f${index}: books(first: ${index + 1}) { nodes { title } }`).join(" ")} }`;
    expect((await run(query(50), [])).sent[0]?.length).toBe(50);
    expect((await run(query(51), [])).sent).toEqual([]);
  });
});

describe("the asks of a plan", () => {
  it("are shared by equal fields under any alias, with the keys of all of them", async () => {
    const query = `{
      one: shelf(id: "Shelf-1") { books { totalCount } again: books { totalCount } }
      two: shelf(id: "Shelf-2") { books { totalCount } }
      once: shelf(id: "Shelf-1") { books { totalCount } }
    }`;
    const rows = [
      { $key: "Shelf-1", $value: 1 },
      { $key: "Shelf-2", $value: 2 },
    ];
    const { loaders, sent, names } = await run(query, [[[shelf, { ...shelf, id: "Shelf-2" }], rows]]);
    expect(names).toEqual(["ShelfById", "BooksByShelf.count"]);
    expect(sent[0]?.[0]?.values).toEqual([["Shelf-1", "Shelf-2"]]);
    const key = (number: number) => `(select unnest($${number}::uuid[]) as key)`;
    expect(sent[0]?.[1]?.text).toContain(` from (${key(1)} union ${key(2)}) k(key) `);
    expect(sent[0]?.[1]?.values).toEqual([["Shelf-1"], ["Shelf-2"]]);
    expect(await loaders.page(booksByShelf, {}, {}, "Shelf-1").totalCount).toBe(1);
    expect(await loaders.page(booksByShelf, {}, {}, "Shelf-2").totalCount).toBe(2);
  });

  it("are apart for other arguments, which may be variables", async () => {
    const query = `query ($search: String) { shelf(id: "Shelf-1") {
      all: books { totalCount } some: books(search: $search) { totalCount } few: books(search: "E") { totalCount }
    } }`;
    const { sent, names } = await run(query, [[]], { variables: { search: "S" } });
    expect(names).toEqual(["ShelfById", "BooksByShelf.count", "BooksByShelf.count", "BooksByShelf.count"]);
    expect(sent[0]?.map(({ values }) => values)).toEqual([
      [["Shelf-1"]],
      [["Shelf-1"]],
      [["Shelf-1"], "S"],
      [["Shelf-1"], "E"],
    ]);
  });

  it("are those whose conditions hold", async () => {
    const query = `query ($yes: Boolean!, $no: Boolean!) { shelf(id: "Shelf-1") {
      a: books(first: 1) @include(if: $yes) { totalCount }
      b: books(first: 2) @include(if: $no) { nodes { title } }
      c: books(first: 3) @skip(if: $yes) { nodes { title } }
      d: books(first: 4) @skip(if: $no) { nodes { title } }
      e: books(first: 5) { totalCount nodes @include(if: $no) { title } }
      f: books(first: 6) { nodes @skip(if: $no) { text @skip(if: $yes) } }
      g: books(first: 7) @skip(if: $no) @include(if: $no) { nodes { title } }
    } }`;
    const { sent, names } = await run(query, [[]], { variables: { yes: true, no: false } });
    expect(names).toEqual(["ShelfById", "BooksByShelf.count", "BooksByShelf", "BooksByShelf"]);
    expect(sent[0]?.map(({ text }) => /limit (\d+)/.exec(text)?.[1])).toEqual([undefined, undefined, "5", "7"]);
  });

  it("leave out fields with invalid arguments, whose errors the resolvers report", async () => {
    const query = `{ shelf(id: "Shelf-1") {
      a: books(first: 0) { nodes { title } } b: books(after: "x") { totalCount } c: books(search: 1) { totalCount }
      lent { title } d: books { totalCount }
    } }`;
    expect((await run(query, [[]])).names).toEqual(["ShelfById", "BooksByShelf.count"]);
  });

  it("for a page are those of its selected parts", async () => {
    const after = cursors.encode("AllBooks YEAR DESC", [2026, "Book-1"]);
    const namesOf = async (selection: string, args = "") =>
      (await run(`{ shelf(id: "Shelf-1") { name } books${args} ${selection} }`, [[]])).names.slice(1);
    expect(await namesOf("{ totalCount nodes { title } }")).toEqual(["AllBooks.count", "AllBooks"]);
    // Whether rows follow the page is in the page; none precede it without a cursor.
    expect(await namesOf("{ pageInfo { hasNextPage hasPreviousPage } }")).toEqual(["AllBooks"]);
    expect(await namesOf("{ pageInfo { hasPreviousPage } }")).toEqual([]);
    expect(await namesOf("{ pageInfo { hasNextPage hasPreviousPage } }", "(last: 3)")).toEqual(["AllBooks"]);
    expect(await namesOf("{ pageInfo { hasNextPage } }", "(last: 3)")).toEqual([]);
    expect(await namesOf("{ pageInfo { hasPreviousPage } }", `(after: "${after}")`)).toEqual(["AllBooks.exists"]);
    expect(await namesOf("{ pageInfo { hasNextPage } }", `(before: "${after}")`)).toEqual([
      "AllBooks.exists",
      "AllBooks",
    ]);
  });

  it("for objects of an interface are by the type of each row", async () => {
    const query = `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Shelf { books { totalCount } } ... on Book { text } } }`;
    const { sent, names } = await run(query, [[]], { variables: { ids: ["Book-1", "Shelf-1", "Shelf-2"] } });
    expect(names).toEqual(["ShelfById", "BooksByShelf.count", "BookById", "BookText"]);
    expect(sent[0]?.map(({ values }) => values[0])).toEqual([
      ["Shelf-1", "Shelf-2"],
      ["Shelf-1", "Shelf-2"],
      ["Book-1"],
      ["Book-1"],
    ]);
  });

  it("for a list are by a column of the parent, and those on its rows by a column of the list", async () => {
    const lentBook = { ...emma, $key: "Novels" };
    const query = `{ shelf(id: "Shelf-1") { lent(to: "Bob") { title text } } }`;
    const { loaders, sent, names } = await run(query, [
      [[shelf], [lentBook], [{ $key: "Book-1", $value: "Emma Woodhouse" }]],
    ]);
    expect(names).toEqual(["ShelfById", "BooksLent", "BookText"]);
    expect(sent[0]?.[1]?.text).toContain(
      'from (select distinct t."name" as key from (select unnest($1::uuid[]) as key) k(key)',
    );
    expect(await loaders.list(booksLent, { to: "Bob" }, "Novels")).toEqual([lentBook]);
    expect(await loaders.column(bookText, "Book-1")).toBe("Emma Woodhouse");
  });
});

describe("a page whose rows refer to their keys through another table", () => {
  it("is read in the same round trip as its parents and as the values of its rows", async () => {
    const alike = { ...sanditon, $key: "Book-1", $row: 1 };
    const { loaders, sent, names } = await run(
      `{ shelf(id: "Shelf-1") { books { nodes { alike(first: 1) { totalCount nodes { rank } } } } } }`,
      [[[shelf], [emma], [{ $key: "Book-1", $value: 3 }], [alike], [{ $key: "Book-2", $value: 7 }]]],
    );
    expect([sent.length, names]).toEqual([
      1,
      ["ShelfById", "BooksByShelf", "BooksAlike.count", "BooksAlike", "BookRank"],
    ]);
    const [, , count, page, ranks] = sent[0] ?? [];
    const shown =
      'select distinct r.key from (select unnest($1::uuid[]) as key) k(key) cross join lateral (select t."id" as key';
    expect(count?.text).toContain(`as "$value" from (${shown.replace("$1", "$2")}`);
    expect(page?.text).toContain(`r.* from (${shown}`);
    // The keys of the values are those of the page's rows, and computed once.
    expect(ranks?.text).toContain(`with keys(key) as materialized (select distinct r.key from (${shown}`);
    expect(ranks?.values).toEqual([["Shelf-1"], "Not for Ann", "Not for Ann"]);
    const connection = loaders.page(booksAlike, {}, { first: 1 }, "Book-1");
    expect([await connection.totalCount, (await connection.edges).map(({ node }) => node)]).toEqual([3, [alike]]);
    expect(await loaders.column(bookRank, "Book-2")).toBe(7);
  });
});

describe("an expensive page", () => {
  const found = { ...emma, $key: null };
  const query = `{ found(word: "Emma") { nodes { book { text shelf { name } } } totalCount } }`;

  it("is read once, and what is on its rows in a second round trip by their keys", async () => {
    const other = { ...sanditon, $key: null, shelfId: null };
    const { loaders, sent, names } = await run(query, [
      [[other, found], [{ $value: 7 }]],
      [[{ $key: "Book-1", $value: "Emma Woodhouse" }], [shelf]],
    ]);
    expect(names).toEqual(["BooksFound", "BooksFound.count", "BookText", "ShelfById"]);
    expect(sent[1]?.map(({ values }) => values)).toEqual([[["Book-1", "Book-2"], "Not for Ann"], [["Shelf-1"]]]);
    expect(await loaders.page(booksFound, { word: "Emma" }, {}).totalCount).toBe(7);
    expect(await loaders.column(bookText, "Book-1")).toBe("Emma Woodhouse");
    expect(await loaders.column(bookText, "Book-2")).toBeNull();
    expect(await loaders.one(shelfById, "Shelf-1")).toEqual(shelf);
    expect(loaders.trace.roundTrips).toBe(2);
  });

  it("is read alone if more is to be read on its rows", async () => {
    const { names } = await run(`{ found(word: "Emma") { nodes { book { text shelf { name } } } } }`, [[[found]]]);
    expect(names).toEqual(["BooksFound", "BookText", "ShelfById"]);
  });

  it("is left to the loaders if it is all there is to read", async () => {
    expect((await run(`{ found(word: "Emma") { nodes { book { title } } } }`, [])).sent).toEqual([]);
  });

  it("leaves a single statement on its rows to the loaders", async () => {
    const { names } = await run(`{ found(word: "Emma") { nodes { book { text } } } }`, [[[found]]]);
    expect(names).toEqual(["BooksFound"]);
  });

  it("that appears twice is read once, with all that is on its rows", async () => {
    const query = `{ found(word: "Emma") { nodes { book { text } } } again: found(word: "Emma") { nodes { book { shelf { name } } } } }`;
    const { names } = await run(query, [[[found]]]);
    expect(names).toEqual(["BooksFound", "BookText", "ShelfById"]);
  });

  it("without rows is all that is read", async () => {
    const { sent } = await run(query, [[[], [{ $value: 0 }]]]);
    expect(sent.slice(1)).toEqual([]);
  });

  it("that fails has nothing on its rows", async () => {
    const { sent } = await run(query, [[new Error("failed"), [{ $value: 7 }]]]);
    expect(sent.length).toBe(1);
  });
});

describe("a plan that fails", () => {
  it("in one statement primes the answers of the others", async () => {
    const { loaders } = await run(shelfQuery, [
      [[shelf], new Error("failed"), [emma], [{ $key: "Book-1", $value: "E" }]],
    ]);
    expect(await loaders.one(shelfById, "Shelf-1")).toEqual(shelf);
    expect(await loaders.column(bookText, "Book-1")).toBe("E");
    await expect(loaders.page(booksByShelf, {}, {}, "Shelf-1").totalCount).rejects.toThrow("Not planned");
  });

  it("in the statement of a parent primes nothing below it, since its keys are unknown", async () => {
    const { loaders } = await run(shelfQuery, [[[shelf], [], new Error("failed"), [{ $key: "Book-1", $value: "E" }]]]);
    await expect(loaders.column(bookText, "Book-1")).rejects.toThrow("Not planned");
  });

  it("as a whole is left to the loaders", async () => {
    const readTogether = vi.fn(() => Promise.reject(new Error("The connection was lost.")));
    const { loaders } = await run(shelfQuery, [], { reader: { readTogether } });
    expect(readTogether).toHaveBeenCalledTimes(1);
    expect(loaders.trace.batches).toEqual([]);
    await expect(loaders.one(shelfById, "Shelf-1")).rejects.toThrow("Not planned");
  });

  it("never throws, even if the answers make no sense", async () => {
    const readTogether = async () => [{ rows: [shelf], ms: 1 }].flatMap((outcome) => Array(9).fill(outcome));
    await expect(run(shelfQuery, [], { reader: { readTogether } })).resolves.toBeDefined();
  });
});

describe("the timeout of a plan", () => {
  it("is that of its statements in whole milliseconds, and the second round trip has what is left", async () => {
    vi.useFakeTimers();
    try {
      let now = 0;
      vi.spyOn(performance, "now").mockImplementation(() => now);
      const timeouts: number[] = [];
      const readTogether = async (statements: readonly unknown[], timeoutMs: number) => {
        timeouts.push(timeoutMs);
        now += 399.5;
        return statements.map(() => ({ rows: [{ ...emma, $key: null }], ms: 1 }));
      };
      const query = `{ found(word: "Emma") { nodes { book { text shelf { name } } } } }`;
      await run(query, [], { reader: { readTogether } });
      expect(timeouts).toEqual([1_000, 601]);
      timeouts.length = 0;
      await run(query, [], { reader: { readTogether }, timeoutMs: 400.4 });
      expect(timeouts).toEqual([401]);
    } finally {
      vi.restoreAllMocks();
      vi.useRealTimers();
    }
  });

  it("leaves a plan that takes longer to the loaders", async () => {
    const readTogether = () => new Promise<ReadOutcome[]>(() => {});
    const { loaders } = await run(shelfQuery, [], { reader: { readTogether }, timeoutMs: 5 });
    expect(loaders.trace.batches).toEqual([]);
    await expect(loaders.one(shelfById, "Shelf-1")).rejects.toThrow("Not planned");
  });

  it("of no time, like a connection that also writes, leaves everything to the loaders", async () => {
    expect((await run(shelfQuery, [], { timeoutMs: 0 })).sent).toEqual([]);
    const { loaders } = await run(shelfQuery, [], { reader: { readTogether: undefined } });
    expect(loaders.trace.batches).toEqual([]);
    expect(loaders.trace.roundTrips).toBe(0);
  });
});

describe("the plan of a subscription's event", () => {
  const query = "subscription { changes { kind shelf { name books { totalCount } } book { title } } }";

  it("reads the rows that the event names", async () => {
    const event = { kind: "changed", shelfId: "Shelf-1", bookId: "Book-1" };
    const { loaders, sent, names } = await run(query, [[[shelf], [{ $key: "Shelf-1", $value: 2 }], [emma]]], { event });
    expect(names).toEqual(["ShelfById", "BooksByShelf.count", "BookById"]);
    expect(sent[0]?.map(({ values }) => values[0])).toEqual([["Shelf-1"], ["Shelf-1"], ["Book-1"]]);
    expect(await loaders.one(shelfById, "Shelf-1")).toEqual(shelf);
    expect(await loaders.one(bookById, "Book-1")).toEqual(emma);
    expect(await loaders.page(booksByShelf, {}, {}, "Shelf-1").totalCount).toBe(2);
  });

  it("reads nothing for rows that the event does not name", async () => {
    const { names } = await run(query, [[]], { event: { kind: "gone", shelfId: "Shelf-1", bookId: null } });
    expect(names).toEqual(["ShelfById", "BooksByShelf.count"]);
    expect((await run(query, [[]], { event: { kind: "gone" } })).sent).toEqual([]);
  });
});

describe("an answer that is an error", () => {
  it("is primed like any other: the page's cursor is out of date", async () => {
    const loaders = new Loaders({
      viewer: { name: "Ann" },
      cursors,
      reader: { read: async () => [{ $key: "Shelf-1", $isOutOfDate: true }] },
    });
    const after = cursors.encode("BooksOfEdition TITLE ASC", ["Emma", "Book-1", 7]);
    await expect(loaders.page(booksOfEdition, {}, { after }, "Shelf-1").edges).rejects.toThrow(
      "The shelf has a new edition.",
    );
  });
});
