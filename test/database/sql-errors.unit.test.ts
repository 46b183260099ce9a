/** Errors in the shapes in which Prisma and pg give them, by hand. The database makes them in error-classification.test.ts. */
import { describe, expect, it } from "vitest";
import {
  isConnectionLoss,
  isOverload,
  isReferenced,
  isRetryable,
  isTimeout,
  isUnavailable,
  jsonOfState,
  mayBeCrash,
  sqlStateOf,
} from "../../src/database/sql-errors.ts";

const errorOf = (fields: object, message = "It failed.") => Object.assign(new Error(message), fields);
/** As Prisma gives an error of a raw statement. */
const raw = (state: string) =>
  errorOf({ code: "P2010", meta: { driverAdapterError: { cause: { originalCode: state, kind: "postgres" } } } });
/** As pg gives an error of a statement, in layers that others have put around it. */
const wrapped = (state: string) =>
  errorOf({ originalError: errorOf({ cause: errorOf({ code: state }) }) }, "Another message.");

const kinds = { isRetryable, isTimeout, isOverload, isUnavailable, isConnectionLoss, isReferenced, mayBeCrash };
const kindsOf = (error: unknown) => Object.entries(kinds).flatMap(([name, is]) => (is(error) ? [name] : []));

describe("an SQLSTATE", () => {
  it("is found in each layer of an error, before the codes of Prisma", () => {
    for (const error of [errorOf({ code: "40001" }), raw("40001"), wrapped("40001")]) {
      expect(sqlStateOf(error)).toBe("40001");
    }
    expect(
      sqlStateOf(errorOf({ code: "P2002", meta: { driverAdapterError: { cause: { originalCode: "23P01" } } } })),
    ).toBe("23P01");
  });

  it.each([
    ["P2034", "40001"],
    ["P2002", "23505"],
    ["P2003", "23503"],
    ["P2037", "53300"],
    ["P2025", undefined],
    ["P1001", undefined],
    ["EPIPE", undefined],
    ["40001x", undefined],
  ])("of the code %s is %s", (code, state) => {
    expect(sqlStateOf(errorOf({ code }))).toBe(state);
    expect(sqlStateOf(errorOf({ cause: { code } }))).toBe(state);
  });

  it("is looked for in errors that wrap each other, or that are none", () => {
    const error = errorOf({});
    error.cause = errorOf({ cause: error, originalError: { code: "57014" } });
    expect(sqlStateOf(error)).toBe("57014");
    for (const other of [null, undefined, "40001", 40_001]) expect(sqlStateOf(other)).toBeUndefined();
  });
});

describe("an error", () => {
  it.each([
    ["40001", ["isRetryable"]],
    ["40P01", ["isRetryable"]],
    ["23P01", ["isRetryable"]],
    ["23001", ["isReferenced"]],
    ["23503", ["isReferenced"]],
    ["57014", ["isTimeout"]],
    ["25P03", ["isTimeout"]],
    ["25P04", ["isTimeout"]],
    ["53300", ["isOverload", "isUnavailable", "mayBeCrash"]],
    ["57P03", ["isUnavailable"]],
    ["57P01", ["isConnectionLoss"]],
    ["57P02", ["isConnectionLoss"]],
    ["08006", ["isConnectionLoss"]],
    ["53100", ["mayBeCrash"]],
    ["58030", ["mayBeCrash"]],
    ["XX000", ["mayBeCrash"]],
    ["23505", []],
    ["55P03", []],
    ["25006", []],
  ])("with the SQLSTATE %s is %j", (state, expected) => {
    for (const error of [errorOf({ code: state }), raw(state), wrapped(state)])
      expect(kindsOf(error)).toEqual(expected);
  });

  it.each<[object, string, string[]]>([
    [{ code: "P2028" }, "Transaction already closed: timeout", ["isTimeout"]],
    [{ code: "P2028" }, "Unable to start a transaction in the given time.", ["isOverload"]],
    [{ code: "P2028" }, "The maxWait has passed.", ["isOverload"]],
    [{}, "timeout exceeded when trying to connect", ["isOverload"]],
    [{ code: "ECONNREFUSED" }, "connect", ["isUnavailable"]],
    [{ code: "P1001" }, "connect", ["isUnavailable"]],
    [{ cause: { kind: "DatabaseNotReachable" } }, "connect", ["isUnavailable"]],
    [{ code: "ECONNRESET" }, "read", ["isConnectionLoss"]],
    [{ code: "EPIPE" }, "write", ["isConnectionLoss"]],
    [{ code: "ETIMEDOUT" }, "read", ["isConnectionLoss"]],
    [{ code: "P1017" }, "read", ["isConnectionLoss"]],
    [{ cause: { kind: "ConnectionClosed" } }, "read", ["isConnectionLoss"]],
    [{ cause: { kind: "SocketTimeout" } }, "read", ["isConnectionLoss"]],
    [{}, "Connection terminated unexpectedly", ["isConnectionLoss"]],
    [{}, "Client has encountered a connection error and is not queryable", ["isConnectionLoss"]],
    [{}, "Client was closed and is not queryable", ["isConnectionLoss"]],
    [{}, "Server has closed the connection.", ["isConnectionLoss"]],
    [{}, "relation does not exist", []],
  ])("with %j and the message %j is %j", (fields, message, expected) => {
    expect(kindsOf(errorOf(fields, message))).toEqual(expected);
    expect(kindsOf(errorOf({ cause: errorOf(fields, message) }))).toEqual(expected);
  });
});

describe("the JSON in the message of an error", () => {
  const values = { code: "INVALID_STATE", message: "Not {now}.", at: { "}": "{" } };
  const json = JSON.stringify(values);

  it("is found in the shapes of pg and of Prisma, whatever words are around it", () => {
    const cause = { originalCode: "LT004", originalMessage: json };
    for (const error of [
      errorOf({ code: "LT004" }, json),
      errorOf({ code: "P2010", meta: { driverAdapterError: { cause } } }, `Invalid \`query({ a })\`: ${json} {}`),
      errorOf({ originalError: errorOf({ code: "LT004" }, `ERROR: ${json} (SQLSTATE LT004)`) }, "{}"),
    ]) {
      expect(jsonOfState(error, "LT004")).toEqual(values);
      expect(jsonOfState(error, "LT003")).toBeUndefined();
    }
  });

  it("is not looked for in an error of another origin", () => {
    for (const error of [errorOf({}, json), errorOf({ code: "P2010" }, json), null, json]) {
      expect(jsonOfState(error, "LT004")).toBeUndefined();
    }
  });
});
