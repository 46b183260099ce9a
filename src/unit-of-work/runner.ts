/**
 * Runs units of work: as many tries as it takes and is allowed.
 *
 * When another transaction was in the way (SQLSTATE 40001, 40P01), or the connection broke before COMMIT was sent,
 * the whole work runs again, with a new transaction and new repositories; only what `prepare` made is kept. A try
 * whose outcome nobody knows is never repeated.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "pino";
import { isConnectionLoss, isRetryable, isUnavailable, sqlStateOf } from "../database/sql-errors.ts";
import { Attempt, type Preparations } from "./attempt.ts";
import type { Outcome } from "./transaction-outcome.ts";
import { RetriesExhaustedError, type RunUnitOfWork, type UnitOfWorkParts } from "./unit-of-work.ts";

export function unitOfWorkRunner<Repositories extends object>(
  parts: UnitOfWorkParts<Repositories>,
): RunUnitOfWork<Repositories> {
  return async (options, work) => {
    const preparations: Preparations = new Map();
    const started = performance.now();
    let statements = 0;
    for (let attempt = 1; ; attempt++) {
      const attempted = new Attempt(parts, options, attempt, preparations);
      const outcome = await attempted.run(async () => work(attempted.withRepositories()));
      const ms = performance.now() - started;
      statements += attempted.statements;
      const log = { operation: options.name, attempts: attempt, statements, ms, ...describe(attempted, outcome) };
      if ("result" in outcome) {
        parts.logger[attempt > 1 ? "info" : "debug"](log, "unit of work");
        if (outcome.kind === "dry-run" || attempted.isWithoutPreparations) await discard(preparations, parts.logger);
        return outcome.result;
      }
      const reason = reasonToRepeat(attempted, outcome);
      const limit = reason === "unavailable" ? parts.limits.waitMs : parts.limits.maxRetryMs;
      const isHopeless = attempt >= parts.limits.maxAttempts || ms > limit || options.signal?.aborted === true;
      if (reason && !isHopeless) {
        parts.logger.debug({ ...log, reason }, "unit of work is tried again");
        // Full jitter: whoever collided must not collide again. The last try begins when the time is over, not later.
        await pause(Math.random() * Math.min((reason === "conflict" ? 10 : 50) * 2 ** attempt, limit - ms + 1));
        continue;
      }
      parts.logger.info({ ...log, err: outcome.error }, "unit of work");
      if (outcome.kind === "aborted") await discard(preparations, parts.logger);
      if (reason !== "conflict") throw outcome.error;
      throw new RetriesExhaustedError("Others were changing the same rows at every try.", { cause: outcome.error });
    }
  };
}

type Undone = { kind: "aborted" | "unknown"; error: unknown };

/** Others were in the way; the connection broke; there was none to be had, so that nothing has run. */
type Reason = "conflict" | "connection lost" | "unavailable";

/** Why another try may succeed; undefined when it cannot, or must not be made. */
function reasonToRepeat(attempted: Attempt<object>, { kind, error }: Undone): Reason | undefined {
  if (kind === "unknown") return undefined;
  const causes = [...causesOf(error), attempted.failure];
  if (causes.some(isRetryable)) return "conflict";
  if (!causes.some((cause) => isConnectionLoss(cause) || isUnavailable(cause))) return undefined;
  // The outcome is a proven abort: a connection that broke before COMMIT was sent took everything with it.
  return attempted.hasBegun ? "connection lost" : "unavailable";
}

/** The errors behind an error that stands for several. */
function causesOf(error: unknown): unknown[] {
  const causes = (error as { causes?: unknown[] } | null)?.causes;
  return Array.isArray(causes) ? [error, ...causes] : [error];
}

/** For the log: what became of it and, where the database said so, who was in the way. */
function describe(attempted: Attempt<object>, outcome: Outcome<unknown>): object {
  if (!("error" in outcome)) return { outcome: outcome.kind };
  const causes = [...causesOf(outcome.error), attempted.failure];
  const sqlState = causes.map(sqlStateOf).find((state) => state !== undefined);
  const met = causes.map(metOf).find((words) => words !== undefined);
  return { outcome: outcome.kind, sqlState, ...attempted.collision, ...(met === undefined ? {} : { met }) };
}

/** What a refusal says that it met: it stands in the error, or in the one that this error was made of. */
function metOf(error: unknown): string | undefined {
  const { met, cause } = Object(error) as { met?: string; cause?: unknown };
  return met ?? (cause === undefined ? undefined : metOf(cause));
}

async function discard(preparations: Preparations, logger: Logger): Promise<void> {
  for (const [label, { result, discard }] of preparations) {
    try {
      // What could not be made needs no undoing.
      if (discard) await result.then(discard, () => {});
    } catch (error) {
      logger.error({ err: error, label }, "what was prepared for a unit of work could not be discarded");
    }
  }
}
