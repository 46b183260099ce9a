/** The files that rows name, by the rows' events and by all rows, on a database and a store of the test's own. */
import { createHash } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { tables } from "../../src/database/generated/tables.ts";
import type { Sql } from "../../src/eager-loading/sql.ts";
import { type FileStore, FileStoreError } from "../../src/storage/file-store.ts";
import { type FileColumn, findFileFaults, removeUnnamed } from "../../src/storage/named-files.ts";
import { systemError } from "../support/failing-files.ts";

const column: FileColumn = {
  table: tables.Document,
  key: "storageKey",
  topic: "document",
  size: "sizeBytes",
  sha256: "sha256",
};

describe("an event", () => {
  let named: string[];
  let removed: string[];
  let reads: number;
  beforeEach(() => {
    [named, removed, reads] = [[], [], 0];
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
      { remove: async (key) => void removed.push(key) },
    );

  it("of a deletion removes the file", async () => {
    await tell({ change: "deleted", storageKey: "a" });
    expect([removed, reads]).toEqual([["a"], 1]);
  });

  it("of an update removes the file that the row named before", async () => {
    await tell({ change: "updated", storageKey: "b", before: { storageKey: "a" } });
    await tell({ change: "updated", before: { storageKey: "c" } });
    expect(removed).toEqual(["a", "c"]);
  });

  it("that changes no file asks nothing and removes nothing", async () => {
    await tell({ change: "created", storageKey: "a" });
    await tell({ change: "updated", storageKey: "a", before: { storageKey: "a" } });
    await tell({ change: "updated", storageKey: "a", before: {} });
    await tell({ change: "deleted" });
    await tell({ change: "deleted", storageKey: "a" }, "sketch");
    expect([removed, reads]).toEqual([[], 0]);
  });

  it("leaves the file that another row names", async () => {
    named = ["a"];
    await tell({ change: "deleted", storageKey: "a" });
    expect([removed, reads]).toEqual([[], 1]);
  });
});

describe("the check of files", () => {
  const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");
  /** The text of each file in the store, by its key; an error: it cannot be read. */
  let files: Map<string, string | Error>;
  const textOf = (key: string) => {
    const text = files.get(key);
    if (text instanceof Error) throw text;
    return text;
  };
  const store = {
    size: async (key: string) => textOf(key)?.length ?? null,
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
  const keys = Array.from({ length: 1_001 }, (_, index) => String(index).padStart(4, "0"));
  beforeEach(() => {
    files = new Map(keys.map((key) => [key, "text"]));
  });

  it("finds none where all files are as they were sent", async () => {
    expect(await check(keys)).toEqual({ missing: [], changed: [], unreadable: [] });
  });

  it("tells missing files, those of another size or other contents, and those that cannot be read, of all rows", async () => {
    files.delete("1000");
    files.delete("0499");
    files.set("0001", "texts");
    files.set("0500", "Text");
    files.set("0999", new FileStoreError("0999", systemError("EIO", "read")));
    expect(await check(keys)).toEqual({
      missing: ["row 0499", "row 1000"],
      changed: ["row 0001", "row 0500"],
      unreadable: ["row 0999"],
    });
  });
});
