import { describe, expect, it } from "vitest";
import { ApplicationError, badInput, StaleVersionError, UserError } from "../src/errors.ts";

const seen = (error: ApplicationError) => {
  const { name, code, message, details } = error;
  return { name, code, message, details, hasCause: "cause" in error, cause: error.cause };
};

describe("an error of the application", () => {
  it("has a code, a message and details, and the cause if there is one", () => {
    const cause = new Error("The disk is full.");
    expect(seen(new ApplicationError("NOT_FOUND", "No."))).toEqual({
      name: "ApplicationError",
      code: "NOT_FOUND",
      message: "No.",
      details: {},
      hasCause: false,
      cause: undefined,
    });
    expect(seen(new ApplicationError("NOT_FOUND", "No.", { retry: true }, cause))).toEqual({
      name: "ApplicationError",
      code: "NOT_FOUND",
      message: "No.",
      details: { retry: true },
      hasCause: true,
      cause,
    });
  });

  it("for invalid input names the field", () => {
    expect(seen(badInput(["input", "title"], "A title is needed."))).toMatchObject({
      code: "BAD_USER_INPUT",
      message: "A title is needed.",
      details: { inputPath: ["input", "title"] },
    });
  });

  it("for a row that was changed since it was read shows the current version", () => {
    const error = new StaleVersionError({ type: "Document", id: "1" }, 3);
    expect(error.current).toEqual({ type: "Document", id: "1" });
    expect(seen(error)).toMatchObject({
      code: "CONFLICT",
      message: "The document is now at version 3.",
      details: { inputPath: ["input", "expectedVersion"], currentVersion: 3 },
    });
  });
});

describe("an error of the command line", () => {
  it("is told from the mistakes of the program by its name", () => {
    expect(new UserError("DATA_DIR cannot be written.").name).toBe("UserError");
  });
});
