/**
 * Ends requests whose body comes too slowly, so that they do not occupy connections for ever. A request without files
 * must be whole within a minute. Files may take as long as their size and the client's line need, so their bytes are
 * counted instead: Node's `requestTimeout` would end an upload of 100 MB over a slow line each time.
 */
import type { IncomingMessage, ServerResponse } from "node:http";

/** Time for a body without files, and the interval in which bytes of files are counted. */
const intervalMs = 60_000;
/** Bytes of files per interval: 1 kB/s. */
const leastBytes = 60_000;

/** @param isUpload true if the body consists of files */
export function limitSlowness(req: IncomingMessage, res: ServerResponse, isUpload: boolean): void {
  const { socket } = req;
  let before = socket.bytesRead;
  const timer = setInterval(() => {
    const bytes = socket.bytesRead - before;
    before = socket.bytesRead;
    if (req.complete) return stop();
    if (isUpload && bytes >= leastBytes) return;
    stop();
    // As Node does for `requestTimeout`.
    if (!res.headersSent) socket.write("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n");
    socket.destroy();
  }, intervalMs).unref();
  const stop = () => clearInterval(timer);
  req.once("end", stop);
  req.once("close", stop);
}
