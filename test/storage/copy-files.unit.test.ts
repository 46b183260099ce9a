/** Copying files from store to store: what is copied, left out, told and begun again. */
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { copyFiles } from "../../src/storage/copy-files.ts";
import { FileStoreError } from "../../src/storage/file-store.ts";
import { LocalFileStore } from "../../src/storage/local-file-store.ts";
import type { NamedFile } from "../../src/storage/named-files.ts";
import { systemError } from "../support/failing-files.ts";
import { filesOf } from "../support/files.ts";

let folder: string;
let from: LocalFileStore;
let to: LocalFileStore;
let rows: NamedFile[];
let troubles: string[][];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lectern-copy-"));
  from = new LocalFileStore({ folder: join(folder, "from") });
  to = new LocalFileStore({ folder: join(folder, "to") });
  [rows, troubles] = [[], []];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function* piecesOf(contents: Buffer) {
  yield contents;
}
async function add(contents = randomBytes(1_000)): Promise<NamedFile> {
  const staged = await from.stage(piecesOf(contents), { name: "a.bin", maxBytes: 1_000_000 });
  const { sizeBytes, sha256 } = staged;
  const row = { id: "the row", key: await from.keep(staged), sizeBytes, sha256 };
  rows.push(row);
  return row;
}
async function* allRows() {
  yield* rows;
}
const progress: number[] = [];
async function copy(trustsSize = false) {
  progress.length = 0;
  return copyFiles(allRows(), {
    from,
    to,
    trustsSize,
    onTrouble: (key, trouble) => void troubles.push([key, trouble]),
    onProgress: ({ copied, present, troubles }) => void progress.push(copied + present + troubles),
  });
}
const pathOf = (store: string, key: string) => join(folder, store, "kept", key.slice(-2), key);
const filesIn = (store: string) => filesOf({ config: { filesDir: join(folder, store) } } as never);
const hashOf = async (key: string) =>
  createHash("sha256")
    .update(await to.read(key))
    .digest("hex");

describe("a copy", () => {
  it("has all files under the keys that rows name, and leaves the others", async () => {
    for (let count = 0; count < 20; count++) await add();
    const other = await add();
    rows.pop();
    expect(await copy()).toEqual({ copied: 20, copiedBytes: 20_000, present: 0, troubles: 0 });
    expect(progress).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    for (const { key, sha256 } of rows) expect(await hashOf(key)).toBe(sha256);
    expect(await filesIn("to")).toHaveLength(20);
    expect(await to.size(other.key)).toBeNull();
    expect(await filesIn("from")).toHaveLength(21);
  });

  it("goes on where an earlier one has ended", async () => {
    for (let count = 0; count < 5; count++) await add();
    const [first, second] = rows as [NamedFile, NamedFile];
    rows = [first, second];
    await copy();
    rows = [...rows, await add(), await add()];
    expect(await copy()).toEqual({ copied: 2, copiedBytes: 2_000, present: 2, troubles: 0 });
    expect(await copy()).toEqual({ copied: 0, copiedBytes: 0, present: 4, troubles: 0 });
  });

  it("replaces files that are not the same, by their contents, or by their size alone if that is trusted", async () => {
    const [changed, shorter] = [await add(), await add()];
    await copy();
    await writeFile(pathOf("to", changed.key), randomBytes(1_000));
    await writeFile(pathOf("to", shorter.key), randomBytes(999));
    expect(await copy(true)).toMatchObject({ copied: 1, present: 1 });
    expect([await hashOf(shorter.key), (await hashOf(changed.key)) === changed.sha256]).toEqual([
      shorter.sha256,
      false,
    ]);
    expect(await copy()).toMatchObject({ copied: 1, present: 1 });
    expect(await hashOf(changed.key)).toBe(changed.sha256);
  });

  it("tells which files are missing, damaged or named by no key, and copies all others", async () => {
    const [missing, damaged, fine] = [await add(), await add(), await add()];
    await from.remove(missing.key);
    await writeFile(pathOf("from", damaged.key), randomBytes(1_000));
    rows.push({ id: "the row", key: "../etc/passwd", sizeBytes: 1, sha256: "" });
    expect(await copy()).toEqual({ copied: 1, copiedBytes: 1_000, present: 0, troubles: 3 });
    expect(troubles.sort()).toEqual(
      [
        [missing.key, "missing"],
        [damaged.key, "damaged"],
        ["../etc/passwd", "invalid key"],
      ].sort(),
    );
    expect(await filesIn("to")).toEqual([`kept/${fine.key.slice(-2)}/${fine.key}`]);
  });

  it("is checked after it was made, and removed when it is not the same", async () => {
    const { key } = await add();
    const keep = to.keep.bind(to);
    to.keep = async (...parameters) => {
      await keep(...parameters);
      await writeFile(pathOf("to", key), randomBytes(1_000));
      return key;
    };
    expect(await copy()).toMatchObject({ copied: 0, troubles: 1 });
    expect([troubles, await filesIn("to")]).toEqual([[[key, "not kept unchanged"]], []]);
  });
});

describe("a store that fails", () => {
  const broken = () => new FileStoreError("/to", systemError("EIO", "write"));

  it("for some files is told, and the others are copied", async () => {
    for (let count = 0; count < 30; count++) await add();
    const failing = rows.filter((_, index) => index % 5 === 4).map(({ key }) => key);
    const stage = to.stage.bind(to);
    to.stage = async (source, file) => {
      if (failing.includes(file.name)) throw broken();
      return stage(source, file);
    };
    expect(await copy()).toMatchObject({ copied: 24, troubles: 6 });
    expect(troubles.sort()).toEqual(failing.map((key) => [key, "failed (EIO)"]).sort());
  });

  it("for all files ends the copy", async () => {
    for (let count = 0; count < 30; count++) await add();
    let calls = 0;
    to.size = async () => {
      calls++;
      throw broken();
    };
    await expect(copy()).rejects.toMatchObject({ name: "FileStoreError", reason: "EIO" });
    expect(calls).toBeLessThan(20);
    expect(troubles).toHaveLength(4);
  });

  it("in another way ends the copy at once", async () => {
    for (let count = 0; count < 30; count++) await add();
    to.size = async () => {
      throw new TypeError("This is a mistake in the code.");
    };
    await expect(copy()).rejects.toThrow("This is a mistake in the code.");
    expect(troubles).toEqual([]);
  });
});

it("a file may be kept under a key that it has elsewhere", async () => {
  const key = randomUUID();
  const staged = await to.stage(piecesOf(Buffer.from("The text.")), { name: "a", maxBytes: 10 });
  expect(await to.keep(staged, key)).toBe(key);
  expect(String(await to.read(key))).toBe("The text.");
});
