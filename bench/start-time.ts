/** Measures how long a document waits for an idle worker: from the commit of its creation to its claim. */
import { setTimeout as pause } from "node:timers/promises";
import { signUp } from "./client.ts";
import { type Process, type Stage, startLectern, startWorker, withDatabase } from "./stage.ts";

export type Starter = "worker process" | "worker in the server" | "worker in Python";
export type StartTime = { medianMs: number; p99Ms: number; worstMs: number };

/**
 * Creates documents one after the other. Both times come from the outbox, which records them just before each commit,
 * in whole milliseconds.
 */
export async function startTime(stage: Stage, starter: Starter, count: number): Promise<StartTime> {
  return withDatabase(stage, async (database) => {
    const processes: Process[] = [];
    try {
      const isInServer = starter === "worker in the server";
      const server = await startLectern("start", database, { WORKERS: isInServer ? "1" : "0" });
      processes.push(server);
      if (!isInServer) processes.push(await startWorker(starter === "worker process" ? "ours" : "python", database));
      const { createDocument } = await signUp(server.address);
      // Warm-up: server and worker load code on first use.
      await createDocument("The first document, which is not counted.");
      await database.settled();
      const { rows: before } = await database.pool.query("select max(position)::bigint as position from outbox");
      for (let n = 0; n < count; n++) {
        await createDocument(`A document, number ${n}.`);
        await database.settled();
        // Long enough for the worker to be idle, and varied, to be out of step with its timers.
        await pause(5 + (n % 11));
      }
      const { rows } = await database.pool.query(
        `select percentile_disc(array[0.5, 0.99, 1]) within group (order by ms) as ms, count(*)::int as count from (
           select extract(epoch from min(occurred_at) filter (where payload->>'status' = 'PROCESSING')
             - min(occurred_at) filter (where payload->>'change' = 'created'))::float * 1000 as ms
           from outbox where position > $1 and topic = 'document' group by row_id) as waits`,
        [before[0].position],
      );
      if (rows[0].count !== count) throw new Error(`${rows[0].count} documents were claimed, not ${count}.`);
      const [medianMs, p99Ms, worstMs] = rows[0].ms as [number, number, number];
      return { medianMs, p99Ms, worstMs };
    } finally {
      for (const process of processes.reverse()) await process.stop();
    }
  });
}
