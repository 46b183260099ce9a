/**
 * Finds the outcome of a transaction whose connection broke after COMMIT was sent: polls `pg_xact_status` on another
 * connection.
 */
import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import type { Logger } from "pino";
import { UnknownOutcomeError } from "./unit-of-work.ts";

export type Outcome<Result> =
  | { kind: "committed" | "dry-run"; result: Result }
  | { kind: "aborted" | "unknown"; error: unknown };

type Question<Result> = {
  pool: pg.Pool;
  /** From `pg_current_xact_id()`. */
  transactionId: string;
  /** The result of the work, used if it was committed. */
  result: Result;
  /** The error with which the connection broke. */
  error: unknown;
  /** Timeout of polling. */
  waitMs: number;
  logger: Logger;
};

export async function findOutcome<Result>(question: Question<Result>): Promise<Outcome<Result>> {
  const { pool, transactionId, result, error, waitMs, logger } = question;
  const until = performance.now() + waitMs;
  for (let attempt = 1; performance.now() < until; attempt++) {
    try {
      const status = await ask(pool, transactionId);
      if (status === "committed") return { kind: "committed", result };
      if (status === "aborted") return { kind: "aborted", error };
      if (status === null) break;
      // COMMIT may be delayed, or lost while the database still waits for it. Terminating the session settles it.
      if (attempt >= 3) await end(pool, transactionId);
    } catch (failure) {
      logger.warn({ err: failure, transactionId }, "querying a transaction's outcome failed");
    }
    await delay(Math.min(50 * attempt, 500));
  }
  const message = "The connection to the database broke at COMMIT; the transaction may have committed.";
  return { kind: "unknown", error: new UnknownOutcomeError(message, { cause: error }) };
}

/** Returns null if the transaction is too old for the database to know its status. */
async function ask(pool: pg.Pool, transactionId: string): Promise<string | null> {
  const { rows } = await pool.query("select pg_xact_status($1::xid8) as status", [transactionId]);
  return rows[0].status;
}

/** Terminates the transaction's session, so that it can no longer commit. */
async function end(pool: pg.Pool, transactionId: string): Promise<void> {
  // As the login, since its role neither sees nor may terminate the session. SET LOCAL needs the same transaction.
  await pool.query(`
    set local role none;
    select pg_terminate_backend(pid) from pg_stat_activity
    where pid <> pg_backend_pid() and backend_xid = '${BigInt(transactionId)}'::xid8::xid`);
}
