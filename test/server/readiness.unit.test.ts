/** Readiness by what a server needs: both kinds of connections to the database, and a store that accepts files. */
import { describe, expect, it } from "vitest";
import { readinessOf } from "../../src/server/readiness.ts";
import { FileStoreError } from "../../src/storage/file-store.ts";
import { silent } from "../support/logs.ts";

const works = async () => {};
const fails = async () => {
  throw new Error("It is away.");
};
const full = async () => {
  throw new FileStoreError("staged", Object.assign(new Error("full"), { code: "ENOSPC" }));
};

describe("a server", () => {
  it.each([
    ["that has all it needs is ready", works, works, works, { isReady: true }],
    ["without connections for reads is not ready", fails, works, works, { isReady: false }],
    ["without connections for writes is not ready", works, fails, works, { isReady: false }],
    [
      "without room for files is not ready, and says why",
      works,
      works,
      full,
      { isReady: false, files: "INSUFFICIENT_STORAGE" },
    ],
    [
      "without a database and without room for files says the latter",
      fails,
      fails,
      full,
      { isReady: false, files: "INSUFFICIENT_STORAGE" },
    ],
  ])("%s", async (_case, read, query, requireUsable, expected) => {
    const parts = { reads: { read }, database: { pool: { query } }, files: { requireUsable }, logger: silent };
    expect(await readinessOf(parts as never)()).toEqual(expected);
  });
});
