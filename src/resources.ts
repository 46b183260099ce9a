/** Opens database connections, units of work, the file store and uploads with the limits of the settings. */
import { join } from "node:path";
import type { Logger } from "pino";
import { ReadConnections } from "./database/read-connections.ts";
import type { Config } from "./settings.ts";
import { merged, type Slice } from "./slice.ts";
import type { FileStore } from "./storage/file-store.ts";
import { LocalFileStore } from "./storage/local-file-store.ts";
import { parseS3Address } from "./storage/s3-address.ts";
import type { S3FileStore, S3FileStoreOptions } from "./storage/s3-file-store.ts";
import { unitOfWorkRunner } from "./unit-of-work/runner.ts";
import { crashAt, type Probe } from "./unit-of-work/transaction-guard.ts";
import type { Repositories, RunUnitOfWork, UnitOfWork } from "./unit-of-work/unit-of-work.ts";
import { WriteDatabase } from "./unit-of-work/write-database.ts";
import { ResumableUploads } from "./uploads/resumable-uploads.ts";
import type { TusEndpointOptions } from "./uploads/tus-endpoint.ts";
import { UploadFolder } from "./uploads/upload-folder.ts";
import { UploadLocks } from "./uploads/upload-locks.ts";

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

/** Opens the file store of the settings. */
export async function openFileStore(config: Config): Promise<FileStore> {
  const probe = crashProbe(config);
  const options = probe ? { probe } : {};
  if (config.STORAGE_URL !== undefined) return openS3FileStore(config, config.STORAGE_URL, options);
  return new LocalFileStore({ folder: config.filesDir, ...options });
}

/** @throws Error that says what is wrong with the address */
export async function openS3FileStore(
  config: Config,
  url: string,
  options: Pick<S3FileStoreOptions, "probe"> = {},
): Promise<S3FileStore> {
  const address = parseS3Address(url);
  // The client of S3 takes 100 ms to load and 30 MB, so it is loaded only where it is used.
  const { S3FileStore } = await import("./storage/s3-file-store.ts");
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: token } = config;
  const credentials =
    accessKeyId && secretAccessKey
      ? { accessKeyId, secretAccessKey, ...(token && { sessionToken: token }) }
      : undefined;
  return new S3FileStore({
    address,
    folder: join(config.filesDir, "staged"),
    touchAfterMs: config.fileMarginMs,
    ...(credentials ? { credentials } : {}),
    ...options,
  });
}

export type Uploads = Pick<TusEndpointOptions, "uploads" | "folder" | "locks" | "lifetimeMs">;

/** Opens the resumable uploads. They are always in a local folder, because they are appended to. */
export function openUploads(config: Config, store: FileStore): Uploads {
  const folder = new UploadFolder(join(config.filesDir, "uploads"));
  const locks = new UploadLocks();
  const lifetimeMs = config.UPLOAD_HOURS * 3_600_000;
  const perUser = { count: config.UPLOADS_PER_USER, bytes: config.UPLOAD_BYTES_PER_USER };
  return { uploads: new ResumableUploads({ folder, locks, store, lifetimeMs, perUser }), folder, locks, lifetimeMs };
}
