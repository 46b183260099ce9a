/**
 * Ends the processes that a run has begun, should it end without them: because it was killed, or a test failed before it
 * came to their end. Reads lines from standard input, `+ID FOLDER` of one that begins and `-ID` of one that has ended,
 * and sets to work when that input ends. FOLDER is the data folder, in which a database of its own may run.
 */
import { createInterface } from "node:readline";
import { databaseProcess } from "./command.ts";

const begun = new Map<number, string>();
for await (const line of createInterface({ input: process.stdin })) {
  const [, sign, id, folder] = /^([+-])(\d+) ?(.*)$/.exec(line) ?? [];
  if (sign === "+") begun.set(Number(id), folder as string);
  else begun.delete(Number(id));
}
for (const [id, folder] of begun) {
  // With all of its group, where it leads one.
  for (const target of [-id, id]) end(target, "SIGKILL");
  const database = folder === "" ? null : await databaseProcess(folder);
  // At once, without a checkpoint: nothing of it is needed.
  if (database) end(database, "SIGQUIT");
}

function end(id: number, signal: NodeJS.Signals): void {
  try {
    process.kill(id, signal);
  } catch {
    // It has ended by itself.
  }
}
