import { join } from "node:path";
import { defineConfig } from "vitest/config";
import LongestFirst from "./test/support/longest-first.ts";

// Every file and many tests start a process with the same modules. Loaded from compiled code, they take half the time.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, "node_modules/.cache/lectern-compiled");

const timing = "test/**/*.timing.test.ts";

/** Tests that do not depend on the version of PostgreSQL. `.ci/run` does not repeat them on another one. */
const independent = [
  "test/architecture.test.ts",
  "test/bench.test.ts",
  "test/memory.test.ts",
  "test/regular-expressions.test.ts",
  "test/audio/audio-in-a-browser.test.ts",
  "test/audio/sound/**/*.test.ts",
  "test/audio/worker/**/*.test.ts",
  "test/commands/start.test.ts",
  "test/documents/document.service.test.ts",
  "test/documents/scanners.test.ts",
  "test/graphql/relation-fields.test.ts",
  "test/postgres/full-disk.test.ts",
  "test/downloads/playing.test.ts",
  "test/processing/bounded-process.test.ts",
  "test/processing/bounded-work.test.ts",
  "test/processing/budget.test.ts",
  "test/server/files-in-s3.test.ts",
  "test/server/growth.timing.test.ts",
  "test/storage/**/*.test.ts",
  "test/uploads/upload-memory.test.ts",
  "test/users/user.service.test.ts",
  "test/**/*.unit.test.ts",
];

/** Tests that add types of their own to the schema, which other tests in the same process would find there. */
const apart = [
  "test/slices.test.ts",
  "test/downloads/delivery-from-s3.test.ts",
  "test/downloads/playing.test.ts",
  "test/downloads/serving.test.ts",
];
const skipped = process.env.LECTERN_ON_DATABASE ? independent : [];

export default defineConfig({
  test: {
    globalSetup: "test/support/global-setup.ts",
    reporters: ["default", "./test/support/last-line-reporter.ts"],
    // The code runs as it does in production: by Node itself, which strips the types.
    experimental: { viteModuleRunner: false },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Events come late on a machine that is busy. A test of one that never comes says so long before its own end.
    expect: { poll: { timeout: 10_000 } },
    // Files of one worker share what they load, so that it is loaded and compiled once. No test replaces a module.
    isolate: false,
    // On two cores: much of a file's time is a wait for a time limit, for the database or for another process.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: "all",
          include: ["test/**/*.test.ts"],
          exclude: [timing, ...apart, ...skipped],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: "apart", include: apart, exclude: skipped, isolate: true, sequence: { groupOrder: 0 } },
      },
      {
        // What measures time runs when everything else is done, one file after the other.
        extends: true,
        test: { name: "timing", include: [timing], exclude: skipped, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
