/**
 * Runs on a worker's thread: extracts a document's text from its original, if there is one, and splits it into chunks.
 * Unreadable originals are a result, not an error, because errors lose their class between threads.
 */
import type { MessagePort } from "node:worker_threads";
import { move, transferableSymbol, valueSymbol } from "piscina";
import { type ExtractionLimits, extractText, UnreadableDocumentError } from "../reading/extraction.ts";
import { type ChunkDraft, chunk } from "./chunker.ts";

/** `progress` takes numbers from 0 to 1. */
export type ThreadTask = { mimeType: string; progress: MessagePort } & (
  | { text: string; original?: never }
  | { text: null; original: Uint8Array; limits: ExtractionLimits }
);
/**
 * `chunks` is the JSON of `ChunkDraft[]`. `text` was extracted from the original; null if the document already had its
 * text. Both are UTF-8 bytes, which are transferred between threads; strings would be copied.
 */
export type ThreadAnswer =
  | { chunks: Uint8Array<ArrayBuffer>; text: Uint8Array<ArrayBuffer> | null }
  | { unreadable: string };

// An unhandled rejection inside a library would end the thread, even if the library has read the document. The awaited
// promises below determine the outcome.
process.on("unhandledRejection", () => {});

export default async function work(task: ThreadTask): Promise<ThreadAnswer | Moved> {
  const report = (share: number) => task.progress.postMessage(share);
  try {
    if (task.text !== null) return handOver(await encode(chunk(task.text, report)), null);
    const { buffer, byteOffset, byteLength } = task.original;
    const text = await extractText(Buffer.from(buffer, byteOffset, byteLength), task.mimeType, task.limits);
    return handOver(await encode(chunk(text, report)), new TextEncoder().encode(text));
  } catch (error) {
    if (error instanceof UnreadableDocumentError) return { unreadable: error.message };
    throw error;
  }
}

/** Number of chunks that are encoded together. */
const batchSize = 200;

/** Encodes JSON in batches: objects and one string of all chunks would need several times the memory. */
async function encode(chunks: AsyncIterable<ChunkDraft>): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Buffer[] = [];
  let batch: string[] = [];
  const encodeBatch = () => {
    parts.push(Buffer.from(batch.join("")));
    batch = [];
  };
  for await (const draft of chunks) {
    batch.push(parts.length + batch.length === 0 ? "[" : ",", JSON.stringify(draft));
    if (batch.length >= 2 * batchSize) encodeBatch();
  }
  batch.push(parts.length + batch.length === 0 ? "[]" : "]");
  encodeBatch();
  // Not in Node's shared pool, so that the buffer can be transferred.
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** Piscina unpacks what is moved: its caller gets a ThreadAnswer, too. */
type Moved = ReturnType<typeof move>;

function handOver(chunks: Uint8Array<ArrayBuffer>, text: Uint8Array<ArrayBuffer> | null): Moved {
  const answer = { chunks, text };
  const transferList = text ? [chunks.buffer, text.buffer] : [chunks.buffer];
  return move({ [valueSymbol]: answer, [transferableSymbol]: transferList });
}
