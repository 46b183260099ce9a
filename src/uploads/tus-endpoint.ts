/**
 * Resumable uploads over HTTP, by the protocol tus 1.0 (https://tus.io/protocols/resumable-upload), at `/uploads`. The
 * library implements the protocol; this file decides who may do what before it reads a body, and gives errors the form
 * that they have everywhere. docs/uploads.md describes it for clients.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { PassThrough } from "node:stream";
import { ReadableStream } from "node:stream/web";
import { Server } from "@tus/server";
import type { Logger } from "pino";
import type { ErrorCode } from "../errors.ts";
import { answerFor } from "../operations/error-answers.ts";
import { isSameOrigin, preflightHeader, preflightHeaders } from "../operations/preflight.ts";
import type { Viewer } from "../viewer.ts";
import { displayName } from "./file-name.ts";
import { lockIdOf, type ResumableUploads } from "./resumable-uploads.ts";
import { TusStore } from "./tus-store.ts";
import { isUploadId, type UploadFolder } from "./upload-folder.ts";
import type { UploadLocks } from "./upload-locks.ts";
import type { RequireRoom } from "./upload-plugin.ts";
import { largestFor, refusal, type UploadRules } from "./upload-rules.ts";

export type TusEndpointOptions = {
  uploads: ResumableUploads;
  folder: UploadFolder;
  locks: UploadLocks;
  lifetimeMs: number;
  rules: UploadRules;
  viewerOf: (request: Pick<Request, "headers">) => Promise<Viewer>;
  requireRoom: RequireRoom;
  logger: Logger;
};

/** A request, for the library's callbacks. */
type Work = {
  viewer: NonNullable<Viewer> | null;
  /** The library's id of the upload: of a new one, or the one that the address names. */
  id: string;
  /** The error that the library has answered. */
  error?: unknown;
};

const root = "/uploads";
const methods = ["OPTIONS", "POST", "HEAD", "PATCH", "DELETE"];

export const isUploadPath = (path: string): boolean => path === root || path.startsWith(`${root}/`);

export class TusEndpoint {
  readonly #options: TusEndpointOptions;
  readonly #tus: Server;
  readonly #works = new WeakMap<object, Work>();

  constructor(options: TusEndpointOptions) {
    this.#options = options;
    const { uploads, rules, requireRoom, locks } = options;
    this.#tus = new Server({
      path: root,
      datastore: new TusStore(options),
      locker: locks,
      // A request that gives way ends at once, with the bytes that it has received.
      lockDrainTimeout: 1,
      relativeLocation: true,
      allowedOrigins: [],
      maxSize: (request) => largestFor(rules, this.#workOf(request).viewer),
      namingFunction: (request) => {
        const work = this.#workOf(request);
        work.id = lockIdOf(uploads.newKey(viewerOf(work)));
        return work.id;
      },
      getFileIdFromRequest: (request) => this.#workOf(request).id,
      generateUrl: (_request, { path, id }) => `${path}/${id.split("/")[1]}`,
      onUploadCreate: async (request, { size = 0, metadata }) => {
        if (size === 0) throw refusal("BAD_USER_INPUT", 400, "An upload has 1 byte or more.");
        await requireRoom(viewerOf(this.#workOf(request)), size);
        return { metadata: { filename: displayName(metadata?.filename ?? "") } };
      },
      onResponseError: (request, error) => {
        this.#workOf(request).error = error;
        return undefined;
      },
    });
  }

  async handle(req: IncomingMessage, res: ServerResponse, requestId: string): Promise<void> {
    const body = new LazyBody(req, res);
    try {
      await this.#serve(req, res, body);
    } catch (error) {
      send(req, res, error, requestId, this.#options.logger);
    } finally {
      body.end();
    }
  }

  async #serve(req: IncomingMessage, res: ServerResponse, body: LazyBody): Promise<void> {
    const { uploads, lifetimeMs } = this.#options;
    const method = req.method ?? "";
    const request = requestOf(req, body);
    const work = await this.#admit(req, request);
    this.#works.set(request, work);
    const response = await this.#tus.handleWeb(request);
    for (const [name, value] of response.headers) {
      if (!name.startsWith("access-control-") && name !== "content-type") res.setHeader(name, value);
    }
    if (response.status >= 400) {
      res.removeHeader("content-length");
      // The client was not told the address, so it cannot resume.
      const isCreated = method === "POST" && work.viewer !== null && work.id !== "";
      if (isCreated) await uploads.remove(work.id.split("/")[1] as string, viewerOf(work));
      throw errorOf(work.error, response.status, await response.text());
    }
    // The library counts from the beginning of the request.
    if (response.headers.has("upload-expires")) {
      res.setHeader("upload-expires", new Date(Date.now() + lifetimeMs).toUTCString());
    }
    res.writeHead(response.status).end();
  }

  /** @throws ApplicationError, before the body is read */
  async #admit(req: IncomingMessage, { headers }: Request): Promise<Work> {
    const { rules, viewerOf } = this.#options;
    const [path = ""] = (req.url ?? "").split("?", 1);
    const method = req.method ?? "";
    if (!methods.includes(method))
      throw refusal("BAD_USER_INPUT", 405, `Uploads have the methods ${methods.join(", ")}.`);
    const own = path.replace(/\/$/, "").slice(root.length + 1);
    if (method === "OPTIONS") return { viewer: null, id: "" };
    if (!isSameOrigin(headers) && !preflightHeaders.some((name) => headers.has(name))) {
      throw refusal("FORBIDDEN", 403, `Send the header ${preflightHeader}: 1.`);
    }
    const viewer = await viewerOf({ headers });
    if (!viewer) throw refusal("UNAUTHENTICATED", 401, "Sign in before you send files.");
    if (method === "POST") {
      if (own !== "") throw refusal("NOT_FOUND", 404, `Uploads are created at ${root}.`);
      if (largestFor(rules, viewer) === 0) throw refusal("FORBIDDEN", 403, "Your role does not allow any files.");
      return { viewer, id: "" };
    }
    if (!isUploadId(own)) throw refusal("NOT_FOUND", 404, noUpload);
    return { viewer, id: lockIdOf({ userId: viewer.id, id: own }) };
  }

