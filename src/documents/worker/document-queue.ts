/** Documents as a queue: what a worker is handed, and what it hands back. */
import type { QueueDefinition } from "../../processing/sql-queue.ts";

/** A document with its text, or with the key of the original that holds it. */
export type DocumentJob = { mimeType: string } & (
  | { text: string; storageKey: null }
  | { text: null; storageKey: string }
);
/** In UTF-8: `chunks` as the JSON that complete_document takes, `text` where it was read from an original. */
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
