/** A slice with everything that a slice may have: the proof that adding one touches no file of `src`. */
import { z } from "zod";
import type { Slice } from "../../../src/slice.ts";
import { sketchDownload, sketchPicture } from "./sketch.downloads.ts";
import { sketchQueue } from "./sketch.queue.ts";
import { type SketchRepository, sketchRepository } from "./sketch.repository.ts";
import { SketchService } from "./sketch.service.ts";
import { sketchTable } from "./sketch.table.ts";

declare module "../../../src/settings.ts" {
  interface SliceSettings {
    LONGEST_SKETCH_NAME: number;
  }
}
declare module "../../../src/unit-of-work/unit-of-work.ts" {
  interface Repositories {
    sketches: SketchRepository;
  }
}
declare module "../../../src/graphql/context.ts" {
  interface Services {
    sketches: SketchService;
  }
}

/** Calls of the slice's own sweep. */
export const swept = { count: 0 };

export const sketchSlice: Slice = {
  settings: { LONGEST_SKETCH_NAME: z.coerce.number().default(20).describe("characters of a sketch's name") },
  types: () => import("./sketch.schema.ts"),
  repositories: (uow) => ({ sketches: sketchRepository(uow) }),
  open: ({ config, files }) => ({
    services: (uow, viewer) => ({
      sketches: new SketchService({ uow, viewer, files, longestName: config.LONGEST_SKETCH_NAME }),
    }),
  }),
  files: [{ table: sketchTable, key: "storageKey", topic: "sketch", size: "sizeBytes", sha256: "sha256" }],
  downloads: [sketchDownload, sketchPicture],
  uploads: () => ({ createSketch: { maxBytes: 1_000, role: "VIEWER" } }),
  queue: sketchQueue,
  checks: {
    "COMPLETED sketches without lines": {
      violations: "select id from sketches where status = 'COMPLETED' and lines is null",
      repair: ["update sketches set lines = 0 where status = 'COMPLETED' and lines is null"],
    },
  },
  sweeps: [{ name: "sweeping sketches", everyMs: 50, sweep: async () => swept.count++ }],
  tabs: [{ query: "# A tab of sketches\n{ sketches { totalCount } }\n" }],
};
