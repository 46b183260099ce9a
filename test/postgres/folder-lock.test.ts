import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withFolderLock } from "../../src/postgres/folder-lock.ts";

let folder: string;
let lock: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lectern-lock-"));
  lock = join(folder, "lock");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The id of a process that has ended. */
async function goneProcess(): Promise<number> {
  const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
  await once(child, "exit");
  return child.pid as number;
}

describe("the lock of a folder", () => {
  it("lets one work at a time, and is gone afterwards", async () => {
    let working = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++working);
      expect(await readFile(lock, "utf8")).toBe(String(process.pid));
      await pause(5);
      working--;
    };
    await Promise.all(Array.from({ length: 5 }, () => withFolderLock(folder, work)));
    expect(most).toBe(1);
    expect(existsSync(lock)).toBe(false);
  });

  it("is gone after work that failed", async () => {
    await expect(withFolderLock(folder, () => Promise.reject(new Error("the work failed")))).rejects.toThrow(
      "the work",
    );
    expect(existsSync(lock)).toBe(false);
  });

  it("is taken from a process that has ended", async () => {
    await writeFile(lock, String(await goneProcess()));
    expect(await withFolderLock(folder, async () => "done")).toBe("done");
  });

  it("is taken from a living process after a minute, which may have another's id, and no sooner", async () => {
    await writeFile(lock, String(process.ppid));
    const age = async (seconds: number) => utimes(lock, new Date(), new Date(Date.now() - seconds * 1_000));
    await age(50);
    let isDone = false;
    const waiting = withFolderLock(folder, async () => {
      isDone = true;
    });
    await pause(200);
    expect(isDone).toBe(false);
    await age(61);
    await waiting;
    expect(isDone).toBe(true);
  });

  it("cannot be taken in a folder that does not exist", async () => {
    const nowhere = join(folder, "nowhere");
    await expect(withFolderLock(nowhere, async () => {})).rejects.toThrow(
      `The folder ${nowhere} cannot be used: ENOENT`,
    );
  });
});
