import { ImpossibleJobError } from "../../../src/processing/queue.ts";
import type { QueueDefinition } from "../../../src/processing/sql-queue.ts";
import { type WorkQueue, workQueue } from "../../../src/processing/work-queue.ts";
import type { FileStore } from "../../../src/storage/file-store.ts";

const definition: QueueDefinition<{ storageKey: string }, number> = {
  table: "sketches",
  noun: "sketch",
  jobOf: ({ storage_key }) => ({ storageKey: storage_key as string }),
  completion: { placeholders: "$3", valuesOf: (lines) => [lines] },
};

/** Counts the lines of a sketch. */
export const sketchQueue: WorkQueue<{ files: FileStore }> = workQueue(definition, async ({ files }) => ({
  async work({ storageKey }) {
    const text = (await files.read(storageKey)).toString();
    if (text === "") throw new ImpossibleJobError("The sketch is empty.");
    return text.split("\n").length;
  },
}));
