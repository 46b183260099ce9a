/** A queue and the work on its jobs, which any worker process can start. */
import { DatabasePool } from "../database/client.ts";
import { type QueueDefinition, type QueueTable, type SqlQueueOptions, sqlQueue } from "./sql-queue.ts";
import { Worker, type WorkerOptions } from "./worker.ts";

export type WorkQueueOptions = SqlQueueOptions & {
  /** Maximum number of concurrent jobs. */
  slots: number;
  leaseMs: number;
};

export type RunningWorker = { stop(): Promise<void> };

export type WorkQueue<Parts> = QueueTable & {
  start(parts: Parts & WorkQueueOptions): Promise<RunningWorker>;
};

/** The work on one job, with its resources: opened when a worker starts, closed when it stops. */
export type Processor<Job, Result> = {
  work: WorkerOptions<Job, Result>["work"];
  discard?: WorkerOptions<Job, Result>["discard"];
  close?(): Promise<void>;
};

export function workQueue<Job, Result, Parts>(
  definition: QueueDefinition<Job, Result>,
  open: (parts: Parts & WorkQueueOptions) => Promise<Processor<Job, Result>>,
): WorkQueue<Parts> {
  const { table, noun } = definition;
  return {
    table,
    noun,
    async start(parts) {
      const { url, slots, leaseMs, logger } = parts;
      const pool = new DatabasePool(
        { connectionString: url, application_name: "lectern worker", max: slots + 1, connectionTimeoutMillis: 10_000 },
        (error) => logger.warn({ err: error, queue: table }, "a worker's connection broke"),
      );
      const processor = await open(parts);
      const queue = sqlQueue(definition, pool, parts);
      const worker = new Worker({ queue, work: processor.work, discard: processor.discard, slots, leaseMs, logger });
      const stop = async () => {
        await worker.stop();
        await processor.close?.();
        await pool.end();
      };
      try {
        await worker.start();
      } catch (error) {
        await stop();
        throw error;
      }
      return { stop };
    },
  };
}
