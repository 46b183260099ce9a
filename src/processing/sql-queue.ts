/** A table as a queue: the functions that the migration's `make_queue` created for it (docs/workers.md). */
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import type { Logger } from "pino";
import { listen } from "../database/listener.ts";
import { refusalOf } from "../database/refusal.ts";
import { isConnectionLoss, isDiskFailure, isDiskFull, isUnavailable } from "../database/sql-errors.ts";
import { raw, sql } from "../eager-loading/sql.ts";
import type { RunUnitOfWork } from "../unit-of-work/unit-of-work.ts";
import { ImpossibleJobError, type Queue, type Verdict } from "./queue.ts";

/** The names that a migration gave to `make_queue`. */
export type QueueTable = {
  /** The table, such as `documents`. */
  table: string;
  /** One row of it, such as `document`. */
  noun: string;
};

/** The parts of a queue that differ from table to table. */
export type QueueDefinition<Job, Result> = QueueTable & {
  /** From a row of claim_…(), with its columns as they are named in the database. */
  jobOf(row: Record<string, unknown>): Job;
  completion: {
    /** Placeholders of the values, with casts: "$3::jsonb". $1 is the row's id and $2 the claim. */
    placeholders: string;
    valuesOf(result: Result): unknown[];
  };
};

export type SqlQueueOptions = {
  /** For the connection that listens; all else goes through the pool. */
  url: string;
  /** Attempts before a row is FAILED. */
  maxAttempts: number;
  /** Timeout in milliseconds for opening the connection that listens. */
  silenceMs?: number;
  logger: Logger;
};

export function sqlQueue<Job, Result>(
  { table, noun, jobOf, completion }: QueueDefinition<Job, Result>,
  pool: pg.Pool,
  { url, maxAttempts, silenceMs, logger }: SqlQueueOptions,
): Queue<Job, Result> {
  const seconds = (ms: number) => `${ms / 1000} seconds`;
  const call = (text: string, values: unknown[]) => callAsHolder(pool, `select ${text} as stands`, values);
  const name = pg.escapeIdentifier(table);
  return {
    name: table,
    async claim(worker, count, leaseMs) {
      const { rows } = await pool.query(`select * from claim_${table}($1, $2, $3::interval)`, [
        worker,
        count,
        seconds(leaseMs),
      ]);
      return rows.map((row) => ({ id: row.id, token: row.claim, attempt: row.attempt, job: jobOf(row) }));
    },
    extend: ({ id, token }, leaseMs, progress) =>
      call(`extend_${noun}_lease($1, $2, $3::interval, $4)`, [id, token, seconds(leaseMs), progress ?? null]),
    complete: ({ id, token }, result) =>
      call(`complete_${noun}($1, $2, ${completion.placeholders})`, [id, token, ...completion.valuesOf(result)]).catch(
        explain,
      ),
    fail: ({ id, token }, reason, isFinal) =>
      call(`fail_${noun}($1, $2, $3, $4)`, [id, token, reason, isFinal ? 1 : maxAttempts]),
    release: ({ id, token }) => call(`release_${noun}($1, $2)`, [id, token]),
    async releaseExpired() {
      return (await pool.query(`select release_expired_${table}($1) as count`, [maxAttempts])).rows[0].count;
    },
    async nextEndMs() {
      const { rows } = await pool.query(`
        select extract(epoch from least(
          (select min(next_attempt_at) from ${name} where status = 'PENDING' and next_attempt_at > now()),
          (select min(lease_until) from ${name} where status = 'PROCESSING')) - now())::float * 1000 as ms`);
      return rows[0].ms;
    },
    listen: (wake) => listen(`${table}_pending`, wake, { url, applicationName: "lectern worker", silenceMs, logger }),
  };
}

/** This error becomes the row's `failure`, which people read. The database's own message may name its files. */
function explain(error: unknown): never {
  const refusal = refusalOf(error);
  if (refusal) throw new ImpossibleJobError(refusal.message, { cause: error });
  if (isDiskFull(error)) throw new Error("The database's disk is full.", { cause: error });
  if (isDiskFailure(error)) throw new Error("The database cannot use its disk.", { cause: error });
  throw error;
}

/** Ends the attempts whose lease has ended, for the case that no worker is alive to do so. Returns how many. */
export async function releaseExpired(
  run: RunUnitOfWork<object>,
  { table }: QueueTable,
  maxAttempts: number,
): Promise<number> {
  return run({ name: `release expired ${table}` }, async (uow) => {
    const [row] = await uow.write(sql`select ${raw(`release_expired_${table}`)}(${maxAttempts}::int) as count`);
    return Number(row?.count);
  });
}

/** Calls of one function when the connection breaks: each of them may be repeated. */
const maxCalls = 5;

/** Calls a function that returns whether the claim stands, and takes the reason from the notice that it raises. */
async function callAsHolder(pool: pg.Pool, text: string, values: unknown[]): Promise<Verdict> {
  for (let tries = 1; ; tries++) {
    try {
      return await withConnection(pool, async (client) => {
        let holder: string | undefined;
        const hear = ({ message }: { message?: string }) => {
          holder = message;
        };
        client.on("notice", hear);
        try {
          const { stands } = (await client.query(text, values)).rows[0];
          return stands || holder === undefined ? { stands } : { stands, holder };
        } finally {
          client.off("notice", hear);
        }
      });
    } catch (error) {
      if (tries === maxCalls || !(isConnectionLoss(error) || isUnavailable(error))) throw error;
      await pause(100 * 2 ** tries);
    }
  }
}

async function withConnection<Result>(pool: pg.Pool, use: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
  const client = await pool.connect();
  let loss: Error | undefined;
  try {
    return await use(client);
  } catch (error) {
    if (isConnectionLoss(error)) loss = error as Error;
    throw error;
  } finally {
    client.release(loss);
  }
}