  #workOf(request: object): Work {
    const work = this.#works.get(request);
    if (!work) throw new Error("The library has replaced the request.");
    return work;
  }
}

const noUpload = "You have no such upload, or its time is over: create a new one.";

function viewerOf({ viewer }: Work): NonNullable<Viewer> {
  if (!viewer) throw new Error("This request has no viewer.");
  return viewer;
}

const codesByStatus: Record<number, ErrorCode> = {
  403: "FORBIDDEN",
  404: "NOT_FOUND",
  409: "CONFLICT",
  410: "NOT_FOUND",
  413: "PAYLOAD_TOO_LARGE",
};

/** The error of a response of the library. */
function errorOf(error: unknown, status: number, text: string): unknown {
  // The library's own errors are objects.
  if (error instanceof Error && !("status_code" in error)) return error;
  const code = codesByStatus[status] ?? "BAD_USER_INPUT";
  return refusal(code, status, code === "NOT_FOUND" ? noUpload : text.trim());
}

function send(req: IncomingMessage, res: ServerResponse, error: unknown, requestId: string, logger: Logger): void {
  const { message, extensions } = answerFor(error, requestId, logger);
  const { http, ...shown } = extensions as { http?: { status?: number; headers?: Record<string, string> } };
  const status = http?.status ?? 500;
  for (const [name, value] of Object.entries(http?.headers ?? {})) res.setHeader(name, value);
  if (status === 405) res.setHeader("allow", methods.join(", "));
  const text = JSON.stringify({ errors: [{ message, extensions: shown }] });
  res.setHeader("content-type", "application/json");
  res.setHeader("content-length", Buffer.byteLength(text));
  res.setHeader("cache-control", "no-store");
  res.writeHead(status).end(req.method === "HEAD" ? undefined : text);
}

/**
 * The body of a request, which is not read before the library asks for it. Only then is a client that waits for "100
 * Continue" told to send it.
 */
class LazyBody {
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  #pipe: PassThrough | undefined;

  constructor(req: IncomingMessage, res: ServerResponse) {
    this.#req = req;
    this.#res = res;
  }

  async *read(): AsyncGenerator<Uint8Array> {
    const pipe = new PassThrough();
    this.#pipe = pipe;
    const fail = () => this.#req.complete || pipe.destroy(new Error("The connection was lost."));
    this.#req.on("error", fail).on("close", fail);
    if (this.#req.headers.expect !== undefined) this.#res.writeContinue();
    this.#req.pipe(pipe);
    yield* pipe;
  }

  /** Leaves the rest of the body to unread-body.ts. */
  end(): void {
    if (this.#pipe) this.#req.unpipe(this.#pipe);
  }
}

function requestOf(req: IncomingMessage, body: LazyBody): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(req.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  const method = req.method ?? "";
  const hasBody = method === "POST" || method === "PATCH";
  return new Request(new URL(req.url ?? "/", "http://localhost"), {
    method,
    headers,
    ...(hasBody && { body: ReadableStream.from(body.read()) as unknown as BodyInit, duplex: "half" }),
  });
}
