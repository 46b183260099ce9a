import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** The tests that need no database, for mutation testing, which repeats them for each change of the code. */
export default defineConfig({
  // The file that Node takes: with another one there would be two graphqls, which refuse each other's schemas.
  resolve: { alias: [{ find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve("graphql")) }] },
  test: {
    include: ["test/**/*.unit.test.ts", "test/config.test.ts", "test/documents/scanners.test.ts"],
    // Few runs of properties, and no measurements of time.
    env: { LECTERN_RUNS: "500", LECTERN_MUTANTS: "1" },
    // Vite transforms each file once for all mutants.
    experimental: { viteModuleRunner: true },
    testTimeout: 60_000,
    maxWorkers: 2,
  },
});
