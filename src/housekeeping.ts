/** Background jobs of every server: periodic sweeps, and the removal of files after their rows. */
import type { Logger } from "pino";
import type { Reader } from "./eager-loading/reader.ts";
import { OutboxConsumer } from "./outbox/consumer.ts";
import { pruneOutbox } from "./outbox/prune.ts";
import { releaseExpired } from "./processing/sql-queue.ts";
import type { Config } from "./settings.ts";
import { fileColumnsOf, type Slice } from "./slice.ts";
import type { FileStore } from "./storage/file-store.ts";
import { sweepFiles } from "./storage/file-sweep.ts";
import { findNamed, removeUnnamed } from "./storage/named-files.ts";
import { sweepKeys } from "./unit-of-work/idempotency-keys.ts";
import type { RunUnitOfWork } from "./unit-of-work/unit-of-work.ts";
import type { WriteDatabase } from "./unit-of-work/write-database.ts";
import type { ResumableUploads } from "./uploads/resumable-uploads.ts";

export type HousekeepingParts = {
  slices: readonly Slice[];
  run: RunUnitOfWork<object>;
  reads: Reader;
  database: WriteDatabase;
  files: FileStore;
  uploads: Pick<ResumableUploads, "sweep">;
  logger: Logger;
};

export type Housekeeping = {
  /** There may be new events in the outbox. */
  wake(): void;
  stop(): Promise<void>;
};

const sweepEveryMs = 600_000;
const sweepFilesEveryMs = 300_000;
/** A list of all objects of a bucket costs a request for every thousand. */
const sweepBucketEveryMs = 3_600_000;
/** Workers release expired leases as well, while any are running. */
const releaseEveryMs = 5_000;

export function startHousekeeping(config: Config, parts: HousekeepingParts): Housekeeping {
  const { slices, run, reads, database, files, uploads, logger } = parts;
  const columns = fileColumnsOf(slices);
  // Also times out if the network drops everything, including the database's own timeout error.
  const timeout = { query_timeout: config.STATEMENT_TIMEOUT_MS + 1_000 };
  const removal = new OutboxConsumer({
    name: "files",
    reader: reads,
    write: (text, values) => database.pool.query({ text, values, ...timeout }),
    handle: (event) => removeUnnamed(event, columns, reads, files, logger),
    logger,
  });
  const { FILE_GRACE_MS: graceMs, WORKER_ATTEMPTS, WORKER_LEASE_MS } = config;
  const jobs: Job[] = [
    { name: "sweeping keys", everyMs: sweepEveryMs, work: () => sweepKeys(run, config.IDEMPOTENCY_HOURS) },
    { name: "pruning the outbox", everyMs: sweepEveryMs, work: () => pruneOutbox(run, config.OUTBOX_HOURS) },
    {
      name: "sweeping files",
      everyMs: config.STORAGE_URL ? sweepBucketEveryMs : Math.min(sweepFilesEveryMs, Math.max(1_000, graceMs)),
      work: () => sweepFiles({ store: files, findNamed: (keys) => findNamed(columns, reads, keys), graceMs }),
    },
    { name: "sweeping uploads", everyMs: sweepEveryMs, work: () => uploads.sweep() },
    ...slices
      .flatMap(({ queue }) => (queue ? [queue] : []))
      .map((queue) => ({
        name: `releasing expired ${queue.table}`,
        everyMs: Math.min(releaseEveryMs, WORKER_LEASE_MS),
        work: () => releaseExpired(run, queue, WORKER_ATTEMPTS),
      })),
    ...slices
      .flatMap(({ sweeps = [] }) => sweeps)
      .map(({ name, everyMs, sweep }) => ({ name, everyMs, work: () => sweep(run) })),
  ];
  const stops = jobs.map((job) => repeat(job, logger));
  return {
    wake: () => removal.wake(),
    async stop() {
      await Promise.all([removal.stop(), ...stops.map((stop) => stop())]);
    },
  };
}

type Job = {
  /** For the log. */
  name: string;
  everyMs: number;
  /** Returns how many rows or files it removed. */
  work(): Promise<number>;
};

/** Runs the job at intervals, never concurrently. Returns a function that stops it and waits for the current run. */
function repeat({ name, everyMs, work }: Job, logger: Logger): () => Promise<void> {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= work()
      .then((count) => void (count > 0 && logger.info({ count }, name)))
      .catch((error) => logger.warn({ err: error }, `${name} failed`))
      .finally(() => {
        running = undefined;
      });
  }, everyMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}
