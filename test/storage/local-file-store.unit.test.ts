/** A file's life on a sound disk: the order of calls that makes it durable, its limits, and how much is held open. */
import { createHash } from "node:crypto";
import fs, { type FileHandle, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileMissingError, FileTooLargeError, headBytes } from "../../src/storage/file-store.ts";
import { LocalFileStore } from "../../src/storage/local-file-store.ts";
import { failFiles } from "../support/failing-files.ts";

let folder: string;
let store: LocalFileStore;
/** The calls that matter for durability, and files that are open. */
let calls: string[];
let open: string[];
/** Called before a file is flushed. */
let meetSync: () => Promise<void>;
/** The most bytes that one call writes. */
let writable: number;
const real = { open: fs.open, rename: fs.rename };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lectern-store-"));
  store = new LocalFileStore({ folder });
  [calls, open, writable] = [[], [], Number.POSITIVE_INFINITY];
  meetSync = async () => {};
  fs.open = async (...parameters) => watched(await real.open(...parameters), nameOf(parameters[0] as string));
  fs.rename = async (from, to) => {
    calls.push(`rename ${nameOf(from as string)} to ${nameOf(to as string)}`);
    await real.rename(from, to);
  };
  syncBuiltinESMExports();
});
afterEach(async () => {
  Object.assign(fs, real);
  syncBuiltinESMExports();
  await rm(folder, { recursive: true, force: true });
});

/** A path below the store, without the parts that are made up for each file. */
const nameOf = (path: string) =>
  (relative(folder, path) || ".").replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, "<file>").replace(/\/[0-9a-f]{2}\b/, "/<xx>");

function watched(file: FileHandle, name: string): FileHandle {
  const { sync, close, write } = file;
  open.push(name);
  return Object.assign(file, {
    async sync() {
      await meetSync();
      calls.push(`sync ${name}`);
      await sync.call(file);
    },
    async close() {
      open = open.filter((each) => each !== name);
      await close.call(file);
    },
    write: (bytes: Buffer, offset = 0) =>
      write.call(file, bytes as never, offset as never, Math.min(writable, bytes.length - offset) as never),
  });
}

async function* from(...pieces: (string | Uint8Array)[]) {
  for (const piece of pieces) yield Buffer.from(piece);
}
const stage = (...pieces: (string | Uint8Array)[]) =>
  store.stage(from(...pieces), { name: "a.txt", maxBytes: 200_000 });
const staged = () => readdir(join(folder, "staged"));
const flushes = ["sync kept/<xx>", "sync kept", "sync ."];

describe("a file", () => {
  it("is flushed before it counts as received, and its entry before it counts as kept", async () => {
    const file = await stage("The text.");
    expect(calls.splice(0)).toEqual(["sync staged/<file>"]);
    const key = await store.keep(file);
    expect(calls).toEqual(["rename staged/<file> to kept/<xx>/<file>", ...flushes]);
    expect(await staged()).toEqual([]);
    expect(String(await store.read(key))).toBe("The text.");
    expect(open).toEqual([]);
  });

  it("may be read and written by the server's user alone", async () => {
    const key = await store.keep(await stage("The text."));
    const modes = async (...paths: string[]) =>
      Promise.all(paths.map(async (path) => ((await stat(join(folder, path))).mode & 0o777).toString(8)));
    const [xx] = [key.slice(-2)];
    expect(await modes(`kept/${xx}/${key}`, `kept/${xx}`, "kept", "staged")).toEqual(["600", "700", "700", "700"]);
  });

  it("is found by a key of the store's own form alone", async () => {
    await store.keep(await stage("The text."));
    for (const key of ["../../etc/passwd", "x".repeat(36), "", "../staged/00000000-0000-4000-8000-000000000000"]) {
      await expect(store.read(key)).rejects.toThrow(/^A storage key is a UUID/);
      await expect(store.remove(key)).rejects.toThrow(/^A storage key is a UUID/);
    }
  });

  it("is as old as its last touch, or as its keeping", async () => {
    const file = await stage("The text.");
    let key = "";
    for (const renew of [async () => (key = await store.keep(file)), () => store.touch(key)]) {
      await pause(100);
      const before = Date.now();
      await renew();
      // The clock of the file system is a few milliseconds coarse.
      expect(await store.age(key)).toBeLessThanOrEqual(Date.now() - before + 20);
    }
  });

  it("is closed when its reader leaves", async () => {
    const key = await store.keep(await stage("x".repeat(200_000)));
    for await (const piece of store.pieces(key)) {
      expect(piece).toHaveLength(65_536);
      expect(open).toEqual(["kept/<xx>/<file>"]);
      break;
    }
    expect(open).toEqual([]);
  });
});

