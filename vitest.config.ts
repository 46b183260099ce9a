import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/support/global-setup.ts",
    reporters: ["default", "./test/support/last-line-reporter.ts"],
    // The code runs as it does in production: by Node itself, which strips the types.
    experimental: { viteModuleRunner: false },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Two cores, shared with the database.
    maxWorkers: 2,
  },
});
