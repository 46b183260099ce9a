/** Relations of audio. All readers of the library see all audio. */
import type { WorkStatus } from "../database/generated/prisma/enums.ts";
import { tables } from "../database/generated/tables.ts";
import { relations } from "../database/relations.ts";
import { type Columns, join, raw, type Sql, sql } from "../eager-loading/sql.ts";
import { foldedMatch } from "../search/folded-text.ts";

export type AudioFilter = {
  search?: string | null;
  status?: readonly WorkStatus[] | null;
  categoryId?: string | null;
  eventId?: string | null;
  uploadedById?: string | null;
};

function audioFilter(filter: AudioFilter, audio: Columns): Sql | undefined {
  const { search, status, categoryId, eventId, uploadedById } = filter;
  const conditions = [
    ...(search ? [foldedMatch(audio.wordsFolded as Sql, search) ?? raw("true")] : []),
    ...(status ? [sql`${audio.status} = any(${status}::work_status[])`] : []),
    ...(categoryId ? [sql`${audio.categoryId} = ${categoryId}::uuid`] : []),
    ...(eventId ? [sql`${audio.eventId} = ${eventId}::uuid`] : []),
    ...(uploadedById ? [sql`${audio.uploadedById} = ${uploadedById}::uuid`] : []),
  ];
  return conditions.length === 0 ? undefined : join(conditions, " and ");
}

const pages = {
  table: tables.Audio,
  orders: { UPLOADED_AT: ["uploadedAt"], TITLE: ["title"], DURATION: ["durationMs"] },
  defaultOrder: { field: "UPLOADED_AT", direction: "DESC" },
  filter: audioFilter,
} as const;

export const audioById = relations.one({ name: "AudioById", table: tables.Audio, key: "id" });

export const allAudio = relations.page({ name: "AllAudio", ...pages });

export const audioByUploader = relations.page({ name: "AudioByUploader", key: "uploadedById", ...pages });

export const audioByCategory = relations.page({ name: "AudioByCategory", key: "categoryId", ...pages });

export const audioByEvent = relations.page({ name: "AudioByEvent", key: "eventId", ...pages });

export const audioPeaks = relations.column({ name: "AudioPeaks", table: tables.Audio, key: "id", column: "peaks" });
