/** Downloads that survive broken connections: what is missing is asked for again. */
import { setTimeout as pause } from "node:timers/promises";
import { GetObjectCommand, type GetObjectCommandOutput } from "@aws-sdk/client-s3";
import type { ByteRange } from "./file-store.ts";
import type { S3Bucket } from "./s3-bucket.ts";
import { storeErrorOf } from "./s3-errors.ts";

/** Broken answers in a row without a byte between them, after which a download fails. */
const maxBreaks = 5;
const pauseMs = 100;

/**
 * The contents of an object, or of a part of it. Objects never change under their key, so a download may be continued
 * with a second request.
 *
 * @throws FileMissingError
 */
export async function* download(bucket: S3Bucket, key: string, range?: ByteRange): AsyncIterable<Uint8Array> {
  let position = range?.start ?? 0;
  let end = range?.end ?? Number.POSITIVE_INFINITY;
  for (let breaks = 0; position < end; breaks++) {
    if (breaks > 0) await pause(pauseMs * 2 ** breaks * Math.random());
    const answer = await request(bucket, key, { start: position, end });
    if (answer === null) return;
    end = Math.min(end, position + answer.length);
    try {
      for await (const piece of answer.body) {
        // Some compatible services send more than was asked for.
        const asked = piece.subarray(0, end - position);
        position += asked.length;
        breaks = 0;
        yield asked;
        if (position >= end) break;
      }
      if (position < end) throw truncated(position, end);
    } catch (error) {
      const failure = storeErrorOf(error, bucket.pathOf(key));
      if (failure === error || breaks >= maxBreaks) throw failure;
    }
  }
}

type Answer = { body: AsyncIterable<Uint8Array>; length: number };

/** Null if the object ends before the range begins. */
async function request(bucket: S3Bucket, key: string, { start, end }: ByteRange): Promise<Answer | null> {
  const isWhole = start === 0 && end === Number.POSITIVE_INFINITY;
  const Range = `bytes=${start}-${end === Number.POSITIVE_INFINITY ? "" : end - 1}`;
  let found: GetObjectCommandOutput;
  try {
    found = await bucket.client.send(new GetObjectCommand({ ...bucket.object(key), ...(isWhole ? {} : { Range }) }));
  } catch (error) {
    if ((error as Error).name === "InvalidRange") return null;
    throw storeErrorOf(error, bucket.pathOf(key), key);
  }
  const { Body, ContentLength, ContentRange } = found;
  const body = Body as (AsyncIterable<Uint8Array> & { destroy(): void }) | undefined;
  const isAsked = isWhole || ContentRange?.startsWith(`bytes ${start}-`);
  if (!body || ContentLength === undefined || !isAsked) {
    body?.destroy();
    const message = `The answer to ${Range} is ${ContentRange ?? "the whole object"}, of ${ContentLength} bytes.`;
    throw storeErrorOf(Object.assign(new Error(message), { code: "InvalidAnswer", $metadata: {} }), bucket.pathOf(key));
  }
  return { body, length: ContentLength };
}

const truncated = (position: number, end: number) =>
  Object.assign(new Error(`The answer ended at byte ${position} of ${end}.`), { code: "Truncated" });
