/**
 * Converts errors into their form for clients: code, message, input path and request id. Errors that clients must not
 * see are logged and masked as INTERNAL_SERVER_ERROR.
 */
import { GraphQLError, type GraphQLFormattedError } from "graphql";
import type { Logger } from "pino";
import { ReadOverloadError } from "../database/read-connection.ts";
import { refusalOf } from "../database/refusal.ts";
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
import { withGlobalIds } from "../graphql/global-id.ts";
import { FileStoreError } from "../storage/file-store.ts";
import { quotaErrorOf } from "../storage/quota.ts";
import { IdempotencyMismatchError } from "../unit-of-work/idempotency-keys.ts";
import { TransactionClosedError } from "../unit-of-work/transaction-guard.ts";
import { AbandonedError, RetriesExhaustedError, UnknownOutcomeError } from "../unit-of-work/unit-of-work.ts";
import { WriteOverloadError } from "../unit-of-work/write-database.ts";

/** @returns an error that is safe for clients */
export function answerFor(error: unknown, requestId: string, logger: Logger): GraphQLError {
  if (error instanceof GraphQLError && ready.has(error)) return error;
  const answer = makeAnswer(error, requestId, logger);
  ready.add(answer);
  return answer;
}

/** Restores an error of a stored response unchanged. */
export function answerAgain(shown: GraphQLFormattedError): GraphQLError {
  const answer = new GraphQLError(shown.message, { path: shown.path, extensions: shown.extensions });
  ready.add(answer);
  return answer;
}

/** Errors that are already masked: Yoga masks some of them more than once. */
const ready = new WeakSet<GraphQLError>();

function makeAnswer(error: unknown, requestId: string, logger: Logger): GraphQLError {
  const given = error instanceof GraphQLError ? error : undefined;
  const original = given ? innermost(given) : error;
  const meant = meaningOf(original);
  if (!meant && (original === undefined || original instanceof GraphQLError)) {
    // An error of GraphQL itself about the request: syntax, validation, coercion.
    const found = (original ?? given) as GraphQLError;
    // Keeps only `extensions.http`: the rest may contain the request body.
    const { http: part, originalError } = found.extensions;
    const http = part as HttpPart | undefined;
    const code = codesByStatus[http?.status ?? 400] ?? "BAD_USER_INPUT";
    // `spec: false` keeps the HTTP status, as Yoga does for errors with an original error, which is removed here.
    const kept = http && (originalError === undefined ? http : { ...http, spec: false });
    return copy(found, given, { code, requestId, ...(kept ? { http: kept } : {}) });
  }
  const log = { err: original, requestId, path: given?.path };
  if (!meant) logger.error(log, "unexpected error");
  else if (needsOperator(original)) logger.error(log, "storage or memory failure: an operator must act");
  const { message, code, details: found } = meant ?? unexpected;
  const details = withGlobalIds(found);
  const http = details.http ?? httpPartOf(code, original);
  return copy(new GraphQLError(message), given, { code, ...details, requestId, ...(http ? { http } : {}) });
}

/** The response does not help the operator, so the error is also logged. */
const needsOperator = (error: unknown) =>
  error instanceof FileStoreError || isDiskFull(error) || isDiskFailure(error) || isOutOfMemory(error);

type HttpPart = { status?: number; headers?: Record<string, string>; spec?: boolean };

const statusesByCode: Partial<Record<ErrorCode, number>> = {
  OVERLOADED: 503,
  STORAGE_UNAVAILABLE: 503,
  INSUFFICIENT_STORAGE: 507,
  QUOTA_EXCEEDED: 507,
};

/** HTTP status and headers of codes that determine them. */
function httpPartOf(code: ErrorCode, error: unknown): HttpPart | undefined {
  const status = statusesByCode[code];
  if (status === undefined) return undefined;
  const isTransient = code === "OVERLOADED" || (error instanceof FileStoreError && error.mayPass);
  return { status, ...(isTransient ? { headers: { "retry-after": String(secondsToWait) } } : {}) };
}

const codesByStatus: Record<number, ErrorCode> = {
  403: "FORBIDDEN",
  413: "PAYLOAD_TOO_LARGE",
  415: "UNSUPPORTED_MEDIA_TYPE",
};

const unexpected = new ApplicationError("INTERNAL_SERVER_ERROR", "Internal server error.");

function innermost(error: GraphQLError): unknown {
  let inner: unknown = error;
  while (inner instanceof GraphQLError && inner.originalError) inner = inner.originalError;
  return inner;
}

/** GraphQL's messages quote names and literals of the query, which may be long. */
const longestMessage = 1_000;

function copy(
  error: GraphQLError,
  location: GraphQLError | undefined,
  extensions: Record<string, unknown>,
): GraphQLError {
  const { message } = error;
  return new GraphQLError(message.length <= longestMessage ? message : `${message.slice(0, longestMessage)}…`, {
    nodes: location?.nodes ?? error.nodes ?? null,
    source: location?.source ?? error.source ?? null,
    positions: location?.positions ?? error.positions ?? null,
    path: location?.path ?? error.path ?? null,
    extensions,
  });
}

/** The error for clients; undefined if they must not see it. */
function meaningOf(error: unknown): ApplicationError | undefined {
  if (error instanceof ApplicationError) return error;
  if (error instanceof PageArgumentError) {
    const reason = error instanceof CursorOutOfDateError ? { reason: "CURSOR_OUT_OF_DATE" } : {};
    return new ApplicationError("BAD_USER_INPUT", error.message, { inputPath: [error.argument], ...reason });
  }
  const refusal = quotaErrorOf(error) ?? refusalOf(error);
  if (refusal) return refusal;
  const [code, message] = kindOf(error) ?? [];
  return code && message ? new ApplicationError(code, message) : undefined;
}

function kindOf(error: unknown): [ErrorCode, string] | undefined {
  if (error instanceof UnknownOutcomeError)
    return ["UNKNOWN_OUTCOME", "The outcome is unknown: the operation may or may not have been executed."];
  if (error instanceof AbandonedError) return ["ROLLED_BACK", error.message];
  if (error instanceof RetriesExhaustedError || isRetryable(error)) {
    return ["CONFLICT", "Other operations changed the same data: nothing was changed. Retry."];
  }
  if (error instanceof IdempotencyMismatchError) {
    return ["IDEMPOTENCY_MISMATCH", "This Idempotency-Key was used for another request: choose a new one."];
  }
  if (isLockTimeout(error))
    return ["CONFLICT", "Other operations hold locks on the same data: nothing was changed. Retry."];
  if (error instanceof ReadOverloadError || error instanceof WriteOverloadError || isOverload(error)) {
    return ["OVERLOADED", tooBusy];
  }
  if (isDiskFull(error)) {
    return ["INSUFFICIENT_STORAGE", "The database's disk is full: nothing was changed. Retry when it has free space."];
  }
  if (isDiskFailure(error)) {
    return ["STORAGE_UNAVAILABLE", "The database cannot use its disk at the moment: nothing was changed. Retry later."];
  }
  if (isOutOfMemory(error)) return ["OVERLOADED", "The database is short of memory: retry in a moment."];
  if (error instanceof TransactionClosedError || isTimeout(error)) {
    return ["TRANSACTION_TIMEOUT", "The operation timed out: nothing was changed."];
  }
  if (isConnectionLoss(error) || isUnavailable(error))
    return ["OVERLOADED", "The database is unavailable: retry in a moment."];
  return undefined;
}
