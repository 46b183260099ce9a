/**
 * What a worker's thread does with a document: reads its text, where it has only an original, and cuts it into chunks.
 * It answers rather than throws when nothing can be read, because errors lose their class between threads.
 */
import type { MessagePort } from "node:worker_threads";
import { move, transferableSymbol, valueSymbol } from "piscina";
import { type ExtractionLimits, extractText, UnreadableDocumentError } from "../reading/extraction.ts";
import { type ChunkDraft, chunk } from "./chunker.ts";

/** `progress` takes how far the work is, from 0 to 1. */
export type ThreadTask = { mimeType: string; progress: MessagePort } & (
  | { text: string; original?: never }
  | { text: null; original: Uint8Array; limits: ExtractionLimits }
);
/**
 * `chunks` is the JSON of `ChunkDraft[]`. `text` is what was read from the original, null where the document had its
 * text already. Both are UTF-8: bytes change hands between threads, where strings would be copied.
 */
export type ThreadAnswer =
  | { chunks: Uint8Array<ArrayBuffer>; text: Uint8Array<ArrayBuffer> | null }
  | { unreadable: string };

// A promise inside a library that nobody awaits would end the thread, and with it a document that the library has
// already refused, or could read. What is awaited below says how the work went.
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

/** Chunks that are encoded at once. */
const batchSize = 200;

/** As JSON, a few at a time: all chunks together, as objects and then as one string, take several times as much. */
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
  // In a buffer of its own, which can change hands.
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
