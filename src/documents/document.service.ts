/** The rules of documents: permissions, valid input, duplicates and versions. */
import type { Visibility } from "../database/generated/prisma/enums.ts";
import type { DocumentRow } from "../database/generated/tables.ts";
import { ApplicationError, badInput, findStaleness } from "../errors.ts";
import { withHolder } from "../processing/holder.ts";
import { requireShortText } from "../short-text.ts";
import { type FileStore, requireThere } from "../storage/file-store.ts";
import type { UnitOfWork } from "../unit-of-work/unit-of-work.ts";
import {
  type FileSource,
  type FileSourceParts,
  removeUploadAfterCommit,
  sourceLabel,
  withSourceFile,
} from "../uploads/file-source.ts";
import { isAdmin, type Viewer } from "../viewer.ts";
import type { DocumentRepository, LockedDocument } from "./document.repository.ts";
import { isDocumentVisible } from "./document.visibility.ts";
import { contentOfFile, contentOfText, type DocumentContent } from "./reading/content.ts";
import type { FileReader } from "./reading/file-reader.ts";

export type DocumentSource = FileSource & { text?: string | null };
export type CreateDocument = {
  source: DocumentSource;
  title?: string | null;
  visibility?: Visibility | null;
};
export type UpdateDocument = {
  id: string;
  expectedVersion: number;
  title?: string | null;
  visibility?: Visibility | null;
};
export type ExistingDocument = { id: string; expectedVersion?: number | null };

export type DocumentServiceParts = Pick<FileSourceParts, "uploads" | "maxBytes"> & {
  uow: Pick<UnitOfWork, "prepare" | "afterCommit" | "afterEnd"> & { documents: DocumentRepository };
  files: Pick<FileStore, "keep" | "touch" | "remove" | "discard">;
  reader: FileReader;
  viewer: Viewer;
};

export class DocumentService {
  readonly #parts: DocumentServiceParts;

  constructor(parts: DocumentServiceParts) {
    this.#parts = parts;
  }

  /** Creates a document, or returns the owner's document with the same bytes. */
  async create(input: CreateDocument): Promise<{ document: DocumentRow; isDuplicate: boolean }> {
    const { uow, files } = this.#parts;
    const viewer = this.#requireViewer();
    const title = input.title == null ? undefined : requireTitle(input.title);
    const content = await this.#contentOf(input.source, viewer);
    removeUploadAfterCommit(input.source, { ...this.#parts, viewer });
    const document = {
      ...content,
      ownerId: viewer.id,
      title: title ?? content.title,
      visibility: input.visibility ?? ("PRIVATE" as const),
    };
    const created = await uow.documents.createUnlessPresent(document);
    const { storageKey } = content;
    if (created) {
      if (storageKey !== null) await requireThere(files.touch(storageKey));
      return { document: created, isDuplicate: false };
    }
    const present = await uow.documents.findByHash(viewer.id, content.sha256);
    // Deleted between the two statements.
    if (!present) throw new ApplicationError("CONFLICT", "The same document was deleted meanwhile: retry.");
    // Another field of this operation may have used the same file. Otherwise its kept copy is not needed.
    if (storageKey !== null && !(await uow.documents.hasOriginal(present.id, storageKey))) {
      uow.afterCommit(() => files.remove(storageKey));
    }
    return { document: present, isDuplicate: true };
  }

  /** Slow part of `create`: runs once, before the transaction. */
  async prepareCreate({ source }: CreateDocument): Promise<void> {
    const viewer = this.#requireViewer();
    if (source.file || source.uploadId) await this.#contentOf(source, viewer);
  }

  #contentOf(source: DocumentSource, viewer: NonNullable<Viewer>): Promise<DocumentContent> | DocumentContent {
    const { uow, files, maxBytes } = this.#parts;
    if (!source.file && !source.uploadId) {
      return contentOfText(source.text ?? "", maxBytes, ["input", "source", "text"]);
    }
    // The text is prepared once for all attempts, so its memory is held until the last one has ended.
    const hold = (release: () => void) => uow.afterEnd(release);
    return uow.prepare(
      `content of ${sourceLabel(source)}`,
      () =>
        withSourceFile(source, { ...this.#parts, viewer }, (file, inputPath) =>
          requireThere(contentOfFile(file, { ...this.#parts, hold }, inputPath)),
        ),
      ({ storageKey }) => storageKey === null || files.remove(storageKey),
    );
  }

  async update({ id, expectedVersion, title, visibility }: UpdateDocument): Promise<DocumentRow> {
    const changes = {
      ...(title === undefined ? {} : { title: requireTitle(title) }),
      ...(visibility === undefined ? {} : { visibility: requireVisibility(visibility) }),
    };
    const document = await this.#lockOwn(id, expectedVersion);
    return Object.keys(changes).length === 0 ? document : this.#parts.uow.documents.update(id, changes);
  }

  async delete({ id, expectedVersion }: ExistingDocument): Promise<void> {
    await this.#lockOwn(id, expectedVersion);
    await this.#parts.uow.documents.delete(id);
  }

  async reprocess({ id, expectedVersion }: ExistingDocument): Promise<DocumentRow> {
    const document = await this.#lockOwn(id, expectedVersion);
    const { status } = document;
    // Stricter than the database, which allows PROCESSING → PENDING for expired leases.
    if (status !== "COMPLETED" && status !== "FAILED") {
      const message = `A ${status} document cannot be processed again: wait until it is COMPLETED or FAILED.`;
      throw withHolder(
        "document",
        document,
        new ApplicationError("INVALID_STATE", message, { inputPath: ["input", "id"] }),
      );
    }
    return this.#parts.uow.documents.makePending(id);
  }

  /** Locks the document, and checks that the viewer may change it and has read its current version. */
  async #lockOwn(id: string, expectedVersion: number | null | undefined): Promise<LockedDocument> {
    const viewer = this.#requireViewer();
    const document = await this.#parts.uow.documents.lock(id);
    if (!document || !isDocumentVisible(viewer, document)) {
      throw new ApplicationError("NOT_FOUND", "The document does not exist.", { inputPath: ["input", "id"] });
    }
    if (document.ownerId !== viewer.id && !isAdmin(viewer))
      throw new ApplicationError("FORBIDDEN", "Only its owner may change a document.");
    const stale = findStaleness("Document", document, expectedVersion);
    if (stale) throw withHolder("document", document, stale);
    return document;
  }

  #requireViewer(): NonNullable<Viewer> {
    const { viewer } = this.#parts;
    if (!viewer) throw new ApplicationError("UNAUTHENTICATED", "Sign in first.");
    return viewer;
  }
}

const requireTitle = (title: string | null) => requireShortText(title, { field: "title", longest: 500 });

function requireVisibility(visibility: Visibility | null): Visibility {
  if (visibility === null) throw badInput(["input", "visibility"], "A document is always PRIVATE or SHARED.");
  return visibility;
}
