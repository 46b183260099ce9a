/**
 * From an error, whatever it is, to what the API's user sees of it: a code, a message, where in the input it lies, and
 * the request it belongs to. What is not meant for users is logged whole and shown as INTERNAL_SERVER_ERROR.
 */
import { GraphQLError, type GraphQLFormattedError } from "graphql";
import type { Logger } from "pino";
import { ReadOverloadError } from "../database/read-connection.ts";
import {
  isConnectionLoss,
  isDiskFailure,
  isDiskFull,
  isLockTimeout,
  isOutOfMemory,
  isOverload,
  isRetryable,
  isTimeout,
  isUnavailable,
} from "../database/sql-errors.ts";
import { CursorOutOfDateError, PageArgumentError } from "../eager-loading/cursor.ts";
import { ApplicationError, type ErrorCode, secondsToWait, tooBusy } from "../errors.ts";
import { FileStoreError } from "../storage/file-store.ts";
import { IdempotencyMismatchError } from "../unit-of-work/idempotency-keys.ts";
import { TransactionClosedError } from "../unit-of-work/transaction-guard.ts";
import { AbandonedError, RetriesExhaustedError, UnknownOutcomeError } from "../unit-of-work/unit-of-work.ts";
import { WriteOverloadError } from "../unit-of-work/write-database.ts";

/** @returns an error that may leave the process */
export function answerFor(error: unknown, requestId: string, logger: Logger): GraphQLError {
  if (error instanceof GraphQLError && ready.has(error)) return error;
  const answer = makeAnswer(error, requestId, logger);
  ready.add(answer);
  return answer;
}

/** An answer that left before, given again as it was. */
export function answerAgain(shown: GraphQLFormattedError): GraphQLError {
  const answer = new GraphQLError(shown.message, { path: shown.path, extensions: shown.extensions });
  ready.add(answer);
  return answer;
}

/** Yoga asks more than once for some errors. */
const ready = new WeakSet<GraphQLError>();

function makeAnswer(error: unknown, requestId: string, logger: Logger): GraphQLError {
  const given = error instanceof GraphQLError ? error : undefined;
  const original = given ? innermost(given) : error;
  const meant = meaningOf(original);
  if (!meant && (original === undefined || original instanceof GraphQLError)) {
    // A fault of the request that GraphQL itself found: syntax, validation, coercion.
    const found = (original ?? given) as GraphQLError;
    // Of what others have put into it only HTTP's part stays: the rest may repeat the request's body.
    const { http: part, originalError } = found.extensions;
    const http = part as HttpPart | undefined;
    const code = codesByStatus[http?.status ?? 400] ?? "BAD_USER_INPUT";
    // Yoga lets a body that is no JSON keep its status by the original error, which is gone now.
    const kept = http && (originalError === undefined ? http : { ...http, spec: false });
    return copy(found, given, { code, requestId, ...(kept ? { http: kept } : {}) });
  }
  const log = { err: original, requestId, path: given?.path };
  if (!meant) logger.error(log, "an error that nobody expected");
  else if (needsOperator(original)) logger.error(log, "storage or memory failed: an operator must look after it");
  const { message, code, details } = meant ?? unexpected;
  const http = httpPartOf(code, original);
  return copy(new GraphQLError(message), given, { code, ...details, requestId, ...(http ? { http } : {}) });
}

/** The client is told as much as it can use, which mends nothing. */
const needsOperator = (error: unknown) =>
  error instanceof FileStoreError || isDiskFull(error) || isDiskFailure(error) || isOutOfMemory(error);

type HttpPart = { status?: number; headers?: Record<string, string>; spec?: boolean };

const statusesByCode: Partial<Record<ErrorCode, number>> = {
  OVERLOADED: 503,
  STORAGE_UNAVAILABLE: 503,
  INSUFFICIENT_STORAGE: 507,
};

/** Where the code alone decides about it. */
function httpPartOf(code: ErrorCode, error: unknown): HttpPart | undefined {
  const status = statusesByCode[code];
  if (status === undefined) return undefined;
  const passes = code === "OVERLOADED" || (error instanceof FileStoreError && error.mayPass);
  return { status, ...(passes ? { headers: { "retry-after": String(secondsToWait) } } : {}) };
}

const codesByStatus: Record<number, ErrorCode> = {
  403: "FORBIDDEN",
  413: "PAYLOAD_TOO_LARGE",
  415: "UNSUPPORTED_MEDIA_TYPE",
};

const unexpected = new ApplicationError("INTERNAL_SERVER_ERROR", "Something went wrong on our side.");

function innermost(error: GraphQLError): unknown {
  let inner: unknown = error;
  while (inner instanceof GraphQLError && inner.originalError) inner = inner.originalError;
  return inner;
}

/** GraphQL's own messages repeat names and literals of the query, however long. */
const longestMessage = 1_000;

function copy(error: GraphQLError, place: GraphQLError | undefined, extensions: Record<string, unknown>): GraphQLError {
  const { message } = error;
  return new GraphQLError(message.length <= longestMessage ? message : `${message.slice(0, longestMessage)}…`, {
    nodes: place?.nodes ?? error.nodes ?? null,
    source: place?.source ?? error.source ?? null,
    positions: place?.positions ?? error.positions ?? null,
    path: place?.path ?? error.path ?? null,
    extensions,
  });
}

/** Errors that users may know of. */
function meaningOf(error: unknown): ApplicationError | undefined {
  if (error instanceof ApplicationError) return error;
  if (error instanceof PageArgumentError) {
    const reason = error instanceof CursorOutOfDateError ? { reason: "CURSOR_OUT_OF_DATE" } : {};
    return new ApplicationError("BAD_USER_INPUT", error.message, { inputPath: [error.argument], ...reason });
  }
  const [code, message] = kindOf(error) ?? [];
  return code && message ? new ApplicationError(code, message) : undefined;
}

function kindOf(error: unknown): [ErrorCode, string] | undefined {
  if (error instanceof UnknownOutcomeError) return ["UNKNOWN_OUTCOME", "The operation may or may not have happened."];
  if (error instanceof AbandonedError) return ["ROLLED_BACK", error.message];
  if (error instanceof RetriesExhaustedError || isRetryable(error)) {
    return ["CONFLICT", "Others were changing the same things: nothing happened, try again."];
  }
  if (error instanceof IdempotencyMismatchError) {
    return ["IDEMPOTENCY_MISMATCH", "This Idempotency-Key was used for another request: choose a new one."];
  }
  if (isLockTimeout(error)) return ["CONFLICT", "Others are holding the same things: nothing happened, try again."];
  if (error instanceof ReadOverloadError || error instanceof WriteOverloadError || isOverload(error)) {
    return ["OVERLOADED", tooBusy];
  }
  if (isDiskFull(error)) {
    return ["INSUFFICIENT_STORAGE", "The database's disk is full: nothing happened. Send it again when there is room."];
  }
  if (isDiskFailure(error)) {
    return ["STORAGE_UNAVAILABLE", "The database cannot use its disk just now: nothing happened. Try again later."];
  }
  if (isOutOfMemory(error)) return ["OVERLOADED", "The database is short of memory: try again in a moment."];
  if (error instanceof TransactionClosedError || isTimeout(error)) {
    return ["TRANSACTION_TIMEOUT", "It took too long: nothing happened."];
  }
  if (isConnectionLoss(error) || isUnavailable(error))
    return ["OVERLOADED", "The database is not there just now: try again in a moment."];
  return undefined;
}
