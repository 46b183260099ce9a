/** The files that rows name, by the rows' events and by all rows, on a database and a store of the test's own. */
import { createHash } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { tables } from "../../src/database/generated/tables.ts";
import type { Sql } from "../../src/eager-loading/sql.ts";
import { type FileStore, FileStoreError, requireKey } from "../../src/storage/file-store.ts";
import { type FileColumn, findFileFaults, removeUnnamed } from "../../src/storage/named-files.ts";
import { systemError } from "../support/failing-files.ts";
import { collectedLog } from "../support/logs.ts";

const column: FileColumn = {
  table: tables.Document,
  key: "storageKey",
  topic: "document",
  size: "sizeBytes",
  sha256: "sha256",
};

const [a, b, c] = ["a", "b", "c"].map((digit) => `00000000-0000-4000-8000-00000000000${digit}`) as [
  string,
  string,
  string,
];

describe("an event", () => {
  let named: string[];
  let removed: string[];
  let reads: number;
  /** Keys of files that cannot be removed. */
  let failures: Map<string, Error>;
  let log: ReturnType<typeof collectedLog>;
  beforeEach(() => {
    [named, removed, reads] = [[], [], 0];
    failures = new Map();
    log = collectedLog();
  });

  const tell = (payload: object, topic = "document") =>
    removeUnnamed(
      { position: 1, topic, rowId: "01a1fe1d-63bf-76f8-b5d1-2a227d14d302", payload },
      [column],
      {
        async read() {
          reads++;
          return named.map((key) => ({ key }));
        },
      },
      {
        async remove(key) {
          const failure = failures.get(key);
          if (failure) throw failure;
          removed.push(key);
        },
      },
      log.logger,
    );

  it("of a deletion removes the file", async () => {
    await tell({ change: "deleted", storageKey: a });
    expect([removed, reads]).toEqual([[a], 1]);
  });

  it("of an update removes the file that the row named before", async () => {
    await tell({ change: "updated", storageKey: b, before: { storageKey: a } });
    await tell({ change: "updated", before: { storageKey: c } });
    expect(removed).toEqual([a, c]);
  });

  it("that changes no file asks nothing and removes nothing", async () => {
    await tell({ change: "created", storageKey: a });
    await tell({ change: "updated", storageKey: a, before: { storageKey: a } });
    await tell({ change: "updated", storageKey: a, before: {} });
    await tell({ change: "deleted" });
    await tell({ change: "deleted", storageKey: a }, "sketch");
    expect([removed, reads]).toEqual([[], 0]);
  });

  it("leaves a file that cannot be removed to the sweep, and tells of it", async () => {
    const failure = new FileStoreError("/data/kept/aa/a", systemError("EIO", "unlink"));
    failures.set(a, failure);
    await tell({ change: "updated", storageKey: null, before: { storageKey: a } });
    await tell({ change: "deleted", storageKey: b });
    expect(removed).toEqual([b]);
    expect(log.lines).toMatchObject([{ level: 40, key: a, err: { reason: "EIO" } }]);
  });

  it("ends with any other error", async () => {
    failures.set(a, new TypeError("This is a mistake in the code."));
    await expect(tell({ change: "deleted", storageKey: a })).rejects.toThrow("This is a mistake in the code.");
    expect(log.lines).toEqual([]);
  });

  it("that names no file by its key removes none, and tells of it", async () => {
    await tell({ change: "deleted", storageKey: "../../etc/passwd" });
    expect(removed).toEqual([]);
    expect(log.lines).toMatchObject([{ level: 40, key: "../../etc/passwd" }]);
  });

  it("leaves the file that another row names", async () => {
    named = [a];
    await tell({ change: "deleted", storageKey: a });
    expect([removed, reads]).toEqual([[], 1]);
  });
});

describe("the check of files", () => {
  const keyOf = (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;
  const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");
  /** The text of each file in the store, by its key; an error: it cannot be read. */
  let files: Map<string, string | Error>;
  const textOf = (key: string) => {
    const text = files.get(key);
    if (text instanceof Error) throw text;
    return text;
  };
  const store = {
    size: async (key: string) => textOf(requireKey(key))?.length ?? null,
    async *pieces(key: string) {
      yield Buffer.from(textOf(key) ?? "");
    },
  } as Partial<FileStore> as FileStore;

  /** Rows whose files have the text "text", in pages of 500. */
  const check = async (keys: string[]) => {
    const read = async ({ values }: Sql) => {
      const [after, limit] = values as [string, number];
      const page = keys.filter((key) => key > after).slice(0, limit);
      return page.map((key) => ({ id: `row ${key}`, key, size: 4n, sha256: hashOf("text") }));
    };
    return findFileFaults(column, { read }, store);
  };
  const keys = Array.from({ length: 1_001 }, (_, index) => keyOf(index));
  beforeEach(() => {
    files = new Map(keys.map((key) => [key, "text"]));
  });

  it("finds none where all files are as they were sent", async () => {
    expect(await check(keys)).toEqual({ missing: [], changed: [], unreadable: [] });
  });

  it("tells missing files, those of another size or other contents, and those that cannot be read, of all rows", async () => {
    files.delete(keyOf(1_000));
    files.delete(keyOf(499));
    files.set(keyOf(1), "texts");
    files.set(keyOf(500), "Text");
    files.set(keyOf(999), new FileStoreError("/data", systemError("EIO", "read")));
    expect(await check(keys)).toEqual({
      missing: [`row ${keyOf(499)}`, `row ${keyOf(1_000)}`],
      changed: [`row ${keyOf(1)}`, `row ${keyOf(500)}`],
      unreadable: [`row ${keyOf(999)}`],
    });
  });

  it("counts a file as missing whose key no file can have", async () => {
    const invalid = ["../../etc/passwd", "00000000-0000-4000-8000-00000000000", "z".repeat(36)];
    expect((await check([...invalid, keyOf(1)].sort())).missing).toHaveLength(3);
  });
});
