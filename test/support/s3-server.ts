/**
 * A server that speaks S3, on this machine, with its objects in a temporary folder.
 *
 * ```ts
 * const s3 = await startS3Server();
 * new S3FileStore({ folder, address: parseS3Address(s3.url), credentials: s3.credentials });
 * await s3.makeOld(key, 3_600_000);
 * await s3.stop();
 * ```
 */

import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, truncate, utimes } from "node:fs/promises";
import type { Server as HttpServer, IncomingMessage } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { isSigned } from "./aws-signature.ts";
import { until } from "./until.ts";

export type S3Server = {
  /** The value of STORAGE_URL. */
  url: string;
  port: number;
  credentials: { accessKeyId: string; secretAccessKey: string };
  /** The names of all objects, and of uploads in parts that are under way. */
  contents(): Promise<{ objects: string[]; uploads: string[] }>;
  /** Pretends that the object, or the upload in parts, was made so long ago. */
  makeOld(name: string, ms: number): Promise<void>;
  /** The service loses all but so many bytes of the next object that it receives, and does not notice. */
  truncateNext(bytes: number): void;
  stop(): Promise<void>;
};

type Context = {
  req: IncomingMessage;
  method: string;
  query: Record<string, string>;
  params: object;
  path: string;
  status: number;
  body: unknown;
};
type Middleware = (context: Context, next: () => Promise<void>) => Promise<void>;
/** The parts of s3rver that are used here; it has no types. */
type S3rver = {
  httpServer: HttpServer;
  /** Koa's. */
  middleware: Middleware[];
  store: {
    getObject(
      ...names: unknown[]
    ): Promise<{ range?: object; size: number; content: { destroy(): void } | null } | null>;
    putObject(object: { bucket: string; key: string }): Promise<{ size: number }>;
    putPart(bucket: string, uploadId: string, part: string, ...rest: unknown[]): Promise<{ size: number }>;
    copyObject(...names: unknown[]): Promise<unknown>;
    getResourcePath(bucket: string, key: string | undefined, kind: string): string;
  };
  run(): Promise<AddressInfo>;
  close(): Promise<void>;
};

const bucket = "library";
const credentials = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" };