describe("the entry of a folder for kept files", () => {
  /** Keeps files until one comes into such a folder; returns how that file was flushed. */
  async function keepUntil(isWanted: (folder: string) => boolean): Promise<string[]> {
    for (;;) {
      const file = await stage("x");
      calls = [];
      const key = await store.keep(file);
      if (isWanted(key.slice(-2))) return calls.slice(1);
    }
  }

  it("is flushed with the first file in it, and not again", async () => {
    const seen = new Set<string>();
    const isSecond = (folder: string) => seen.size === seen.add(folder).size;
    expect(await keepUntil(isSecond)).toEqual(["sync kept/<xx>"]);
  });

  it("is flushed by each process, since another may have made it a moment ago", async () => {
    for (let number = 0; number < 256; number++) {
      await mkdir(join(folder, "kept", Buffer.of(number).toString("hex")), { recursive: true });
    }
    expect(await keepUntil(() => true)).toEqual(flushes);
  });

  it("is flushed with the next file when that has failed", async () => {
    const heal = failFiles("sync", "EIO", /kept$/);
    for (let tries = 0; tries < 40; tries++) {
      await expect(store.keep(await stage("x"))).rejects.toMatchObject({ reason: "EIO" });
    }
    heal();
    const made = await readdir(join(folder, "kept"));
    expect(await keepUntil((folder) => made.includes(folder))).toEqual(flushes);
  });
});

describe("a file that is received", () => {
  it("has its size, its hash, and its first 65,536 bytes, whatever becomes of the source's buffers", async () => {
    const reused = Buffer.alloc(40_000);
    const text = Buffer.concat([1, 2, 3].map((number) => Buffer.alloc(40_000, String(number))));
    async function* source() {
      for (const number of [1, 2, 3]) yield reused.fill(String(number));
    }
    const file = await store.stage(source(), { name: "a.txt", maxBytes: 200_000 });
    const sha256 = createHash("sha256").update(text).digest("hex");
    expect(file).toMatchObject({ name: "a.txt", sizeBytes: 120_000, sha256 });
    expect(Buffer.from(file.head).equals(text.subarray(0, headBytes))).toBe(true);
    expect((await store.readStaged(file)).equals(text)).toBe(true);
  });

  it("is whole although the disk takes a part of each piece at a time", async () => {
    writable = 7;
    const file = await stage("A piece of many bytes, ", "and another.");
    expect(String(await store.readStaged(file))).toBe("A piece of many bytes, and another.");
  });

  it("has at most as many bytes as allowed: it is refused at the first byte too many, and nothing is left", async () => {
    const receive = async (bytes: number) => {
      let sent = 0;
      async function* source() {
        for (; sent < bytes; sent += 10) yield Buffer.alloc(Math.min(10, bytes - sent), "x");
      }
      const outcome = await store.stage(source(), { name: "a.txt", maxBytes: 100 }).then(
        ({ sizeBytes }) => sizeBytes,
        (error) => error,
      );
      return { outcome, sent };
    };
    expect(await receive(100)).toMatchObject({ outcome: 100 });
    const kept = await staged();
    for (const bytes of [101, 1_000]) {
      const { outcome, sent } = await receive(bytes);
      expect(outcome).toBeInstanceOf(FileTooLargeError);
      expect([outcome.maxBytes, sent]).toEqual([100, 100]);
    }
    expect([await staged(), open]).toEqual([kept, []]);
  });
});

