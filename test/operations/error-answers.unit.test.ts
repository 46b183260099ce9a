/** Errors in their form for clients, made without a server. */
import { GraphQLError } from "graphql";
import { describe, expect, it } from "vitest";
import { ApplicationError } from "../../src/errors.ts";
import { answerAgain, answerFor } from "../../src/operations/error-answers.ts";
import { FileStoreError } from "../../src/storage/file-store.ts";
import { collectedLog, silent } from "../support/logs.ts";

const failed = (originalError: Error) =>
  new GraphQLError(originalError.message, { originalError, path: ["a", 0, "b"] });
const extensionsOf = (error: Error) => answerFor(error, "mine", silent).extensions;

describe("an error that clients must not see", () => {
  it("is masked at its path, and logged with its message", () => {
    const { logger, lines } = collectedLog();
    const answer = answerFor(failed(new Error("select secret from users")), "mine", logger);
    expect(answer.toJSON()).toEqual({
      message: "Internal server error.",
      path: ["a", 0, "b"],
      extensions: { code: "INTERNAL_SERVER_ERROR", requestId: "mine" },
    });
    expect(lines).toMatchObject([
      { msg: "unexpected error", err: { message: "select secret from users" }, requestId: "mine", path: ["a", 0, "b"] },
    ]);
  });
});

describe("an error with a code", () => {
  it("keeps its message, path and details, and is not logged", () => {
    const { logger, lines } = collectedLog();
    const original = new ApplicationError("INVALID_STATE", "It is PENDING.", { inputPath: ["input", "id"] });
    expect(answerFor(failed(original), "mine", logger).toJSON()).toEqual({
      message: "It is PENDING.",
      path: ["a", 0, "b"],
      extensions: { code: "INVALID_STATE", inputPath: ["input", "id"], requestId: "mine" },
    });
    expect(lines).toEqual([]);
  });

  it("advises to come back at once only where that may help", () => {
    const soon = { status: 503, headers: { "retry-after": "1" } };
    const storage = (code: string) => new FileStoreError("staged/a", Object.assign(new Error(code), { code }));
    expect(extensionsOf(new ApplicationError("OVERLOADED", "Later.")).http).toEqual(soon);
    expect(extensionsOf(storage("EMFILE"))).toMatchObject({ code: "STORAGE_UNAVAILABLE", http: soon });
    expect(extensionsOf(storage("EROFS"))).toEqual({
      code: "STORAGE_UNAVAILABLE",
      http: { status: 503 },
      requestId: "mine",
    });
    expect(extensionsOf(storage("ENOSPC"))).toEqual({
      code: "INSUFFICIENT_STORAGE",
      http: { status: 507 },
      requestId: "mine",
    });
  });
});

describe("an error of GraphQL itself", () => {
  it("is cut after 1,000 characters and keeps nothing of its extensions but the HTTP status", () => {
    const extensions = { http: { status: 415 }, body: "CANARY" };
    const answer = answerFor(new GraphQLError("x".repeat(1_001), { extensions }), "mine", silent);
    expect(answer.message).toBe(`${"x".repeat(1_000)}…`);
    expect(answer.extensions).toEqual({ code: "UNSUPPORTED_MEDIA_TYPE", requestId: "mine", http: { status: 415 } });
    expect(answerFor(new GraphQLError("x".repeat(1_000)), "mine", silent).message).toBe("x".repeat(1_000));
  });
});

describe("an answer", () => {
  it("is made once: a second time, or from a stored response, it stays as it was", () => {
    const answer = answerFor(new Error("secret"), "first", silent);
    expect(answerFor(answer, "second", silent)).toBe(answer);
    const stored = { message: "Not found.", path: ["a"], extensions: { code: "NOT_FOUND", requestId: "first" } };
    expect(answerFor(answerAgain(stored), "second", silent).toJSON()).toEqual(stored);
  });
});
