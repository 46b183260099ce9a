/**
 * What a worker's thread does with a document: reads its text, where it has only an original, and cuts it into chunks.
 * It answers rather than throws when nothing can be read, because errors lose their class between threads.
 */
import type { MessagePort } from "node:worker_threads";
import { type ChunkDraft, chunk } from "./document.chunker.ts";
import { type ExtractionLimits, extractText, UnreadableDocumentError } from "./document.extraction.ts";

/** `progress` takes how far the work is, from 0 to 1. */
export type ThreadTask = { mimeType: string; progress: MessagePort } & (
  | { text: string; original?: never }
  | { text: null; original: Uint8Array; limits: ExtractionLimits }
);
/** `text` is what was read from the original, null where the document had its text already. */
export type ThreadAnswer = { chunks: ChunkDraft[]; text: string | null } | { unreadable: string };

// A promise inside a library that nobody awaits would end the thread, and with it a document that the library has
// already refused, or could read. What is awaited below says how the work went.
process.on("unhandledRejection", () => {});

export default async function work(task: ThreadTask): Promise<ThreadAnswer> {
  const report = (share: number) => task.progress.postMessage(share);
  try {
    if (task.text !== null) return { chunks: await chunk(task.text, report), text: null };
    const { buffer, byteOffset, byteLength } = task.original;
    const text = await extractText(Buffer.from(buffer, byteOffset, byteLength), task.mimeType, task.limits);
    return { chunks: await chunk(text, report), text };
  } catch (error) {
    if (error instanceof UnreadableDocumentError) return { unreadable: error.message };
    throw error;
  }
}
