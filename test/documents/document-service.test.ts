/** The rules of documents by themselves: no database, no GraphQL, no disk. */
import { describe, expect, it } from "vitest";
import type { DocumentRow } from "../../src/database/generated/tables.ts";
import type { DocumentRepository, NewDocument } from "../../src/documents/document.repository.ts";
import { DocumentService } from "../../src/documents/document.service.ts";
import { StaleVersionError } from "../../src/errors.ts";
import type { Viewer } from "../../src/users/viewer.ts";

const ada: Viewer = { id: "ada", role: "VIEWER", sessionId: "s" };

/** As much of a library as the rules can tell from the real one. */
function libraryInMemory() {
  const rows = new Map<string, DocumentRow>();
  const calls: string[] = [];
  const documents: Partial<DocumentRepository> = {
    async createUnlessPresent(document: NewDocument) {
      calls.push("createUnlessPresent");
      const isPresent = [...rows.values()].some(
        ({ ownerId, sha256 }) => ownerId === document.ownerId && sha256 === document.sha256,
      );
      if (isPresent) return null;
      const { text: _, ...row } = document;
      const created = { ...row, id: `document ${rows.size}`, version: 1, status: "PENDING" } as unknown as DocumentRow;
      rows.set(created.id, created);
      return created;
    },
    async findByHash(ownerId, sha256) {
      return [...rows.values()].find((row) => row.ownerId === ownerId && row.sha256 === sha256) ?? null;
    },
    async lock(id) {
      calls.push("lock");
      return rows.get(id) ?? null;
    },
    async update(id, changes) {
      calls.push("update");
      const row = { ...(rows.get(id) as DocumentRow), ...changes };
      rows.set(id, { ...row, version: row.version + 1 });
      return rows.get(id) as DocumentRow;
    },
  };
  const uow = {
    documents: documents as DocumentRepository,
    prepare: <Result>(_label: string, make: () => Promise<Result>) => make(),
  };
  const as = (viewer: Viewer) => new DocumentService({ uow, viewer, maxBytes: 100 });
  return { rows, calls, as };
}

describe("the rule that the same bytes of one owner are one document", () => {
  it("holds per owner", async () => {
    const { as, rows } = libraryInMemory();
    const first = await as(ada).create({ source: { text: "Same." } });
    const again = await as(ada).create({ source: { text: "Same." }, title: "Another title" });
    const others = await as({ ...ada, id: "bob" }).create({ source: { text: "Same." } });
    expect([first.isDuplicate, again.isDuplicate, others.isDuplicate]).toEqual([false, true, false]);
    expect(again.document).toBe(first.document);
    expect(rows.size).toBe(2);
  });
});

describe("the rule that a change needs the version that was seen", () => {
  it("looks at the row under its lock, and writes nothing when it is another", async () => {
    const { as, calls } = libraryInMemory();
    const { document } = await as(ada).create({ source: { text: "Versions." } });
    await as(ada).update({ id: document.id, expectedVersion: 1, title: "Two" });
    calls.length = 0;
    const late = as(ada).update({ id: document.id, expectedVersion: 1, title: "Late" });
    await expect(late).rejects.toBeInstanceOf(StaleVersionError);
    await expect(late).rejects.toMatchObject({ code: "CONFLICT", details: { currentVersion: 2 } });
    expect(calls).toEqual(["lock"]);
  });
});
