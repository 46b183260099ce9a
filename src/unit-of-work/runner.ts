/**
 * Runs units of work and retries them.
 *
 * After a collision (SQLSTATE 40001, 40P01), or a connection that broke before COMMIT was sent, the whole work runs
 * again with a new transaction and new repositories; only results of `prepare` are reused. An attempt with an unknown
 * outcome is never retried.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { isConnectionLoss, isRetryable, isUnavailable, sqlStateOf } from "../database/sql-errors.ts";
import { Attempt, type Preparations } from "./attempt.ts";
import type { Outcome } from "./transaction-outcome.ts";
import {
  RetriesExhaustedError,
  type RunUnitOfWork,
  type UnitOfWork,
  type UnitOfWorkOptions,
  type UnitOfWorkParts,
} from "./unit-of-work.ts";

export function unitOfWorkRunner<Repositories extends object>(
  parts: UnitOfWorkParts<Repositories>,
): RunUnitOfWork<Repositories> {
  return async (options, work) => {
    const endEffects: (() => void)[] = [];
    try {
      return await runAttempts(parts, options, work, endEffects);
    } finally {
      for (const effect of endEffects) effect();
    }
  };
}

async function runAttempts<Repositories extends object, Result>(
  parts: UnitOfWorkParts<Repositories>,
  options: UnitOfWorkOptions,
  work: (uow: UnitOfWork & Repositories) => Promise<Result>,
  endEffects: (() => void)[],
): Promise<Result> {
  const preparations: Preparations = new Map();
  const started = performance.now();
  let statements = 0;
  for (let attempt = 1; ; attempt++) {
    const attempted = new Attempt(parts, options, attempt, preparations, endEffects);
    const outcome = await attempted.run(async () => work(attempted.withRepositories()));
    const ms = performance.now() - started;
    statements += attempted.statements;
    const log = { operation: options.name, attempts: attempt, statements, ms, ...describe(attempted, outcome) };
    if ("result" in outcome) {
      parts.logger[attempt > 1 ? "info" : "debug"](log, "unit of work");
      if (outcome.kind === "dry-run" || attempted.isWithoutPreparations) await discard(preparations, parts.logger);
      return outcome.result;
    }
    const reason = reasonToRetry(attempted, outcome);
    const limit = reason === "unavailable" ? parts.limits.waitMs : parts.limits.maxRetryMs;
    const isHopeless = attempt >= parts.limits.maxAttempts || ms > limit || options.signal?.aborted === true;
    if (reason && !isHopeless) {
      parts.logger.debug({ ...log, reason }, "unit of work is retried");
      // Full jitter, so that the same operations do not collide again. The cap lets a last attempt begin at the
      // limit.
      await delay(Math.random() * Math.min((reason === "conflict" ? 10 : 50) * 2 ** attempt, limit - ms + 1));
      continue;
    }
    parts.logger.info({ ...log, err: outcome.error }, "unit of work");
    if (outcome.kind === "aborted") await discard(preparations, parts.logger);
    if (reason !== "conflict") throw outcome.error;
    throw new RetriesExhaustedError("Other transactions changed the same rows during every attempt.", {
      cause: outcome.error,
    });
  }
}

type Undone = { kind: "aborted" | "unknown"; error: unknown };

/** "unavailable": no connection could be opened, so no statement ran. */
type Reason = "conflict" | "connection lost" | "unavailable";

/** Why a retry may succeed; undefined if it is pointless or forbidden. */
function reasonToRetry(attempted: Attempt<object>, { kind, error }: Undone): Reason | undefined {
  if (kind === "unknown") return undefined;
  const causes = [...causesOf(error), attempted.failure];
  if (causes.some(isRetryable)) return "conflict";
  if (!causes.some((cause) => isConnectionLoss(cause) || isUnavailable(cause))) return undefined;
  // The outcome is "aborted", so the connection broke before COMMIT was sent.
  return attempted.hasBegun ? "connection lost" : "unavailable";
}

/** The error and, if it combines several, those errors. */
function causesOf(error: unknown): unknown[] {
  const causes = (error as { causes?: unknown[] } | null)?.causes;
  return Array.isArray(causes) ? [error, ...causes] : [error];
}

/** For the log: the outcome and, if known, the operations or the holder that collided with this one. */
function describe(attempted: Attempt<object>, outcome: Outcome<unknown>): object {
  if (!("error" in outcome)) return { outcome: outcome.kind };
  const causes = [...causesOf(outcome.error), attempted.failure];
  const sqlState = causes.map(sqlStateOf).find((state) => state !== undefined);
  const holder = causes.map(holderOf).find((words) => words !== undefined);
  return { outcome: outcome.kind, sqlState, ...attempted.collision, ...(holder === undefined ? {} : { holder }) };
}

/** The holder that a refusal names: a property of the error or of one of its causes. */
function holderOf(error: unknown): string | undefined {
  const { holder, cause } = Object(error) as { holder?: string; cause?: unknown };
  return holder ?? (cause === undefined ? undefined : holderOf(cause));
}

async function discard(preparations: Preparations, logger: Logger): Promise<void> {
  for (const [label, { result, discard }] of preparations) {
    try {
      // A failed preparation has nothing to discard.
      if (discard) await result.then(discard, () => {});
    } catch (error) {
      logger.error({ err: error, label }, "discarding a prepared result failed");
    }
  }
}
