/** Measures the throughput of workers: many small and few large documents, with one and two processes. */
import { type Stage, startWorker, type WorkerKind, withDatabase } from "./stage.ts";
import { type Language, textOf } from "./texts.ts";

export type Load = { name: string; count: number; bytes: number };
export type Crew = { kind: WorkerKind; processes: number };
export type Throughput = { seconds: number; documentsPerSecond: number; megabytesPerSecond: number; chunks: number };

const language = (index: number): Language => (index % 2 === 0 ? "english" : "vietnamese");

/** Measures from the commit of all documents, with idle workers, until the last document is COMPLETED. */
export async function pipeline(stage: Stage, { kind, processes }: Crew, { count, bytes }: Load): Promise<Throughput> {
  return withDatabase(stage, async (database) => {
    const texts = Array.from({ length: count }, (_, index) => textOf(bytes, language(index), index + 100));
    const workers = await Promise.all(Array.from({ length: processes }, () => startWorker(kind, database)));
    try {
      // Warm-up: each worker loads all of its code.
      await database.insert(Array.from({ length: 10 * processes }, (_, index) => textOf(500, "english", index)));
      await database.settled();
      const before = await countChunks(database.pool);
      await database.insert(texts);
      const begun = performance.now();
      await database.settled();
      const seconds = (performance.now() - begun) / 1_000;
      const megabytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6;
      return {
        seconds,
        documentsPerSecond: count / seconds,
        megabytesPerSecond: megabytes / seconds,
        chunks: (await countChunks(database.pool)) - before,
      };
    } finally {
      await Promise.all(workers.map((worker) => worker.stop()));
    }
  });
}

async function countChunks(pool: { query(text: string): Promise<{ rows: { count: number }[] }> }): Promise<number> {
  return (await pool.query("select count(*)::int as count from chunks")).rows[0]?.count ?? 0;
}
