/**
 * Files in a bucket of S3 or a compatible service:
 *
 *   DATA_DIR/files/staged/<id>    on the local disk: being received, or received and not yet kept
 *   s3://bucket/prefix<key>       kept
 *
 * Servers and workers need not share a disk. Keys are new for each file, and objects never change.
 */
import { randomUUID } from "node:crypto";
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import {
  type ByteRange,
  FileMissingError,
  type FilePoint,
  type FileStore,
  isKey,
  type PresignedUrlOptions,
  type StagedFile,
  type StoredFile,
} from "./file-store.ts";
import { S3Bucket, type S3BucketOptions } from "./s3-bucket.ts";
import { download } from "./s3-download.ts";
import { askS3, isMissing } from "./s3-errors.ts";
import { S3Uploads } from "./s3-upload.ts";
import { Staging } from "./staging.ts";

export type S3FileStoreOptions = S3BucketOptions & {
  /** For staged files. */
  folder: string;
  /** Age from which on `touch` resets the age of a file. */
  touchAfterMs?: number;
  partBytes?: number;
  /** Called at each point of a file's life. */
  probe?: (point: FilePoint) => void;
};

const trialBytes = 1_024;

export class S3FileStore implements FileStore {
  /** A check is two requests, one of which is billed. */
  readonly usableMs = 10_000;
  readonly #bucket: S3Bucket;
  readonly #staging: Staging;
  readonly #uploads: S3Uploads;
  readonly #touchAfterMs: number;
  readonly #probe: (point: FilePoint) => void;

  constructor({ folder, touchAfterMs = 60_000, partBytes, probe, ...options }: S3FileStoreOptions) {
    this.#probe = probe ?? (() => {});
    this.#bucket = new S3Bucket(options);
    this.#staging = new Staging({ folder, probe: this.#probe });
    this.#uploads = new S3Uploads({
      bucket: this.#bucket,
      staging: this.#staging,
      ...(partBytes === undefined ? {} : { partBytes }),
    });
    this.#touchAfterMs = touchAfterMs;
  }

  stage(source: AsyncIterable<Uint8Array>, file: { name: string; maxBytes: number }): Promise<StagedFile> {
    return this.#staging.stage(source, file);
  }

  stageWritten(file: { name: string; maxBytes: number }, write: (path: string) => Promise<unknown>) {
    return this.#staging.stageWritten(file, write);
  }

  readStaged({ id }: StagedFile): Promise<Buffer<ArrayBuffer>> {
    return this.#staging.read(id);
  }

  discard({ id }: StagedFile): Promise<void> {
    return this.#staging.remove(id);
  }

  withStagedFile<Result>({ id }: StagedFile, use: (path: string) => Promise<Result>): Promise<Result> {
    return this.#staging.withFile(id, use);
  }

  async keep(file: StagedFile, key: string = randomUUID()): Promise<string> {
    await this.#uploads.send(file, key);
    this.#probe("after_rename");
    // The sweep removes the file if this fails.
    await this.#staging.remove(file.id).catch(() => {});
    return key;
  }

  async read(key: string): Promise<Buffer<ArrayBuffer>> {
    const pieces = await Array.fromAsync(this.pieces(key));
    const size = pieces.reduce((sum, { length }) => sum + length, 0);
    // Memory of its own, not a part of a pool: callers may transfer it to a thread.
    const contents = Buffer.allocUnsafeSlow(size);
    let position = 0;
    for (const piece of pieces) {
      contents.set(piece, position);
      position += piece.length;
    }
    return contents;
  }

  pieces(key: string, range?: ByteRange): AsyncIterable<Uint8Array> {
    return download(this.#bucket, key, range);
  }

  async withLocalFile<Result>(key: string, use: (path: string) => Promise<Result>): Promise<Result> {
    return this.#staging.withTemporaryFile(this.pieces(key), use);
  }

  /**
   * The age of an object is reset by copying it onto itself, which costs a request and time by its size. So a file that
   * was just kept, as nearly all are, stays as it is: it is young enough for the rest of its operation.
   */
  async touch(key: string): Promise<void> {
    const found = await this.#bucket.find(key);
    if (found === null) throw new FileMissingError(key);
    if (found.ageMs < this.#touchAfterMs) return;
    const object = this.#bucket.object(key);
    const source = encodeURI(`${object.Bucket}/${object.Key}`);
    const copy = new CopyObjectCommand({ ...object, CopySource: source, MetadataDirective: "REPLACE" });
    await askS3(this.#bucket.pathOf(key), () => this.#bucket.client.send(copy), key);
  }

  async age(key: string): Promise<number | null> {
    return (await this.#bucket.find(key))?.ageMs ?? null;
  }

  async size(key: string): Promise<number | null> {
    return (await this.#bucket.find(key))?.sizeBytes ?? null;
  }

  async remove(key: string): Promise<void> {
    this.#probe("before_unlink");
    const deletion = new DeleteObjectCommand(this.#bucket.object(key));
    await this.#bucket.ask(async () => {
      try {
        await this.#bucket.client.send(deletion);
      } catch (error) {
        // Some compatible services say so.
        if (!isMissing(error)) throw error;
      }
    }, key);
    this.#probe("after_unlink");
  }

  /** An upload in parts that a crash has left is listed as a staged file. */
  async *list(): AsyncIterable<StoredFile> {
    yield* this.#staging.list();
    for await (const { key, ageMs } of this.#uploads.incomplete()) yield { id: key, isStaged: true, ageMs };
    const { client, name: Bucket, prefix: Prefix } = this.#bucket;
    const pages = paginateListObjectsV2({ client }, { Bucket, Prefix })[Symbol.asyncIterator]();
    for (;;) {
      const { value: page, done } = await this.#bucket.ask(() => pages.next());
      if (done) return;
      for (const { Key = "", LastModified } of page.Contents ?? []) {
        const id = Key.slice(Prefix.length);
        // Other programs' objects are ignored.
        if (isKey(id)) yield { id, isStaged: false, ageMs: this.#bucket.ageOf(LastModified) };
      }
    }
  }

  async presignedUrl(key: string, { expiresSeconds, mimeType, disposition }: PresignedUrlOptions): Promise<string> {
    const request = new GetObjectCommand({
      ...this.#bucket.object(key),
      ResponseContentType: mimeType,
      ResponseContentDisposition: disposition,
    });
    return this.#bucket.ask(() => getSignedUrl(this.#bucket.client, request, { expiresIn: expiresSeconds }), key);
  }

  async removeStaged(id: string): Promise<void> {
    await this.#staging.remove(id);
    await this.#uploads.abort(id);
  }

  async requireUsable(): Promise<void> {
    await this.#staging.requireUsable();
    // A name like that of a file, so that the sweep removes the object if the process ends here.
    const key = randomUUID();
    const object = this.#bucket.object(key);
    await this.#bucket.ask(async () => {
      await this.#bucket.client.send(new PutObjectCommand({ ...object, Body: new Uint8Array(trialBytes) }));
      await this.#bucket.client.send(new DeleteObjectCommand(object));
    }, key);
  }

  /** Closes idle connections. */
  close(): void {
    this.#bucket.close();
  }
}
