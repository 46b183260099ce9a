/**
 * Answers that leave before the body of their request has come, such as refusals. The connection must not be left with
 * a body that nobody reads: the next request on it would wait behind it for ever. And it must not be closed at once: a
 * client that is still sending would be told of the reset instead of the answer.
 *
 * A short rest is read and thrown away, and the connection goes on. For a longer one the answer says `connection:
 * close`; then the client's bytes are thrown away for a while, until it closes its end.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** A longer body is not worth its transmission. */
const shortBodyBytes = 64_000;
/** How long a client may take to notice the answer and to close. */
const lingerMs = 5_000;

/** Watches over the answer to a request, from its beginning. */
export function settleUnreadBody(req: IncomingMessage, res: ServerResponse): void {
  if (!hasBody(req)) return;
  const { writeHead } = res;
  // Also called by Node for headers that were set one by one.
  const settle = (...parameters: unknown[]): unknown => {
    res.writeHead = writeHead;
    if (!req.complete) {
      if (!isShort(req)) closeAfter(req, res);
      // Its reader has stopped, and may have left it paused.
      res.once("finish", () => req.resume());
    }
    return Reflect.apply(writeHead, res, parameters);
  };
  Object.assign(res, { writeHead: settle });
}

/** True for a connection whose last answer has left: a request behind a refused body is not run, for want of a way back. */
export const isClosing = ({ socket }: IncomingMessage): boolean => socket.writableEnded;

function closeAfter(req: IncomingMessage, res: ServerResponse): void {
  res.setHeader("connection", "close");
  const { socket } = req;
  // Node calls this when a last answer is written; its own would reset a client that is still sending.
  socket.destroySoon = () => linger(req, socket);
}

function linger(req: IncomingMessage, socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), lingerMs).unref();
  socket.once("close", () => clearTimeout(timer));
  req.once("end", () => socket.destroy());
  socket.end();
}

const hasBody = ({ headers }: IncomingMessage) =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;

const isShort = ({ headers }: IncomingMessage) => Number(headers["content-length"]) <= shortBodyBytes;
