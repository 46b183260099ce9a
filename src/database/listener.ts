/** LISTEN on a connection of its own, which is opened again whenever it breaks. */
import type { Logger } from "pino";
import { DatabaseClient } from "./client.ts";
import { streamOf } from "./pg-internals.ts";
import { endClient } from "./with-client.ts";

export type ListenOptions = {
  url: string;
  /** Shown in the database's list of connections. */
  applicationName: string;
  /** Timeout in milliseconds for opening the connection; default 10,000. */
  silenceMs?: number;
  logger: Logger;
};

/** Pause before a broken connection is opened again. */
const reopenMs = 1_000;

/**
 * Calls `wake` at each notification, and after each time that the connection was opened: notifications are lost while
 * there is none.
 *
 * @returns a function that stops listening
 * @throws when the first connection cannot be opened
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
    client.on("error", (error) => logger.warn({ err: error, channel }, "the connection that listens broke"));
    // Emitted once, however the connection ends, also when it could not be opened.
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
    open().catch((error) => isStopped || logger.warn({ err: error, channel }, "listening failed; it is tried again"));
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
