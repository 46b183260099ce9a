/** Temporary files of programs that need one. The stores' tests cover the life of staged files. */
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Staging } from "../../src/storage/staging.ts";
import { failFiles } from "../support/failing-files.ts";

let folder: string;
let staging: Staging;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lectern-staging-"));
  staging = new Staging({ folder });
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true, force: true });
});

async function* from(...pieces: string[]) {
  for (const piece of pieces) yield Buffer.from(piece);
}

describe("a temporary file", () => {
  it("has the contents, is read by the server's user alone, and is gone afterwards", async () => {
    const found = await staging.withTemporaryFile(from("The ", "text."), async (path) => [
      await readFile(path, "utf8"),
      (await stat(path)).mode & 0o777,
    ]);
    expect(found).toEqual(["The text.", 0o600]);
    expect(await readdir(folder)).toEqual([]);
  });

  it("is young while it is used, so that no sweep takes it, and is left alone afterwards", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    let path = "";
    await staging.withTemporaryFile(from("The text."), async (used) => {
      path = used;
      for (let count = 0; count < 2; count++) {
        await utimes(path, 0, 0);
        vi.advanceTimersByTime(5_000);
        await expect.poll(async () => (await stat(path)).mtimeMs).toBeGreaterThan(Date.now() - 60_000);
      }
    });
    expect(vi.getTimerCount()).toBe(0);
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("is gone when its source, its program or its disk fails; the first error is told", async () => {
    const mistake = new Error("The source has failed.");
    async function* broken() {
      yield Buffer.from("The beginning.");
      throw mistake;
    }
    const never = () => expect.unreachable("There is no whole file.");
    await expect(staging.withTemporaryFile(broken(), never)).rejects.toBe(mistake);
    await expect(staging.withTemporaryFile(from("x"), () => Promise.reject(mistake))).rejects.toBe(mistake);
    const heal = failFiles("write", "ENOSPC");
    const full = staging.withTemporaryFile(from("x"), never).finally(heal);
    await expect(full).rejects.toMatchObject({ code: "INSUFFICIENT_STORAGE" });
    expect(await readdir(folder)).toEqual([]);
  });

  it("that cannot be removed changes no result, and is listed for the sweep", async () => {
    const heal = failFiles("rm", "EIO");
    const result = await staging.withTemporaryFile(from("x"), async () => "done").finally(heal);
    expect(result).toBe("done");
    expect((await Array.fromAsync(staging.list())).map(({ isStaged }) => isStaged)).toEqual([true]);
  });
});

describe("the pieces of a staged file", () => {
  it("are those that were received", async () => {
    const { id } = await staging.stage(from("The ", "text."), { name: "a.txt", maxBytes: 100 });
    expect(String(Buffer.concat(await Array.fromAsync(staging.pieces(id))))).toBe("The text.");
    await writeFile(join(folder, id), "");
    expect(await Array.fromAsync(staging.pieces(id))).toEqual([]);
  });
});
