/** The rules of documents, without a database: a repository in memory and a unit of work that does nothing. */
import { describe, expect, it } from "vitest";
import type { WorkStatus } from "../../src/database/generated/prisma/enums.ts";
import type { DocumentRow } from "../../src/database/generated/tables.ts";
import type { DocumentRepository, NewDocument } from "../../src/documents/document.repository.ts";
import { DocumentService, type DocumentServiceParts } from "../../src/documents/document.service.ts";
import type { FileReader } from "../../src/documents/reading/file-reader.ts";
import { type FileReading, readFile } from "../../src/documents/reading/read-file.ts";
import type { ApplicationError } from "../../src/errors.ts";
import { FileMissingError, StagedFile } from "../../src/storage/file-store.ts";
import type { Viewer } from "../../src/viewer.ts";

class DocumentsInMemory implements DocumentRepository {
  readonly rows = new Map<string, DocumentRow>();
  readonly originals = new Map<string, string | null>();
  /** Of the documents that were created, in order. */
  readonly texts: (Buffer | null)[] = [];
  /** What was written, in order. */
  readonly writes: string[] = [];

  async createUnlessPresent({ text, storageKey, ...document }: NewDocument) {
    if (await this.findByHash(document.ownerId, document.sha256)) return null;
    this.texts.push(text);
    const now = new Date(0);
    const row: DocumentRow = {
      ...document,
      id: `document-${this.rows.size + 1}`,
      status: "PENDING",
      version: 1,
      failure: null,
      generation: 0,
      attempts: 0,
      progress: 0,
      claimedBy: null,
      leaseUntil: null,
      nextAttemptAt: now,
      createdAt: now,
      updatedAt: now,
      processedAt: null,
    };
    this.rows.set(row.id, row);
    this.originals.set(row.id, storageKey);
    this.writes.push(`create ${row.id}`);
    return row;
  }

  async findByHash(ownerId: string, sha256: string) {
    return [...this.rows.values()].find((row) => row.ownerId === ownerId && row.sha256 === sha256) ?? null;
  }

  async hasOriginal(id: string, storageKey: string) {
    return this.originals.get(id) === storageKey;
  }

  async lock(id: string) {
    const row = this.rows.get(id);
    return row ? Object.assign(row, { claimToken: null }) : null;
  }

  async update(id: string, changes: Partial<DocumentRow>) {
    this.writes.push(`update ${id}`);
    const row = this.rows.get(id) as DocumentRow;
    return Object.assign(row, changes, { version: row.version + 1 });
  }

  async delete(id: string) {
    this.writes.push(`delete ${id}`);
    this.rows.delete(id);
  }

  async makePending(id: string) {
    return this.update(id, { status: "PENDING" });
  }
}

/** As much of a file store as the service uses, and a reader that needs no thread. */
class FilesInMemory implements FileReader {
  readonly kept = new Map<string, Uint8Array>();
  readonly #staged = new Map<string, Uint8Array>();

  staged(name: string, bytes: Uint8Array): StagedFile {
    const id = `file-${this.#staged.size + 1}`;
    this.#staged.set(id, bytes);
    return new StagedFile({ id, name, sizeBytes: bytes.length, sha256: `hash of ${id}`, head: bytes });
  }

