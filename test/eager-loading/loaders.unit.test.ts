import { describe, expect, it } from "vitest";
import type { Row } from "../../src/eager-loading/answers.ts";
import { askOne } from "../../src/eager-loading/ask.ts";
import { CursorCodec } from "../../src/eager-loading/cursor.ts";
import { Loaders } from "../../src/eager-loading/loaders.ts";
import { Trace } from "../../src/eager-loading/trace.ts";
import { bookById, booksByShelf, booksLent, bookText, shelfById } from "../support/shelves.ts";

const cursors = new CursorCodec("secret");

/** Loaders on a database that answers a statement by its keys. */
function loadersOn(answer: (keys: string[]) => Row[] | Error, trace?: Trace) {
  const read: string[][] = [];
  const loaders = new Loaders({
    viewer: { name: "Ann" },
    cursors,
    ...(trace ? { trace } : {}),
    reader: {
      read: async ({ values }) => {
        const keys = values.find(Array.isArray) as string[];
        read.push(keys);
        const rows = answer(keys);
        if (rows instanceof Error) throw rows;
        return rows;
      },
    },
  });
  return { loaders, read };
}
const shelf = (id: string) => ({ id, name: `Shelf ${id}` });
const shelvesOf = (keys: string[]) => keys.filter((key) => key !== "gone").map(shelf);

describe("the loaders", () => {
  it("read the keys of one moment by one statement, and each key once", async () => {
    const { loaders, read } = loadersOn(shelvesOf);
    const one = (key: string) => loaders.one(shelfById, key);
    expect(await Promise.all([one("a"), one("b"), one("a"), one("gone")])).toEqual([
      shelf("a"),
      shelf("b"),
      shelf("a"),
      null,
    ]);
    expect(await one("b")).toEqual(shelf("b"));
    expect(read).toEqual([["a", "b", "gone"]]);
  });

  it("read each kind of ask, and nothing for a key that is missing", async () => {
    const { loaders, read } = loadersOn((keys) =>
      keys.map((key) => ({ $key: key, $value: 3, $row: 1, title: "Emma" })),
    );
    expect(await loaders.list(booksLent, { to: "Bob" }, "a")).toMatchObject([{ title: "Emma" }]);
    expect(await loaders.column(bookText, "a")).toBe(3);
    expect(await loaders.page(booksByShelf, {}, { first: 1 }, "a").totalCount).toBe(3);
    expect(read).toEqual([["a"], ["a"], ["a"]]);
    expect(await loaders.one(bookById, null)).toBeNull();
    expect(await loaders.list(booksLent, { to: "Bob" }, undefined)).toEqual([]);
    expect(read.length).toBe(3);
  });

  it("read again what was read, once the caches are cleared after a write", async () => {
    const { loaders, read } = loadersOn(shelvesOf);
    await loaders.one(shelfById, "a");
    loaders.clear();
    await loaders.one(shelfById, "a");
    expect(read).toEqual([["a"], ["a"]]);
  });

  it("give what a plan has read, also in place of what they had", async () => {
    const { loaders, read } = loadersOn(shelvesOf);
    await loaders.one(shelfById, "a");
    loaders.prime(askOne(shelfById), "a", { id: "a", name: "New" });
    expect(await loaders.one(shelfById, "a")).toEqual({ id: "a", name: "New" });
    expect(read).toEqual([["a"]]);
  });
});

describe("a statement of the loaders that fails", () => {
  it("fails for all its keys, if it is not their fault", async () => {
    const lost = new Error("The connection was lost.");
    const { loaders, read } = loadersOn(() => lost);
    const outcomes = await Promise.allSettled([loaders.one(shelfById, "a"), loaders.one(shelfById, "b")]);
    expect(outcomes).toEqual([
      { status: "rejected", reason: lost },
      { status: "rejected", reason: lost },
    ]);
    expect(read).toEqual([["a", "b"]]);
  });

  it("fails for the one key that is no value of its column, and for no other", async () => {
    const invalid = Object.assign(new Error("invalid input syntax for type uuid"), { code: "22P02" });
    const { loaders, read } = loadersOn((keys) => (keys.includes("x") ? invalid : shelvesOf(keys)));
    const outcomes = await Promise.allSettled(["a", "b", "x", "c", "gone"].map((key) => loaders.one(shelfById, key)));
    expect(outcomes.map((outcome) => (outcome.status === "fulfilled" ? outcome.value : outcome.reason))).toEqual([
      shelf("a"),
      shelf("b"),
      invalid,
      shelf("c"),
      null,
    ]);
    expect(read).toEqual([["a", "b", "x", "c", "gone"], ["a", "b"], ["x", "c", "gone"], ["x"], ["c", "gone"]]);
  });
});

describe("the trace of an operation", () => {
  it("counts statements, rows, time and round trips of the loaders", async () => {
    const trace = new Trace();
    const { loaders } = loadersOn((keys) => (keys.includes("x") ? new Error("failed") : shelvesOf(keys)), trace);
    await Promise.all([loaders.one(shelfById, "a"), loaders.one(shelfById, "b")]);
    await loaders.one(shelfById, "x").catch(() => {});
    expect(loaders.trace).toBe(trace);
    expect(trace.batches).toEqual([
      { relation: "ShelfById", keys: 2, rows: 2, ms: expect.any(Number), planned: false },
      { relation: "ShelfById", keys: 1, rows: 0, ms: expect.any(Number), planned: false, failed: true },
    ]);
    const [first, second] = trace.batches;
    first && Object.assign(first, { ms: 2 });
    second && Object.assign(second, { ms: 3 });
    expect([trace.statements, trace.rows, trace.ms, trace.roundTrips]).toEqual([2, 2, 5, 2]);
  });

  it("counts concurrent round trips as one, and the longest chain of them", async () => {
    const trace = new Trace();
    const waits = () => new Promise<void>((resume) => setImmediate(resume));
    await Promise.all([trace.trip(waits), trace.trip(waits)]);
    expect(trace.roundTrips).toBe(1);
    await expect(trace.trip(() => Promise.reject(new Error("failed")))).rejects.toThrow("failed");
    await trace.trip(waits);
    expect(trace.roundTrips).toBe(3);
  });
});
