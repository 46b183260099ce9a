import { defineConfig } from "vitest/config";

const timing = "test/**/*.timing.test.ts";

export default defineConfig({
  test: {
    globalSetup: "test/support/global-setup.ts",
    reporters: ["default", "./test/support/last-line-reporter.ts"],
    // The code runs as it does in production: by Node itself, which strips the types.
    experimental: { viteModuleRunner: false },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Events come late on a machine that is busy; a test of one that never comes fails all the same.
    expect: { poll: { timeout: 30_000 } },
    // Two cores, shared with the database.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: { name: "all", include: ["test/**/*.test.ts"], exclude: [timing], sequence: { groupOrder: 0 } },
      },
      {
        // What measures time runs when everything else is done, one file after the other.
        extends: true,
        test: { name: "timing", include: [timing], maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
