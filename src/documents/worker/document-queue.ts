/** The queue of documents: the worker contract of the database (docs/workers.md), as our worker calls it. */
import { setTimeout as pause } from "node:timers/promises";
import type pg from "pg";
import type { Logger } from "pino";
import { DatabaseClient } from "../../database/client.ts";
import { isConnectionLoss, isDiskFailure, isDiskFull, isUnavailable } from "../../database/sql-errors.ts";
import { endClient, streamOf } from "../../database/with-client.ts";
import { sql } from "../../eager-loading/sql.ts";
import type { Claim, Queue, Verdict } from "../../processing/queue.ts";
import type { UnitOfWork } from "../../unit-of-work/unit-of-work.ts";

/** With its text, or with the key of the original that holds it. */
export type DocumentJob = { mimeType: string } & (
  | { text: string; storageKey: null }
  | { text: null; storageKey: string }
);
/** In UTF-8: `chunks` as the JSON that complete_document takes, `text` where it was read from an original. */
export type DocumentResult = { chunks: Uint8Array<ArrayBuffer>; text: Uint8Array<ArrayBuffer> | null };

export type DocumentQueueOptions = {
  /** For a connection that listens; all else goes through the pool. */
  url: string;
  maxAttempts: number;
  /** How long the database may leave the connection that listens without an answer while it is opened. */
  silenceMs?: number;
  logger: Logger;
};

export function documentQueue(pool: pg.Pool, options: DocumentQueueOptions): Queue<DocumentJob, DocumentResult> {
  const { maxAttempts } = options;
  const call = (text: string, values: unknown[]) => callAsHolder(pool, text, values);
  const seconds = (ms: number) => `${ms / 1000} seconds`;
  return {
    name: "documents",
    async claim(worker, count, leaseMs) {
      const { rows } = await pool.query("select * from claim_documents($1, $2, $3::interval)", [
        worker,
        count,
        seconds(leaseMs),
      ]);
      return rows.map(
        (row): Claim<DocumentJob> => ({
          id: row.id,
          token: row.claim,
          attempt: row.attempt,
          job: row.storage_key
            ? { text: null, storageKey: row.storage_key, mimeType: row.mime_type }
            : { text: row.text, storageKey: null, mimeType: row.mime_type },
        }),
      );
    },
    extend: ({ id, token }, leaseMs, progress) =>
      call("select extend_lease($1, $2, $3::interval, $4) as stands", [id, token, seconds(leaseMs), progress ?? null]),
    complete: ({ id, token }, { chunks, text }) =>
      call("select complete_document($1, $2, $3::text::jsonb, $4::text) as stands", [
        id,
        token,
        Buffer.from(chunks.buffer),
        text && Buffer.from(text.buffer),
      ]).catch(withoutFiles),
    fail: ({ id, token }, reason, isFinal) =>
      call("select fail_document($1, $2, $3, $4) as stands", [id, token, reason, isFinal ? 1 : maxAttempts]),
    release: ({ id, token }) => call("select release_document($1, $2) as stands", [id, token]),
    async releaseExpired() {
      return (await pool.query("select release_expired_documents($1) as count", [maxAttempts])).rows[0].count;
    },
    async nextEndMs() {
      const { rows } = await pool.query(`
        select extract(epoch from least(
          (select min(next_attempt_at) from documents where status = 'PENDING' and next_attempt_at > now()),
          (select min(lease_until) from documents where status = 'PROCESSING')) - now())::float * 1000 as ms`);
      return rows[0].ms;
    },
    listen: (wake) => listen("documents_pending", wake, options),
  };
}

/** The database's own message names its files; the document's `failure`, which this becomes, must not. */
function withoutFiles(error: unknown): never {
  if (isDiskFull(error)) throw new Error("The database's disk is full.", { cause: error });
  if (isDiskFailure(error)) throw new Error("The database cannot use its disk.", { cause: error });
  throw error;
}

/** Ends the attempts whose lease is over, though no worker may be alive to do so. Returns how many. */
export async function releaseExpiredDocuments(
  run: <Result>(options: { name: string }, work: (uow: UnitOfWork) => Promise<Result>) => Promise<Result>,
  maxAttempts: number,
): Promise<number> {
  return run({ name: "sweep leases" }, async (uow) => {
    await uow.transaction();
    const [row] = await uow.reader.read(sql`select release_expired_documents(${maxAttempts}::int) as count`);
    return Number(row?.count);
  });
}

/** How often a call is made again when the connection breaks: all of them may be repeated. */
const maxCalls = 5;

/** Calls a function that answers whether the claim stood, and hears the notice in which the database says what it met. */
async function callAsHolder(pool: pg.Pool, text: string, values: unknown[]): Promise<Verdict> {
  for (let tries = 1; ; tries++) {
    try {
      return await withConnection(pool, async (client) => {
        let met: string | undefined;
        const hear = ({ message }: { message?: string }) => {
          met = message;
        };
        client.on("notice", hear);
        try {
          const { stands } = (await client.query(text, values)).rows[0];
          return stands || met === undefined ? { stands } : { stands, met };
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

/** How long the connection that listens stays away after it broke: the poll goes on meanwhile. */
const reopenMs = 1_000;

/**
 * Listens on a connection of its own. When that breaks, or cannot be opened again, another is opened, until one listens.
 *
 * @throws when the first cannot be opened
 */
async function listen(
  channel: string,
  wake: () => void,
  { url, silenceMs = 10_000, logger }: DocumentQueueOptions,
): Promise<() => Promise<void>> {
  let client: DatabaseClient;
  let isStopped = false;
  const open = async () => {
    client = new DatabaseClient({
      connectionString: url,
      application_name: "lectern worker",
      keepAlive: true,
      connectionTimeoutMillis: silenceMs,
      query_timeout: silenceMs,
    });
    client.on("notification", wake);
    client.on("error", (error) => logger.warn({ err: error }, "the connection that listens broke"));
    // Comes once, however it ends: also after a connection that could not be opened.
    client.on("end", () => setTimeout(reopen, reopenMs).unref());
    try {
      await client.connect();
      await client.query(`listen ${channel}`);
    } catch (error) {
      streamOf(client).destroy();
      throw error;
    }
    // Nothing was told of the documents that became pending meanwhile.
    wake();
  };
  const reopen = () => {
    if (isStopped) return;
    open().catch((error) => isStopped || logger.warn({ err: error }, "listening failed; it is tried again"));
  };
  await open().catch((error) => {
    isStopped = true;
    throw error;
  });
  return () => {
    isStopped = true;
    return endClient(client);
  };
}
