/**
 * Handles responses that are sent before the request's body has arrived, such as refusals. An unread body would block
 * the next request on the connection for ever. But if the connection were closed at once, a client that is still
 * sending would see a reset instead of the response.
 *
 * A short rest is read and discarded, and the connection stays open. For a longer one, the response has `connection:
 * close`, and the client's bytes are discarded until it closes its side or a timeout ends.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Reading a longer body costs more than a new connection. */
const shortBodyBytes = 64_000;
/** Time for the client to read the response and close the connection. */
const lingerMs = 5_000;

/** Must be called for a request with a body before the response begins. */
export function settleUnreadBody(req: IncomingMessage, res: ServerResponse): void {
  const { writeHead } = res;
  // Node calls this also for headers from `setHeader`.
  const settle = (...parameters: unknown[]): unknown => {
    res.writeHead = writeHead;
    if (!req.complete) {
      if (!isShort(req)) closeAfter(req, res);
      // The body's reader may have left it paused.
      res.once("finish", () => req.resume());
    }
    return Reflect.apply(writeHead, res, parameters);
  };
  Object.assign(res, { writeHead: settle });
}

/**
 * True if the last response was sent: a pipelined request after a refused body must not run, as it cannot be answered.
 */
export const isClosing = ({ socket }: IncomingMessage): boolean => socket.writableEnded;

function closeAfter(req: IncomingMessage, res: ServerResponse): void {
  res.setHeader("connection", "close");
  const { socket } = req;
  // Node calls this after the last response; its own implementation would reset a client that is still sending.
  socket.destroySoon = () => linger(req, socket);
}

function linger(req: IncomingMessage, socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), lingerMs).unref();
  socket.once("close", () => clearTimeout(timer));
  req.once("end", () => socket.destroy());
  socket.end();
}

export const hasBody = ({ headers }: IncomingMessage) =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;

const isShort = ({ headers }: IncomingMessage) => Number(headers["content-length"]) <= shortBodyBytes;
