import type { Fault } from "./fault.ts";

const tests = ["test/storage-usage/storage-usage.test.ts"];

export const faults: Fault[] = [
  {
    name: "the limit of the settings does not reach the ledger",
    file: "src/storage-usage/storage-usage.slice.ts",
    replace: { "if (ledger?.limit === limit) return;": "if (ledger) return;" },
    tests,
  },
  {
    name: "a file without room is received before it is refused",
    file: "src/storage-usage/storage-usage.slice.ts",
    replace: { "requireRoom: (_viewer, bytes) => requireRoom(reads, bytes),": "requireRoom: async () => {}," },
    tests,
  },
];
