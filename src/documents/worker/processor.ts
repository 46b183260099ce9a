/** Processes a document: extracts its text, if there is an original, and splits it into chunks. */
import { join } from "node:path";
import { MessageChannel } from "node:worker_threads";
import type { Logger } from "pino";
import { BoundedThreads, LimitExceededError, type WorkLimits } from "../../processing/bounded-work.ts";
import { ImpossibleJobError } from "../../processing/queue.ts";
import type { Processor } from "../../processing/work-queue.ts";
import { FileMissingError, type FileStore, FileStoreError } from "../../storage/file-store.ts";
import type { DocumentJob, DocumentResult } from "./document-queue.ts";
import type { ThreadAnswer, ThreadTask } from "./processing-thread.ts";

export type ProcessorOptions = {
  /** The store of the originals. */
  files: FileStore;
  /** Maximum number of concurrent documents. */
  slots: number;
  limits: DocumentLimits;
  logger: Logger;
};

export type DocumentLimits = Pick<WorkLimits, "timeoutMs" | "memoryMb"> & {
  /** Bytes of a document as sent; also the maximum number of characters of its text. */
  maxBytes: number;
};

/** Total size of an inflated DOCX, in multiples of the largest document. */
const maxInflation = 10;
const maxPages = 10_000;
/** Time after which a thread without a document ends. */
const idleMs = 60_000;

export function openProcessor(options: ProcessorOptions): Processor<DocumentJob, DocumentResult> {
  const { slots, limits, logger } = options;
  const threads: Threads = new BoundedThreads({
    filename: join(import.meta.dirname, "processing-thread.ts"),
    threads: slots,
    idleMs,
    // Each slot has its own thread, so documents do not wait.
    limits: { waitMs: limits.timeoutMs, ...limits },
    subject: "Processing",
    logger,
  });
  return {
    work: (job, signal, report) => processDocument(job, signal, report, threads, options),
    close: () => threads.close(),
  };
}

type Threads = BoundedThreads<ThreadTask, ThreadAnswer>;

/** @throws ImpossibleJobError if the document itself is the cause */
async function processDocument(
  { text, mimeType, storageKey }: DocumentJob,
  signal: AbortSignal,
  report: (progress: number) => void,
  threads: Threads,
  { files, limits }: Pick<ProcessorOptions, "files" | "limits">,
): Promise<DocumentResult> {
  const original = text === null ? await readOriginal(files, storageKey) : undefined;
  const { port1: reports, port2: progress } = new MessageChannel();
  reports.on("message", report);
  const task: ThreadTask = original
    ? { mimeType, progress, text: null, original, limits: extractionLimits(limits) }
    : { mimeType, progress, text: text as string };
  try {
    const transferList = original ? [progress, original.buffer] : [progress];
    const answer = await threads.run(task, { signal, transferList });
    if ("unreadable" in answer) throw new ImpossibleJobError(answer.unreadable);
    return answer;
  } catch (error) {
    // Otherwise other work may be the cause, so a retry may succeed.
    if (error instanceof LimitExceededError && error.isCertain) {
      throw new ImpossibleJobError(error.message, { cause: error });
    }
    throw error;
  } finally {
    reports.close();
  }
}

/** Its error becomes the document's `failure`, so it contains no path. */
async function readOriginal(files: FileStore, storageKey: string): Promise<Buffer<ArrayBuffer>> {
  try {
    return await files.read(storageKey);
  } catch (error) {
    if (error instanceof FileMissingError) {
      throw new Error("The original is not in this worker's file store.", { cause: error });
    }
    if (error instanceof FileStoreError) {
      throw new Error(`The original cannot be read from this worker's file store (${error.reason}).`, { cause: error });
    }
    throw error;
  }
}

function extractionLimits({ maxBytes }: DocumentLimits) {
  return { maxCharacters: maxBytes, maxInflatedBytes: maxInflation * maxBytes, maxPages };
}
