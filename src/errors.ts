/** Errors with a message for clients or for users of the command line. */
import { nounOf } from "./type-names.ts";

/** The values of `extensions.code`. */
export type ErrorCode =
  | "BAD_USER_INPUT"
  | "UNAUTHENTICATED"
  | "FORBIDDEN"
  | "NOT_FOUND"
  | "CONFLICT"
  | "INVALID_STATE"
  | "DUPLICATE"
  | "QUOTA_EXCEEDED"
  | "PAYLOAD_TOO_LARGE"
  | "UNSUPPORTED_MEDIA_TYPE"
  | "SCHEDULE_OVERLAP"
  | "ROLLED_BACK"
  | "TRANSACTION_TIMEOUT"
  | "UNKNOWN_OUTCOME"
  | "IDEMPOTENCY_MISMATCH"
  | "OVERLOADED"
  | "INSUFFICIENT_STORAGE"
  | "STORAGE_UNAVAILABLE"
  | "INTERNAL_SERVER_ERROR";

export type ErrorDetails = {
  /** The path of the invalid input field: `["input", "source", "text"]`. */
  inputPath?: readonly string[];
  /** Additional values of `extensions`. */
  [name: string]: unknown;
};

/** An error whose message, code and details are shown to clients. */
export class ApplicationError extends Error {
  override name = "ApplicationError";
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  /** For the log: the state and the claim with which the operation collided. Clients must not see the claim. */
  holder?: string;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
    this.details = details;
  }
}

/** General message for OVERLOADED. */
export const tooBusy = "The server is overloaded: retry in a moment.";
/** Value of the header Retry-After. */
export const secondsToWait = 1;

/** The row was changed since the client read it. The error shows the current row, as the API would. */
export class StaleVersionError extends ApplicationError {
  /** The GraphQL type and the row's id. */
  readonly current: { type: string; id: string };

  constructor(current: { type: string; id: string }, currentVersion: number) {
    super("CONFLICT", `The ${nounOf(current.type)} is now at version ${currentVersion}.`, {
      inputPath: ["input", "expectedVersion"],
      currentVersion,
    });
    this.current = current;
  }
}

/** Null if the client has read the current version of the row, or accepts any. */
export function findStaleness(
  type: string,
  { id, version }: { id: string; version: number },
  expectedVersion: number | null | undefined,
): StaleVersionError | null {
  if (expectedVersion == null || expectedVersion === version) return null;
  return new StaleVersionError({ type, id }, version);
}

/** The row. @throws StaleVersionError unless the client has read its current version, or accepts any */
export function requireVersion<Row extends { id: string; version: number }>(
  type: string,
  row: Row,
  expectedVersion: number | null | undefined,
): Row {
  const stale = findStaleness(type, row, expectedVersion);
  if (stale) throw stale;
  return row;
}

/** @param inputPath path of the invalid field, from the operation's arguments down */
export function badInput(inputPath: readonly string[], message: string): ApplicationError {
  return new ApplicationError("BAD_USER_INPUT", message, { inputPath });
}

/** A mistake of a user of the command line: printed as one line, without a stack trace. */
export class UserError extends Error {
  override name = "UserError";
}
