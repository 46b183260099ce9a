/** The HTTP server: request ids, body limits, load shedding, health checks, graceful shutdown. */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Logger } from "pino";
import type { DownloadHandler } from "../downloads/download-handler.ts";
import { type ErrorCode, secondsToWait, tooBusy, UserError } from "../errors.ts";
import { answerFor } from "../operations/error-answers.ts";
import { isUploadPath, type TusEndpoint } from "../uploads/tus-endpoint.ts";
import { isMultipart } from "../uploads/upload-plugin.ts";
import type { GraphQLServer } from "./graphql-server.ts";
import type { LoadGuard } from "./load-guard.ts";
import type { Readiness } from "./readiness.ts";
import { limitSlowness } from "./slow-body.ts";
import { hasBody, isClosing, settleUnreadBody } from "./unread-body.ts";
import { refuse as refuseUpgrade } from "./websocket-server.ts";

export type HttpServerOptions = {
  graphql: GraphQLServer;
  serveFile: DownloadHandler;
  /** Resumable uploads. */
  uploads: Pick<TusEndpoint, "handle">;
  host: string;
  port: number;
  /** Use the next free port if this one is in use. */
  mayMovePort: boolean;
  maxBodyBytes: { json: number; upload: number };
  load: Pick<LoadGuard, "refusesNext">;
  ready: () => Promise<Readiness>;
  /** Subscriptions would not end by themselves during a shutdown. */
  endSubscriptions: () => Promise<void>;
  logger: Logger;
};

export type HttpServer = { port: number; stop(): Promise<void> };

/** Time for which pending requests may continue after a stop. */
const graceMs = 10_000;

export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { logger } = options;
  let isStopping = false;
  const server = createServer();
  const pending = new Set<ServerResponse>();
  const serve = (req: IncomingMessage, res: ServerResponse) => {
    if (isClosing(req)) return;
    pending.add(res);
    res.once("close", () => {
      pending.delete(res);
      // For responses whose headers were sent before the stop.
      if (isStopping) req.socket.end();
    });
    if (isStopping) res.shouldKeepAlive = false;
    route(req, res, options, () => isStopping).catch((error) => {
      // Without the query, which may hold the signature of an address.
      logger.error({ err: error, url: pathOf(req) }, "a request failed outside GraphQL");
      if (!res.headersSent) answer(res, 500, { status: "error" });
      else if (!res.writableEnded) res.destroy();
    });
  };
  server.on("request", serve);
  // Without this listener, Node would answer "100 Continue" even if the body is too large.
  server.on("checkContinue", serve);
  // Connections without any request yet. Clients open some in advance, and Node does not count them as idle.
  const silent = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    silent.add(socket);
    socket.once("close", () => silent.delete(socket));
  });
  server.on("request", ({ socket }) => silent.delete(socket));
  server.on("upgrade", (req, socket, head) => {
    if (pathOf(req) !== "/graphql") refuseUpgrade(socket, "404 Not Found");
    else if (isStopping || options.load.refusesNext()) refuseUpgrade(socket, "503 Service Unavailable");
    else options.graphql.upgrade(req, socket, head);
  });
  server.headersTimeout = 10_000;
  // Longer than the usual 60 s of clients and proxies: if the server closed first, it could lose a request that is
  // being sent.
  server.keepAliveTimeout = 65_000;
  // slow-body.ts, because a file may take longer than a text.
  server.requestTimeout = 0;
  const port = await listen(server, options);
  return {
    port,
    async stop() {
      isStopping = true;
      const closed = new Promise<void>((done) => server.close(() => done()));
      // First the WebSockets, so that clients receive the close code that tells them to reconnect.
      await options.graphql.closeWebSockets();
      await options.endSubscriptions();
      server.closeIdleConnections();
      // Otherwise their connections would stay open after the response, and the stop would wait for them.
      for (const res of pending) res.shouldKeepAlive = false;
      for (const socket of silent) socket.destroy();
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

async function route(
  req: IncomingMessage,
  res: ServerResponse,
  { graphql, serveFile, uploads, maxBodyBytes, load, ready, logger }: HttpServerOptions,
  isStopping: () => boolean,
): Promise<void> {
  const requestId = requestIdOf(req);
  res.setHeader("x-request-id", requestId);
  const path = pathOf(req);
  if (hasBody(req)) {
    settleUnreadBody(req, res);
    limitSlowness(req, res, isUploadPath(path) || isMultipart(req.headers["content-type"]));
  }
  // Sheds no load: most of the work is the disk's and the network's.
  if (path?.startsWith("/files/")) return refuseErrors(serveFile(req, res), res, requestId, logger);
  if (isUploadPath(path)) {
    if (!isShed(res, load, requestId)) await uploads.handle(req, res, requestId);
    return;
  }
  switch (path) {
    case "/graphql":
      if (isShed(res, load, requestId)) return;
      if (limitBody(req, res, maxBodyBytes, requestId)) {
        if (req.headers.expect !== undefined) res.writeContinue();
        await graphql.handle(req, res, requestId);
      }
      return;
    case "/":
      res.writeHead(302, { location: "/graphql" }).end();
      return;
    case "/health":
      answer(res, 200, { status: "ok" });
      return;
    case "/ready": {
      const { isReady, ...reasons } = isStopping() ? { isReady: false } : await ready();
      answer(res, isReady ? 200 : 503, { status: isReady ? "ok" : "not ready", ...reasons });
      return;
    }
    default:
      refuse(res, 404, "NOT_FOUND", "Not found: GraphQL is at /graphql.", requestId);
  }
}

/** Refuses a share of the requests under load. Returns true if the response was sent. */
function isShed(res: ServerResponse, load: HttpServerOptions["load"], requestId: string): boolean {
  if (!load.refusesNext()) return false;
  res.setHeader("retry-after", secondsToWait);
  refuse(res, 503, "OVERLOADED", tooBusy, requestId);
  return true;
}

const pathOf = ({ url }: IncomingMessage) => (url ?? "/").split("?", 1)[0] as string;

/** The client's own id, if it is valid, so that its logs and ours can be correlated. */
function requestIdOf(req: IncomingMessage): string {
  const given = req.headers["x-request-id"];
  return typeof given === "string" && /^[\w.-]{1,100}$/.test(given) ? given : randomUUID();
}

function answer(res: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  res.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
  });
  res.end(text);
}

