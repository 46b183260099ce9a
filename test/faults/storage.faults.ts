import type { Fault } from "./fault.ts";

const store = ["test/storage/local-file-store.test.ts"];
const named = ["test/storage/named-files.test.ts"];

export const faults: Fault[] = [
  {
    name: "the sweep does not look at a file's age a second time",
    file: "src/storage/file-sweep.ts",
    replace: {
      "else if (((await store.age(id)) ?? 0) > graceMs) await store.remove(id); else continue;":
        "else await store.remove(id);",
    },
    tests: store,
  },
  {
    name: "the sweep counts a file that is gone by then",
    file: "src/storage/file-sweep.ts",
    replace: {
      "((await store.age(id)) ?? 0) > graceMs": "((await store.age(id)) ?? Number.POSITIVE_INFINITY) > graceMs",
    },
    tests: store,
  },
  {
    name: "a changed file of the same size is not noticed",
    file: "src/storage/named-files.ts",
    replace: {
      "found !== Number(size) || (await hashOf(files, key)) !== sha256": "found !== Number(size)",
      "async function hashOf": "export async function hashOf",
      "sha256 } of rows": "} of rows",
    },
    tests: named,
  },
  {
    name: "only the beginning of a file is compared",
    file: "src/storage/named-files.ts",
    replace: {
      "found !== Number(size) || (await": "found < Number(size) || (await",
      "hash.update(piece);": "hash.update(piece.subarray(0, 24));",
    },
    tests: named,
  },
  {
    name: "a missing file counts as changed",
    file: "src/storage/named-files.ts",
    replace: { "if (found === null) faults.missing++;": "if (found === null) faults.changed++;" },
    tests: named,
  },
  {
    name: "files are compared for the first rows only",
    file: "src/storage/named-files.ts",
    replace: { "if (rows.length < batchSize) return faults;": "if (rows.length <= batchSize) return faults;" },
    tests: named,
  },
];
