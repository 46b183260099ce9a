import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answersFromRows, type Page, type Row, rootKey, rowsOf } from "../../src/eager-loading/answers.ts";
import {
  askColumn,
  askCount,
  askExists,
  askList,
  askOne,
  askPage,
  type PageWindow,
} from "../../src/eager-loading/ask.ts";
import { CursorOutOfDateError } from "../../src/eager-loading/cursor.ts";
import { allBooks, bookById, booksByShelf, booksLent, booksOfEdition, bookText } from "../support/shelves.ts";

const byTitle: PageWindow = { size: 2, isBackward: false, order: { field: "TITLE", direction: "ASC" } };
const page = askPage(booksByShelf, {}, byTitle);
const row = (key: string, number: number | string, title: string): Row => ({ $key: key, $row: number, title });

describe("the answers in rows", () => {
  it("of one row per key are found by the row's own column", () => {
    const emma = { id: "a", title: "Emma" };
    expect([...answersFromRows(askOne(bookById), [emma])]).toEqual([["a", emma]]);
    expect([...answersFromRows(askOne(bookById), [{ id: 7 }]).keys()]).toEqual(["7"]);
  });

  it("of single values are found by the key beside them", () => {
    const rows = [
      { $key: "a", $value: "Emma Woodhouse, handsome, clever" },
      { $key: "b", $value: null },
    ];
    const answers = [
      ["a", "Emma Woodhouse, handsome, clever"],
      ["b", null],
    ];
    expect([...answersFromRows(askColumn(bookText), rows)]).toEqual(answers);
    expect([...answersFromRows(askCount(booksByShelf, {}, byTitle), [{ $key: "a", $value: 3 }])]).toEqual([["a", 3]]);
    const exists = askExists(booksByShelf, {}, { ...byTitle, after: ["Emma", "a"] }, "after");
    expect([...answersFromRows(exists, [{ $key: "a", $value: true }])]).toEqual([["a", true]]);
  });

  it("of a list are in the order of the rows, and apart by key", () => {
    const rows = ["a", "b", "a"].map((key, index) => ({ $key: key, title: `${index}` }));
    expect([...answersFromRows(askList(booksLent, { to: "Ann" }), rows)]).toEqual([
      ["a", [rows[0], rows[2]]],
      ["b", [rows[1]]],
    ]);
  });

  it("of a relation without keys belong to the root", () => {
    const rows = [{ $key: null, $row: 1, title: "Emma" }];
    expect([...answersFromRows(askPage(allBooks, {}, byTitle), rows).keys()]).toEqual([rootKey]);
    expect([...answersFromRows(askPage(allBooks, {}, byTitle), [{ $row: 1 }]).keys()]).toEqual([rootKey]);
  });

  it("are missing for keys without rows", () => {
    expect(answersFromRows(page, []).size).toBe(0);
  });
});

