/** Measures the resident memory of a worker for one large text, and of a server for concurrent uploads. */
import { setTimeout as pause } from "node:timers/promises";
import { signUp } from "./client.ts";
import { type Process, type Stage, startLectern, startWorker, withDatabase } from "./stage.ts";
import { type Language, textOf } from "./texts.ts";

/** In MB: memory after a small job of the same kind, and the maximum rise above it. */
export type MemoryRise = { beforeMb: number; riseMb: number };

/** Measures a worker process with one text of the given size. */
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

/** Measures a server without a worker, with concurrent uploads of `count` files of the given size. */
export async function uploadMemory(stage: Stage, kind: UploadKind, count: number, bytes: number): Promise<MemoryRise> {
  return withDatabase(stage, async (database) => {
    // Long timeouts, so that no upload is refused on a slow machine.
    const timeouts = { UPLOAD_WAIT_MS: "600000", STATEMENT_TIMEOUT_MS: "60000", TRANSACTION_TIMEOUT_MS: "60000" };
    const server = await startLectern("start", database, { WORKERS: "0", ...timeouts });
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
  // Lets the process release memory of its start.
  await pause(500);
  const before = memory().nowMb;
  await work();
  return { beforeMb: before, riseMb: memory().peakMb - before };
}

function fileOf(kind: UploadKind, bytes: number, seed: number): File {
  const head = kind === "html" ? "<!doctype html><title>A page</title><p>" : "";
  return new File([head, textOf(bytes - head.length, "vietnamese", seed)], `file.${kind}`);
}
