/** Every way in which a disk fails its store: one kind of error comes out, and nothing is left of what was begun. */
import { execFile } from "node:child_process";
import fs, { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileMissingError, FileStoreError, type StagedFile } from "../../src/storage/file-store.ts";
import { sweepFiles } from "../../src/storage/file-sweep.ts";
import { LocalFileStore } from "../../src/storage/local-file-store.ts";
import { type ErrorName, errorNames, type FileCall, failFiles } from "../support/failing-files.ts";
import { filesOf } from "../support/files.ts";
import { mountDisk, type SmallDisk, whyNoDisk } from "../support/small-disk.ts";

let folder: string;
let store: LocalFileStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lectern-store-"));
  store = new LocalFileStore({ folder });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function* pieces(count: number, bytes = 10_000): AsyncIterable<Uint8Array> {
  for (let sent = 0; sent < count; sent++) yield Buffer.alloc(bytes, "x");
}

const stage = (count = 1) => store.stage(pieces(count), { name: "a.txt", maxBytes: 10_000_000 });
const files = () => filesOf({ config: { filesDir: folder } } as never);
const whole = async (key: string) =>
  (await Array.fromAsync(store.pieces(key))).reduce((sum, { length }) => sum + length, 0);
const listed = () => Array.fromAsync(store.list());

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => expect.unreachable("It was expected to fail."),
    (error) => error,
  );
}

const full = { name: "FileStoreError", code: "INSUFFICIENT_STORAGE", isFull: true, mayPass: false };
const unavailable = { name: "FileStoreError", code: "STORAGE_UNAVAILABLE", isFull: false };

