/** Processes that tests begin never outlive the run: see reaper.ts. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { Writable } from "node:stream";

let words: Writable | undefined;

/** @param dataDir where it may run a database of its own */
export function endWithRun(child: ChildProcess, dataDir = ""): void {
  words ??= startReaper();
  words.write(`+${child.pid} ${dataDir}\n`);
  child.once("exit", () => words?.write(`-${child.pid}\n`));
}

function startReaper(): Writable {
  const program = join(import.meta.dirname, "reaper.ts");
  // In a session of its own, so that what kills this process and its group does not reach it.
  const reaper = spawn(process.execPath, [program], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  reaper.unref();
  return reaper.stdin;
}
