import { describe, expect, it } from "vitest";
import { eagerExtensions, eagerOf } from "../../src/eager-loading/field.ts";
import { bookById } from "../support/shelves.ts";

describe("a field of a schema", () => {
  it("holds the relation that it asks, for its resolver and for plans", () => {
    const eager = { kind: "one", relation: bookById, by: "bookId" } as const;
    expect(eagerOf({ extensions: { other: 1, ...eagerExtensions(eager) } })).toBe(eager);
    expect(eagerOf({ extensions: { other: 1 } })).toBeUndefined();
  });
});