describe("a file that a program writes", () => {
  const written = (write: (path: string) => Promise<unknown>, maxBytes = 200_000) =>
    store.stageWritten({ name: "a.mp3", maxBytes }, write);

  it("is measured, closed to other users and flushed like one that is received", async () => {
    const contents = Buffer.alloc(100_000, "x");
    const file = await written((path) => writeFile(path, contents, { mode: 0o644 }));
    expect(file).toMatchObject({
      name: "a.mp3",
      sizeBytes: 100_000,
      sha256: createHash("sha256").update(contents).digest("hex"),
    });
    expect(file.head).toHaveLength(headBytes);
    expect(calls).toEqual(["sync staged/<file>"]);
    expect((await stat(join(folder, "staged", file.id))).mode & 0o777).toBe(0o600);
    expect((await store.read(await store.keep(file))).equals(contents)).toBe(true);
    expect(open).toEqual([]);
  });

  it("is removed when it is too large, when the program fails, and when its disk does", async () => {
    const mistake = new Error("The encoder has failed.");
    const write = (bytes: number) => (path: string) => writeFile(path, Buffer.alloc(bytes));
    await expect(written(write(1_001), 1_000)).rejects.toMatchObject({ name: "FileTooLargeError", maxBytes: 1_000 });
    const failing = written(async (path) => {
      await write(10)(path);
      throw mistake;
    });
    await expect(failing).rejects.toBe(mistake);
    const heal = failFiles("sync", "ENOSPC");
    await expect(written(write(10)).finally(heal)).rejects.toMatchObject({ code: "INSUFFICIENT_STORAGE" });
    expect([await staged(), open]).toEqual([[], []]);
    expect(await written(write(1_000), 1_000)).toMatchObject({ sizeBytes: 1_000 });
  });

  it("is missing when the program has written none", async () => {
    await expect(written(async () => {})).rejects.toBeInstanceOf(FileMissingError);
  });
});

describe("a part of a file", () => {
  const text = Buffer.from(Array.from({ length: 150_000 }, (_, index) => index % 251));
  const part = async (key: string, start: number, end: number) =>
    Buffer.concat(await Array.fromAsync(store.pieces(key, { start, end })));

  it.each([
    ["of one byte", 0, 1],
    ["within the first piece", 10, 20],
    ["of more than two pieces", 1, 140_000],
    ["that ends with the file", 149_999, 150_000],
    ["that ends beyond it", 149_990, 160_000],
    ["that is empty", 5, 5],
    ["that begins beyond it", 150_000, 150_001],
  ])("%s has the bytes from its start to before its end", async (_, start, end) => {
    const key = await store.keep(await stage(text));
    expect((await part(key, start, end)).equals(text.subarray(start, end))).toBe(true);
    expect(open).toEqual([]);
  });
});

describe("a program that needs a local file", () => {
  it("gets the path of the contents, and its result is returned", async () => {
    const key = await store.keep(await stage("The text."));
    expect(await store.withLocalFile(key, (path) => readFile(path, "utf8"))).toBe("The text.");
    expect(String(await store.read(key))).toBe("The text.");
  });

  it("does not begin when the file is missing, and its own errors pass", async () => {
    const key = await store.keep(await stage("The text."));
    const mistake = Object.assign(new Error("The decoder has failed."), { code: "ENOENT", errno: -2 });
    await expect(store.withLocalFile(key, () => Promise.reject(mistake))).rejects.toBe(mistake);
    await store.remove(key);
    let begun = 0;
    await expect(store.withLocalFile(key, async () => begun++)).rejects.toBeInstanceOf(FileMissingError);
    expect(begun).toBe(0);
  });
});

describe("a key", () => {
  it("is not given for a file whose entry could not be flushed, which is removed", async () => {
    const file = await stage("The text.");
    const heal = failFiles("sync", "EIO");
    await expect(store.keep(file)).rejects.toMatchObject({ reason: "EIO" });
    heal();
    expect(await Array.fromAsync(store.list())).toEqual([]);
    expect(await readFile(join(folder, "staged", file.id)).catch(({ code }) => code)).toBe("ENOENT");
  });
});

describe("a trial", () => {
  it("flushes a file that has no name any more", async () => {
    const seen: string[][] = [];
    meetSync = async () => void seen.push(await staged());
    await store.requireUsable();
    expect([seen, calls, open]).toEqual([[[]], ["sync staged/<file>"], []]);
  });
});
