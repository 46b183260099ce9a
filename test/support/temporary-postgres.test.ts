import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { begin, databaseProcess, isAlive } from "./command.ts";

it("ends with a run that was killed, and leaves no folder", { timeout: 60_000 }, async () => {
  const program = join(import.meta.dirname, "temporary-postgres.ts");
  const code = `
    const { startTemporaryPostgres } = await import(${JSON.stringify(program)});
    const { folder } = await startTemporaryPostgres();
    console.log("started in " + folder + ";");`;
  const run = begin(["--eval", code], { program: "--input-type=module" });
  const [, folder] = await run.printed(/started in (\S+);/);
  const server = await databaseProcess(folder as string);
  expect(server).not.toBeNull();
  // The run and all that belongs to it.
  process.kill(-(run.process.pid as number), "SIGKILL");
  await run.ended;
  await expect.poll(() => isAlive(server as number), { timeout: 20_000 }).toBe(false);
  await expect.poll(() => existsSync(folder as string), { timeout: 20_000 }).toBe(false);
});
