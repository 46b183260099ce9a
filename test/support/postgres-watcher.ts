/** Ends the database in a folder, and removes the folder, when standard input ends: see temporary-postgres.ts. */
import { rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { databaseProcess } from "./command.ts";

const [folder] = process.argv.slice(2) as [string];
for await (const _ of process.stdin);
for (let tries = 0; tries < 100; tries++) {
  const id = await databaseProcess(folder);
  if (id === null) break;
  // At once, without a checkpoint: nothing of it is needed.
  process.kill(id, "SIGQUIT");
  await pause(100);
}
await rm(folder, { recursive: true, force: true });
