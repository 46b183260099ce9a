import { defineConfig } from "vitest/config";

/** The tests that need no database, on their own: mutation testing repeats them for each mutant. */
export default defineConfig({
  test: {
    include: ["test/**/*.unit.test.ts"],
    // Node caches the modules that it loads itself, so a mutant would be tested with the modules of the one before.
    experimental: { viteModuleRunner: true },
    testTimeout: 10_000,
    maxWorkers: 2,
  },
});
