/** Files and the rows that name them, as `doctor` compares them. */
import { createHash, randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Reader } from "../../src/eager-loading/reader.ts";
import { fileColumnsOf } from "../../src/slice.ts";
import { slices } from "../../src/slices.ts";
import { LocalFileStore } from "../../src/storage/local-file-store.ts";
import { type FileColumn, findFileFaults } from "../../src/storage/named-files.ts";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { addDocument, addDocuments, addUser } from "../support/rows.ts";

let database: TestDatabase;
let store: LocalFileStore;
const [column] = fileColumnsOf(slices) as [FileColumn];
const reader: Reader = { read: ({ text, values }) => database.query(text, values as unknown[]) };

beforeAll(async () => {
  database = await freshDatabase();
  store = new LocalFileStore({ folder: database.dataDir });
  await addUser(database);
});
beforeEach(() => database.query("delete from documents"));
afterAll(() => database.drop());

/** A document that says of its file what is said here, while the file has these contents. */
async function addFile(contents: string, said = contents): Promise<{ id: string; storageKey: string }> {
  const source = async function* () {
    yield Buffer.from(contents);
  };
  const storageKey = await store.keep(await store.stage(source(), { name: "a.txt", maxBytes: 1_000 }));
  const id = await addDocument(database, { storageKey, sizeBytes: Buffer.byteLength(said) });
  const sha256 = createHash("sha256").update(said).digest("hex");
  await database.query("update documents set sha256 = $2 where id = $1", [id, sha256]);
  return { id, storageKey };
}

describe("doctor's look at the files", () => {
  it("tells a file that was changed, also when it has the same size or begins alike", async () => {
    const faults = async () => {
      const { missing, changed, unreadable } = await findFileFaults(column, reader, store);
      return { missing, changed: changed.sort(), unreadable };
    };
    await addFile("Nobody has changed this.");
    expect(await faults()).toEqual({ missing: [], changed: [], unreadable: [] });
    const that = await addFile("Nobody has chanced that.", "Nobody has changed that.");
    expect(await faults()).toEqual({ missing: [], changed: [that.id], unreadable: [] });
    const those = await addFile("Nobody has changed those, or so it seems.", "Nobody has changed those");
    const changed = [that.id, those.id].sort();
    expect(await faults()).toEqual({ missing: [], changed, unreadable: [] });
    const gone = await addFile("Somebody has removed this.");
    await store.remove(gone.storageKey);
    expect(await faults()).toEqual({ missing: [gone.id], changed, unreadable: [] });
  });

  it("goes on behind the first rows that it reads", async () => {
    const ids = await addDocuments(
      database,
      Array.from({ length: 501 }, () => ({ storageKey: randomUUID() })),
    );
    const { missing, ...others } = await findFileFaults(column, reader, store);
    expect(missing.sort()).toEqual(ids.sort());
    expect(others).toEqual({ changed: [], unreadable: [] });
  });
});
