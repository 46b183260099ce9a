/** Mutation testing of the code that needs no database; see CONTRIBUTING.md and docs/mutants.md. */
export default {
  mutate: [
    "src/{config,errors,settings,short-text}.ts",
    "src/documents/reading/{content,encoding,extraction,read-file,sniffing,title,zip}.ts",
    "src/documents/worker/chunker.ts",
    "src/eager-loading/*.ts",
    "src/graphql/{global-id,scalars,type-names}.ts",
    "src/labels/label-service.ts",
    "src/operations/{error-answers,idempotency-header,operation-variables,request-limits}.ts",
    "src/outbox/event-ring.ts",
    "src/processing/budget.ts",
    "src/search/*.ts",
    "src/server/{load-guard,slow-body}.ts",
    "src/uploads/{file-name,multipart,upload-locks,upload-rules}.ts",
    "src/users/{cookies,tokens}.ts",
  ],
  plugins: ["@stryker-mutator/vitest-runner"],
  testRunner: "vitest",
  vitest: { configFile: "vitest.units.config.ts", related: false },
  coverageAnalysis: "perTest",
  // Constants are evaluated while a module is loaded, so one such mutant would run all tests.
  ignoreStatic: true,
  concurrency: 2,
  reporters: ["clear-text"],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  thresholds: { high: 95, low: 90, break: 85 },
  tempDirName: ".mutants",
  jsonReporter: { fileName: ".mutants/report.json" },
  // Not copied, as no test reads them. Stryker would rewrite tsconfig.json with an API that TypeScript 7 does not have.
  ignorePatterns: [".lectern", "bench", "docs", "examples", "tsconfig.json"],
};
