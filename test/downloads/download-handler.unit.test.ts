/** Requests for files to the handler alone, with a store that the test plays. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Download, ServedFile } from "../../src/downloads/download.ts";
import {
  type DownloadHandlerOptions,
  type DownloadStore,
  downloadHandler,
} from "../../src/downloads/download-handler.ts";
import { FileAddresses } from "../../src/downloads/file-addresses.ts";
import type { ApplicationError } from "../../src/errors.ts";
import { type ByteRange, FileMissingError, FileStoreError } from "../../src/storage/file-store.ts";
import type { Viewer } from "../../src/viewer.ts";
import { systemError } from "../support/failing-files.ts";
import { collectedLog } from "../support/logs.ts";
import { until } from "../support/until.ts";

const ada = "0198c0de-0000-7000-8000-00000000000a";
const id = "0198c0de-0000-7000-8000-000000000001";
const addresses = new FileAddresses({ publicUrl: "http://lectern.test", secret: "s", lifetimeSeconds: 1_000 });
const pathFor = (viewerId: string | null, kind = "song") =>
  addresses.of({ kind, id, viewerId, name: "a.mp3" }).slice("http://lectern.test".length);

const contents = Buffer.from("0123456789");
const song: ServedFile = {
  name: "a.mp3",
  mimeType: "audio/mpeg",
  disposition: "inline",
  sizeBytes: contents.length,
  sha256: "ab",
  storageKey: "key",
};

/** A store that notes what it is asked, and how often a file was closed. */
function storeOf(pieces: (range?: ByteRange) => Iterable<Uint8Array> | AsyncIterable<Uint8Array>) {
  const calls: string[] = [];
  const store: DownloadStore = {
    async *pieces(key, range) {
      calls.push(`read ${key} ${range?.start}-${range?.end}`);
      try {
        yield* pieces(range);
      } finally {
        calls.push("close");
      }
    },
    async size() {
      calls.push("size");
      return contents.length;
    },
  };
  return { store, calls };
}

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

type Parts = Partial<DownloadHandlerOptions> & { file?: ServedFile | null };

