/** The queue of documents: its jobs and their results. */
import type { QueueDefinition } from "../../processing/sql-queue.ts";

/** A document with its text, or with the storage key of its original. */
export type DocumentJob = { mimeType: string } & (
  | { text: string; storageKey: null }
  | { text: null; storageKey: string }
);
/** UTF-8: `chunks` is the JSON for complete_document; `text` is set if it was extracted from an original. */
export type DocumentResult = { chunks: Uint8Array<ArrayBuffer>; text: Uint8Array<ArrayBuffer> | null };

type ClaimedRow = { mime_type: string; text: string | null; storage_key: string | null };

export const documentQueue: QueueDefinition<DocumentJob, DocumentResult> = {
  table: "documents",
  noun: "document",
  jobOf(row) {
    const { mime_type: mimeType, text, storage_key: storageKey } = row as ClaimedRow;
    return storageKey === null ? { mimeType, text: text ?? "", storageKey } : { mimeType, text: null, storageKey };
  },
  completion: {
    placeholders: "$3::text::jsonb, $4::text",
    valuesOf: ({ chunks, text }) => [Buffer.from(chunks.buffer), text && Buffer.from(text.buffer)],
  },
};
