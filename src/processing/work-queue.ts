/** A table as a queue together with the work on its rows, ready to be started in any worker process. */
import { DatabasePool } from "../database/client.ts";
import { type QueueDefinition, type QueueTable, type SqlQueueOptions, sqlQueue } from "./sql-queue.ts";
import { Worker, type WorkerOptions } from "./worker.ts";

export type WorkQueueOptions = SqlQueueOptions & {
  /** Rows that are worked on at the same time. */
  places: number;
  leaseMs: number;
};

export type RunningWorker = { stop(): Promise<void> };

export type WorkQueue<Parts> = QueueTable & {
  start(parts: Parts & WorkQueueOptions): Promise<RunningWorker>;
};

/** The work on one row, and what it needs: made when a worker starts, closed when it stops. */
export type Workshop<Job, Result> = {
  work: WorkerOptions<Job, Result>["work"];
  close?(): Promise<void>;
};

export function workQueue<Job, Result, Parts>(
  definition: QueueDefinition<Job, Result>,
  open: (parts: Parts & WorkQueueOptions) => Promise<Workshop<Job, Result>>,
): WorkQueue<Parts> {
  const { table, noun } = definition;
  return {
    table,
    noun,
    async start(parts) {
      const { url, places, leaseMs, logger } = parts;
      const pool = new DatabasePool(
        { connectionString: url, application_name: "lectern worker", max: places + 1, connectionTimeoutMillis: 10_000 },
        (error) => logger.warn({ err: error, queue: table }, "a worker's connection broke"),
      );
      const workshop = await open(parts);
      const queue = sqlQueue(definition, pool, parts);
      const worker = new Worker({ queue, work: workshop.work, places, leaseMs, logger });
      await worker.start();
      return {
        async stop() {
          await worker.stop();
          await workshop.close?.();
          await pool.end();
        },
      };
    },
  };
}
