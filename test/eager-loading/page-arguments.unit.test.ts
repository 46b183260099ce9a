import { describe, expect, it } from "vitest";
import { CursorCodec, type PageArgumentError } from "../../src/eager-loading/cursor.ts";
import { type PageArguments, windowOf } from "../../src/eager-loading/page-arguments.ts";
import { booksByShelf } from "../support/shelves.ts";

const cursors = new CursorCodec("secret");
const windowFor = (args: PageArguments) => windowOf(booksByShelf, args, cursors);
const refusal = (args: PageArguments) => {
  try {
    return { accepted: windowFor(args) };
  } catch (error) {
    const { argument, message } = error as PageArgumentError;
    return { argument, message };
  }
};

describe("the window of a page", () => {
  const byTitle = { field: "TITLE", direction: "ASC" };

  it("is the first 20 rows in the order of the relation, unless arguments say otherwise", () => {
    const window = { size: 20, isBackward: false, order: byTitle };
    expect(windowFor({})).toStrictEqual(window);
    expect(windowFor({ first: null, after: null, last: null, before: null, orderBy: null })).toStrictEqual(window);
  });

  it("has the size that is asked for, forward or backward", () => {
    expect(windowFor({ first: 1 })).toStrictEqual({ size: 1, isBackward: false, order: byTitle });
    expect(windowFor({ last: 100 })).toStrictEqual({ size: 100, isBackward: true, order: byTitle });
  });

  it("lies between two cursors of its own order", () => {
    const orderBy = { field: "YEAR", direction: "DESC" as const };
    const after = cursors.encode("BooksByShelf YEAR DESC", [2026, "a"]);
    const before = cursors.encode("BooksByShelf YEAR DESC", [1815, "b"]);
    expect(windowFor({ after, before, orderBy })).toStrictEqual({
      size: 20,
      isBackward: false,
      after: ["2026", "a"],
      before: ["1815", "b"],
      order: { field: "YEAR", direction: "DESC" },
    });
  });

  it("holds nothing else that comes with the order, so that equal windows share a statement", () => {
    const orderBy = { field: "YEAR", direction: "DESC" as const, comment: "newest first" };
    expect(windowFor({ orderBy }).order).toStrictEqual({ field: "YEAR", direction: "DESC" });
  });

  it("is refused for a size out of bounds", () => {
    const message = (size: number) => `A page has 1 to 100 rows, not ${size}.`;
    expect(refusal({ first: 0 })).toEqual({ argument: "first", message: message(0) });
    expect(refusal({ first: 101 })).toEqual({ argument: "first", message: message(101) });
    expect(refusal({ last: -1 })).toEqual({ argument: "last", message: message(-1) });
    expect(refusal({ last: 101 })).toEqual({ argument: "last", message: message(101) });
  });

  it("is refused for both its first and its last rows", () => {
    const message = "Ask for the first or for the last rows, not for both.";
    expect(refusal({ first: 1, last: 1 })).toEqual({ argument: "last", message });
  });

  it("is refused for a cursor of another order, by the name of the argument", () => {
    const cursor = cursors.encode("BooksByShelf TITLE DESC", ["Emma", "a"]);
    const message = "This cursor is invalid, or belongs to another list or order.";
    expect(refusal({ after: cursor })).toEqual({ argument: "after", message });
    expect(refusal({ before: cursor })).toEqual({ argument: "before", message });
  });
});
