/** A lock file that allows one process at a time to work in a folder. */
import { open, readFile, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { UserError } from "../errors.ts";

/** Longer than any work under the lock takes: an older lock was left by a crash. */
const oldestMs = 60_000;

/** Runs `work` while holding the lock of the folder, which must exist. */
export async function withFolderLock<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
  const path = join(folder, "lock");
  while (!(await take(path))) {
    if (await isAbandoned(path)) await rm(path, { force: true });
    else await new Promise((resume) => setTimeout(resume, 50));
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function take(path: string): Promise<boolean> {
  const file = await open(path, "wx").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "EEXIST") return null;
    throw new UserError(`The folder ${dirname(path)} cannot be used: ${error.message}.`);
  });
  if (!file) return false;
  try {
    await file.writeFile(String(process.pid));
  } catch {
    // The disk is full. An empty lock file is valid, so that the database can be stopped on a full disk.
  } finally {
    await file.close().catch(() => {});
  }
  return true;
}

async function isAbandoned(path: string): Promise<boolean> {
  try {
    if (Date.now() - (await stat(path)).mtimeMs > oldestMs) return true;
    const holder = Number(await readFile(path, "utf8"));
    // 0: the process id is not written yet.
    if (holder > 0) process.kill(holder, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
