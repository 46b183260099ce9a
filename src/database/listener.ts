/** Keeps a listening connection open: a broken one is reopened. */
import type { Logger } from "pino";
import { DatabaseClient } from "./client.ts";
import { streamOf } from "./pg-internals.ts";
import { endClient } from "./with-client.ts";

export type ListenOptions = {
  url: string;
  /** Shown in `pg_stat_activity`. */
  applicationName: string;
  /** Timeout in milliseconds for connecting; default 10,000. */
  silenceMs?: number;
  logger: Logger;
};

/** Delay before a broken connection is reopened. */
const reopenMs = 1_000;

/**
 * Calls `wake` after each notification and each (re)connection, since notifications are lost in between.
 *
 * @returns a function that stops listening
 * @throws if the first connection fails
 */
export async function listen(
  channel: string,
  wake: () => void,
  { url, applicationName, silenceMs = 10_000, logger }: ListenOptions,
): Promise<() => Promise<void>> {
  let client: DatabaseClient;
  let isStopped = false;
  const open = async () => {
    client = new DatabaseClient({
      connectionString: url,
      application_name: applicationName,
      keepAlive: true,
      connectionTimeoutMillis: silenceMs,
      query_timeout: silenceMs,
    });
    client.on("notification", wake);
    client.on("error", (error) => logger.warn({ err: error, channel }, "the listening connection broke"));
    // Emitted exactly once, also if connecting fails.
    client.on("end", () => setTimeout(reopen, reopenMs).unref());
    try {
      await client.connect();
      await client.query(`listen ${channel}`);
    } catch (error) {
      streamOf(client).destroy();
      throw error;
    }
    wake();
  };
  const reopen = () => {
    if (isStopped) return;
    open().catch((error) => isStopped || logger.warn({ err: error, channel }, "listening failed; it will be retried"));
  };
  await open().catch((error) => {
    isStopped = true;
    throw error;
  });
  return () => {
    isStopped = true;
    return endClient(client);
  };
}
