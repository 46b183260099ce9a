/** How documents are worked on: the queue is their table, the work is reading them and cutting them into chunks. */
import { join } from "node:path";
import { MessageChannel } from "node:worker_threads";
import type { Logger } from "pino";
import { Piscina } from "piscina";
import { DatabasePool } from "../database/client.ts";
import { ImpossibleJobError } from "../processing/queue.ts";
import { Worker } from "../processing/worker.ts";
import { FileMissingError, type FileStore } from "../storage/file-store.ts";
import { type DocumentJob, type DocumentResult, documentQueue } from "./document.queue.ts";
import type { ThreadAnswer, ThreadTask } from "./document.thread.ts";

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
  /** What one document may take. The process may grow by twice that meanwhile: others work in it as well. */
  memoryMb: number;
};

/** Parts of a DOCX, inflated, for each byte of the largest document. */
const maxInflation = 10;
const maxPages = 10_000;
/** How often the memory of the process is looked at. */
const memoryCheckMs = 100;

export type DocumentWorker = { stop(): Promise<void> };

export async function startDocumentWorker(options: DocumentWorkerOptions): Promise<DocumentWorker> {
  const { url, places, limits, logger } = options;
  const pool = new DatabasePool(
    { connectionString: url, application_name: "lectern worker", max: places + 1, connectionTimeoutMillis: 10_000 },
    (error) => logger.warn({ err: error }, "a worker's connection broke"),
  );
  const threads = new Piscina<ThreadTask, ThreadAnswer>({
    filename: join(import.meta.dirname, "document.thread.ts"),
    minThreads: 0,
    maxThreads: places,
    idleTimeout: 60_000,
    // The last resort: a thread that comes to this end may take the process with it (V8 aborts when a collection finds
    // no room). `boundTo` ends it before that.
    resourceLimits: { maxOldGenerationSizeMb: 4 * limits.memoryMb },
  });
  // Said of a thread that had no document; without a listener it would end the process.
  threads.on("error", (error) => logger.error({ err: error }, "a thread ended"));
  threads.setMaxListeners(places + 1);
  const worker = new Worker<DocumentJob, DocumentResult>({
    queue: documentQueue(pool, options),
    work: (job, signal, report) => processDocument(job, signal, report, threads, options),
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
  report: (progress: number) => void,
  threads: Piscina<ThreadTask, ThreadAnswer>,
  { files, limits }: Pick<DocumentWorkerOptions, "files" | "limits">,
): Promise<DocumentResult> {
  const original = text === null ? await readOriginal(files, storageKey) : undefined;
  const { port1: reports, port2: progress } = new MessageChannel();
  reports.on("message", report);
  const task: ThreadTask = original
    ? { mimeType, progress, text: null, original, limits: extractionLimits(limits) }
    : { mimeType, progress, text: text as string };
  const bound = boundTo(limits, signal);
  // It may be the one that this document waits for: a thread that cannot even begin never takes it.
  const onThreadError = (error: Error) => bound.abort(new Error(`A thread ended: ${error.message}`, { cause: error }));
  threads.on("error", onThreadError);
  try {
    const transferList = original ? [progress, original.buffer] : [progress];
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
    threads.off("error", onThreadError);
    reports.close();
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
 * Aborts what takes too long, or too much memory. The process as a whole is looked at, so somebody else may be to
 * blame: such an attempt is not the last.
 */
function boundTo(
  limits: WorkLimits,
  signal: AbortSignal,
): { signal: AbortSignal; abort(reason: Error): void; release(): void } {
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
    if (process.memoryUsage.rss() - before > 2 * limits.memoryMb * 1_000_000)
      abort.abort(new Error(tooMuchMemory(limits)));
  }, memoryCheckMs);
  return {
    signal: abort.signal,
    abort: (reason) => abort.abort(reason),
    release() {
      clearInterval(timer);
      signal.removeEventListener("abort", onAbort);
    },
  };
}
