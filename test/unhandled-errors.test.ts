import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const program = `
  import { pino } from ${JSON.stringify(join(import.meta.dirname, "../node_modules/pino/pino.js"))};
  import { surviveUnhandledErrors } from ${JSON.stringify(join(import.meta.dirname, "../src/unhandled-errors.ts"))};
  surviveUnhandledErrors(pino({ base: null, timestamp: false }));
  process.once("uncaughtException", () => void Promise.reject(new Error("rejected")));
  process.once("unhandledRejection", () => console.log("The process runs on."));
  setImmediate(() => { throw new Error("thrown"); });`;

it("an unhandled error and an unhandled rejection are logged, and the process runs on", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program]);
  const lines = stdout.trim().split("\n");
  const logged = lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  // The log writes to the output in its own way, so their order is not that of the calls.
  expect(logged.map(({ level, msg, err }) => [level, msg, err.message]).sort()).toEqual([
    [60, "unhandled error", "thrown"],
    [60, "unhandled rejection", "rejected"],
  ]);
  expect(lines).toContain("The process runs on.");
});
