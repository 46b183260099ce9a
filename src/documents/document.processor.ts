/** How documents are worked on: the queue is their table, the work is cutting them into chunks. */
import { join } from "node:path";
import pg from "pg";
import type { Logger } from "pino";
import { Piscina } from "piscina";
import type { Claim, Queue } from "../processing/queue.ts";
import { Worker } from "../processing/worker.ts";
import type { ChunkDraft } from "./document.chunker.ts";

export type DocumentJob = { text: string; mimeType: string };

export type DocumentWorkerOptions = {
  url: string;
  /** Documents at once. */
  places: number;
  leaseMs: number;
  maxAttempts: number;
  logger: Logger;
};

export type DocumentWorker = { stop(): Promise<void> };

export async function startDocumentWorker(options: DocumentWorkerOptions): Promise<DocumentWorker> {
  const { url, places, logger } = options;
  const pool = new pg.Pool({
    connectionString: url,
    application_name: "lectern worker",
    max: places + 1,
    connectionTimeoutMillis: 10_000,
  });
  pool.on("error", (error) => logger.warn({ err: error }, "a worker's connection broke"));
  const threads = new Piscina<string, ChunkDraft[]>({
    filename: join(import.meta.dirname, "document.chunker.ts"),
    minThreads: 0,
    maxThreads: places,
    idleTimeout: 60_000,
  });
  const worker = new Worker<DocumentJob, ChunkDraft[]>({
    queue: documentQueue(pool, options),
    work: ({ text }, signal) => threads.run(text, { signal }),
    places,
    leaseMs: options.leaseMs,
    logger,
  });
  await worker.start();
  return {
    async stop() {
      await worker.stop();
      await threads.destroy();
      await pool.end();
    },
  };
}

/** The worker contract of the database (docs/workers.md), as our worker calls it. */
export function documentQueue(
  pool: pg.Pool,
  { url, maxAttempts, logger }: Pick<DocumentWorkerOptions, "url" | "maxAttempts" | "logger">,
): Queue<DocumentJob, ChunkDraft[]> {
  const call = async (text: string, values: unknown[]) => (await pool.query(text, values)).rows[0].answer;
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
          job: { text: row.text, mimeType: row.mime_type },
        }),
      );
    },
    extend: ({ id, token }, leaseMs, progress) =>
      call("select extend_lease($1, $2, $3::interval, $4) as answer", [id, token, seconds(leaseMs), progress ?? null]),
    complete: ({ id, token }, chunks) =>
      call("select complete_document($1, $2, $3::jsonb) as answer", [id, token, JSON.stringify(chunks)]),
    fail: ({ id, token }, reason) =>
      call("select fail_document($1, $2, $3, $4) as answer", [id, token, reason, maxAttempts]),
    release: ({ id, token }) => call("select release_document($1, $2) as answer", [id, token]),
    releaseExpired: () => call("select release_expired_documents($1) as answer", [maxAttempts]),
    listen: (wake) => listen(url, "documents_pending", wake, logger),
  };
}

/** Listens on a connection of its own; when that breaks, the poll goes on and another is opened. */
async function listen(url: string, channel: string, wake: () => void, logger: Logger): Promise<() => Promise<void>> {
  let client: pg.Client | undefined;
  let isStopped = false;
  const open = async () => {
    client = new pg.Client({ connectionString: url, application_name: "lectern worker", keepAlive: true });
    client.on("notification", wake);
    client.on("error", (error) => logger.warn({ err: error }, "the connection that listens broke"));
    client.on("end", () => {
      if (!isStopped) setTimeout(() => void (isStopped || open().catch(() => {})), 1_000).unref();
    });
    await client.connect();
    await client.query(`listen ${channel}`);
    wake();
  };
  await open();
  return async () => {
    isStopped = true;
    await client?.end();
  };
}
