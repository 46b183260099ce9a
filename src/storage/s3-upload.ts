/** Uploads of staged files: whole ones when they are small, in parts when they are large. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { isKey, type StagedFile } from "./file-store.ts";
import type { S3Bucket } from "./s3-bucket.ts";
import { storeErrorOf } from "./s3-errors.ts";
import type { Staging } from "./staging.ts";

export type S3UploadsOptions = {
  bucket: S3Bucket;
  staging: Staging;
  /**
   * Larger files are sent in parts of this size; default: the smallest that S3 takes. The hash of a part occupies the
   * event loop, so larger parts would hold up other requests.
   */
  partBytes?: number;
};

/** Parts of one file that are sent concurrently; each is in memory. */
const concurrentParts = 4;
/** Timeout of an upload. Only older ones can be leftovers. */
const limitMs = 600_000;

export type IncompleteUpload = { key: string; uploadId: string; ageMs: number };

export class S3Uploads {
  readonly #bucket: S3Bucket;
  readonly #staging: Staging;
  readonly #partBytes: number;

  constructor({ bucket, staging, partBytes = 5_242_880 }: S3UploadsOptions) {
    this.#bucket = bucket;
    this.#staging = staging;
    this.#partBytes = partBytes;
  }

  /**
   * Uploads a staged file as an object of its own, whose name no other upload has. So a request whose answer was lost
   * can be repeated, and an object of the right size is the file.
   *
   * @throws FileMissingError if the staged file has been swept
   */
  async send(file: StagedFile, key: string): Promise<void> {
    let failure: unknown;
    try {
      await this.#send(file, key);
    } catch (error) {
      failure = storeErrorOf(error, this.#bucket.pathOf(key));
    }
    try {
      // Also after a success: not every service checks that it has received everything. After a failure, the object may
      // be there: the answer to the last request may have been lost.
      const found = await this.#bucket.find(key);
      if (found?.sizeBytes === file.sizeBytes) return;
      failure ??= storeErrorOf(incomplete(file.sizeBytes, found?.sizeBytes), this.#bucket.pathOf(key));
    } catch (error) {
      failure ??= error;
    }
    // The key is not returned, so no row will name the object. The sweep removes it if this fails.
    await this.#bucket.client.send(new DeleteObjectCommand(this.#bucket.object(key))).catch(() => {});
    throw failure;
  }

  async #send(file: StagedFile, key: string): Promise<void> {
    const { sizeBytes, sha256 } = file;
    const source = Readable.from(unchanged(this.#staging.pieces(file.id), sha256));
    // The checksum of an upload in parts would be another one.
    const checksum =
      sizeBytes <= this.#partBytes ? { ChecksumSHA256: Buffer.from(sha256, "hex").toString("base64") } : {};
    const abortController = new AbortController();
    const timer = setTimeout(() => abortController.abort(), limitMs);
    try {
      const upload = new Upload({
        client: this.#bucket.client,
        params: { ...this.#bucket.object(key), Body: source, ContentLength: sizeBytes, ...checksum },
        partSize: this.#partBytes,
        queueSize: concurrentParts,
        abortController,
      });
      await upload.done();
    } finally {
      clearTimeout(timer);
      source.destroy();
    }
  }

  /** Uploads in parts that a crash has left. Their parts cost money until they are aborted. */
  async *incomplete(namePrefix = this.#bucket.prefix): AsyncIterable<IncompleteUpload> {
    const { name: Bucket, prefix, client } = this.#bucket;
    let next: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
    while (next) {
      const found: ListMultipartUploadsCommandOutput | null = await this.#bucket.ask(() =>
        client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: namePrefix, ...next })).catch(orUnsupported),
      );
      for (const { Key = "", UploadId, Initiated } of found?.Uploads ?? []) {
        const key = Key.slice(prefix.length);
        if (!isKey(key) || UploadId === undefined) continue;
        yield { key, uploadId: UploadId, ageMs: this.#bucket.ageOf(Initiated) - limitMs };
      }
      const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = found ?? {};
      next =
        IsTruncated && NextKeyMarker
          ? { KeyMarker: NextKeyMarker, UploadIdMarker: NextUploadIdMarker ?? "" }
          : undefined;
    }
  }

  async abort(key: string): Promise<void> {
    const object = this.#bucket.object(key);
    for await (const { key: found, uploadId, ageMs } of this.incomplete(object.Key)) {
      if (found !== key || ageMs < 0) continue;
      const abortion = new AbortMultipartUploadCommand({ ...object, UploadId: uploadId });
      await this.#bucket.ask(() => this.#bucket.client.send(abortion).catch(orGone), key);
    }
  }
}

/** Some compatible services have no list of uploads; they remove old ones by themselves, or have none. */
function orUnsupported(error: Error): null {
  if (["NotImplemented", "MethodNotAllowed"].includes(error.name)) return null;
  throw error;
}

function orGone(error: Error): null {
  if (error.name === "NoSuchUpload") return null;
  throw error;
}

/** The pieces, if they still have the hash with which they were staged. */
async function* unchanged(pieces: AsyncIterable<Uint8Array>, sha256: string): AsyncIterable<Uint8Array> {
  const hash = createHash("sha256");
  for await (const piece of pieces) {
    hash.update(piece);
    yield piece;
  }
  if (hash.digest("hex") === sha256) return;
  throw Object.assign(new Error("The staged file has changed."), { code: "Changed", $metadata: {} });
}

const incomplete = (sent: number, found = 0) =>
  Object.assign(new Error(`Of ${sent} bytes, the service has kept ${found}.`), { code: "Truncated" });
