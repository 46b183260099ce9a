import { describe, expect, it } from "vitest";
import { relationsFor } from "../../src/eager-loading/relation.ts";
import { sql } from "../../src/eager-loading/sql.ts";
import { bookById, bookRank, books, booksAlike, booksByShelf, booksLent, bookText } from "../support/shelves.ts";

const relations = relationsFor<unknown>();
const byTitle = { orders: { TITLE: ["title"] }, defaultOrder: { field: "TITLE", direction: "ASC" } } as const;

describe("a relation", () => {
  it("is of the kind by which it is declared", () => {
    const kinds = [bookById, booksByShelf, booksAlike, booksLent, bookText, bookRank].map(({ kind }) => kind);
    expect(kinds).toEqual(["one", "page", "page", "list", "column", "column"]);
    expect([booksByShelf.computed, booksByShelf.decorated]).toEqual([{}, {}]);
  });

  it("of pages is ordered by columns and computed values only", () => {
    const declare = (orders: Record<string, string[]>) => () =>
      relations.page({
        name: "Books",
        table: books,
        orders,
        defaultOrder: { field: "A", direction: "ASC" },
        computed: { rank: { type: "real", sql: () => sql`1` } },
      });
    expect(declare({ A: ["title", "rank"] })().orders).toEqual({ A: ["title", "rank"] });
    expect(declare({ A: ["title"], B: ["weight"] })).toThrow(
      new Error("Books cannot be ordered by weight: no such column or computed value."),
    );
  });

  it("with generations has a key, whose rows are replaced", () => {
    const generation = { column: "edition", current: () => sql`1`, outOfDate: "Old." } as const;
    const declare = (key?: "shelfId") => () =>
      relations.page({ name: "Books", table: books, ...byTitle, generation, ...(key ? { key } : {}) });
    expect(declare("shelfId")().generation).toBe(generation);
    expect(declare()).toThrow(new Error("Books has a generation but no key."));
    const matched = { keyType: "uuid", match: () => sql`true` };
    expect(() => relations.page({ name: "Books", table: books, ...byTitle, generation, ...matched })).toThrow(
      new Error("Books has a generation but no key."),
    );
  });
});
