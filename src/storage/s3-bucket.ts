/** The objects of a file store in a bucket: names, requests with retries and timeouts, and the service's clock. */
import { HeadBucketCommand, HeadObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { requireKey } from "./file-store.ts";
import type { S3Address } from "./s3-address.ts";
import { askS3, isMissing } from "./s3-errors.ts";

export type S3Credentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string };

export type S3BucketOptions = {
  address: S3Address;
  /** Undefined: those that the machine has by its role or profile. */
  credentials?: S3Credentials;
  /** Attempts of a request. */
  attempts?: number;
  /** Silence after which a request counts as failed. */
  silenceMs?: number;
};

export type S3Object = { sizeBytes: number; ageMs: number };

/** Timeout of an attempt, until the answer begins. A part of an upload is the longest. */
const attemptMs = 60_000;
const connectMs = 3_000;

export class S3Bucket {
  readonly client: S3Client;
  readonly name: string;
  readonly prefix: string;
  /** By how much the service's clock is ahead, since the ages of files are measured by it. */
  #clockAheadMs = 0;

  constructor({ address, credentials, attempts = 4, silenceMs = 10_000 }: S3BucketOptions) {
    const { bucket, prefix, region, endpoint, isPathStyle } = address;
    this.name = bucket;
    this.prefix = prefix;
    // Paused downloads occupy connections, and further requests must not wait for them.
    const agent = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, maxFreeSockets: 50 };
    this.client = new S3Client({
      region,
      ...(endpoint ? { endpoint } : {}),
      forcePathStyle: isPathStyle,
      ...(credentials ? { credentials } : {}),
      // Repeats failed requests after random pauses that grow.
      maxAttempts: attempts,
      retryMode: "standard",
      // Compatible services do not know the newer checksums. The hash in each signature protects uploads everywhere.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      requestHandler: {
        connectionTimeout: connectMs,
        requestTimeout: attemptMs,
        throwOnRequestTimeout: true,
        socketTimeout: silenceMs,
        httpAgent: agent,
        httpsAgent: agent,
      },
    });
    this.client.middlewareStack.add(
      (next) => async (request) => {
        const result = await next(request);
        const { headers } = result.response as { headers?: Record<string, string> };
        const date = Date.parse(headers?.date ?? "");
        if (!Number.isNaN(date)) this.#clockAheadMs = date - Date.now();
        return result;
      },
      { step: "deserialize", name: "readClock" },
    );
  }

  /** The parameters of a request about an object. */
  object(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.name, Key: `${this.prefix}${requireKey(key)}` };
  }

  /** For the log. */
  pathOf(key = ""): string {
    return `s3://${this.name}/${this.prefix}${key}`;
  }

  /**
   * Runs requests and converts their errors.
   *
   * @param key of the object, for the log
   */
  ask<Result>(work: () => Promise<Result>, key?: string): Promise<Result> {
    return askS3(this.pathOf(key), work);
  }

  ageOf(lastModified: Date | undefined): number {
    // Both times are rounded to seconds.
    return Math.max(0, Date.now() + this.#clockAheadMs - (lastModified?.getTime() ?? 0));
  }

  /** Null if there is no such object. @throws FileStoreError, also if there is no such bucket */
  async find(key: string): Promise<S3Object | null> {
    return this.ask(async () => {
      try {
        const found = await this.client.send(new HeadObjectCommand(this.object(key)));
        return { sizeBytes: found.ContentLength ?? 0, ageMs: this.ageOf(found.LastModified) };
      } catch (error) {
        if (!isMissing(error)) throw error;
        // This answer has no body that would say whether the object is missing or the whole bucket.
        await this.client.send(new HeadBucketCommand({ Bucket: this.name }));
        return null;
      }
    }, key);
  }

  close(): void {
    this.client.destroy();
  }
}