describe("a page in rows", () => {
  const titlesOf = (answer: unknown) => (answer as Page).rows.map(({ title }) => title);

  it("has more if the statement, which reads one row more than the page shows, found it", () => {
    const rows = [row("a", 1, "Emma"), row("a", 2, "Persuasion"), row("a", 3, "Sanditon"), row("b", 1, "Lesley")];
    const answers = answersFromRows(page, rows);
    expect(answers.get("a")).toEqual({ rows: rows.slice(0, 2), hasMore: true });
    expect(answers.get("b")).toEqual({ rows: rows.slice(3), hasMore: false });
  });

  it("does not depend on the order in which its rows arrive", () => {
    const rows = [
      row("a", "1", "Emma"),
      row("a", "2", "Persuasion"),
      row("b", "1", "Lesley"),
      row("a", "3", "Sanditon"),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(rows, { minLength: rows.length }), (shuffled) => {
        const answers = answersFromRows(page, shuffled);
        expect(answers.get("a")).toEqual({ rows: rows.slice(0, 2), hasMore: true });
        expect(answers.get("b")).toEqual({ rows: [rows[2]], hasMore: false });
      }),
    );
  });

  it("that was read backward is shown forward", () => {
    const backward = askPage(booksByShelf, {}, { ...byTitle, isBackward: true });
    const answers = answersFromRows(backward, [
      row("a", 1, "Sanditon"),
      row("a", 2, "Persuasion"),
      row("a", 3, "Emma"),
    ]);
    expect(titlesOf(answers.get("a"))).toEqual(["Persuasion", "Sanditon"]);
    expect((answers.get("a") as Page).hasMore).toBe(true);
    // A list and a page that was read forward stay as they are.
    expect(titlesOf(answersFromRows(page, [row("a", 1, "Emma"), row("a", 2, "Persuasion")]).get("a"))).toEqual([
      "Emma",
      "Persuasion",
    ]);
  });

  it("is empty for a key whose only row is the one of its generation", () => {
    const ofEdition = askPage(booksOfEdition, {}, { ...byTitle, after: ["Emma", "a", "7"] });
    const rows = [{ $key: "a", $isOutOfDate: false, $row: null, title: null }];
    expect([...answersFromRows(ofEdition, rows)]).toEqual([["a", { rows: [], hasMore: false }]]);
  });
});

describe("an answer for a cursor of an older generation", () => {
  const outdated = [{ $key: "a", $isOutOfDate: true, $row: null }];
  const error = (argument: string) => new CursorOutOfDateError(argument, "The shelf has a new edition.");

  it("is an error that names the cursor's argument", () => {
    const after = askPage(booksOfEdition, {}, { ...byTitle, after: ["Emma", "a", "7"] });
    expect([...answersFromRows(after, outdated)]).toEqual([["a", error("after")]]);
    expect(answersFromRows(after, outdated).get("a")).toMatchObject({ argument: "after" });
    const before = askCount(booksOfEdition, {}, { ...byTitle, before: ["Emma", "a", "7"] });
    expect(answersFromRows(before, outdated).get("a")).toMatchObject({ argument: "before" });
    expect(answersFromRows(before, outdated).get("a")).toEqual(error("before"));
  });

  it("is that of its own key only, also when pages are read backward", () => {
    const window = { ...byTitle, isBackward: true, before: ["Emma", "a", "7"] };
    const current = { $key: "b", $isOutOfDate: false, $row: 1, title: "Lesley" };
    const answers = answersFromRows(askPage(booksOfEdition, {}, window), [...outdated, current]);
    expect(answers.get("a")).toEqual(error("before"));
    expect(answers.get("b")).toEqual({ rows: [current], hasMore: false });
  });

  it("is a mistake in the program for a relation without generations", () => {
    expect(() => answersFromRows(page, outdated)).toThrow(new Error("BooksByShelf has no cursors with a generation."));
    expect(() => answersFromRows(askColumn(bookText), outdated)).toThrow("BookText has no cursors with a generation.");
  });
});

describe("the rows of an answer", () => {
  const emma = { id: "a", title: "Emma" };

  it("are those that it shows", () => {
    expect(rowsOf(askOne(bookById), emma)).toEqual([emma]);
    expect(rowsOf(askOne(bookById), null)).toEqual([]);
    expect(rowsOf(page, { rows: [emma], hasMore: true })).toEqual([emma]);
    expect(rowsOf(askList(booksLent, { to: "Ann" }), [emma])).toEqual([emma]);
  });

  it("are none if the answer is a value or an error", () => {
    expect(rowsOf(askCount(booksByShelf, {}, byTitle), 3)).toEqual([]);
    expect(rowsOf(askColumn(bookText), "Emma Woodhouse")).toEqual([]);
    expect(rowsOf(page, new CursorOutOfDateError("after", "The shelf has a new edition."))).toEqual([]);
    expect(rowsOf(askOne(bookById), new Error("failed"))).toEqual([]);
  });
});
