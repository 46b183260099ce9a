/**
 * GraphQL over WebSocket (protocol of graphql-ws), at the same path and with the same plugins as over HTTP.
 *
 * Clients authenticate by `authorization` in the payload of `connection_init`, or by the session's cookie. Browsers
 * send cookies for WebSockets of any page, without a CORS preflight, so cookies are accepted only from trusted origins.
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type ExecutionArgs, type ExecutionResult, GraphQLError, getOperationAST } from "graphql";
import type { Context } from "graphql-ws";
import { type Extra, useServer } from "graphql-ws/use/ws";
import type { YogaServerInstance } from "graphql-yoga";
import type { Logger } from "pino";
import { type WebSocket, WebSocketServer } from "ws";
import { ApplicationError, tooBusy } from "../errors.ts";
import type { OperationContext } from "../graphql/context.ts";
import type { ServerContext } from "../operations/contexts.ts";
import { type RequestLimits, requireSmall } from "../operations/request-limits.ts";
import type { ClientConnection } from "../outbox/change-feed.ts";
import type { LoadGuard } from "./load-guard.ts";

export type WebSocketOptions = {
  yoga: YogaServerInstance<ServerContext, OperationContext>;
  /** Masks an error. */
  show(error: unknown, requestId: string): GraphQLError;
  /** Runs a part of an operation with the id of its request, which errors include. */
  within<Result>(requestId: string, work: () => Result): Result;
  /** The address of the server for clients. Pages of this origin, or of the request's host, may use the cookie. */
  publicUrl: string;
  maxConnections: number;
  limits: RequestLimits;
  load: Pick<LoadGuard, "refusesNext">;
  logger: Logger;
};

export type WebSockets = {
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Closes all with code 1001, so that clients reconnect to another server. */
  close(): Promise<void>;
};

/** Larger inputs belong in uploads over HTTP. */
const maxMessageBytes = 1_000_000;
/** Timeout for the client's `connection_init`. */
const initTimeoutMs = 3_000;

type Enveloped = ReturnType<WebSocketOptions["yoga"]["getEnveloped"]>;
type Operation = ExecutionArgs & { requestId: string; enveloped: Enveloped };
type SocketContext = Context<Record<string, unknown>, Extra>;

export function createWebSockets(options: WebSocketOptions): WebSockets {
  const { yoga, show, within, publicUrl, maxConnections, limits, load, logger } = options;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes });

  const run = ({ requestId, enveloped, ...args }: Operation, kind: "execute" | "subscribe") =>
    within(requestId, async () => {
      try {
        return await enveloped[kind](args);
      } catch (error) {
        return { errors: [show(error, requestId)] };
      }
    });
  const plain = ({ errors, ...result }: ExecutionResult, requestId: string): ExecutionResult =>
    errors ? { ...result, errors: errors.map((error) => withoutHttp(show(error, requestId))) } : result;

  const disposable = useServer(
    {
      isProd: true,
      connectionInitWaitTimeout: initTimeoutMs,
      // A page of an untrusted origin that relies on the cookie is refused with code 4403.
      onConnect: ({ connectionParams, extra }) =>
        typeof connectionParams?.authorization === "string" || mayUseCookie(extra.request, publicUrl),
      async onSubscribe(context, _id, { query, variables, operationName, extensions }) {
        const requestId = randomUUID();
        return within(requestId, async () => {
          const params = { query, variables: variables ?? {}, operationName: operationName ?? undefined };
          const request = requestOf(context as SocketContext);
          const connection = connectionOf(context.extra.socket);
          const enveloped = yoga.getEnveloped({ req: context.extra.request, request, params, connection });
          try {
            if (load.refusesNext()) throw new ApplicationError("OVERLOADED", tooBusy);
            requireSmall({ query, variables, operationName, extensions }, limits);
            const document = enveloped.parse(query);
            const faults = enveloped.validate(enveloped.schema, document);
            if (faults.length > 0) return faults.map((fault: unknown) => withoutHttp(show(fault, requestId)));
            if (getOperationAST(document, operationName)?.operation === "mutation") {
              throw new ApplicationError(
                "BAD_USER_INPUT",
                "Mutations need HTTP, whose headers carry idempotency keys, dry runs and cookies.",
              );
            }
            const contextValue = await enveloped.contextFactory();
            const { schema } = enveloped;
            const { variables: variableValues } = params;
            return { schema, document, contextValue, variableValues, operationName, requestId, enveloped } as Operation;
          } catch (error) {
            return [withoutHttp(show(error, requestId))];
          }
        });
      },
      execute: (args) => run(args as Operation, "execute"),
      subscribe: (args) => run(args as Operation, "subscribe"),
      onNext: (_context, _id, _payload, args, result) => plain(result, (args as Operation).requestId),
    },
    sockets,
  );

  // Replaces graphql-ws's listener, which prints to the console.
  sockets.on("connection", (socket: WebSocket) => {
    socket.removeAllListeners("error");
    socket.on("error", (error) => logger.info({ err: error }, "a WebSocket broke"));
  });

  return {
    upgrade(req, socket, head) {
      if (sockets.clients.size >= maxConnections) return refuse(socket, "503 Service Unavailable");
      sockets.handleUpgrade(req, socket, head, (client) => sockets.emit("connection", client, req));
    },
    async close() {
      await disposable.dispose();
    },
  };
}

export function refuse(socket: Duplex, status: string): void {
  socket.on("error", () => {});
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

function mayUseCookie({ headers }: IncomingMessage, publicUrl: string): boolean {
  // Only browsers are vulnerable to cross-site requests, and they always send the origin.
  if (headers.cookie === undefined || headers.origin === undefined) return true;
  if (headers.origin === new URL(publicUrl).origin) return true;
  return URL.canParse(headers.origin) && new URL(headers.origin).host === headers.host;
}

/** Makes the equivalent HTTP request of an operation. */
function requestOf({ extra, connectionParams }: SocketContext): Request {
  const { headers, url } = extra.request;
  const request = new Request(new URL(url ?? "/", "http://localhost"), { method: "POST" });
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === "string" && !/^(sec-websocket|connection|upgrade)/.test(name))
      request.headers.set(name, value);
  }
  const authorization = connectionParams?.authorization;
  if (typeof authorization === "string") {
    request.headers.set("authorization", authorization);
    // The token replaces the cookie, because the origin was not checked.
    request.headers.delete("cookie");
  }
  return request;
}

function connectionOf(socket: WebSocket): ClientConnection {
  return {
    onClose(listener) {
      if (socket.readyState === socket.CLOSED) listener();
      else socket.once("close", listener);
    },
    destroy: () => socket.terminate(),
  };
}

/** Removes `extensions.http`, as Yoga does over HTTP. */
function withoutHttp(error: GraphQLError): GraphQLError {
  const { http: _, ...extensions } = error.extensions;
  const { message, nodes, source, positions, path, originalError } = error;
  return new GraphQLError(message, { nodes, source, positions, path, originalError, extensions });
}
