import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { begin, databaseProcess, isAlive, makeFolder } from "./command.ts";

it("a run that is killed takes along what it began, and the database of that", async () => {
  const folder = await makeFolder();
  onTestFinished(() => folder.remove());
  const dataDir = join(folder.path, "data");
  mkdirSync(dataDir, { mode: 0o755 });
  const environment = { DATA_DIR: dataDir, PORT: "0", WORKERS: "0" };
  const code = `
    import { begin } from ${JSON.stringify(join(import.meta.dirname, "command.ts"))};
    const server = begin(["start"], { environment: ${JSON.stringify(environment)} });
    await server.printed("Ctrl-C stops it.");
    console.log(\`It has begun \${server.process.pid}.\`);`;
  const run = begin(["--eval", code], { program: "--input-type=module" });
  const server = Number((await run.printed(/It has begun (\d+)\./))[1]);
  const database = await databaseProcess(dataDir);
  expect([isAlive(server), database]).toEqual([true, expect.any(Number)]);
  run.process.kill("SIGKILL");
  await expect.poll(() => isAlive(server)).toBe(false);
  await expect.poll(() => isAlive(database as number)).toBe(false);
});
