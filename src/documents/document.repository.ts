/** Writes documents. */
import type { Visibility } from "../database/generated/prisma/enums.ts";
import { type DocumentRow, tables } from "../database/generated/tables.ts";
import { isIllegalMove } from "../database/sql-errors.ts";
import { selectList, sql } from "../eager-loading/sql.ts";
import { ApplicationError } from "../errors.ts";
import type { UnitOfWork } from "../unit-of-work/unit-of-work.ts";

export type NewDocument = {
  ownerId: string;
  title: string;
  visibility: Visibility;
  mimeType: string;
  sizeBytes: bigint;
  sha256: string;
  /** UTF-8. Null until it is extracted from the original. */
  text: Buffer | null;
  /** Storage key of the original; null if there is none. */
  storageKey: string | null;
};

/** With the token of the current claim, if any. */
export type LockedDocument = DocumentRow & { claimToken: string | null };

export interface DocumentRepository {
  /** Returns null if the owner already has a document with the same bytes. */
  createUnlessPresent(document: NewDocument): Promise<DocumentRow | null>;
  findByHash(ownerId: string, sha256: string): Promise<DocumentRow | null>;
  /** Whether the document's original has this storage key. */
  hasOriginal(id: string, storageKey: string): Promise<boolean>;
  /** Locks the document until the unit of work ends. Returns null if it does not exist. */
  lock(id: string): Promise<LockedDocument | null>;
  update(id: string, changes: { title?: string; visibility?: Visibility }): Promise<DocumentRow>;
  delete(id: string): Promise<void>;
  /** @throws ApplicationError INVALID_STATE if its status does not allow it */
  makePending(id: string): Promise<DocumentRow>;
}

export function documentRepository(uow: UnitOfWork): DocumentRepository {
  return {
    // SQL, because Prisma would hold several copies of a long text.
    async createUnlessPresent({ ownerId, title, visibility, mimeType, sizeBytes, sha256, text, storageKey }) {
      const [created] = await uow.write(sql`
        insert into documents as t (owner_id, title, visibility, mime_type, size_bytes, sha256, text, storage_key)
        values (${ownerId}::uuid, ${title}, ${visibility}::visibility, ${mimeType}, ${sizeBytes}, ${sha256},
                ${text}::text, ${storageKey})
        on conflict (owner_id, sha256) do nothing
        returning ${selectList(tables.Document, "t")}`);
      return (created as DocumentRow | undefined) ?? null;
    },

    async findByHash(ownerId, sha256) {
      const prisma = await uow.transaction();
      return prisma.document.findUnique({ where: { ownerId_sha256: { ownerId, sha256 } } });
    },

    async hasOriginal(id, storageKey) {
      const prisma = await uow.transaction();
      return (await prisma.document.count({ where: { id, storageKey } })) > 0;
    },

    async lock(id) {
      const prisma = await uow.transaction();
      await prisma.$queryRaw`select 1 from documents where id = ${id}::uuid for update`;
      return prisma.document.findUnique({ where: { id }, omit: { claimToken: false } });
    },

    async update(id, changes) {
      const prisma = await uow.transaction();
      return prisma.document.update({ where: { id }, data: changes });
    },

    async delete(id) {
      const prisma = await uow.transaction();
      await prisma.document.delete({ where: { id } });
    },

    async makePending(id) {
      const prisma = await uow.transaction();
      try {
        return await prisma.document.update({ where: { id }, data: { status: "PENDING" } });
      } catch (error) {
        if (!isIllegalMove(error)) throw error;
        throw new ApplicationError(
          "INVALID_STATE",
          "Only a COMPLETED or FAILED document can be processed again.",
          {},
          error,
        );
      }
    },
  };
}
