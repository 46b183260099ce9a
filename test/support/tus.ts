/** Resumable uploads by hand: each request as a test wants it, and as a client of good will would not send it. */
import { connect, type Socket } from "node:net";
import type { Lectern, Person } from "./lectern.ts";

export type Tus = {
  /** The address at which uploads are created. */
  root: string;
  /** Sends one request with the headers of the protocol; `null` leaves one out. */
  send(method: string, path: string, options?: TusRequest): Promise<TusAnswer>;
  /** Creates an upload. Returns its path. */
  create(length: number, name?: string): Promise<string>;
  /** Sends bytes at an offset. */
  patch(path: string, offset: number, bytes: Uint8Array<ArrayBuffer> | string): Promise<TusAnswer>;
  /** The number of bytes that have been received. */
  offsetOf(path: string): Promise<number>;
  /** Sends the head of a request; the test writes the body, and ends the connection. */
  open(method: string, path: string, headers: Record<string, string>): Promise<Sending>;
  /** Begins to send bytes, of which `announced` are to come. */
  begin(path: string, offset: number, announced: number | "unknown"): Promise<Sending>;
};

export type TusRequest = {
  headers?: Record<string, string | null>;
  body?: Uint8Array<ArrayBuffer> | string | ReadableStream;
};
export type TusAnswer = { status: number; headers: Headers; code?: string; message?: string };
export type Sending = { socket: Socket; write(bytes: Uint8Array | string): void; answer: Promise<TusAnswer> };

export const offsetType = "application/offset+octet-stream";
export const metadata = (name: string) => `filename ${Buffer.from(name).toString("base64")}`;

export function tusOf({ url }: Pick<Lectern, "url">, { accessToken }: Pick<Person, "accessToken">): Tus {
  const root = new URL("/uploads", url).href;
  const basics = { authorization: `Bearer ${accessToken}`, "tus-resumable": "1.0.0" };

  const send: Tus["send"] = async (method, path, { headers = {}, body } = {}) => {
    const all = Object.entries({ ...basics, ...headers }).filter(([, value]) => value !== null) as [string, string][];
    const init = { method, headers: all, ...(body !== undefined && { body, duplex: "half" }) };
    const response = await fetch(new URL(path, url), init as RequestInit);
    return answerOf(response.status, response.headers, await response.text());
  };
  const patch: Tus["patch"] = (path, offset, body) =>
    send("PATCH", path, { headers: { "upload-offset": String(offset), "content-type": offsetType }, body });

  const openRequest: Tus["open"] = async (method, path, headers) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.on("error", () => {});
    await new Promise((connected) => socket.once("connect", connected));
    const lines = Object.entries({ host: "lectern", ...basics, ...headers }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    const answer = new Promise<TusAnswer>((done) => {
      let text = "";
      const end = () => done(parse(text));
      socket.setEncoding("utf8").on("data", (piece) => {
        text += piece;
        if (/\r\n\r\n([\s\S]*\}|)$/.test(text)) end();
      });
      socket.on("close", end);
    });
    socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
    return { socket, write: (bytes) => void socket.write(bytes), answer };
  };

  return {
    root,
    send,
    patch,
    async create(length, name = "emma.txt") {
      const headers = { "upload-length": String(length), "upload-metadata": metadata(name) };
      const { status, headers: given, message } = await send("POST", "/uploads", { headers });
      if (status !== 201) throw new Error(`No upload was created: ${status} ${message}`);
      return given.get("location") as string;
    },
    async offsetOf(path) {
      const { status, headers } = await send("HEAD", path);
      if (status !== 200) throw new Error(`There is no such upload: ${status}`);
      return Number(headers.get("upload-offset"));
    },
    open: openRequest,
    async begin(path, offset, announced) {
      const isCounted = announced === "unknown";
      const headers = {
        "content-type": offsetType,
        "upload-offset": String(offset),
        [isCounted ? "transfer-encoding" : "content-length"]: isCounted ? "chunked" : String(announced),
      };
      const { write, ...sending } = await openRequest("PATCH", path, headers);
      const writeChunk = (bytes: Uint8Array | string) => {
        write(`${Buffer.byteLength(bytes).toString(16)}\r\n`);
        write(bytes);
        write("\r\n");
      };
      return { ...sending, write: isCounted ? writeChunk : write };
    },
  };
}

function parse(text: string): TusAnswer {
  const [head = "", body = ""] = text.split("\r\n\r\n");
  const lines = head.split("\r\n").slice(1);
  const headers = new Headers(lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]));
  return answerOf(Number(/^HTTP\/1.1 (\d+)/.exec(head)?.[1] ?? 0), headers, body);
}

function answerOf(status: number, headers: Headers, text: string): TusAnswer {
  const [error] = text.startsWith("{") ? JSON.parse(text).errors : [];
  return { status, headers, ...(error && { code: error.extensions.code, message: error.message }) };
}
