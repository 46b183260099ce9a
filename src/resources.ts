/** Opens database connections, units of work and the file store with the limits of the settings. */
import type { Logger } from "pino";
import { ReadConnections } from "./database/read-connections.ts";
import type { Config } from "./settings.ts";
import { merged, type Slice } from "./slice.ts";
import type { FileStore } from "./storage/file-store.ts";
import { LocalFileStore } from "./storage/local-file-store.ts";
import { unitOfWorkRunner } from "./unit-of-work/runner.ts";
import { crashAt, type Probe } from "./unit-of-work/transaction-guard.ts";
import type { Repositories, RunUnitOfWork, UnitOfWork } from "./unit-of-work/unit-of-work.ts";
import { WriteDatabase } from "./unit-of-work/write-database.ts";

export type Connections = { database: WriteDatabase; reads: ReadConnections; close(): Promise<void> };

export function openConnections(config: Config, url: string, logger: Logger): Connections {
  const onError = (error: Error) => logger.warn({ err: error }, "a connection to the database broke");
  const database = new WriteDatabase({
    url,
    size: config.WRITE_CONNECTIONS,
    waitMs: config.WRITE_WAIT_MS,
    queueLength: config.WRITE_QUEUE,
    lockTimeoutMs: config.LOCK_TIMEOUT_MS,
    statementTimeoutMs: config.STATEMENT_TIMEOUT_MS,
    transactionTimeoutMs: config.TRANSACTION_TIMEOUT_MS,
    onError,
  });
  const reads = new ReadConnections({
    url,
    count: config.READ_CONNECTIONS,
    maxDepth: config.READ_DEPTH,
    statementTimeoutMs: config.STATEMENT_TIMEOUT_MS,
    connectTimeoutMs: config.WRITE_WAIT_MS,
    onError,
  });
  return {
    database,
    reads,
    async close() {
      await reads.close();
      await database.close();
    },
  };
}

/** @param probe called at every point of every transaction; tests inject failures there */
export function unitsOfWork(
  config: Config,
  { database, reads }: Connections,
  slices: readonly Slice[],
  logger: Logger,
  probe: Probe | undefined = crashProbe(config),
): RunUnitOfWork<Repositories> {
  return unitOfWorkRunner<Repositories>({
    database,
    reads,
    repositories: (uow: UnitOfWork) => merged<Repositories>(slices.map((slice) => slice.repositories?.(uow))),
    limits: {
      waitMs: config.WRITE_WAIT_MS,
      timeoutMs: config.TRANSACTION_TIMEOUT_MS,
      maxAttempts: config.TRANSACTION_ATTEMPTS,
      maxRetryMs: config.TRANSACTION_RETRY_MS,
    },
    logger,
    ...(probe ? { probe } : {}),
  });
}

/** Ends the process at the point that CRASH_AT names. */
export const crashProbe = ({ CRASH_AT }: Config) => (CRASH_AT === undefined ? undefined : crashAt(CRASH_AT));

/** Opens the file store. Another kind of store would be chosen here. */
export function openFileStore(config: Config): FileStore {
  const probe = crashProbe(config);
  return new LocalFileStore({ folder: config.filesDir, ...(probe ? { probe } : {}) });
}
