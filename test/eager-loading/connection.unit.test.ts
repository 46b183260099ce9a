import { describe, expect, it } from "vitest";
import type { Page } from "../../src/eager-loading/answers.ts";
import { type Ask, emptyAnswer, type PageWindow } from "../../src/eager-loading/ask.ts";
import { Connection, connectionAsks } from "../../src/eager-loading/connection.ts";
import { CursorCodec } from "../../src/eager-loading/cursor.ts";
import { booksByShelf, booksOfEdition } from "../support/shelves.ts";

const cursors = new CursorCodec("secret");
const forward: PageWindow = { size: 2, isBackward: false, order: { field: "TITLE", direction: "ASC" } };
const emma = { id: "a", title: "Emma", edition: 7 };
const persuasion = { id: "b", title: "Persuasion", edition: 7 };
const sanditon = { id: "c", title: "Sanditon", edition: 7 };

/** A connection whose loaders answer what is given, and the kinds of asks that it has read. */
function opened(answers: Partial<Record<Ask["kind"], unknown>>, window: Partial<PageWindow> = {}) {
  const read: [kind: string, beyond: string | undefined, key: unknown][] = [];
  const load = async (ask: Ask, key: unknown) => {
    read.push([ask.kind, ask.kind === "exists" ? ask.beyond : undefined, key]);
    return answers[ask.kind] ?? emptyAnswer(ask);
  };
  const connection = new Connection({ load, cursors }, booksByShelf, {}, { ...forward, ...window }, "shelf");
  return { connection, read };
}
const page = (hasMore: boolean, ...rows: Page["rows"]): Page => ({ rows, hasMore });

describe("the asks of a connection", () => {
  it("are a page and a count, and for each cursor whether rows lie beyond it", () => {
    const kinds = (window: Partial<PageWindow>) =>
      Object.entries(connectionAsks(booksByShelf, {}, { ...forward, ...window })).map(([part, ask]) => [
        part,
        ask.kind,
        ask.kind === "exists" ? ask.beyond : "",
      ]);
    const always = [
      ["page", "page", ""],
      ["count", "count", ""],
    ];
    expect(kinds({})).toEqual(always);
    expect(kinds({ after: ["Emma", "a"] })).toEqual([...always, ["previous", "exists", "after"]]);
    expect(kinds({ before: ["Emma", "a"] })).toEqual([...always, ["next", "exists", "before"]]);
  });
});

describe("a connection", () => {
  it("reads nothing until one of its parts is asked for", async () => {
    const { connection, read } = opened({ page: page(false, emma), count: 12 });
    expect(connection.pageInfo).toBeDefined();
    expect(read).toEqual([]);
    expect(await connection.totalCount).toBe(12);
    expect(read).toEqual([["count", undefined, "shelf"]]);
  });

  it("shows its rows, each with a cursor", async () => {
    const { connection, read } = opened({ page: page(false, emma, persuasion) });
    const edges = await connection.edges;
    expect(edges.map(({ node }) => node)).toEqual([emma, persuasion]);
    expect(edges.map(({ cursor }) => cursors.decode("BooksByShelf TITLE ASC", cursor, "after"))).toEqual([
      ["Emma", "a"],
      ["Persuasion", "b"],
    ]);
    expect(read).toEqual([["page", undefined, "shelf"]]);
  });

  it("begins and ends with the cursors of its first and last row", async () => {
    const { pageInfo } = opened({ page: page(false, emma, persuasion, sanditon) }).connection;
    expect(await pageInfo.startCursor).toBe(cursors.encode("BooksByShelf TITLE ASC", ["Emma", "a"]));
    expect(await pageInfo.endCursor).toBe(cursors.encode("BooksByShelf TITLE ASC", ["Sanditon", "c"]));
  });

  it("without rows has no cursors", async () => {
    const { pageInfo } = opened({}).connection;
    expect([await pageInfo.startCursor, await pageInfo.endCursor]).toEqual([null, null]);
  });

  it("of a relation with generations has the row's generation in each cursor", () => {
    const connection = new Connection(
      { load: async () => null, cursors },
      booksOfEdition,
      {},
      { ...forward, order: { field: "TITLE", direction: "DESC" } },
      "shelf",
    );
    const cursor = connection.cursor(emma);
    expect(cursors.decode("BooksOfEdition TITLE DESC", cursor, "after")).toEqual(["Emma", "a", "7"]);
  });
});

describe("the pages beside a page", () => {
  const cursor = ["Emma", "a"];

  it("read forward: the next one exists if the page has more rows than it shows", async () => {
    const { connection, read } = opened({ page: page(true, emma), exists: true });
    expect(await connection.pageInfo.hasNextPage).toBe(true);
    expect(await connection.pageInfo.hasPreviousPage).toBe(false);
    expect(read).toEqual([["page", undefined, "shelf"]]);
    expect(await opened({ page: page(false, emma), exists: true }).connection.pageInfo.hasNextPage).toBe(false);
  });

  it("read backward: the previous one exists if the page has more rows than it shows", async () => {
    const { connection, read } = opened({ page: page(true, emma), exists: true }, { isBackward: true });
    expect(await connection.pageInfo.hasPreviousPage).toBe(true);
    expect(await connection.pageInfo.hasNextPage).toBe(false);
    expect(read).toEqual([["page", undefined, "shelf"]]);
    const last = opened({ page: page(false, emma), exists: true }, { isBackward: true });
    expect(await last.connection.pageInfo.hasPreviousPage).toBe(false);
  });

  it("exist if rows lie on the other side of a cursor", async () => {
    const previous = opened({ page: page(true, emma), exists: true }, { after: cursor });
    expect(await previous.connection.hasPreviousPage()).toBe(true);
    expect(previous.read).toEqual([["exists", "after", "shelf"]]);
    const next = opened({ page: page(true, emma), exists: true }, { before: cursor, isBackward: true });
    expect(await next.connection.hasNextPage()).toBe(true);
    expect(next.read).toEqual([["exists", "before", "shelf"]]);
    expect(await opened({ exists: false }, { after: cursor }).connection.hasPreviousPage()).toBe(false);
  });

  it("between two cursors: one beyond the last cursor counts as well as one that the page leaves out", async () => {
    const full = opened({ page: page(true, emma), exists: false }, { before: cursor });
    expect(await full.connection.hasNextPage()).toBe(true);
    const whole = opened({ page: page(false, emma), exists: true }, { before: cursor });
    expect(await whole.connection.hasNextPage()).toBe(true);
    expect(whole.read).toEqual([
      ["page", undefined, "shelf"],
      ["exists", "before", "shelf"],
    ]);
  });
});
