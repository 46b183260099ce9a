/** The rules for every file store, as tests. file-store-contract.test.ts runs them for each. */
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { FileMissingError, type FileStore } from "../../src/storage/file-store.ts";
import { sweepFiles } from "../../src/storage/file-sweep.ts";

export type OpenFileStore = {
  store: FileStore;
  /** Pretends that a kept file was kept so long ago. */
  makeOld(key: string, ms: number): Promise<void>;
  /** Adds a file of another program where kept files are. */
  addStranger(): Promise<void>;
  /** Names of all files that the store has, staged and kept, and of unfinished ones. */
  left(): Promise<string[]>;
  /** Removes all files. */
  empty(): Promise<void>;
  close(): Promise<void>;
};

const hour = 3_600_000;

export function describeFileStore(name: string, open: () => Promise<OpenFileStore>): void {
  describe(name, () => {
    let opened: OpenFileStore;
    let store: FileStore;
    beforeAll(async () => {
      opened = await open();
      store = opened.store;
    });
    afterEach(() => opened.empty());
    afterAll(() => opened.close());

    async function* from(contents: Uint8Array) {
      for (let start = 0; start < contents.length; start += 50_000) yield contents.subarray(start, start + 50_000);
    }
    const stage = (contents: Uint8Array) => store.stage(from(contents), { name: "a.bin", maxBytes: 100_000_000 });
    const keep = async (contents: Uint8Array) => store.keep(await stage(contents));
    const text = Buffer.from("The text.");
    const whole = async (key: string, range?: { start: number; end: number }) =>
      Buffer.concat(await Array.fromAsync(store.pieces(key, range)));

    it("keeps a file under a new key until it is removed", async () => {
      const file = await stage(text);
      expect((await store.readStaged(file)).equals(text)).toBe(true);
      const key = await store.keep(file);
      expect(key).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
      await store.discard(file);
      expect([String(await store.read(key)), await store.size(key)]).toEqual(["The text.", 9]);
      expect((await Array.fromAsync(store.list())).map(({ id, isStaged }) => [id, isStaged])).toEqual([[key, false]]);
      await store.remove(key);
      expect([await store.size(key), await store.age(key)]).toEqual([null, null]);
      expect(await opened.left()).toEqual([]);
      await store.remove(key);
    });

    it.each([0, 1, 65_536, 65_537, 5_242_880, 5_242_881, 10_485_760, 11_000_000])(
      "returns the %i bytes that it was given",
      async (bytes) => {
        const contents = randomBytes(bytes);
        const file = await stage(contents);
        expect(file).toMatchObject({
          sizeBytes: bytes,
          sha256: createHash("sha256").update(contents).digest("hex"),
        });
        const key = await store.keep(file);
        expect(await store.size(key)).toBe(bytes);
        const read = await store.read(key);
        expect(read.equals(contents)).toBe(true);
        // Memory of its own, which may be transferred to a thread.
        if (bytes > 0) expect([read.byteOffset, read.buffer.byteLength]).toEqual([0, bytes]);
        expect((await whole(key)).equals(contents)).toBe(true);
      },
    );

    it("reads a part of a file, from its start to before its end", async () => {
      const contents = randomBytes(150_000);
      const key = await keep(contents);
      const parts = [
        [0, 1],
        [10, 20],
        [1, 140_000],
        [149_999, 150_000],
        [149_990, 160_000],
        [5, 5],
        [150_000, 150_001],
        [0, 150_000],
        [7, Number.POSITIVE_INFINITY],
      ] as const;
      for (const [start, end] of parts) {
        expect((await whole(key, { start, end })).equals(contents.subarray(start, end)), `${start}-${end}`).toBe(true);
      }
      expect(await whole(await keep(Buffer.alloc(0)), { start: 0, end: 1 })).toHaveLength(0);
    });

    it("goes on when readers leave early", async () => {
      const key = await keep(randomBytes(500_000));
      for (let count = 0; count < 20; count++) {
        for await (const piece of store.pieces(key)) {
          expect(piece.length).toBeGreaterThan(0);
          break;
        }
      }
      expect(await whole(key)).toHaveLength(500_000);
    });

    it("gives a program a local file, which leaves nothing behind", async () => {
      const key = await keep(text);
      const before = await opened.left();
      expect(await store.withLocalFile(key, (path) => readFile(path, "utf8"))).toBe("The text.");
      const mistake = Object.assign(new Error("The decoder has failed."), { code: "ENOENT", errno: -2 });
      await expect(store.withLocalFile(key, () => Promise.reject(mistake))).rejects.toBe(mistake);
      expect(await opened.left()).toEqual(before);
    });

    it("says which file is missing", async () => {
      const key = randomUUID();
      let begun = 0;
      const works = [
        () => store.read(key),
        () => whole(key),
        () => whole(key, { start: 1, end: 2 }),
        () => store.withLocalFile(key, async () => begun++),
        () => store.touch(key),
      ];
      for (const work of works) {
        const error = await work().catch((thrown) => thrown);
        expect(error).toBeInstanceOf(FileMissingError);
        expect(error.message).toContain(key);
      }
      expect([begun, await store.size(key), await store.age(key)]).toEqual([0, null, null]);
      await store.remove(key);
      expect(await opened.left()).toEqual([]);
    });

    it("does not keep a staged file that was swept", async () => {
      const file = await stage(text);
      await store.removeStaged(file.id);
      await expect(store.keep(file)).rejects.toThrow(FileMissingError);
      await expect(store.readStaged(file)).rejects.toThrow(FileMissingError);
      await store.discard(file);
      expect(await opened.left()).toEqual([]);
    });

    it("takes keys of its own form alone", async () => {
      await keep(text);
      for (const key of ["../../etc/passwd", "x".repeat(36), "", "%2e%2e/00000000-0000-4000-8000-000000000000"]) {
        const works = [
          () => store.read(key),
          () => store.size(key),
          () => store.age(key),
          () => store.touch(key),
          () => store.remove(key),
          () => store.removeStaged(key),
          () => store.withLocalFile(key, async () => {}),
          () => whole(key),
        ];
        for (const work of works) await expect(work()).rejects.toThrow(/^A storage key is a UUID/);
      }
      expect(await opened.left()).toHaveLength(1);
    });

    it("tells the age of a file since it was kept or touched", async () => {
      const key = await keep(text);
      // Some stores' clocks tell seconds only.
      expect(await store.age(key)).toBeLessThan(10_000);
      await opened.makeOld(key, hour);
      for (const age of [await store.age(key), (await Array.fromAsync(store.list()))[0]?.ageMs]) {
        expect(age).toBeGreaterThan(hour - 10_000);
        expect(age).toBeLessThan(hour + 60_000);
      }
      await store.touch(key);
      expect(await store.age(key)).toBeLessThan(10_000);
      expect((await Array.fromAsync(store.list()))[0]?.ageMs).toBeLessThan(10_000);
      expect(String(await store.read(key))).toBe("The text.");
    });

    it("is swept of old files that no row names, and of nothing else", async () => {
      const [named, unnamed, young] = [await keep(text), await keep(text), await keep(text)];
      for (const key of [named, unnamed]) await opened.makeOld(key, hour);
      await opened.addStranger();
      const sweep = () => sweepFiles({ store, findNamed: async () => new Set([named]), graceMs: hour / 2 });
      const before = await opened.left();
      expect(await sweep()).toBe(1);
      const after = await opened.left();
      expect(before.length - after.length).toBe(1);
      expect(after.some((path) => path.includes(unnamed))).toBe(false);
      expect([await store.size(named), await store.size(unnamed), await store.size(young)]).toEqual([9, null, 9]);
      expect(await sweep()).toBe(0);
    });

    it("keeps many files at once", async () => {
      const contents = Array.from({ length: 20 }, (_, index) => Buffer.alloc(1_000 * index, index));
      const keys = await Promise.all(contents.map(keep));
      expect(new Set(keys).size).toBe(20);
      const read = await Promise.all(keys.map((key) => store.read(key)));
      expect(read.map((each, index) => each.equals(contents[index] as Buffer))).toEqual(Array(20).fill(true));
      const ids = (await Array.fromAsync(store.list())).map(({ id }) => id);
      expect(ids.sort()).toEqual(keys.sort());
    });

    it("is tried without a trace", async () => {
      await store.requireUsable();
      expect(await opened.left()).toEqual([]);
    });
  });
}
