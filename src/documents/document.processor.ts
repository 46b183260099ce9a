/** How documents are worked on: the queue is their table, the work is reading them and cutting them into chunks. */
import { join } from "node:path";
import pg from "pg";
import type { Logger } from "pino";
import { Piscina } from "piscina";
import { type Claim, ImpossibleJobError, type Queue } from "../processing/queue.ts";
import { Worker } from "../processing/worker.ts";
import { FileMissingError, type FileStore } from "../storage/file-store.ts";
import type { ChunkDraft } from "./document.chunker.ts";
import type { ThreadAnswer, ThreadTask } from "./document.thread.ts";

/** With its text, or with the key of the original that holds it. */
export type DocumentJob = { mimeType: string } & (
  | { text: string; storageKey: null }
  | { text: null; storageKey: string }
);
export type DocumentResult = { chunks: ChunkDraft[]; text: string | null };

export type DocumentWorkerOptions = {
  url: string;
  /** Where originals are. */
  files: FileStore;
  /** Documents at once. */
  places: number;
  leaseMs: number;
  maxAttempts: number;
  limits: WorkLimits;
  logger: Logger;
};

export type WorkLimits = {
  /** Bytes of a document that was sent; its text has at most as many characters. */
  maxBytes: number;
  /** How long one document may take. */
  timeoutMs: number;
  /** Of a thread's objects, and of all else that the process takes while it works on a document. */
  memoryMb: number;
};

/** Parts of a DOCX, inflated, for each byte of the largest document. */
const maxInflation = 10;
const maxPages = 10_000;
/** How often the memory of the process is looked at. */
const memoryCheckMs = 200;

export type DocumentWorker = { stop(): Promise<void> };

export async function startDocumentWorker(options: DocumentWorkerOptions): Promise<DocumentWorker> {
  const { url, places, limits, logger } = options;
  const pool = new pg.Pool({
    connectionString: url,
    application_name: "lectern worker",
    max: places + 1,
    connectionTimeoutMillis: 10_000,
  });
  pool.on("error", (error) => logger.warn({ err: error }, "a worker's connection broke"));
  const threads = new Piscina<ThreadTask, ThreadAnswer>({
    filename: join(import.meta.dirname, "document.thread.ts"),
    minThreads: 0,
    maxThreads: places,
    idleTimeout: 60_000,
    resourceLimits: { maxOldGenerationSizeMb: limits.memoryMb },
  });
  const worker = new Worker<DocumentJob, DocumentResult>({
    queue: documentQueue(pool, options),
    work: (job, signal) => processDocument(job, signal, threads, options),
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

/** @throws ImpossibleJobError when the document is to blame */
async function processDocument(
  { text, mimeType, storageKey }: DocumentJob,
  signal: AbortSignal,
  threads: Piscina<ThreadTask, ThreadAnswer>,
  { files, limits }: Pick<DocumentWorkerOptions, "files" | "limits">,
): Promise<DocumentResult> {
  const original = text === null ? await readOriginal(files, storageKey) : undefined;
  const task: ThreadTask = original
    ? { mimeType, text: null, original, limits: extractionLimits(limits) }
    : { mimeType, text: text as string };
  const bound = boundTo(limits, signal);
  try {
    const transferList = original ? [original.buffer] : [];
    const answer = await threads.run(task, { signal: bound.signal, transferList });
    if ("unreadable" in answer) throw new ImpossibleJobError(answer.unreadable);
    return answer;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_WORKER_OUT_OF_MEMORY") {
      throw new ImpossibleJobError(tooMuchMemory(limits), { cause: error });
    }
    // What aborted it says more than that it was aborted.
    throw bound.signal.aborted && !signal.aborted ? bound.signal.reason : error;
  } finally {
    bound.release();
  }
}

async function readOriginal(files: FileStore, storageKey: string): Promise<Buffer<ArrayBuffer>> {
  try {
    return await files.read(storageKey);
  } catch (error) {
    if (!(error instanceof FileMissingError)) throw error;
    throw new Error("The original is not in this worker's file store.", { cause: error });
  }
}

function extractionLimits({ maxBytes }: WorkLimits) {
  return { maxCharacters: maxBytes, maxInflatedBytes: maxInflation * maxBytes, maxPages };
}

const tooMuchMemory = ({ memoryMb }: WorkLimits) => `Processing takes more than ${memoryMb} MB of memory.`;

/**
 * Aborts what takes too long, or too much memory beside the objects of its thread, which Node bounds by itself. The
 * process as a whole is looked at, so somebody else may be to blame: such an attempt is not the last.
 */
function boundTo(limits: WorkLimits, signal: AbortSignal): { signal: AbortSignal; release(): void } {
  const abort = new AbortController();
  const onAbort = () => abort.abort(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort);
  const before = process.memoryUsage.rss();
  const started = performance.now();
  const timer = setInterval(() => {
    if (performance.now() - started > limits.timeoutMs) {
      abort.abort(new Error(`Processing took longer than ${limits.timeoutMs / 1000} s.`));
    }
    // Its objects and as much again.
    if (process.memoryUsage.rss() - before > 2 * limits.memoryMb * 1_000_000)
      abort.abort(new Error(tooMuchMemory(limits)));
  }, memoryCheckMs);
  return {
    signal: abort.signal,
    release() {
      clearInterval(timer);
      signal.removeEventListener("abort", onAbort);
    },
  };
}

/** The worker contract of the database (docs/workers.md), as our worker calls it. */
export function documentQueue(
  pool: pg.Pool,
  { url, maxAttempts, logger }: Pick<DocumentWorkerOptions, "url" | "maxAttempts" | "logger">,
): Queue<DocumentJob, DocumentResult> {
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
          job: row.storage_key
            ? { text: null, storageKey: row.storage_key, mimeType: row.mime_type }
            : { text: row.text, storageKey: null, mimeType: row.mime_type },
        }),
      );
    },
    extend: ({ id, token }, leaseMs, progress) =>
      call("select extend_lease($1, $2, $3::interval, $4) as answer", [id, token, seconds(leaseMs), progress ?? null]),
    complete: ({ id, token }, { chunks, text }) =>
      call("select complete_document($1, $2, $3::jsonb, $4) as answer", [id, token, JSON.stringify(chunks), text]),
    fail: ({ id, token }, reason, isFinal) =>
      call("select fail_document($1, $2, $3, $4) as answer", [id, token, reason, isFinal ? 1 : maxAttempts]),
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