describe.skipIf(whyNoDisk)("a disk that is full", () => {
  let disk: SmallDisk;
  beforeEach(() => {
    disk = mountDisk(folder, 1_000_000);
  });
  afterEach(() => disk.unmount());

  it("takes no file, leaves nothing of it, and goes on when there is room again", async () => {
    const key = await store.keep(await stage(3));
    for (const left of [0, 40_960]) {
      await disk.fill(left);
      const before = await files();
      const error = await failureOf(stage(30));
      expect([left, error]).toEqual([left, expect.objectContaining({ ...full, reason: "ENOSPC" })]);
      expect((error as FileStoreError).path).toMatch(/staged/);
      expect((error as Error).message).not.toMatch(/\/|ENOSPC/);
      expect(await files()).toEqual(before);
      expect(await store.read(key)).toHaveLength(30_000);
      expect(await whole(key)).toBe(30_000);
    }
    // A small file still finds room.
    await store.discard(await stage(2));
    await disk.fill(131_072);
    await store.requireUsable();
    await disk.fill();
    expect(await failureOf(store.requireUsable())).toMatchObject(full);
    await disk.empty();
    await store.requireUsable();
    await store.keep(await stage(30));
    expect((await files()).map((path) => path.split("/")[0])).toEqual(["kept", "kept"]);
  });

  it("is given its room back by removals", async () => {
    const key = await store.keep(await stage(50));
    await disk.fill();
    expect(await failureOf(stage())).toMatchObject(full);
    await store.remove(key);
    await store.discard(await stage(40));
  });

  it("and cannot be written at all: EROFS", async () => {
    const [kept, left] = [await store.keep(await stage()), await stage()];
    disk.close();
    const works = [
      stage(),
      store.keep(left),
      store.discard(left),
      store.remove(kept),
      store.touch(kept),
      store.requireUsable(),
    ];
    for (const error of await Promise.all(works.map(failureOf))) {
      expect(error).toMatchObject({ ...unavailable, reason: "EROFS", mayPass: false });
    }
    expect(await store.read(kept)).toHaveLength(10_000);
    expect(await listed()).toHaveLength(2);
    disk.open();
    expect(await store.keep(left)).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe("a folder that is none", () => {
  it("or that cannot be made, is unavailable", async () => {
    await symlink(join(folder, "nowhere"), join(folder, "dangling"));
    const works = ["dangling", "dangling/below", "a-file", "a-file/below"].map(async (name) => {
      await writeFile(join(folder, "a-file"), "");
      return new LocalFileStore({ folder: join(folder, name) }).requireUsable();
    });
    for (const error of await Promise.all(works.map(failureOf))) expect(error).toMatchObject(unavailable);
  });

  it("is unavailable: ENOTDIR", async () => {
    const [kept, left] = [await store.keep(await stage()), await stage()];
    for (const name of ["kept", "staged"]) {
      await rm(join(folder, name), { recursive: true });
      await writeFile(join(folder, name), "A file in the folder's place.");
    }
    const works = {
      stage: stage(),
      readStaged: store.readStaged(left),
      keep: store.keep(left),
      discard: store.discard(left),
      read: store.read(kept),
      pieces: whole(kept),
      touch: store.touch(kept),
      age: store.age(kept),
      size: store.size(kept),
      remove: store.remove(kept),
      list: listed(),
      removeStaged: store.removeStaged(left.id),
      requireUsable: store.requireUsable(),
    };
    const told = Object.entries(works).map(async ([name, work]) => [
      name,
      ((await failureOf(work)) as FileStoreError).code,
    ]);
    expect(await Promise.all(told)).toEqual(Object.keys(works).map((name) => [name, "STORAGE_UNAVAILABLE"]));
  });

  it("in a file's place cannot be read: EISDIR", async () => {
    const key = await store.keep(await stage());
    const path = join(folder, "kept", key.slice(-2), key);
    await rm(path);
    await mkdir(path);
    for (const error of await Promise.all([store.read(key), whole(key)].map(failureOf))) {
      expect(error).toMatchObject({ ...unavailable, reason: "EISDIR" });
    }
  });
});

describe("a process that has opened all the files it may", () => {
  it.skipIf(process.platform === "win32")("is told that this passes, and goes on when it does: EMFILE", async () => {
    const program = `
      const { open } = await import("node:fs/promises");
      const { LocalFileStore } = await import(${JSON.stringify(join(import.meta.dirname, "../../src/storage/local-file-store.ts"))});
      const store = new LocalFileStore({ folder: ${JSON.stringify(folder)} });
      const source = async function* () { yield Buffer.from("text"); };
      const stage = () => store.stage(source(), { name: "a.txt", maxBytes: 100 });
      const describe = ({ code, reason, mayPass }) => [code, reason, mayPass].join(" ");
      const kept = await store.keep(await stage());
      const opened = [];
      try { for (;;) opened.push(await open(process.execPath)); } catch {}
      const works = [stage, () => store.read(kept), () => store.requireUsable(), () => Array.fromAsync(store.list())];
      for (const work of works) console.log(await work().then(() => "done", describe));
      for (const file of opened) await file.close();
      for (const work of works) console.log(await work().then(() => "done", describe));`;
    const limited = 'ulimit -n 64; exec "$0" --input-type=module --eval "$1"';
    const { stdout } = await promisify(execFile)("sh", ["-c", limited, process.execPath, program]);
    const refused = "STORAGE_UNAVAILABLE EMFILE true";
    expect(stdout.trim().split("\n")).toEqual([...Array(4).fill(refused), ...Array(4).fill("done")]);
  });
});

describe("an error of the operating system", () => {
  /** The purpose of each call, and the files left when it fails: none, but for those that cannot be removed then. */
  const uses: [FileCall, string, (kept: string, staged: StagedFile) => Promise<unknown>, leftStaged?: number][] = [
    ["mkdir", "stage", () => stage()],
    ["open", "stage", () => stage()],
    ["write", "stage", () => stage()],
    ["sync", "stage", () => stage()],
    ["close", "stage", () => stage()],
    ["mkdir", "keep", (_kept, staged) => store.keep(staged)],
    ["rename", "keep", (_kept, staged) => store.keep(staged)],
    ["open", "keep", (_kept, staged) => store.keep(staged), 0],
    ["sync", "keep", (_kept, staged) => store.keep(staged), 0],
    ["readFile", "readStaged", (_kept, staged) => store.readStaged(staged)],
    ["readFile", "read", (kept) => store.read(kept)],
    ["open", "pieces", (kept) => whole(kept)],
    ["read", "pieces", (kept) => whole(kept)],
    ["utimes", "touch", (kept) => store.touch(kept)],
    ["stat", "age", (kept) => store.age(kept)],
    ["stat", "size", (kept) => store.size(kept)],
    ["stat", "list", () => listed()],
    ["opendir", "list", () => listed()],
    ["rm", "remove", (kept) => store.remove(kept)],
    ["rm", "discard", (_kept, staged) => store.discard(staged)],
    ["mkdir", "requireUsable", () => store.requireUsable()],
    ["write", "requireUsable", () => store.requireUsable()],
    ["sync", "requireUsable", () => store.requireUsable()],
  ];

  it.each(uses)("of %s becomes the store's, whatever its name is, in %s", async (call, _name, use, leftStaged = 1) => {
    for (const code of errorNames) {
      // They say that something is there, or is not.
      if (code === "ENOENT" || (code === "EEXIST" && call === "mkdir")) continue;
      const [kept, staged] = [await store.keep(await stage()), await stage()];
      const heal = failFiles(call, code);
      const error = await failureOf(use(kept, staged)).finally(heal);
      const isFull = code === "ENOSPC" || code === "EDQUOT";
      expect(error).toBeInstanceOf(FileStoreError);
      expect(error).toMatchObject({ ...(isFull ? full : unavailable), reason: code, cause: { code } });
      expect((error as Error).message).not.toContain(folder);
      expect((error as FileStoreError).path).toContain(folder);
      expect((await files()).map((path) => path.split("/")[0])).toEqual(["kept", ...Array(leftStaged).fill("staged")]);
      await rm(join(folder, "kept"), { recursive: true });
      await rm(join(folder, "staged"), { recursive: true });
    }
  });

  it("is the first one when cleaning up fails as well; what stays, the sweep finds", async () => {
    const heals = [failFiles("write", "ENOSPC"), failFiles("close", "EIO"), failFiles("rm", "EIO")];
    const error = await failureOf(stage());
    for (const heal of heals.reverse()) heal();
    expect(error).toMatchObject({ ...full, reason: "ENOSPC" });
    expect(await files()).toHaveLength(1);
    await new Promise((resume) => setTimeout(resume, 20));
    expect(await sweepFiles({ store, findNamed: async () => new Set(), graceMs: 5 })).toBe(1);
    expect(await files()).toEqual([]);
  });

  it("of the source, or of ours, stays what it is", async () => {
    const reset = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET", errno: -104 });
    async function* broken() {
      yield Buffer.from("The beginning.");
      throw reset;
    }
    expect(await failureOf(store.stage(broken(), { name: "a.txt", maxBytes: 100 }))).toBe(reset);
    expect(await failureOf(store.read("no key"))).toMatchObject({ name: "Error" });
    expect(await files()).toEqual([]);
  });

  it("ENOENT of a file that was swept says that it is missing; of others, nothing", async () => {
    const [kept, staged] = [await store.keep(await stage()), await stage()];
    await rm(folder, { recursive: true });
    const works = [store.read(kept), whole(kept), store.touch(kept), store.readStaged(staged), store.keep(staged)];
    for (const error of await Promise.all(works.map(failureOf))) expect(error).toBeInstanceOf(FileMissingError);
    await Promise.all([store.remove(kept), store.discard(staged)]);
    expect([await store.size(kept), await store.age(kept)]).toEqual([null, null]);
  });
});

describe("the trial", () => {
  it("has no name while it runs: nobody takes it for a file, and a process that ends then leaves none", async () => {
    const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { open } = fs;
    fs.open = async (...parameters) =>
      Object.assign(await open(...parameters), {
        async sync() {
          reached.resolve();
          await released.promise;
        },
      });
    syncBuiltinESMExports();
    const trial = store.requireUsable();
    await reached.promise;
    fs.open = open;
    syncBuiltinESMExports();
    expect([await files(), await listed()]).toEqual([[], []]);
    released.resolve();
    await trial;
  });
});

describe("the sweep", () => {
  it("goes on behind a file that cannot be removed, and then tells of it", async () => {
    const keys = await Promise.all([1, 2, 3, 4].map(async () => store.keep(await stage())));
    await stage();
    await new Promise((resume) => setTimeout(resume, 20));
    const heal = failFiles("rm", "EIO" satisfies ErrorName, new RegExp(keys[1] as string));
    const sweep = () => sweepFiles({ store, findNamed: async () => new Set([keys[0] as string]), graceMs: 5 });
    expect(await failureOf(sweep()).finally(heal)).toMatchObject({ ...unavailable, reason: "EIO" });
    const pathOf = (key: string) => `kept/${key.slice(-2)}/${key}`;
    expect(await files()).toEqual([keys[0], keys[1]].map((key) => pathOf(key as string)).sort());
    expect(await sweep()).toBe(1);
    expect(await files()).toEqual([pathOf(keys[0] as string)]);
  });

  it("leaves a file alone that is claimed while it reads the rows", async () => {
    const [claimed, other] = [await store.keep(await stage()), await store.keep(await stage())];
    // As old as after a crash long ago, whose document is sent again now.
    store.list = async function* () {
      for (const id of [claimed, other]) yield { id, isStaged: false, ageMs: 3_600_000 };
    };
    const findNamed = async () => {
      await store.touch(claimed);
      await store.remove(other);
      return new Set<string>();
    };
    expect(await sweepFiles({ store, findNamed, graceMs: 60_000 })).toBe(0);
    expect(await whole(claimed)).toBe(10_000);
  });
});
