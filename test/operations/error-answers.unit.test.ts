import { GraphQLError, parse, Source } from "graphql";
import { describe, expect, it } from "vitest";
import { ReadOverloadError } from "../../src/database/read-connection.ts";
import { CursorOutOfDateError, PageArgumentError } from "../../src/eager-loading/cursor.ts";
import { ApplicationError, badInput, StaleVersionError } from "../../src/errors.ts";
import { encodeGlobalId } from "../../src/graphql/global-id.ts";
import { answerAgain, answerFor } from "../../src/operations/error-answers.ts";
import { FileStoreError } from "../../src/storage/file-store.ts";
import { IdempotencyMismatchError } from "../../src/unit-of-work/idempotency-keys.ts";
import { TransactionClosedError } from "../../src/unit-of-work/transaction-guard.ts";
import { AbandonedError, RetriesExhaustedError, UnknownOutcomeError } from "../../src/unit-of-work/unit-of-work.ts";
import { WriteOverloadError } from "../../src/unit-of-work/write-database.ts";
import { collectedLog } from "../support/logs.ts";

/** The answer as a client sees it, and the lines of the log. */
function answered(error: unknown) {
  const { logger, lines } = collectedLog();
  const { message, path, locations, extensions } = answerFor(error, "r-1", logger).toJSON();
  const log = lines.map(({ level, msg, requestId, path, err }) => {
    return { level, msg, requestId, path, error: (err as Error | undefined)?.message };
  });
  return { message, path, locations, extensions, log };
}
const sqlError = (code: string) => Object.assign(new Error("secret"), { code });
const atField = (originalError: Error, path = ["a", 0]) => new GraphQLError("wrapped", { path, originalError });
const busy = { status: 503, headers: { "retry-after": "1" } };

describe("the answer for an error of the application", () => {
  it("has its message, code and details, and the field and the request in which it occurred", () => {
    expect(answered(atField(badInput(["input", "title"], "A title is needed.")))).toEqual({
      message: "A title is needed.",
      path: ["a", 0],
      locations: undefined,
      extensions: { code: "BAD_USER_INPUT", inputPath: ["input", "title"], requestId: "r-1" },
      log: [],
    });
    expect(answered(new StaleVersionError({ type: "Document", id: "1" }, 3))).toMatchObject({
      message: "The document is now at version 3.",
      extensions: { code: "CONFLICT", inputPath: ["input", "expectedVersion"], currentVersion: 3, requestId: "r-1" },
    });
  });

  it("is found below any number of GraphQL's own errors", () => {
    const inner = atField(new ApplicationError("NOT_FOUND", "There is no such document."), ["b"]);
    expect(answered(atField(inner))).toMatchObject({
      message: "There is no such document.",
      path: ["a", 0],
      extensions: { code: "NOT_FOUND", requestId: "r-1" },
    });
  });

  it("names the argument of an invalid page, and tells a cursor of an older generation", () => {
    expect(answered(new PageArgumentError("first", "A page has 1 to 100 rows, not 0."))).toMatchObject({
      message: "A page has 1 to 100 rows, not 0.",
      extensions: { code: "BAD_USER_INPUT", inputPath: ["first"], requestId: "r-1" },
    });
    expect(answered(new PageArgumentError("first", "A page has 1 to 100 rows, not 0.")).extensions).not.toHaveProperty(
      "reason",
    );
    expect(answered(new CursorOutOfDateError("after", "The text was processed again.")).extensions).toEqual({
      code: "BAD_USER_INPUT",
      inputPath: ["after"],
      reason: "CURSOR_OUT_OF_DATE",
      requestId: "r-1",
    });
  });
});