export async function startS3Server(): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), "lectern-s3-"));
  const Server: new (options: object) => S3rver = createRequire(import.meta.url)("s3rver");
  const server = new Server({
    port: 0,
    address: "127.0.0.1",
    silent: true,
    directory,
    configureBuckets: [{ name: bucket }],
  });
  const objectPath = (name: string) => server.store.getResourcePath(bucket, name, "object");
  const uploadsPath = server.store.getResourcePath(bucket, undefined, "uploads");
  renewOnCopy(server);
  refusePartsOfNothing(server);
  answerWhenWritten(server);
  const truncateNext = truncating(server);
  // Behind the one that writes XML.
  server.middleware.splice(2, 0, requireSignature, requireHash, uploadsOf(uploadsPath));
  const { port } = await server.run();

  const uploads = () => uploadsIn(uploadsPath);
  return {
    url: `s3://${bucket}/files?endpoint=http://127.0.0.1:${port}&pathStyle=true`,
    port,
    credentials,
    async contents() {
      const files = await readdir(join(directory, bucket), { recursive: true });
      const suffix = "._S3rver_object";
      const objects = files.filter((file) => file.endsWith(suffix)).map((file) => file.slice(0, -suffix.length));
      return { objects: objects.sort(), uploads: (await uploads()).map(({ key }) => key).sort() };
    },
    async makeOld(name, ms) {
      const upload = (await uploads()).find(({ key }) => key === name);
      const time = new Date(Date.now() - ms);
      await utimes(upload ? join(uploadsPath, upload.id, "key") : objectPath(name), time, time);
    },
    truncateNext,
    async stop() {
      server.httpServer.closeAllConnections();
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** As Amazon's S3 does, the answer quotes the login. */
const refuse = (context: Context, status: number, Code: string) =>
  Object.assign(context, {
    status,
    body: { Error: { Code, Message: "Refused.", AWSAccessKeyId: credentials.accessKeyId } },
  }) && undefined;

/** s3rver takes requests without a signature, and those of others. */
const requireSignature: Middleware = async (context, next) => {
  if (isSigned(context.req, credentials)) await next();
  else refuse(context, 403, "SignatureDoesNotMatch");
};

/** s3rver takes contents that are not those which were signed. */
const requireHash: Middleware = async (context, next) => {
  const signed = context.req.headers["x-amz-content-sha256"];
  if (context.method !== "PUT" || signed === "UNSIGNED-PAYLOAD") return next();
  const body = await buffer(context.req);
  if (createHash("sha256").update(body).digest("hex") !== signed) {
    return refuse(context, 400, "XAmzContentSHA256Mismatch");
  }
  const { headers } = context.req;
  context.req = Object.assign(Readable.from([body]), { headers }) as unknown as IncomingMessage;
  await next();
};

/** Amazon's S3 makes a new object, also when one is copied onto itself; s3rver leaves its time as it was. */
function renewOnCopy({ store }: S3rver): void {
  const copy = store.copyObject.bind(store);
  store.copyObject = async (...names) => {
    const [, , bucket, key] = names as string[];
    const now = new Date();
    await utimes(store.getResourcePath(bucket as string, key, "object"), now, now);
    return copy(...names);
  };
}

/** s3rver answers while the last bytes are still being written. */
function answerWhenWritten({ store }: S3rver): void {
  const [putObject, putPart] = [store.putObject.bind(store), store.putPart.bind(store)];
  const written = async (path: string, { size }: { size: number }) =>
    until(async () => (await stat(path)).size === size, `${path} has ${size} bytes`);
  store.putObject = async (object) => {
    const result = await putObject(object);
    await written(store.getResourcePath(object.bucket, object.key, "object"), result);
    return result;
  };
  store.putPart = async (bucket, uploadId, part, ...rest) => {
    const result = await putPart(bucket, uploadId, part, ...rest);
    await written(join(store.getResourcePath(bucket, undefined, "uploads"), uploadId, part), result);
    return result;
  };
}

function truncating({ store }: S3rver): (bytes: number) => void {
  const put = store.putObject.bind(store);
  let bytes: number | undefined;
  store.putObject = async (object) => {
    const result = await put(object);
    if (bytes !== undefined) await truncate(store.getResourcePath(object.bucket, object.key, "object"), bytes);
    bytes = undefined;
    return result;
  };
  return (next) => {
    bytes = next;
  };
}

/** No part of an empty object can be read; s3rver promises a byte and never sends it. */
function refusePartsOfNothing({ store }: S3rver): void {
  const get = store.getObject.bind(store);
  store.getObject = async (...names) => {
    const object = await get(...names);
    if (!object?.range || object.size > 0) return object;
    object.content?.destroy();
    object.content = null;
    return object;
  };
}

type Upload = { id: string; key: string; begun: Date };

async function uploadsIn(folder: string): Promise<Upload[]> {
  const ids = await readdir(folder).catch(() => []);
  return Promise.all(
    ids.map(async (id) => {
      const path = join(folder, id, "key");
      return { id, key: await readFile(path, "utf8"), begun: (await stat(path)).mtime };
    }),
  );
}

/** The list of uploads in parts, and their end: s3rver has them in a folder, but no requests for them. */
const uploadsOf =
  (folder: string): Middleware =>
  async (context, next) => {
    const { uploads, uploadId, prefix = "" } = context.query;
    if (context.method === "DELETE" && uploadId !== undefined) {
      await rm(join(folder, uploadId), { recursive: true });
      context.status = 204;
    } else if (context.method === "GET" && uploads !== undefined) {
      const found = (await uploadsIn(folder)).filter(({ key }) => key.startsWith(prefix));
      context.body = {
        ListMultipartUploadsResult: {
          "@": { xmlns: "http://doc.s3.amazonaws.com/2006-03-01/" },
          IsTruncated: false,
          Upload: found.map(({ id, key, begun }) => ({ Key: key, UploadId: id, Initiated: begun.toISOString() })),
        },
      };
    } else {
      await next();
    }
  };