  async read({ id, name }: StagedFile) {
    return (await readFile({ name, bytes: this.#staged.get(id) as Uint8Array, isWhole: true })) as FileReading;
  }

  async keep({ id }: StagedFile) {
    const key = `key-${this.kept.size + 1}`;
    this.kept.set(key, this.#staged.get(id) as Uint8Array);
    return key;
  }

  async touch(key: string) {
    if (!this.kept.has(key)) throw new FileMissingError(key);
  }

  async remove(key: string) {
    this.kept.delete(key);
  }

  async discard({ id }: StagedFile) {
    this.#staged.delete(id);
  }

  /** Uploads of everybody by their ids. */
  readonly uploads = new Map<string, Uint8Array>();
  readonly removedUploads: string[] = [];

  async stage(uploadId: string) {
    return this.staged(uploadId, this.uploads.get(uploadId) as Uint8Array);
  }

  get stagedCount(): number {
    return this.#staged.size;
  }
}

const maxBytes = 100_000;
const ada: Viewer = { id: "ada", role: "VIEWER", sessionId: "a session" };
const bob: Viewer = { id: "bob", role: "EDITOR", sessionId: "a session" };
const admin: Viewer = { id: "root", role: "ADMIN", sessionId: "a session" };

function setUp() {
  const documents = new DocumentsInMemory();
  const files = new FilesInMemory();
  const afterCommit: (() => unknown)[] = [];
  const uow: DocumentServiceParts["uow"] = {
    documents,
    prepare: (_label, make) => make(),
    afterCommit: (effect) => void afterCommit.push(effect),
    afterEnd: () => {},
  };
  const uploads = {
    stage: (uploadId: string) => files.stage(uploadId),
    remove: async (uploadId: string, viewer: Viewer) => void files.removedUploads.push(`${viewer?.id} ${uploadId}`),
  };
  const serviceOf = (viewer: Viewer) => new DocumentService({ uow, files, uploads, reader: files, viewer, maxBytes });
  return { documents, files, afterCommit, serviceOf };
}

async function withDocument(changes: Partial<DocumentRow> = {}) {
  const { documents, serviceOf } = setUp();
  const { document } = await serviceOf(ada).create({ source: { text: "# A title\n\nWords." } });
  Object.assign(document, changes);
  documents.writes.length = 0;
  return { documents, serviceOf, document };
}

const refusal = (work: Promise<unknown>) =>
  work.then(
    () => {
      throw new Error("This was expected to be refused.");
    },
    ({ code, details }: ApplicationError) => ({ code, ...details }),
  );

describe("a new document", () => {
  it("belongs to who made it, is PRIVATE, and is called by its first heading", async () => {
    const { document } = await withDocument();
    expect(document).toMatchObject({
      ownerId: "ada",
      title: "A title",
      visibility: "PRIVATE",
      mimeType: "text/plain",
      sizeBytes: 17n,
    });
  });

  it("with the same bytes is the one that its owner has; another owner's is another", async () => {
    const { documents, serviceOf } = setUp();
    const input = { source: { text: "The same." } };
    const first = await serviceOf(ada).create(input);
    const again = await serviceOf(ada).create({ ...input, title: "Called otherwise", visibility: "SHARED" });
    const others = await serviceOf(bob).create(input);
    expect([first.isDuplicate, again.isDuplicate, others.isDuplicate]).toEqual([false, true, false]);
    expect(again.document).toBe(first.document);
    expect(first.document).toMatchObject({ title: "The same.", visibility: "PRIVATE" });
    expect(documents.writes).toEqual(["create document-1", "create document-2"]);
  });

  it("that was there and is gone a moment later is a CONFLICT", async () => {
    const { documents, serviceOf } = setUp();
    documents.createUnlessPresent = async () => null;
    expect(await refusal(serviceOf(ada).create({ source: { text: "Gone." } }))).toEqual({ code: "CONFLICT" });
  });

  it("from a file keeps the original first, and lets it go after the commit when it was not needed", async () => {
    const { documents, files, afterCommit, serviceOf } = setUp();
    const page = files.staged("page.html", Buffer.from("<title>A page</title><p>Words."));
    const first = await serviceOf(ada).create({ source: { file: page } });
    expect(first.document).toMatchObject({ title: "A page", mimeType: "text/html" });
    expect([...files.kept.keys()]).toEqual([documents.originals.get(first.document.id)]);
    expect(afterCommit).toEqual([]);
    const again = await serviceOf(ada).create({ source: { file: page } });
    expect(again).toEqual({ document: first.document, isDuplicate: true });
    expect([files.kept.size, afterCommit.length]).toEqual([2, 1]);
    await afterCommit[0]?.();
    expect([...files.kept.keys()]).toEqual([documents.originals.get(first.document.id)]);
  });

  it("from a resumable upload removes it after the commit, and its staged copy at once", async () => {
    const { files, afterCommit, serviceOf } = setUp();
    files.uploads.set("upload-1", Buffer.from("<title>A page</title><p>Words."));
    files.uploads.set("upload-2", Buffer.concat([Buffer.from("GIF89a"), Buffer.alloc(1_000)]));
    const { document } = await serviceOf(ada).create({ source: { uploadId: "upload-1" } });
    expect([document.title, files.stagedCount, files.removedUploads]).toEqual(["A page", 0, []]);
    for (const effect of afterCommit.splice(0)) await effect();
    expect(files.removedUploads).toEqual(["ada upload-1"]);
    expect(await refusal(serviceOf(ada).create({ source: { uploadId: "upload-2" } }))).toMatchObject({
      code: "UNSUPPORTED_MEDIA_TYPE",
      inputPath: ["input", "source", "uploadId"],
    });
    expect([files.stagedCount, afterCommit]).toEqual([0, []]);
    expect(await refusal(serviceOf(null).prepareCreate({ source: { uploadId: "upload-1" } }))).toMatchObject({
      code: "UNAUTHENTICATED",
    });
  });

  it("from a file that was swept before it was read, kept or touched is refused, and may be sent again", async () => {
    for (const step of ["read", "keep", "touch"] as const) {
      const { files, serviceOf } = setUp();
      const file = files.staged("page.html", Buffer.from("<title>A page</title><p>Words."));
      const swept = async () => {
        throw new FileMissingError(file.id);
      };
      Object.assign(files, { [step]: swept });
      expect(await refusal(serviceOf(ada).create({ source: { file } }))).toEqual({ code: "TRANSACTION_TIMEOUT" });
    }
  });

  it("of a text file is read from its bytes: far from the start as well, and without the mark", async () => {
    const { documents, files, serviceOf } = setUp();
    const late = files.staged("late.txt", Buffer.from(`${" ".repeat(40_000)}Words.`));
    expect((await serviceOf(ada).create({ source: { file: late } })).document.title).toBe("late");
    const heading = `\ufeff# Trăm năm\n\n${"đ".repeat(20_000)}`;
    const marked = files.staged("marked.md", Buffer.from(heading));
    expect((await serviceOf(ada).create({ source: { file: marked } })).document.title).toBe("Trăm năm");
    expect(documents.texts.map((text) => text?.toString())).toEqual([`${" ".repeat(40_000)}Words.`, heading.slice(1)]);
  });

  it("is what it must be, or nothing is written", async () => {
    const { documents, files, serviceOf } = setUp();
    const { create } = { create: (text: string) => refusal(serviceOf(ada).create({ source: { text } })) };
    const inputPath = ["input", "source", "text"];
    expect(await create(" \n")).toEqual({ code: "BAD_USER_INPUT", inputPath });
    expect(await create("A\0B")).toEqual({ code: "BAD_USER_INPUT", inputPath });
    expect(await create("A\ud800B")).toEqual({ code: "BAD_USER_INPUT", inputPath });
    expect(await create("x".repeat(maxBytes + 1))).toEqual({ code: "PAYLOAD_TOO_LARGE", inputPath });
    const spaces = (end: string) => files.staged("a.txt", Buffer.from(" ".repeat(40_000) + end));
    const blank = await refusal(serviceOf(ada).create({ source: { file: spaces("\n") } }));
    expect(blank).toEqual({ code: "BAD_USER_INPUT", inputPath: ["input", "source", "file"] });
    const large = files.staged("a.txt", Buffer.alloc(maxBytes + 1, "x"));
    expect(await refusal(serviceOf(ada).create({ source: { file: large } }))).toEqual({
      code: "PAYLOAD_TOO_LARGE",
      inputPath: ["input", "source", "file"],
    });
    const file = files.staged("a.txt", Uint8Array.of(0xff));
    expect(await refusal(serviceOf(ada).create({ source: { file } }))).toEqual({
      code: "UNSUPPORTED_MEDIA_TYPE",
      inputPath: ["input", "source", "file"],
    });
    expect(await refusal(serviceOf(null).create({ source: { text: "A stranger's." } }))).toEqual({
      code: "UNAUTHENTICATED",
    });
    expect(documents.writes).toEqual([]);
  });
});

describe("a change", () => {
  it("of another version than the one that was seen is a CONFLICT, and writes nothing", async () => {
    const { documents, serviceOf, document } = await withDocument({ version: 7, status: "COMPLETED" });
    const conflict = { code: "CONFLICT", inputPath: ["input", "expectedVersion"], currentVersion: 7 };
    const seen = { id: document.id, expectedVersion: 6 };
    expect(await refusal(serviceOf(ada).update({ ...seen, title: "New" }))).toEqual(conflict);
    expect(await refusal(serviceOf(ada).update(seen))).toEqual(conflict);
    expect(await refusal(serviceOf(ada).delete(seen))).toEqual(conflict);
    expect(await refusal(serviceOf(ada).reprocess(seen))).toEqual(conflict);
    expect(documents.writes).toEqual([]);
  });

  it("of the version that was seen happens once", async () => {
    const { documents, serviceOf, document } = await withDocument();
    const change = { id: document.id, expectedVersion: 1, title: " New " };
    expect(await serviceOf(ada).update(change)).toMatchObject({ title: "New", version: 2 });
    expect(await refusal(serviceOf(ada).update(change))).toMatchObject({ code: "CONFLICT", currentVersion: 2 });
    expect(documents.writes).toEqual([`update ${document.id}`]);
  });

  it("that changes nothing writes nothing", async () => {
    const { documents, serviceOf, document } = await withDocument();
    expect(await serviceOf(ada).update({ id: document.id, expectedVersion: 1 })).toBe(document);
    expect(documents.writes).toEqual([]);
  });

  it("is its owner's and the admins'; to others it is FORBIDDEN, or of nothing that exists", async () => {
    const { documents, serviceOf, document } = await withDocument();
    const { id } = document;
    const notFound = { code: "NOT_FOUND", inputPath: ["input", "id"] };
    expect(await refusal(serviceOf(bob).delete({ id }))).toEqual(notFound);
    expect(await refusal(serviceOf(bob).delete({ id: "none" }))).toEqual(notFound);
    expect(await refusal(serviceOf(null).delete({ id }))).toEqual({ code: "UNAUTHENTICATED" });
    document.visibility = "SHARED";
    expect(await refusal(serviceOf(bob).delete({ id, expectedVersion: 99 }))).toEqual({ code: "FORBIDDEN" });
    expect(documents.writes).toEqual([]);
    document.visibility = "PRIVATE";
    await serviceOf(admin).delete({ id });
    expect(documents.writes).toEqual([`delete ${id}`]);
  });
});

describe("processing again", () => {
  it.each<WorkStatus>(["PENDING", "PROCESSING"])("is not for a %s document", async (status) => {
    const { documents, serviceOf, document } = await withDocument({ status });
    expect(await refusal(serviceOf(ada).reprocess({ id: document.id }))).toEqual({
      code: "INVALID_STATE",
      inputPath: ["input", "id"],
    });
    expect(documents.writes).toEqual([]);
  });

  it.each<WorkStatus>(["COMPLETED", "FAILED"])("is for a %s document", async (status) => {
    const { serviceOf, document } = await withDocument({ status });
    expect(await serviceOf(ada).reprocess({ id: document.id })).toMatchObject({ status: "PENDING" });
  });
});
