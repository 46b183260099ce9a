import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CursorCodec, CursorOutOfDateError, PageArgumentError } from "../../src/eager-loading/cursor.ts";

const codec = new CursorCodec("secret");
const scope = "BooksByShelf TITLE ASC";
const cursorOf = (values: readonly unknown[]) => codec.encode(scope, values);
const text = fc.string({ unit: "binary" });

/** The refusal that a client sees. */
const refusal = (decode: () => unknown) => {
  try {
    return { accepted: decode() };
  } catch (error) {
    const { name, argument, message } = error as PageArgumentError;
    return { name, argument, message };
  }
};
const refused = {
  name: "PageArgumentError",
  argument: "after",
  message: "This cursor is invalid, or belongs to another list or order.",
};

describe("a cursor", () => {
  it("gives back the values of its row as text, whatever they are", () => {
    fc.assert(
      fc.property(fc.array(fc.option(text)), (values) => {
        expect(codec.decode(scope, cursorOf(values), "after")).toEqual(values);
      }),
    );
  });

  it("holds numbers, times and missing values as PostgreSQL reads them", () => {
    const values = [12, 10n ** 20n, true, new Date("2026-02-03T04:05:06.789Z"), null, undefined];
    expect(codec.decode(scope, cursorOf(values), "after")).toEqual([
      "12",
      "100000000000000000000",
      "true",
      "2026-02-03T04:05:06.789Z",
      null,
      null,
    ]);
  });

  it("can stand in a URL as it is", () => {
    fc.assert(
      fc.property(fc.array(text), (values) => {
        expect(cursorOf(values)).toMatch(/^[\w-]+$/);
      }),
    );
  });

  it("is the same on every server with the same secret", () => {
    expect(new CursorCodec("secret").decode(scope, cursorOf(["a", null]), "after")).toEqual(["a", null]);
  });

  it("stays valid from one version of the program to the next", () => {
    expect(cursorOf(["Emma", null])).toBe("V1GdNV_R922LPMV9WyJFbW1hIixudWxsXQ");
  });

  it("is refused when one byte of it is changed", () => {
    const changed = fc.tuple(fc.array(text, { maxLength: 3 }), fc.nat(), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(changed, ([values, place, change]) => {
        const bytes = Buffer.from(cursorOf(values), "base64url");
        const index = place % bytes.length;
        bytes[index] = (bytes[index] as number) ^ change;
        expect(refusal(() => codec.decode(scope, bytes.toString("base64url"), "after"))).toEqual(refused);
      }),
    );
  });

  it("is refused when its end is missing, down to the empty text", () => {
    const bytes = Buffer.from(cursorOf(["Emma", "7"]), "base64url");
    for (let length = 0; length < bytes.length; length++) {
      const shortened = bytes.subarray(0, length).toString("base64url");
      expect(refusal(() => codec.decode(scope, shortened, "after"))).toEqual(refused);
    }
  });

  it("is refused for another list or order, and by a server with another secret", () => {
    const cursor = cursorOf(["Emma"]);
    expect(refusal(() => codec.decode("BooksByShelf TITLE DESC", cursor, "after"))).toEqual(refused);
    expect(refusal(() => new CursorCodec("other").decode(scope, cursor, "after"))).toEqual(refused);
  });

  it("is refused by the name of its argument", () => {
    expect(refusal(() => codec.decode(scope, "x", "before"))).toEqual({ ...refused, argument: "before" });
  });
});

describe("an error of a page's argument", () => {
  it("says which argument, and whether a newer generation is the reason", () => {
    const error = new CursorOutOfDateError("after", "The shelf has a new edition.");
    expect(error).toBeInstanceOf(PageArgumentError);
    expect({ ...error, message: error.message }).toEqual({
      name: "CursorOutOfDateError",
      argument: "after",
      message: "The shelf has a new edition.",
    });
  });
});
