import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Ask,
  askColumn,
  askCount,
  askExists,
  askList,
  askOne,
  askPage,
  emptyAnswer,
  generationsOf,
  type PageWindow,
} from "../../src/eager-loading/ask.ts";
import { bookById, booksByShelf, booksLent, booksOfEdition, bookText } from "../support/shelves.ts";

const byTitle: PageWindow = { size: 20, isBackward: false, order: { field: "TITLE", direction: "ASC" } };
const after = ["Emma", "a", "7"];
const before = ["Persuasion", "b", "8"];

const asks = (): Record<Ask["kind"], Ask> => ({
  one: askOne(bookById),
  page: askPage(booksByShelf, { search: "E%" }, byTitle),
  count: askCount(booksByShelf, { search: "E%" }, byTitle),
  exists: askExists(booksByShelf, { search: "E%" }, { ...byTitle, after }, "after"),
  list: askList(booksLent, { to: "Ann" }),
  column: askColumn(bookText),
});

describe("an ask", () => {
  it("is identified by its relation, its kind and its arguments", () => {
    expect(Object.values(asks()).map(({ kind, id }) => [kind, id])).toEqual([
      ["one", "BookById.one{}"],
      [
        "page",
        'BooksByShelf.page{"args":{"search":"E%"},"window":{"isBackward":false,"order":{"direction":"ASC","field":"TITLE"},"size":20}}',
      ],
      ["count", 'BooksByShelf.count{"args":{"search":"E%"},"generations":[]}'],
      [
        "exists",
        'BooksByShelf.exists{"args":{"search":"E%"},"beyond":"after","cursor":["Emma","a","7"],"generations":[],"order":{"direction":"ASC","field":"TITLE"}}',
      ],
      ["list", 'BooksLent.list{"args":{"to":"Ann"}}'],
      ["column", "BookText.column{}"],
    ]);
  });

  it("has the name that a trace shows", () => {
    expect(Object.values(asks()).map(({ name }) => name)).toEqual([
      "BookById",
      "BooksByShelf",
      "BooksByShelf.count",
      "BooksByShelf.exists",
      "BooksLent",
      "BookText",
    ]);
  });

  it("is the same for equal arguments in any order, and for those that are missing", () => {
    const one = askList(booksLent, { to: "Ann", since: { year: 2026, month: undefined } } as never);
    const other = askList(booksLent, { since: { year: 2026 }, to: "Ann", until: undefined } as never);
    expect(one.id).toBe(other.id);
  });

  it("is another one for other arguments, whatever they hold", () => {
    const value = fc.jsonValue();
    fc.assert(
      fc.property(value, value, (left, right) => {
        // As a client sends them: JSON has no -0.
        const [one, other] = [left, right].map((value) => JSON.parse(JSON.stringify(value)));
        expect(idOf(one) === idOf(other)).toBe(isDeepStrictEqual(one, other));
      }),
    );
  });

  it("tells a big number from a number, a text from a number, and null from nothing", () => {
    const values = [1, 1n, 2n, "1", "1n", null, "null", [], {}, [1], ["1"], true, "true"];
    expect(new Set(values.map(idOf)).size).toBe(values.length);
  });

  it("may hold a time and items without a value", () => {
    expect(idOf(new Date(0))).toBe('BooksLent.list{"args":{"to":"1970-01-01T00:00:00.000Z"}}');
    expect(idOf([undefined, 1])).toBe('BooksLent.list{"args":{"to":[null,1]}}');
  });

  it("for a count is one for all pages, but not for cursors of different generations", () => {
    const count = (window: Partial<PageWindow>) => askCount(booksByShelf, {}, { ...byTitle, ...window }).id;
    expect(count({ size: 1, after })).toBe(count({ isBackward: true }));
    const ofEdition = (window: Partial<PageWindow>) => askCount(booksOfEdition, {}, { ...byTitle, ...window }).id;
    expect(ofEdition({ after })).not.toBe(ofEdition({}));
    expect(ofEdition({ after })).not.toBe(ofEdition({ after: ["Emma", "a", "8"] }));
    expect(ofEdition({ after })).toBe(ofEdition({ after: ["Persuasion", "c", "7"] }));
  });

  it("for the rows outside a page depends on the cursor, not on the size", () => {
    const exists = (window: Partial<PageWindow>, beyond: "after" | "before") =>
      askExists(booksByShelf, {}, { ...byTitle, after, before, ...window }, beyond).id;
    expect(exists({ size: 1 }, "after")).toBe(exists({ size: 2 }, "after"));
    expect(exists({}, "before")).toContain('"beyond":"before","cursor":["Persuasion","b","8"]');
    expect(exists({}, "before")).not.toBe(exists({}, "after"));
  });
});

function idOf(value: unknown): string {
  return askList(booksLent, { to: value } as never).id;
}

describe("the generations of a window", () => {
  it("are the last values of its cursors", () => {
    expect(generationsOf(booksOfEdition, { ...byTitle, after, before })).toEqual(["7", "8"]);
    expect(generationsOf(booksOfEdition, { ...byTitle, before })).toEqual(["8"]);
    expect(generationsOf(booksOfEdition, byTitle)).toEqual([]);
  });

  it("are unknown in a cursor without values", () => {
    expect(generationsOf(booksOfEdition, { ...byTitle, after: [] })).toEqual([null]);
  });

  it("are none if the relation has no generations", () => {
    expect(generationsOf(booksByShelf, { ...byTitle, after, before })).toEqual([]);
  });
});

describe("the answer for a key without rows", () => {
  it("is empty, as its kind requires", () => {
    expect(Object.values(asks()).map((ask) => [ask.kind, emptyAnswer(ask)])).toEqual([
      ["one", null],
      ["page", { rows: [], hasMore: false }],
      ["count", 0],
      ["exists", false],
      ["list", []],
      ["column", null],
    ]);
  });
});
