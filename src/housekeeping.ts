/** What a server does now and then, and after changes, without being asked. */
import type { Logger } from "pino";
import type { Config } from "./config.ts";
import { namedKeys, removeOriginal } from "./documents/document.originals.ts";
import { documentQueue } from "./documents/worker/document-queue.ts";
import type { Reader } from "./eager-loading/loaders.ts";
import { OutboxConsumer } from "./outbox/consumer.ts";
import { pruneOutbox } from "./outbox/prune.ts";
import { releaseExpired } from "./processing/sql-queue.ts";
import type { FileStore } from "./storage/file-store.ts";
import { sweepFiles } from "./storage/file-sweep.ts";
import { sweepKeys } from "./unit-of-work/idempotency-keys.ts";
import type { RunUnitOfWork } from "./unit-of-work/unit-of-work.ts";
import type { WriteDatabase } from "./unit-of-work/write-database.ts";

export type HousekeepingParts = {
  run: RunUnitOfWork<object>;
  reads: Reader;
  database: WriteDatabase;
  files: FileStore;
  logger: Logger;
};

export type Housekeeping = {
  /** There may be something in the outbox. */
  wake(): void;
  stop(): Promise<void>;
};

const sweepEveryMs = 600_000;
const sweepFilesEveryMs = 300_000;
/** Workers look for leases that ended as well, while there are any. */
const sweepLeasesEveryMs = 5_000;

export function startHousekeeping(config: Config, parts: HousekeepingParts): Housekeeping {
  const { run, reads, database, files, logger } = parts;
  const patience = { query_timeout: config.STATEMENT_TIMEOUT_MS + 1_000 };
  const removal = new OutboxConsumer({
    name: "files",
    reader: reads,
    // Bounded here as well, where a network that swallows everything never brings the database's word.
    write: (text, values) => database.pool.query({ text, values, ...patience }),
    handle: (event) => removeOriginal(event, reads, files),
    logger,
  });
  const regularly = (what: string, everyMs: number, work: () => Promise<number>) => {
    let running: Promise<void> | undefined;
    const timer = setInterval(() => {
      running ??= work()
        .then((count) => void (count > 0 && logger.info({ count }, what)))
        .catch((error) => logger.warn({ err: error }, `${what} failed`))
        .finally(() => {
          running = undefined;
        });
    }, everyMs);
    timer.unref();
    return async () => {
      clearInterval(timer);
      await running;
    };
  };
  const findNamed = (keys: readonly string[]) => namedKeys(reads, keys);
  const graceMs = config.FILE_GRACE_MS;
  const stops = [
    regularly("sweeping keys", sweepEveryMs, () => sweepKeys(run, config.IDEMPOTENCY_HOURS)),
    regularly("pruning the outbox", sweepEveryMs, () => pruneOutbox(run, config.OUTBOX_HOURS)),
    regularly("sweeping leases", Math.min(sweepLeasesEveryMs, config.WORKER_LEASE_MS), () =>
      releaseExpired(run, documentQueue, config.WORKER_ATTEMPTS),
    ),
    regularly("sweeping files", Math.min(sweepFilesEveryMs, Math.max(1_000, graceMs)), () =>
      sweepFiles({ store: files, findNamed, graceMs }),
    ),
  ];
  return {
    wake: () => removal.wake(),
    async stop() {
      await Promise.all([removal.stop(), ...stops.map((stop) => stop())]);
    },
  };
}
