/** The composition root of what is done after the answer, in the server's process or in one of its own. */
import type { Logger } from "pino";
import type { Config } from "./config.ts";
import { type DocumentWorker, startDocumentWorker } from "./documents/worker/processor.ts";
import type { FileStore } from "./storage/file-store.ts";
import { LocalFileStore } from "./storage/local-file-store.ts";
import { crashAt } from "./unit-of-work/transaction-guard.ts";

/** Where the originals of documents lie. Another kind of store would be chosen here. */
export function openFileStore({ filesDir, CRASH_AT }: Config): FileStore {
  return new LocalFileStore({ folder: filesDir, ...(CRASH_AT ? { probe: crashAt(CRASH_AT) } : {}) });
}

/** @param places documents at once */
export function startWorkers(config: Config, url: string, places: number, logger: Logger): Promise<DocumentWorker> {
  return startDocumentWorker({
    url,
    files: openFileStore(config),
    places,
    leaseMs: config.WORKER_LEASE_MS,
    maxAttempts: config.WORKER_ATTEMPTS,
    limits: {
      maxBytes: config.MAX_DOCUMENT_BYTES,
      timeoutMs: config.WORKER_TIMEOUT_MS,
      memoryMb: config.WORKER_MEMORY_MB,
    },
    logger,
  });
}
