/** Files as browsers and players ask for them, from a store on disk: parts, many clients, slow ones, files that go. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { type ClientRequest, get, type IncomingMessage } from "node:http";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { grantRoles } from "../../src/postgres/roles.ts";
import { slices } from "../../src/slices.ts";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { uuidOf } from "../support/global-ids.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { type HungSketch, hang } from "../support/sketches/hang.ts";
import { sketchSlice } from "../support/sketches/sketch.slice.ts";
import { sketchMigration } from "../support/sketches/sketch.table.ts";
import { until } from "../support/until.ts";

let database: TestDatabase;
let lectern: Lectern;
let ada: Person;
const log: Record<string, unknown>[] = [];

const start = () =>
  startLectern({
    database,
    slices: [...slices, sketchSlice],
    publicUrl: "http://127.0.0.1:0",
    log: (line) => void log.push(line),
  });

beforeAll(async () => {
  database = await freshDatabase();
  await database.query(sketchMigration);
  await grantRoles(database.url);
  lectern = await start();
  ada = await lectern.person("Ada");
});
afterAll(async () => {
  await lectern.stop();
  await database.drop();
});

const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

const hangUp = (name: string, bytes: Buffer, at = lectern) => hang(at, ada, name, bytes);

const digits = Buffer.from("0123456789".repeat(100));
/** Headers that depend on the request or its client: fetch closes the connection after HEAD. */
const ofConnections = ["connection", "date", "keep-alive", "x-request-id"];
/** More than the operating system's buffers of a connection take. */
const large = Buffer.alloc(20_000_000, digits);

describe("a file", () => {
  it("is answered alike by HEAD and GET, with any range and condition", async () => {
    const { url, sha256 } = await hangUp("digits.wav", digits);
    // The two requests may otherwise be answered in different seconds, and the answer tells how many are left.
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const requests: [number, Record<string, string>][] = [
      [200, {}],
      [206, { range: "bytes=0-1" }],
      [206, { range: "bytes=-3" }],
      [206, { range: "bytes=990-" }],
      [206, { range: "bytes=5-9", "if-range": `"${sha256}"` }],
      [200, { range: "bytes=5-9", "if-range": '"stale"' }],
      [200, { range: "bytes=10-5" }],
      [200, { range: "bytes=0-1,5-6" }],
      [200, { range: `bytes=${"0-,".repeat(1_000)}` }],
      [416, { range: "bytes=1000-" }],
      [304, { "if-none-match": `"${sha256}"` }],
      [304, { "if-none-match": `W/"${sha256}"`, range: "bytes=0-1" }],
    ];
    for (const [status, headers] of requests) {
      const answers = await Promise.all(["GET", "HEAD"].map((method) => fetch(url, { method, headers })));
      const [ofGet, ofHead] = answers.map((answer) => {
        const shown = [...answer.headers].filter(([name]) => !ofConnections.includes(name));
        return { status: answer.status, headers: Object.fromEntries(shown) };
      });
      expect(ofGet?.status, JSON.stringify(headers)).toBe(status);
      // The body of an error has the request's id.
      expect(ofHead).toEqual(ofGet);
      const [bytes, none] = await Promise.all(answers.map(async (answer) => Buffer.from(await answer.arrayBuffer())));
      expect(none?.length).toBe(0);
      if (status === 200) expect(bytes).toEqual(digits);
      if (status === 206) {
        const [, from, to] = /^bytes (\d+)-(\d+)\/1000$/.exec(ofGet?.headers["content-range"] ?? "") ?? [];
        expect(bytes).toEqual(digits.subarray(Number(from), Number(to) + 1));
        expect(ofGet?.headers["content-length"]).toBe(String(bytes?.length));
      }
      if (status === 416) expect(ofGet?.headers["content-range"]).toBe("bytes */1000");
    }
  });

  it("is put together from its parts", async () => {
    const bytes = large.subarray(0, 1_000_003);
    const { url, sha256 } = await hangUp("parts.wav", bytes);
    const parts: Buffer[] = [];
    for (let from = 0; from < bytes.length; from += 99_999) {
      const response = await fetch(url, { headers: { range: `bytes=${from}-${from + 99_998}` } });
      parts.push(Buffer.from(await response.arrayBuffer()));
    }
    expect(hashOf(Buffer.concat(parts))).toBe(sha256);
  });

  it("keeps its name, and its connection for the next", async () => {
    const name = `Ж "quotes"\r\nx: y\u202e ${"長".repeat(300)}.wav`;
    const { url } = await hangUp(name, digits);
    const response = await fetch(url);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-disposition")).toMatch(
      /^inline; filename="\? .+quotes.+\.wav"; filename\*=UTF-8''%D0%96/,
    );
    expect(response.headers.has("x")).toBe(false);
    expect(response.headers.get("connection")).toBe("keep-alive");
  });

  it("may be made for the request", async () => {
    const { pictureUrl } = await hangUp("picture", digits);
    const response = await fetch(pictureUrl, { headers: { range: "bytes=0-3" } });
    expect([response.status, response.headers.get("content-type"), await response.text()]).toEqual([
      206,
      "image/svg+xml",
      "<svg",
    ]);
  });

  it("has no other method", async () => {
    const { url } = await hangUp("methods.wav", digits);
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
      const response = await fetch(url, { method, body: method === "OPTIONS" ? null : "x" });
      expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
      expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: "BAD_USER_INPUT" } }] });
    }
  });

  it("that is missing on disk is not found, and logged without its address", async () => {
    const { url, key, id } = await hangUp("gone.wav", digits);
    await lectern.application.files.remove(key);
    for (const method of ["GET", "HEAD"]) {
      log.length = 0;
      const response = await fetch(url, { method, headers: { range: "bytes=0-" } });
      expect([response.status, response.headers.get("content-type")]).toEqual([404, "application/json"]);
      const errors = log.filter(({ level }) => level === 50);
      expect(errors).toMatchObject([{ kind: "sketch", id: uuidOf(id), msg: "the file of a row is missing" }]);
      expect(JSON.stringify(log)).not.toContain("signature");
    }
  });
});

