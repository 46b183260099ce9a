/** Workers for the queues of all slices, in the server's process or in one of their own. */
import type { Logger } from "pino";
import type { RunningWorker } from "./processing/work-queue.ts";
import { openFileStore } from "./resources.ts";
import type { Config } from "./settings.ts";
import type { Slice } from "./slice.ts";
import { slices as allSlices } from "./slices.ts";

export type WorkersOptions = {
  /** URL of the database. */
  url: string;
  /** Maximum number of concurrent jobs of each queue. */
  slots: number;
  logger: Logger;
  slices?: readonly Slice[];
};

export async function startWorkers(config: Config, options: WorkersOptions): Promise<RunningWorker> {
  const { url, slots, logger, slices = allSlices } = options;
  const files = await openFileStore(config);
  const parts = {
    config,
    url,
    files,
    slots,
    leaseMs: config.WORKER_LEASE_MS,
    maxAttempts: config.WORKER_ATTEMPTS,
    logger,
  };
  const running: RunningWorker[] = [];
  const stop = async () => void (await Promise.all(running.map((worker) => worker.stop())));
  try {
    for (const { queue } of slices) if (queue) running.push(await queue.start(parts));
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}
