/**
 * A proxy in front of an HTTP server, which makes requests fail at a point of the test's choosing.
 *
 * ```ts
 * const front = await startHttpFaults(s3.port);
 * front.next(/^PUT/, { status: 503, body: "…" });   // the next matching request is answered so, and not passed on
 * front.next(/^PUT/, "cut before");                 // the connection breaks instead
 * front.next(/^PUT/, { cutRequestAt: 10_000 });     // … after so many bytes of its body
 * front.next(/^PUT/, "lose answer");                // the request is carried out, and its answer is lost
 * front.next(/^GET/, { cutAnswerAt: 10_000 });      // the connection breaks after so many bytes of the answer
 * front.next(/^GET/, { endAnswerAt: 10_000 });      // it ends there, as if nothing were missing
 * front.next(/^PUT/, "change request");             // one byte of its body is another one
 * front.next(/^GET/, "silence");                    // no answer
 * front.next(/^PUT/, "cut before", 2);              // the next two
 * front.requests;                                   // "PUT /bucket/key?query" of all that came
 * ```
 */
import { createServer, type IncomingMessage, type ServerResponse, request as send } from "node:http";
import type { AddressInfo } from "node:net";

export type HttpFault =
  | "cut before"
  | "lose answer"
  | "silence"
  | "change request"
  | { status: number; body?: string }
  | { cutRequestAt: number }
  | { cutAnswerAt: number }
  | { endAnswerAt: number };

export type HttpFaults = {
  port: number;
  /** Method and path of each request, in their order. */
  readonly requests: string[];
  /** The next `times` requests whose method and path match have the fault. Earlier faults come first. */
  next(request: RegExp, fault: HttpFault, times?: number): void;
  /** Faults that no request has had yet. */
  readonly pending: number;
  /** Forgets requests and faults. */
  reset(): void;
  /** By how many seconds the clock of the answers is ahead. */
  shiftClock(seconds: number): void;
  stop(): Promise<void>;
};

export async function startHttpFaults(port: number): Promise<HttpFaults> {
  const requests: string[] = [];
  let faults: { request: RegExp; fault: HttpFault }[] = [];
  let clockSeconds = 0;

  const server = createServer((request, response) => {
    const line = `${request.method} ${request.url}`;
    requests.push(line);
    const index = faults.findIndex((each) => each.request.test(line));
    const fault = index < 0 ? undefined : faults.splice(index, 1)[0]?.fault;
    if (fault === "silence") return void request.resume();
    if (fault === "cut before") return void request.socket.resetAndDestroy();
    if (typeof fault === "object" && "status" in fault) {
      request.resume();
      return void request.on("end", () => response.writeHead(fault.status).end(fault.body));
    }
    pass(request, response, fault);
  });

  function pass(request: IncomingMessage, response: ServerResponse, fault: HttpFault | undefined): void {
    const { socket, method, url: path } = request;
    const cut = () => socket.resetAndDestroy();
    const onward = send({ host: "127.0.0.1", port, method, path, headers: request.headers }, (answer) => {
      if (fault === "lose answer") return void answer.resume().on("end", cut);
      const { date } = answer.headers;
      const shifted = date && new Date(Date.parse(date) + clockSeconds * 1_000).toUTCString();
      response.writeHead(answer.statusCode ?? 500, { ...answer.headers, ...(shifted && { date: shifted }) });
      if (typeof fault === "object" && "cutAnswerAt" in fault) forward(answer, fault.cutAnswerAt, response, cut);
      else if (typeof fault === "object" && "endAnswerAt" in fault) {
        forward(answer, fault.endAnswerAt, response, () => socket.end());
      } else answer.pipe(response);
    });
    onward.on("error", cut);
    response.on("close", () => response.writableFinished || onward.destroy());
    if (typeof fault === "object" && "cutRequestAt" in fault) {
      forward(request, fault.cutRequestAt, onward, () => {
        onward.destroy();
        cut();
      });
    } else if (fault === "change request") {
      request.once("data", (piece: Buffer) => piece.fill((piece[0] ?? 0) ^ 1, 0, 1));
      request.pipe(onward);
    } else request.pipe(onward);
  }

  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    next(request, fault, times = 1) {
      for (let count = 0; count < times; count++) faults.push({ request, fault });
    },
    get pending() {
      return faults.length;
    },
    reset() {
      requests.length = 0;
      faults = [];
      clockSeconds = 0;
    },
    shiftClock(seconds) {
      clockSeconds = seconds;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** Passes so many bytes on, and then calls `end`. */
function forward(from: IncomingMessage, bytes: number, to: NodeJS.WritableStream, end: () => void): void {
  let left = bytes;
  const take = (piece: Buffer) => {
    const part = piece.subarray(0, left);
    left -= part.length;
    if (left > 0) return void to.write(part);
    from.off("data", take);
    to.write(part, () => end());
  };
  from.on("data", take);
}
