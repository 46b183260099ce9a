/**
 * Sends a body in pieces, at the speed of the client: the next piece is read when the previous one has left, so a slow
 * client holds one piece in memory, however long the body is.
 */
import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { FileMissingError } from "../storage/file-store.ts";

export type Body = {
  /** For error messages. */
  key: string;
  pieces: AsyncIterable<Uint8Array>;
  sizeBytes: number;
};

/**
 * Ends when the body is sent, or the connection is closed; the source is closed then.
 *
 * @param begin sends status and headers. Called after the first piece was read, so a missing file can still be refused
 * @param stallMs time after which a client that takes nothing is dropped
 * @throws FileMissingError and the errors of the source; once the response has begun, they also destroy the connection
 */
export async function sendPieces(
  res: ServerResponse,
  { key, pieces, sizeBytes }: Body,
  begin: () => void,
  stallMs: number,
): Promise<void> {
  const iterator = pieces[Symbol.asyncIterator]();
  try {
    const first = await iterator.next();
    if (first.done && sizeBytes > 0) throw new FileMissingError(key);
    if (res.destroyed) return;
    begin();
    res.setTimeout(stallMs, () => res.destroy());
    await pipeline(exactly(sizeBytes, key, first, iterator), res);
  } catch (error) {
    if (!isAborted(error)) throw error;
  } finally {
    // A generator that was never resumed has not closed its source.
    await iterator.return?.();
  }
}

/** With fewer bytes than announced, the client would wait for the rest; with more, it would take them for a response. */
async function* exactly(
  sizeBytes: number,
  key: string,
  first: IteratorResult<Uint8Array>,
  rest: AsyncIterator<Uint8Array>,
): AsyncIterable<Uint8Array> {
  let sent = 0;
  for (let piece = first; !piece.done; piece = await rest.next()) {
    sent += piece.value.length;
    if (sent > sizeBytes) break;
    yield piece.value;
  }
  if (sent !== sizeBytes) throw new Error(`The file ${key} does not have the ${sizeBytes} bytes that were announced.`);
}

/** The client or the shutdown has closed the connection. */
const isAborted = (error: unknown) => (error as NodeJS.ErrnoException).code === "ERR_STREAM_PREMATURE_CLOSE";
