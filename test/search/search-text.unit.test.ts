import { describe, expect, it } from "vitest";
import { ApplicationError } from "../../src/errors.ts";
import { requireSearchText } from "../../src/search/search-text.ts";

describe("the text of a search", () => {
  const refusal = (text: string) => {
    try {
      return { accepted: requireSearchText(text, ["filter", "search"]) };
    } catch (error) {
      const { code, message, details } = error as ApplicationError;
      expect(error).toBeInstanceOf(ApplicationError);
      return { code, message, details };
    }
  };

  it("is given back as it is, up to 1,000 characters", () => {
    for (const text of ["", " Người 💡 ", "x".repeat(1_000)]) {
      expect(requireSearchText(text, ["search"])).toBe(text);
    }
  });

  it("is refused if it is longer, or if PostgreSQL refuses its characters", () => {
    for (const text of ["x".repeat(1_001), "a\0b", "\ud800", "a\udc00b"]) {
      expect(refusal(text)).toEqual({
        code: "BAD_USER_INPUT",
        message: "A search has at most 1000 characters, all of them valid.",
        details: { inputPath: ["filter", "search"] },
      });
    }
  });
});
