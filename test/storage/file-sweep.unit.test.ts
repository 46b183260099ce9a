/** The sweep on a list of files: which it removes, by age, by the rows, and by a last look. */
import { beforeEach, describe, expect, it } from "vitest";
import { type FileStore, FileStoreError, type StoredFile } from "../../src/storage/file-store.ts";
import { sweepFiles } from "../../src/storage/file-sweep.ts";
import { systemError } from "../support/failing-files.ts";

let listed: StoredFile[];
/** Ages that differ from those in the list; null: the file is gone. */
let ages: Map<string, number | null>;
let removed: string[];
let unremovable: string[];
let store: FileStore;

const file = (id: string, ageMs: number, isStaged = false): StoredFile => ({ id, ageMs, isStaged });
const remove = async (id: string) => {
  if (unremovable.includes(id)) throw new FileStoreError(id, systemError("EIO", "unlink"));
  removed.push(id);
};

beforeEach(() => {
  [listed, ages, removed, unremovable] = [[], new Map(), [], []];
  store = {
    async *list() {
      yield* listed;
    },
    age: async (id: string) => (ages.has(id) ? ages.get(id) : listed.find((each) => each.id === id)?.ageMs),
    remove,
    removeStaged: (id: string) => remove(`staged ${id}`),
  } as Partial<FileStore> as FileStore;
});

const asked: string[][] = [];
async function sweep(...named: string[]): Promise<number> {
  asked.length = 0;
  const findNamed = async (keys: readonly string[]) => {
    asked.push([...keys]);
    return new Set(named);
  };
  return sweepFiles({ store, findNamed, graceMs: 1_000 });
}

describe("a sweep", () => {
  it("removes old files that no row names, and old staged files", async () => {
    listed = [file("named", 5_000), file("unnamed", 5_000), file("left", 5_000, true)];
    expect(await sweep("named")).toBe(2);
    expect(removed.sort()).toEqual(["staged left", "unnamed"]);
  });

  it("leaves files that are not older than the grace, and asks nothing about them", async () => {
    listed = [file("kept", 1_000), file("staged", 1_000, true), file("old", 1_001), file("abandoned", 1_001, true)];
    expect(await sweep()).toBe(2);
    expect([removed.sort(), asked]).toEqual([["old", "staged abandoned"], [["old"]]]);
  });

  it("leaves files that have been claimed or removed since the rows were read", async () => {
    listed = [file("touched", 5_000), file("gone", 5_000), file("old", 5_000)];
    ages = new Map([
      ["touched", 1_000],
      ["gone", null],
    ]);
    expect(await sweep()).toBe(1);
    expect(removed).toEqual(["old"]);
  });

  it("asks for the rows of 500 files at a time", async () => {
    listed = Array.from({ length: 1_203 }, (_, index) => file(`file ${index}`, 5_000));
    expect(await sweep("file 3", "file 503", "file 1202")).toBe(1_200);
    expect(asked.map(({ length }) => length)).toEqual([500, 500, 203]);
    expect(new Set(asked.flat()).size).toBe(1_203);
  });

  it("tells of files that it could not remove, after it has tried all others", async () => {
    listed = [file("one", 5_000), file("two", 5_000), file("three", 5_000, true)];
    unremovable = ["one", "staged three"];
    await expect(sweep()).rejects.toMatchObject({ name: "FileStoreError", path: expect.stringMatching(/^one|three$/) });
    expect(removed).toEqual(["two"]);
  });

  it("ends with any other error", async () => {
    listed = [file("one", 5_000)];
    store.remove = async () => {
      throw new TypeError("This is a mistake in the code.");
    };
    await expect(sweep()).rejects.toThrow("This is a mistake in the code.");
  });
});