describe("the answer for an error of the database or of a unit of work", () => {
  const unchanged = "nothing was changed";
  it.each([
    [
      "UNKNOWN_OUTCOME",
      "The outcome is unknown: the operation may or may not have been executed.",
      new UnknownOutcomeError("secret"),
    ],
    ["ROLLED_BACK", "The client has disconnected.", new AbandonedError("The client has disconnected.")],
    ["CONFLICT", `Other operations changed the same data: ${unchanged}. Retry.`, new RetriesExhaustedError("secret")],
    ["CONFLICT", `Other operations changed the same data: ${unchanged}. Retry.`, sqlError("40001")],
    ["CONFLICT", `Other operations changed the same data: ${unchanged}. Retry.`, sqlError("23P01")],
    ["CONFLICT", `Other operations hold locks on the same data: ${unchanged}. Retry.`, sqlError("55P03")],
    [
      "IDEMPOTENCY_MISMATCH",
      "This Idempotency-Key was used for another request: choose a new one.",
      new IdempotencyMismatchError("secret"),
    ],
    ["TRANSACTION_TIMEOUT", `The operation timed out: ${unchanged}.`, new TransactionClosedError()],
    ["TRANSACTION_TIMEOUT", `The operation timed out: ${unchanged}.`, sqlError("57014")],
  ])("%s: %s (%o)", (code, message, error) => {
    expect(answered(error)).toEqual({
      message,
      path: undefined,
      locations: undefined,
      extensions: { code, requestId: "r-1" },
      log: [],
    });
  });

  it("is that of a trigger that refuses a change, with ids as the API has them", () => {
    const id = "0199c0de-1234-7abc-8def-0123456789ab";
    const schedule = { __typename: "Schedule", id, playlist: { __typename: "Playlist", id, name: "Noon" } };
    const message = JSON.stringify({ code: "SCHEDULE_OVERLAP", message: "Choose another time.", schedule });
    const originalCode = "LT004";
    const cause = { originalCode, originalMessage: message };
    for (const error of [
      Object.assign(new Error(message), { code: originalCode }),
      Object.assign(new Error("secret"), { code: "P2010", meta: { driverAdapterError: { cause } } }),
    ]) {
      expect(answered(atField(error))).toEqual({
        message: "Choose another time.",
        path: ["a", 0],
        locations: undefined,
        extensions: {
          code: "SCHEDULE_OVERLAP",
          schedule: {
            ...schedule,
            id: encodeGlobalId("Schedule", id),
            playlist: { ...schedule.playlist, id: encodeGlobalId("Playlist", id) },
          },
          requestId: "r-1",
        },
        log: [],
      });
    }
  });

  it.each([
    ["The server is overloaded: retry in a moment.", new ReadOverloadError("secret")],
    ["The server is overloaded: retry in a moment.", new WriteOverloadError("secret")],
    ["The server is overloaded: retry in a moment.", sqlError("53300")],
    ["The database is unavailable: retry in a moment.", sqlError("57P03")],
    ["The database is unavailable: retry in a moment.", sqlError("ECONNRESET")],
  ])("is 503 with the time to come back: %s (%o)", (message, error) => {
    expect(answered(error)).toMatchObject({ message, log: [] });
    expect(answered(error).extensions).toEqual({ code: "OVERLOADED", requestId: "r-1", http: busy });
  });

  it.each([
    ["OVERLOADED", "The database is short of memory: retry in a moment.", "53200", busy],
    [
      "INSUFFICIENT_STORAGE",
      `The database's disk is full: ${unchanged}. Retry when it has free space.`,
      "53100",
      { status: 507 },
    ],
    [
      "STORAGE_UNAVAILABLE",
      `The database cannot use its disk at the moment: ${unchanged}. Retry later.`,
      "58030",
      { status: 503 },
    ],
  ])("is also logged if an operator must act: %s", (code, message, state, http) => {
    expect(answered(atField(sqlError(state)))).toEqual({
      message,
      path: ["a", 0],
      locations: undefined,
      extensions: { code, requestId: "r-1", http },
      log: [
        {
          level: 50,
          msg: "storage or memory failure: an operator must act",
          requestId: "r-1",
          path: ["a", 0],
          error: "secret",
        },
      ],
    });
  });

  it("says of a failure of the file store whether a retry may help", () => {
    const failure = (code: string) => answered(new FileStoreError("/files/1", sqlError(code) as never));
    expect(failure("EMFILE").extensions).toEqual({ code: "STORAGE_UNAVAILABLE", requestId: "r-1", http: busy });
    expect(failure("EIO").extensions).toEqual({ code: "STORAGE_UNAVAILABLE", requestId: "r-1", http: { status: 503 } });
    expect(failure("ENOSPC").extensions).toMatchObject({ code: "INSUFFICIENT_STORAGE", http: { status: 507 } });
    expect(failure("EIO").log).toMatchObject([{ level: 50, msg: "storage or memory failure: an operator must act" }]);
  });
});

