/** A server's connections to its database, with the limits that its settings say. */
import type { Logger } from "pino";
import type { Config } from "./config.ts";
import { ReadConnections } from "./database/read-connections.ts";
import { WriteDatabase } from "./unit-of-work/write-database.ts";

export type Connections = { database: WriteDatabase; reads: ReadConnections };

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
  return { database, reads };
}
