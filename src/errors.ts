/** The errors that are meant for somebody: an API's user, or the person at the keyboard. */

/** What went wrong, as API users see it in `extensions.code`. */
export type ErrorCode =
  | "BAD_USER_INPUT"
  | "UNAUTHENTICATED"
  | "FORBIDDEN"
  | "NOT_FOUND"
  | "CONFLICT"
  | "INVALID_STATE"
  | "DUPLICATE"
  | "PAYLOAD_TOO_LARGE"
  | "UNSUPPORTED_MEDIA_TYPE"
  | "ROLLED_BACK"
  | "TRANSACTION_TIMEOUT"
  | "UNKNOWN_OUTCOME"
  | "IDEMPOTENCY_MISMATCH"
  | "OVERLOADED"
  | "INSUFFICIENT_STORAGE"
  | "STORAGE_UNAVAILABLE"
  | "INTERNAL_SERVER_ERROR";

export type ErrorDetails = {
  /** The input field that is wrong: `["input", "source", "text"]`. */
  inputPath?: readonly string[];
  /** More for `extensions`. */
  [name: string]: unknown;
};

/** An error whose message and code the API's user may see. */
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

/** With OVERLOADED, whatever there is too much of. */
export const tooBusy = "Too busy: try again in a moment.";
/** For the header Retry-After, beside it. */
export const secondsToWait = 1;

/** The row was written since the client saw it. What it is now is shown beside the error, as the API would show it. */
export class StaleVersionError extends ApplicationError {
  /** The GraphQL type and the row's id. */
  readonly current: { type: string; id: string };

  constructor(current: { type: string; id: string }, currentVersion: number) {
    super("CONFLICT", `The ${current.type.toLowerCase()} is at version ${currentVersion} by now.`, {
      inputPath: ["input", "expectedVersion"],
      currentVersion,
    });
    this.current = current;
  }
}

/** @param inputPath the wrong field, from the operation's arguments down */
export function badInput(inputPath: readonly string[], message: string): ApplicationError {
  return new ApplicationError("BAD_USER_INPUT", message, { inputPath });
}

/** A mistake that the person at the keyboard can mend: printed as one clear line, without a stack trace. */
export class UserError extends Error {
  override name = "UserError";
}
