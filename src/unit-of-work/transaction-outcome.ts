/**
 * COMMIT was sent and the connection broke: what became of the transaction? The database knows, and is asked on
 * another connection until it says so.
 */
import { setTimeout as pause } from "node:timers/promises";
import type pg from "pg";
import type { Logger } from "pino";
import { UnknownOutcomeError } from "./unit-of-work.ts";

export type Outcome<Result> =
  | { kind: "committed" | "dry-run"; result: Result }
  | { kind: "aborted" | "unknown"; error: unknown };

type Question<Result> = {
  pool: pg.Pool;
  /** As `pg_current_xact_id()` said it. */
  transactionId: string;
  /** What the work answers, should it have been committed. */
  result: Result;
  /** How the connection broke. */
  error: unknown;
  /** How long the database is asked. */
  waitMs: number;
  logger: Logger;
};

export async function findOutcome<Result>(question: Question<Result>): Promise<Outcome<Result>> {
  const { pool, transactionId, result, error, waitMs, logger } = question;
  const until = performance.now() + waitMs;
  for (let tries = 1; performance.now() < until; tries++) {
    try {
      const status = await ask(pool, transactionId);
      if (status === "committed") return { kind: "committed", result };
      if (status === "aborted") return { kind: "aborted", error };
      if (status === null) break;
      // COMMIT may still be on its way, or it was lost and the database waits for it: after a while, it waits no more.
      if (tries >= 3) await end(pool, transactionId);
    } catch (failure) {
      logger.warn({ err: failure, transactionId }, "asking for a transaction's outcome failed");
    }
    await pause(Math.min(50 * tries, 500));
  }
  const message = "The connection to the database broke at the end; it may have committed.";
  return { kind: "unknown", error: new UnknownOutcomeError(message, { cause: error }) };
}

/** null: so long ago that the database has forgotten it. */
async function ask(pool: pg.Pool, transactionId: string): Promise<string | null> {
  const { rows } = await pool.query("select pg_xact_status($1::xid8) as status", [transactionId]);
  return rows[0].status;
}

/** Makes the outcome certain: either COMMIT is through before this, or there will be none. */
async function end(pool: pg.Pool, transactionId: string): Promise<void> {
  // In one transaction, as the login, whose connections they both are: a role sees and ends nobody else's.
  await pool.query(`
    set local role none;
    select pg_terminate_backend(pid) from pg_stat_activity
    where pid <> pg_backend_pid() and backend_xid = '${BigInt(transactionId)}'::xid8::xid`);
}