describe("the answer for an unexpected error", () => {
  it("says nothing of it, since it may be secret; the log has it", () => {
    for (const error of [new Error("secret"), atField(new Error("secret"), undefined)]) {
      expect(answered(error)).toMatchObject({
        message: "Internal server error.",
        extensions: { code: "INTERNAL_SERVER_ERROR", requestId: "r-1" },
        log: [{ level: 50, msg: "unexpected error", requestId: "r-1", error: "secret" }],
      });
    }
  });

  it("is given for values that are no errors, too", () => {
    expect(answered("secret").message).toBe("Internal server error.");
    expect(answered(null).message).toBe("Internal server error.");
  });
});

describe("the answer for an invalid request", () => {
  const source = new Source("{ a }");
  const [definition] = parse(source).definitions;

  it("has GraphQL's message and location, and nothing else of the error", () => {
    const error = new GraphQLError('Cannot query field "a".', {
      nodes: definition ?? null,
      extensions: { body: "secret" },
    });
    expect(answered(error)).toEqual({
      message: 'Cannot query field "a".',
      path: undefined,
      locations: [{ line: 1, column: 1 }],
      extensions: { code: "BAD_USER_INPUT", requestId: "r-1" },
      log: [],
    });
    expect(answered(new GraphQLError("Syntax Error", { source, positions: [2] })).locations).toEqual([
      { line: 1, column: 3 },
    ]);
  });

  it("has the code of its HTTP status, and keeps the status", () => {
    const code = (status: number) => answered(new GraphQLError("x", { extensions: { http: { status } } })).extensions;
    expect(code(403)).toEqual({ code: "FORBIDDEN", requestId: "r-1", http: { status: 403 } });
    expect(code(413)).toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
    expect(code(415)).toMatchObject({ code: "UNSUPPORTED_MEDIA_TYPE" });
    expect(code(405)).toMatchObject({ code: "BAD_USER_INPUT" });
  });

  it("keeps the status that was chosen because of another error, for all media types", () => {
    const http = { status: 413, headers: { connection: "close" } };
    const error = new GraphQLError("Too large.", { extensions: { http, originalError: new Error("secret") } });
    expect(answered(error).extensions).toEqual({
      code: "PAYLOAD_TOO_LARGE",
      requestId: "r-1",
      http: { ...http, spec: false },
    });
  });

  it("at a field is that of the innermost error, at the path of the outermost", () => {
    const inner = new GraphQLError("A DateTime is RFC 3339.", { path: ["b"] });
    expect(answered(atField(inner))).toMatchObject({ message: "A DateTime is RFC 3339.", path: ["a", 0] });
    const fromInner = new GraphQLError("wrapped", { originalError: new GraphQLError("Inner.", { path: ["b"] }) });
    expect(answered(fromInner)).toMatchObject({ message: "Inner.", path: ["b"] });
  });

  it("has the location of the field at which it occurred", () => {
    const field = new GraphQLError("wrapped", { nodes: definition ?? null, originalError: new Error("secret") });
    expect(answered(field).locations).toEqual([{ line: 1, column: 1 }]);
    const token = new GraphQLError("wrapped", { source, positions: [2], originalError: badInput(["a"], "No.") });
    expect(answered(token)).toMatchObject({ message: "No.", locations: [{ line: 1, column: 3 }] });
  });

  it("is truncated after 1,000 characters", () => {
    const message = (length: number) => answered(new GraphQLError("x".repeat(length))).message;
    expect(message(1_000)).toBe("x".repeat(1_000));
    expect(message(1_001)).toBe(`${"x".repeat(1_000)}…`);
  });
});

describe("an answer", () => {
  it("stays as it is when it is answered again", () => {
    const { logger, lines } = collectedLog();
    const answer = answerFor(new Error("secret"), "r-1", logger);
    expect(answerFor(answer, "r-2", logger)).toBe(answer);
    expect(lines.length).toBe(1);
  });

  it("that was stored is repeated unchanged, with the request that made it", () => {
    const { logger } = collectedLog();
    const shown = { message: "No.", path: ["a", 1], extensions: { code: "CONFLICT", requestId: "r-1" } };
    const again = answerAgain(shown);
    expect(again.toJSON()).toEqual(shown);
    expect(answerFor(again, "r-2", logger)).toBe(again);
  });
});