/** Requests a file, and takes none of its bytes until told. */
function askFor(url: string): Promise<{ request: ClientRequest; response: IncomingMessage }> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false }, (response) => resolve({ request, response: response.pause() }));
    request.on("error", reject);
    onTestFinished(() => void request.destroy());
  });
}

async function restOf(response: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece);
  return Buffer.concat(pieces);
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Bytes of files and connections, so far. */
const readByThisProcess = () => Number(/^rchar: (\d+)/.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);

/** Open files of this process with the key in their path. */
function handlesOf({ key }: HungSketch): number {
  const links = readdirSync("/proc/self/fd").map((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`);
    } catch {
      // Closed since the folder was read.
      return "";
    }
  });
  return links.filter((path) => path.includes(key)).length;
}

describe.skipIf(process.platform !== "linux")("clients that are slow", () => {
  it("take no memory, however many there are, and get every byte", async () => {
    const sketch = await hangUp("slow.wav", large);
    const clients = 100;
    collectGarbage();
    const before = process.memoryUsage();
    const answers = await Promise.all(Array.from({ length: clients }, () => askFor(sketch.url)));
    expect(handlesOf(sketch)).toBe(clients);
    const riseMb = (name: "rss" | "arrayBuffers") => (process.memoryUsage()[name] - before[name]) / 1_000_000;
    let [bytesRead, steadyLooks] = [0, 0];
    await until(() => {
      const [now, before] = [readByThisProcess(), bytesRead];
      bytesRead = now;
      steadyLooks = now - before < 1_000_000 ? steadyLooks + 1 : 0;
      return steadyLooks === 20;
    }, "the connections are full");
    collectGarbage();
    console.log(
      `${clients} slow clients: ${riseMb("arrayBuffers").toFixed(1)} MB of buffers, RSS +${riseMb("rss").toFixed(0)} MB`,
    );
    // Both would be above 1,500 MB if the file were read on.
    expect(riseMb("arrayBuffers")).toBeLessThan(400);
    expect(riseMb("rss")).toBeLessThan(500);

    const [patient, ...others] = answers;
    expect(hashOf(await restOf(patient?.response as IncomingMessage))).toBe(sketch.sha256);
    for (const { request } of others) request.destroy();
    await until(() => handlesOf(sketch) === 0, "all files are closed");
  });

  it("get the whole of a file that is deleted meanwhile, and nobody after them", async () => {
    const sketch = await hangUp("deleted.wav", large);
    const { response } = await askFor(sketch.url);
    await lectern.application.files.remove(sketch.key);
    expect((await fetch(sketch.url)).status).toBe(404);
    expect(hashOf(await restOf(response))).toBe(sketch.sha256);
    await until(() => handlesOf(sketch) === 0, "the file is closed");
  });

  it("close their file when they leave, at any time", async () => {
    const sketch = await hangUp("left.wav", large);
    for (let round = 0; round < 20; round++) {
      const request = get(sketch.url, { agent: false });
      request.on("error", () => {});
      if (round % 2 === 0) await new Promise((answered) => request.once("response", answered));
      else await new Promise((sent) => request.once("finish", sent));
      request.destroy();
    }
    await until(() => handlesOf(sketch) === 0, "all files are closed");
    expect((await fetch(sketch.url, { headers: { range: "bytes=0-0" } })).status).toBe(206);
    expect(log.filter(({ msg }) => msg === "a file could not be sent to its end")).toEqual([]);
  });

  it("are served to the end of a shutdown", async () => {
    const second = await start();
    const sketch = await hangUp("shutdown.wav", large, second);
    const { response } = await askFor(sketch.url);
    const stopped = second.stop();
    await expect(fetch(sketch.url)).rejects.toThrow();
    expect(hashOf(await restOf(response))).toBe(sketch.sha256);
    await stopped;
    expect(handlesOf(sketch)).toBe(0);
  });
});
