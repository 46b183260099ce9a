/** How much resident memory a worker takes for one large text, and a server for several uploads at once. */
import { setTimeout as pause } from "node:timers/promises";
import { signUp } from "./client.ts";
import { type Process, type Stage, startLectern, startWorker, withDatabase } from "./stage.ts";
import { type Language, textOf } from "./texts.ts";

/** In MB: what the process takes when it has done a small thing of the kind, and its rise above that at the most. */
export type MemoryRise = { beforeMb: number; riseMb: number };

/** A worker process and one text of so many bytes, from the claim to the chunks. */
export async function workerMemory(stage: Stage, bytes: number, language: Language): Promise<MemoryRise> {
  return withDatabase(stage, async (database) => {
    const worker = await startWorker("ours", database);
    try {
      await database.insert([textOf(1_000, language, 1)]);
      await database.settled();
      return await riseOf(worker, async () => {
        await database.insert([textOf(bytes, language, 2)]);
        await database.settled();
      });
    } finally {
      await worker.stop();
    }
  });
}

export type UploadKind = "txt" | "html";

/** A server without a worker, and so many files of so many bytes, sent at once. */
export async function uploadMemory(stage: Stage, kind: UploadKind, count: number, bytes: number): Promise<MemoryRise> {
  return withDatabase(stage, async (database) => {
    // However slow the machine is, the files get their turn.
    const patience = { UPLOAD_WAIT_MS: "600000", STATEMENT_TIMEOUT_MS: "60000", TRANSACTION_TIMEOUT_MS: "60000" };
    const server = await startLectern("start", database, { WORKERS: "0", ...patience });
    try {
      const { upload } = await signUp(server.address);
      await upload(fileOf(kind, 1_000, 0));
      const files = Array.from({ length: count }, (_, index) => fileOf(kind, bytes, index + 1));
      return await riseOf(server, async () => {
        await Promise.all(files.map(upload));
      });
    } finally {
      await server.stop();
    }
  });
}

async function riseOf({ memory }: Process, work: () => Promise<void>): Promise<MemoryRise> {
  // What was needed at the start only may go.
  await pause(500);
  const before = memory().nowMb;
  await work();
  return { beforeMb: before, riseMb: memory().peakMb - before };
}

function fileOf(kind: UploadKind, bytes: number, seed: number): File {
  const head = kind === "html" ? "<!doctype html><title>A page</title><p>" : "";
  return new File([head, textOf(bytes - head.length, "vietnamese", seed)], `file.${kind}`);
}