/** A server of files, the errors that its handler threw, its log, and whom the files were looked up for. */
async function serve({ file = song, ...options }: Parts = {}) {
  const viewers: (string | null)[] = [];
  const download: Download = {
    kind: "song",
    async find(rowId, viewer) {
      viewers.push(viewer?.id ?? null);
      return rowId === id ? file : null;
    },
  };
  const { logger, lines } = collectedLog();
  const handler = downloadHandler({
    downloads: [download],
    addresses,
    viewers: {
      ofUser: async (userId): Promise<Viewer> => (userId === ada ? { id: ada, role: "VIEWER", sessionId: "" } : null),
    },
    reader: { read: () => Promise.reject(new Error("Nothing is read.")) },
    files: storeOf(({ start, end } = { start: 0, end: 10 }) => [contents.subarray(start, end)]).store,
    isPublic: false,
    delivery: "stream",
    logger,
    ...options,
  });
  const errors: unknown[] = [];
  let open = 0;
  const server = createServer((req: IncomingMessage, res: ServerResponse) => {
    open++;
    handler(req, res)
      .catch((error) => {
        errors.push(error);
        const { status = 500 } = ((error as ApplicationError).details?.http ?? {}) as { status?: number };
        res.writeHead(status).end();
      })
      .finally(() => open--);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  cleanUps.push(() => {
    server.closeAllConnections();
    return new Promise((closed) => server.close(closed));
  });
  const get = (path = pathFor(ada), init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, { redirect: "manual", ...init });
  return { get, port, errors, lines, viewers, isIdle: () => open === 0 };
}

const wholeOf = async (response: Promise<Response>) => (await response).arrayBuffer();

/** A client that takes nothing after its request until it is told to. */
function stalledClient(port: number, path = pathFor(ada)) {
  const socket = connect({ port, host: "127.0.0.1" }).pause();
  socket.on("error", () => {});
  socket.write(`GET ${path} HTTP/1.1\r\nhost: lectern\r\n\r\n`);
  cleanUps.push(() => socket.destroy());
  return socket;
}

/** More than the operating system's buffers take. */
async function* endless(): AsyncIterable<Uint8Array> {
  for (;;) yield Buffer.alloc(65_536);
}
const huge: ServedFile = { ...song, sizeBytes: 1_000_000_000_000 };

describe("the viewer of an address", () => {
  it("is looked up at each request, and the row with it", async () => {
    const { get, viewers } = await serve();
    expect(await (await get()).text()).toBe("0123456789");
    expect(viewers).toEqual([ada]);
  });

  it("is the one of all addresses in the file", async () => {
    const { storageKey: _key, ...described } = song as Extract<ServedFile, { storageKey: string }>;
    const download: Download = {
      kind: "list",
      async find(_id, _viewer, _reader, fileAddress) {
        const bytes = Buffer.from(fileAddress("song", id, "a.mp3"));
        return { ...described, isLive: true, sizeBytes: bytes.length, bytes };
      },
    };
    const { get } = await serve({ downloads: [download], isPublic: true });
    for (const viewerId of [ada, null]) {
      const response = await get(pathFor(viewerId, "list"));
      expect(response.headers.get("cache-control")).toBe("no-store");
      const { pathname, search } = new URL(await response.text());
      expect(addresses.find(pathname + search)).toMatchObject({ kind: "song", id, viewerId });
    }
  });

  it("must exist", async () => {
    const { get, viewers } = await serve({ isPublic: true });
    expect((await get(pathFor(id))).status).toBe(404);
    expect(viewers).toEqual([]);
  });

  it("may be a stranger where the library is public only", async () => {
    const closed = await serve();
    expect((await closed.get(pathFor(null))).status).toBe(404);
    expect(closed.viewers).toEqual([]);
    const open = await serve({ isPublic: true });
    expect((await open.get(pathFor(null))).status).toBe(200);
    expect(open.viewers).toEqual([null]);
  });

  it("is not looked up for a forged address, nor is anything", async () => {
    const { store, calls } = storeOf(() => []);
    const { get, viewers, errors } = await serve({
      files: store,
      viewers: { ofUser: () => Promise.reject(new Error("Nobody is looked up.")) },
    });
    expect((await get(pathFor(ada).replace(/.$/, "!"))).status).toBe(404);
    expect([viewers, calls]).toEqual([[], []]);
    expect(errors).toMatchObject([{ code: "NOT_FOUND" }]);
  });
});

describe("a refusal", () => {
  it("is the same for a kind, a row and a file that is not there", async () => {
    const { store } = storeOf(() => {
      throw new FileMissingError("key");
    });
    const none = await serve({ file: null });
    const gone = await serve({ files: store });
    expect((await none.get()).status).toBe(404);
    expect((await none.get(pathFor(ada, "other"))).status).toBe(404);
    expect((await gone.get()).status).toBe(404);
    const shown = [...none.errors, ...gone.errors].map((error) => {
      const { code, message, details } = error as ApplicationError;
      return { code, message, details };
    });
    expect(new Set(shown.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(none.lines).toEqual([]);
    // Only an operator can help here.
    expect(gone.lines).toMatchObject([{ level: 50, kind: "song", id, msg: "the file of a row is missing" }]);
    expect(JSON.stringify(gone.lines)).not.toContain("signature");
  });

  it.each(["POST", "PUT", "DELETE", "OPTIONS"])("of %s names the methods that there are", async (method) => {
    const { get, errors } = await serve();
    expect((await get(pathFor(ada), { method })).status).toBe(405);
    expect(errors).toMatchObject([{ details: { http: { status: 405, headers: { allow: "GET, HEAD" } } } }]);
  });

  it("of a range tells the size", async () => {
    const { store, calls } = storeOf(() => []);
    const { get, errors } = await serve({ files: store });
    expect((await get(pathFor(ada), { headers: { range: "bytes=10-" } })).status).toBe(416);
    expect(errors).toMatchObject([{ details: { http: { headers: { "content-range": "bytes */10" } } } }]);
    expect(calls).toEqual([]);
  });

  it("of a store that fails is the store's", async () => {
    const { store } = storeOf(() => {
      throw new FileStoreError("/path", systemError("EMFILE", "open"));
    });
    const { get, errors, lines } = await serve({ files: store });
    expect((await get()).status).toBe(500);
    expect(errors).toMatchObject([{ code: "STORAGE_UNAVAILABLE" }]);
    expect(lines).toEqual([]);
  });
});

describe("a file", () => {
  it("is read only as far as the response needs", async () => {
    const { store, calls } = storeOf(({ start, end } = { start: 0, end: 10 }) => [contents.subarray(start, end)]);
    const { get } = await serve({ files: store });
    await (await get(pathFor(ada), { headers: { range: "bytes=3-4" } })).text();
    expect(calls.splice(0)).toEqual(["read key 3-5", "close"]);
    expect((await get(pathFor(ada), { method: "HEAD" })).status).toBe(200);
    expect(calls.splice(0)).toEqual(["size"]);
    for (const method of ["GET", "HEAD"]) {
      expect((await get(pathFor(ada), { method, headers: { "if-none-match": '"ab"' } })).status).toBe(304);
    }
    expect(calls).toEqual([]);
  });

  it.each([
    ["from memory", { bytes: contents }],
    [
      "in pieces",
      { pieces: ({ start, end }: ByteRange) => storeOf(() => [contents.subarray(start, end)]).store.pieces("") },
    ],
  ])("%s is served as one from the store", async (_case, source) => {
    const { storageKey: _key, ...description } = song as Extract<ServedFile, { storageKey: string }>;
    const { get } = await serve({ file: { ...description, ...source }, delivery: "redirect" });
    expect(await (await get()).text()).toBe("0123456789");
    const part = await get(pathFor(ada), { headers: { range: "bytes=-3" } });
    expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([206, "bytes 7-9/10", "789"]);
    expect((await get(pathFor(ada), { method: "HEAD" })).headers.get("content-length")).toBe("10");
  });

  it("without bytes is served, but not one without its bytes", async () => {
    const empty = await serve({ file: { ...song, sizeBytes: 0 }, files: storeOf(() => []).store });
    const response = await empty.get();
    expect([response.status, response.headers.get("content-length"), await response.text()]).toEqual([200, "0", ""]);
    const lost = await serve({ files: storeOf(() => []).store });
    expect((await lost.get()).status).toBe(404);
  });

  it("that is shorter than its row says ends with its connection", async () => {
    const { store, calls } = storeOf(() => [contents.subarray(0, 4)]);
    const { get, lines } = await serve({ files: store });
    await expect(wholeOf(get())).rejects.toThrow();
    await until(() => lines.length > 0, "it is logged");
    expect(lines).toMatchObject([{ level: 50, id, msg: "a file could not be sent to its end" }]);
    expect(calls.at(-1)).toBe("close");
  });

  it("that is longer than its row says does not run into the next response", async () => {
    const { store } = storeOf(() => [contents, contents]);
    const { port, lines, isIdle } = await serve({ files: store });
    const socket = stalledClient(port);
    let received = "";
    socket.setEncoding("latin1").on("data", (text) => {
      received += text;
    });
    socket.resume();
    await until(() => lines.length > 0 && isIdle() && socket.closed, "the connection has ended");
    expect(received.split(contents.toString()).length).toBeLessThanOrEqual(2);
  });

  it("that fails amid its bytes ends with its connection", async () => {
    const { store, calls } = storeOf(async function* () {
      yield contents.subarray(0, 4);
      throw new FileStoreError("/path", systemError("EIO", "read"));
    });
    const { get, lines } = await serve({ files: store });
    await expect(wholeOf(get())).rejects.toThrow();
    await until(() => lines.length > 0, "it is logged");
    expect(lines).toMatchObject([{ level: 50, err: { reason: "EIO" } }]);
    expect(calls.at(-1)).toBe("close");
  });
});

describe("a client", () => {
  it("that leaves closes the file at once, and is not logged", async () => {
    const { store, calls } = storeOf(endless);
    const { port, lines, isIdle } = await serve({ file: huge, files: store });
    const socket = stalledClient(port);
    await until(() => calls.length === 1 && !isIdle(), "the file is read");
    socket.destroy();
    await until(isIdle, "the request has ended");
    expect(calls).toEqual([expect.stringMatching(/^read/), "close"]);
    expect(lines).toEqual([]);
  });

  it("that leaves while the file is opened closes it, too", async () => {
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    const { store, calls } = storeOf(async function* () {
      await opened;
      yield contents;
    });
    const { port, isIdle, lines } = await serve({ files: store });
    const socket = stalledClient(port);
    await until(() => calls.length === 1, "the file is opened");
    socket.destroy();
    // The server learns of the end before the file is there.
    await new Promise((seen) => setTimeout(seen, 50));
    open();
    await until(isIdle, "the request has ended");
    expect(calls.at(-1)).toBe("close");
    expect(lines).toEqual([]);
  });

  it("that takes nothing is dropped after a while", async () => {
    const { store, calls } = storeOf(endless);
    const { port, isIdle } = await serve({ file: huge, files: store, stallMs: 100 });
    const socket = stalledClient(port);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    await until(() => calls.at(-1) === "close" && isIdle(), "the file is closed");
    socket.resume();
    await closed;
  });
});

describe("delivery by redirect", () => {
  const redirecting = (seen: unknown[]): DownloadStore => ({
    ...storeOf(() => [contents]).store,
    async presignedUrl(...parameters) {
      seen.push(parameters);
      return "https://store.test/key?signed";
    },
  });

  it("sends clients to the store, for less than an hour, with the file's type and name", async () => {
    const seen: unknown[] = [];
    const { get } = await serve({ files: redirecting(seen), delivery: "redirect" });
    const response = await get(pathFor(ada), { headers: { range: "bytes=0-1" } });
    expect([response.status, response.headers.get("location")]).toEqual([302, "https://store.test/key?signed"]);
    expect(response.headers.get("cache-control")).toBe("no-store");
    // A page that reads the file with CORS must be allowed to follow.
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(seen).toEqual([
      ["key", { expiresSeconds: expect.any(Number), mimeType: "audio/mpeg", disposition: "inline; filename=a.mp3" }],
    ]);
    const [[, { expiresSeconds }]] = seen as [[string, { expiresSeconds: number }]];
    expect(expiresSeconds).toBeGreaterThan(900);
    expect(expiresSeconds).toBeLessThanOrEqual(1_250);
  });

  it("answers HEAD and a known file itself", async () => {
    const seen: unknown[] = [];
    const { get } = await serve({ files: redirecting(seen), delivery: "redirect" });
    expect((await get(pathFor(ada), { method: "HEAD" })).status).toBe(200);
    expect((await get(pathFor(ada), { headers: { "if-none-match": '"ab"' } })).status).toBe(304);
    expect(seen).toEqual([]);
  });

  it("streams where the store has no addresses, or the setting says so", async () => {
    const local = await serve({ delivery: "redirect" });
    expect(await (await local.get()).text()).toBe("0123456789");
    const streaming = await serve({ files: redirecting([]), delivery: "stream" });
    expect(await (await streaming.get()).text()).toBe("0123456789");
  });
});

it("two downloads cannot share a kind", async () => {
  const download: Download = { kind: "song", find: async () => null };
  await expect(serve({ downloads: [download, download] })).rejects.toThrow("the same name");
});
