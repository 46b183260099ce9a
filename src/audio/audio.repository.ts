/** Writes audio. */
import { type AudioRow, tables } from "../database/generated/tables.ts";
import { isIllegalMove, isReferenced } from "../database/sql-errors.ts";
import { selectList, sql } from "../eager-loading/sql.ts";
import { ApplicationError } from "../errors.ts";
import type { UnitOfWork } from "../unit-of-work/unit-of-work.ts";

/** A file in the store. `sha256` is of the bytes that were sent. */
export type AudioFile = {
  storageKey: string;
  mimeType: string;
  sizeBytes: bigint;
  sha256: string;
  /** Where another audio has the same name, a counter is added. */
  filename: string;
};
export type AudioDetails = {
  title: string;
  artist: string | null;
  album: string | null;
  categoryId: string | null;
  eventId: string | null;
};
export type NewAudio = AudioFile & AudioDetails & { uploadedById: string };

/** With the token of the current claim, if any. */
export type LockedAudio = AudioRow & { claimToken: string | null };

export interface AudioRepository {
  /** Returns null if the same bytes were sent before. */
  createUnlessPresent(audio: NewAudio): Promise<AudioRow | null>;
  /** Whether there is an audio of these bytes. Reads without a transaction before one has begun. */
  isPresent(sha256: string): Promise<boolean>;
  /** The audio of these bytes, as they were sent or as they are now. */
  findByHash(sha256: string): Promise<AudioRow | null>;
  /** Whether the audio's file has this storage key. */
  hasFile(id: string, storageKey: string): Promise<boolean>;
  /** Locks the audio until the unit of work ends. Returns null if it does not exist. */
  lock(id: string): Promise<LockedAudio | null>;
  update(id: string, changes: Partial<AudioDetails>): Promise<AudioRow>;
  /** Makes it PENDING with another file. */
  replaceFile(id: string, file: AudioFile): Promise<AudioRow>;
  /** @throws ApplicationError INVALID_STATE if a playlist contains it */
  delete(id: string): Promise<void>;
  /** @throws ApplicationError INVALID_STATE if its status does not allow it */
  makePending(id: string): Promise<AudioRow>;
  categoryExists(id: string): Promise<boolean>;
  eventExists(id: string): Promise<boolean>;
}

export function audioRepository(uow: UnitOfWork): AudioRepository {
  return {
    async createUnlessPresent({ sha256, ...audio }) {
      const { title, artist, album, categoryId, eventId, uploadedById, filename, mimeType, sizeBytes, storageKey } =
        audio;
      const [created] = await uow.write(sql`
        insert into audio as t (title, artist, album, category_id, event_id, uploaded_by_id, filename, mime_type,
                                size_bytes, sha256, sent_sha256, storage_key)
        values (${title}, ${artist}, ${album}, ${categoryId}::uuid, ${eventId}::uuid, ${uploadedById}::uuid,
                ${filename}, ${mimeType}, ${sizeBytes}, ${sha256}, ${sha256}, ${storageKey})
        on conflict (sent_sha256) do nothing
        returning ${selectList(tables.Audio, "t")}`);
      return (created as AudioRow | undefined) ?? null;
    },

    async isPresent(sha256) {
      const found = sql`select 1 from audio where sent_sha256 = ${sha256} or sha256 = ${sha256} limit 1`;
      return (await uow.reader.read(found)).length > 0;
    },

    async findByHash(sha256) {
      const prisma = await uow.transaction();
      return prisma.audio.findFirst({ where: { OR: [{ sentSha256: sha256 }, { sha256 }] } });
    },

    async hasFile(id, storageKey) {
      const prisma = await uow.transaction();
      return (await prisma.audio.count({ where: { id, storageKey } })) > 0;
    },

    async lock(id) {
      const prisma = await uow.transaction();
      await prisma.$queryRaw`select 1 from audio where id = ${id}::uuid for update`;
      return prisma.audio.findUnique({ where: { id }, omit: { claimToken: false } });
    },

    async update(id, changes) {
      const prisma = await uow.transaction();
      return prisma.audio.update({ where: { id }, data: changes });
    },

    async replaceFile(id, { sha256, ...file }) {
      const prisma = await uow.transaction();
      return prisma.audio.update({ where: { id }, data: { ...file, sha256, sentSha256: sha256, status: "PENDING" } });
    },

    async delete(id) {
      const prisma = await uow.transaction();
      try {
        await prisma.audio.delete({ where: { id } });
      } catch (error) {
        if (!isReferenced(error)) throw error;
        const message = "Playlists contain the audio: remove its tracks first, or set removeFromPlaylists.";
        throw new ApplicationError("INVALID_STATE", message, { inputPath: ["input", "id"] }, error);
      }
    },

    async makePending(id) {
      const prisma = await uow.transaction();
      try {
        return await prisma.audio.update({ where: { id }, data: { status: "PENDING" } });
      } catch (error) {
        if (!isIllegalMove(error)) throw error;
        throw new ApplicationError(
          "INVALID_STATE",
          "Only a COMPLETED or FAILED audio can be processed again.",
          {},
          error,
        );
      }
    },

    async categoryExists(id) {
      return (await uow.reader.read(sql`select 1 from categories where id = ${id}::uuid`)).length > 0;
    },

    async eventExists(id) {
      return (await uow.reader.read(sql`select 1 from events where id = ${id}::uuid`)).length > 0;
    },
  };
}