function refuse(res: ServerResponse, status: number, code: ErrorCode, message: string, requestId: string): void {
  answer(res, status, { errors: [{ message, extensions: { code, requestId } }] });
}

/** Refuses the errors of a request outside GraphQL as GraphQL's: with code and message, and masked if unexpected. */
async function refuseErrors(
  work: Promise<void>,
  res: ServerResponse,
  requestId: string,
  logger: Logger,
): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (res.headersSent) throw error;
    const { message, extensions } = answerFor(error, requestId, logger);
    const { status = 500, headers = {} } = (extensions.http ?? {}) as { status?: number; headers?: object };
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
    refuse(res, status, extensions.code as ErrorCode, message, requestId);
  }
}

/**
 * Refuses a body that is too large: by its declared length before reading it, else by counting the received bytes.
 * Returns false if the response was sent.
 */
function limitBody(
  req: IncomingMessage,
  res: ServerResponse,
  { json, upload }: HttpServerOptions["maxBodyBytes"],
  requestId: string,
): boolean {
  const isUpload = isMultipart(req.headers["content-type"]);
  const maxBytes = isUpload ? upload : json;
  const advice = isUpload ? "" : " Send a longer text as a file, in a multipart request.";
  const refuseBody = () => {
    if (res.headersSent) return;
    refuse(res, 413, "PAYLOAD_TOO_LARGE", `A request has at most ${maxBytes} bytes.${advice}`, requestId);
  };
  const declared = req.headers["content-length"];
  if (declared !== undefined) {
    if (Number(declared) <= maxBytes) return true;
    refuseBody();
    return false;
  }
  let received = 0;
  const push = req.push.bind(req);
  req.push = (chunk: Buffer | null, encoding) => {
    received += chunk?.length ?? 0;
    if (received <= maxBytes) return push(chunk, encoding);
    refuseBody();
    // Discards the rest. The body's reader fails when the connection closes.
    return true;
  };
  return true;
}

async function listen(server: Server, { host, port, mayMovePort }: HttpServerOptions): Promise<number> {
  for (let candidate = port; ; candidate++) {
    try {
      await new Promise<void>((listening, failed) => {
        server.once("error", failed);
        server.listen(candidate, host, () => {
          server.off("error", failed);
          listening();
        });
      });
      return (server.address() as AddressInfo).port;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "EADDRINUSE" && mayMovePort && candidate < port + 20) continue;
      if (code === "EADDRINUSE") throw new UserError(`Port ${candidate} is in use: set PORT to another one.`);
      throw new UserError(`Cannot listen on ${host}:${candidate}: ${message}`);
    }
  }
}
