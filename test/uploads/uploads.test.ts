/**
 * Files on their way in: streamed to disk before anything is executed, bounded in every way, and gone without a trace
 * when the request is not whole. Requests are written by hand where a client of good will could not send them.
 */
import { randomBytes } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { documentSlice } from "../../src/documents/document.slice.ts";
import { ApplicationError } from "../../src/errors.ts";
import { decodeGlobalId } from "../../src/graphql/global-id.ts";
import type { Slice } from "../../src/slice.ts";
import { slices } from "../../src/slices.ts";
import { connectTo } from "../support/database.ts";
import { dump } from "../support/dump.ts";
import { filesOf } from "../support/files.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { boundary, field, headOf } from "../support/multipart-by-hand.ts";
import { post } from "../support/post.ts";
import { upload } from "../support/upload.ts";

const maxBytes = 300_000;
const maxJsonBytes = 20_000;
let lectern: Lectern;
let ada: Person;
let before: Awaited<ReturnType<typeof dump>>;
const rejections: unknown[] = [];
const note = (reason: unknown) => void rejections.push(reason);

beforeAll(async () => {
  process.on("unhandledRejection", note);
  lectern = await startLectern({
    settings: {
      MAX_DOCUMENT_BYTES: String(maxBytes),
      MAX_AUDIO_BYTES: String(maxBytes),
      MAX_JSON_BYTES: String(maxJsonBytes),
    },
  });
  ada = await lectern.person("Ada");
});
afterAll(async () => {
  process.off("unhandledRejection", note);
  await lectern.stop();
  expect(rejections).toEqual([]);
});
beforeEach(async () => {
  before = await dump(lectern.database);
});

const query = `mutation($file: File!) { createDocument(input: { source: { file: $file } }) { document { id } } }`;
const operations = JSON.stringify({ query, variables: { file: null } });
const map = JSON.stringify({ 0: ["variables.file"] });

const fileHead = (name = "0", filename = "a.txt", more = "") =>
  `--${boundary}\r\ncontent-disposition: form-data; name="${name}"; filename="${filename}"\r\n${more}content-type: text/plain\r\n\r\n`;
const end = `\r\n--${boundary}--\r\n`;
const start = field("operations", operations) + field("map", map);

const head = (headers: Record<string, string | number>) => headOf(ada.accessToken, headers);

async function open({ url } = lectern): Promise<Socket> {
  const { port } = new URL(url);
  const socket = connect(Number(port), "127.0.0.1");
  socket.on("error", () => {});
  await new Promise((connected) => socket.once("connect", connected));
  return socket;
}

/** What comes back until the connection ends, or until a whole answer is there. */
function answerOf(socket: Socket): Promise<{ status: number; body: string }> {
  return new Promise((resolve) => {
    let text = "";
    const done = () => resolve({ status: Number(/^HTTP\/1.1 (\d+)/.exec(text)?.[1] ?? 0), body: text });
    socket.setEncoding("utf8").on("data", (piece) => {
      text += piece;
      if (/\r\n\r\n[\s\S]*(\}|0\r\n\r\n)$/.test(text)) done();
    });
    socket.on("close", done);
  });
}

/** Sends a whole body of known length. */
async function send(body: string | Buffer, headers: Record<string, string | number> = {}) {
  const socket = await open();
  const answered = answerOf(socket);
  socket.write(head({ "content-length": Buffer.byteLength(body), ...headers }));
  socket.write(body);
  const answer = await answered;
  socket.destroy();
  return answer;
}

/** Nothing was written, no file is left, and the server is well. */
async function expectNothingHappened(): Promise<void> {
  await expect.poll(() => filesOf(lectern)).toEqual([]);
  expect(await dump(lectern.database)).toEqual(before);
  const { data } = (await (
    await fetch(`${lectern.url}?query={__typename}`, { headers: { "graphql-require-preflight": "1" } })
  ).json()) as never;
  expect(data).toEqual({ __typename: "Query" });
}

describe("who may send files", () => {
  it("is who is signed in: others are told so before they have sent any", async () => {
    for (const authorization of ["", "Bearer wrong"]) {
      const socket = await open();
      const answered = answerOf(socket);
      // Only the head is sent: waiting for the body would be waiting for ever.
      socket.write(head({ "content-length": 200_000, authorization }));
      const { status, body } = await answered;
      expect([status, body.includes("UNAUTHENTICATED")]).toEqual([401, true]);
      expect(body.toLowerCase()).toContain("connection: close");
      socket.destroy();
    }
    await expectNothingHappened();
  });

  it("is nobody without the header that other sites cannot send, with a file or without", async () => {
    const signIn = `mutation { signIn(input: { email: "${ada.email}", password: "a good password" }) { expiresAt } }`;
    const { headers } = await post(lectern.url, { query: signIn });
    const cookie = headers
      .getSetCookie()
      .map((line) => line.split(";", 1)[0])
      .join("; ");
    before = await dump(lectern.database);
    for (const body of [
      start + fileHead() + end,
      field("operations", '{"query":"mutation { signOut { ok } }"}') + end,
    ]) {
      const form = { method: "POST", headers: { "content-type": `multipart/form-data; boundary=${boundary}`, cookie } };
      expect((await fetch(lectern.url, { ...form, body })).status).toBe(403);
    }
    await expectNothingHappened();
    const body = `${start}${fileHead()}Sent with a cookie and the header.${end}`;
    const answer = await fetch(lectern.url, {
      method: "POST",
      headers: {
        "content-type": `multipart/form-data; boundary=${boundary}`,
        cookie,
        "graphql-require-preflight": "1",
      },
      body,
    });
    expect([answer.status, await answer.json()]).toEqual([
      200,
      { data: { createDocument: { document: { id: expect.any(String) } } } },
    ]);
  });
});

describe("a request that is too large", () => {
  it("is refused by its announced length, before it is read", async () => {
    const socket = await open();
    const answered = answerOf(socket);
    socket.write(head({ "content-length": maxBytes + maxJsonBytes + 1 }));
    expect((await answered).status).toBe(413);
    socket.destroy();
    await expectNothingHappened();
  });

  it("stops at the limit when nothing was announced", async () => {
    const socket = await open();
    const answered = answerOf(socket);
    socket.write(head({ "transfer-encoding": "chunked" }));
    const chunk = (text: string) => socket.write(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
    chunk(start + fileHead());
    // Never ended: only counting what arrives can end this.
    for (let sent = 0; sent <= maxBytes; sent += 10_000) chunk("x".repeat(10_000));
    const { status, body } = await answered;
    expect([status, body.includes("PAYLOAD_TOO_LARGE")]).toEqual([413, true]);
    socket.destroy();
    await expectNothingHappened();
  });

  it("in its query or its map is refused as well", async () => {
    for (const body of [
      field("operations", " ".repeat(maxJsonBytes + 1)) + end,
      field("operations", operations) + field("map", " ".repeat(maxJsonBytes + 1)) + end,
    ]) {
      expect((await send(body)).status).toBe(413);
    }
    await expectNothingHappened();
  });
});

describe("files that an operation may not bring", () => {
  let strict: Lectern;
  const room = vi.fn(async (_viewer: object, _bytes: number) => {});
  beforeAll(async () => {
    const createDocument = { maxBytes, role: "EDITOR" as const };
    const editorsOnly: Slice = {
      ...documentSlice,
      uploads: () => ({ createDocument, createNothing: { maxBytes: 2 * maxBytes, role: "VIEWER" } }),
      open: (parts) => ({ ...documentSlice.open?.(parts), requireRoom: room }),
    };
    strict = await startLectern({
      database: lectern.database,
      slices: slices.map((slice) => (slice === documentSlice ? editorsOnly : slice)),
      settings: { MAX_AUDIO_BYTES: String(maxBytes) },
    });
  });
  afterAll(() => strict.stop());

  /** Sends the fields and the head of the file, and waits: an answer shows that the file itself is not waited for. */
  async function answerTo(fields: string, length: number) {
    const socket = await open(strict);
    const answered = answerOf(socket);
    socket.write(head({ "content-length": length }));
    socket.write(fields + fileHead());
    const { status, body } = await answered;
    socket.destroy();
    await expectNothingHappened();
    return [status, JSON.parse(body.slice(body.indexOf("{"))).errors[0]];
  }
  const fieldsOf = (text: string) =>
    field("operations", JSON.stringify({ query: text, variables: { file: null } })) + field("map", map);
  const error = (code: string, message: string) => ({ message, extensions: expect.objectContaining({ code }) });

  it("are refused before they are sent: by the viewer's role", async () => {
    const message = "Your role does not allow createDocument: it needs the role EDITOR.";
    expect(await answerTo(start, maxBytes)).toEqual([403, error("FORBIDDEN", message)]);
    expect(room).not.toHaveBeenCalled();
  });

  it("by fields that take none", async () => {
    const message =
      "No field of this operation takes a file. Fields that do: createDocument, createNothing, uploadAudio, replaceAudioFile.";
    const refused = [400, error("BAD_USER_INPUT", message)];
    expect(await answerTo(fieldsOf("mutation { signOut { ok } }"), maxBytes)).toEqual(refused);
  });

  it("by the limit of their field, although another takes larger ones", async () => {
    await strict.database.query("update users set role = 'EDITOR' where email = $1", [ada.email]);
    strict.application.viewers.forget();
    before = await dump(lectern.database);
    const length = maxBytes + 50_000;
    expect(await answerTo(start, length)).toEqual([
      413,
      error("PAYLOAD_TOO_LARGE", `A file has at most ${maxBytes} bytes.`),
    ]);
    expect(room).not.toHaveBeenCalled();
  });

  it("by the room that their viewer has", async () => {
    room.mockRejectedValueOnce(new ApplicationError("INSUFFICIENT_STORAGE", "There is no room.", { room: 1 }));
    expect(await answerTo(start, maxBytes)).toEqual([507, error("INSUFFICIENT_STORAGE", "There is no room.")]);
    const [[viewer, bytes]] = room.mock.calls as [[object, number]];
    expect(viewer).toMatchObject({ id: decodeGlobalId("User", ada.id, []), role: "EDITOR" });
    expect(bytes).toBeGreaterThan(maxBytes - 30_000);
    expect(bytes).toBeLessThan(maxBytes);
  });
});

describe("a request that is not whole", () => {
  const cut = `${start}${fileHead()}${"A text that goes on. ".repeat(5_000)}`;

  it("for want of its last boundary is refused", async () => {
    for (const body of [cut, `${cut}\r\n`, `${cut}\r\n--${boundary}`, start, field("operations", operations)]) {
      const { status } = await send(body);
      expect(status).toBe(400);
    }
    await expectNothingHappened();
  });

  it("for want of announced bytes leaves nothing, however the connection ends", async () => {
    for (const finish of ["end", "destroy", "resetAndDestroy"] as const) {
      const socket = await open();
      const answered = answerOf(socket);
      socket.write(head({ "content-length": cut.length + 1_000 }));
      socket.write(cut);
      // When the file is on its way to the disk.
      await expect.poll(async () => (await filesOf(lectern)).length).toBe(1);
      socket[finish]();
      expect([0, 400]).toContain((await answered).status);
      await expectNothingHappened();
    }
  });
});

describe("a request in another form than the specification's", () => {
  const file = `${fileHead()}Text.`;
  const cases: Record<string, string> = {
    "no operations": field("map", map) + file + end,
    "operations after map": field("map", map) + field("operations", operations) + file + end,
    "a file before map": field("operations", operations) + file + end,
    "operations twice": field("operations", operations) + field("operations", operations) + file + end,
    "operations that are no JSON": field("operations", "{CANARY") + field("map", map) + file + end,
    "operations that are no object": field("operations", '"CANARY"') + field("map", map) + file + end,
    "a map that is no object": field("operations", operations) + field("map", '["variables.file"]') + file + end,
    "a file that map does not name": start.replace('"0"', '"1"') + file + end,
    "a file that map names and that is not there": start + end.slice(2),
    "a file twice": `${start}${file}\r\n${file}${end}`,
    "eleven files":
      start + Array.from({ length: 11 }, (_, index) => `${fileHead(String(index))}x\r\n`).join("") + end.slice(2),
    "a hundred and one fields": start + field("more", "x").repeat(99) + end.slice(2),
    ...Object.fromEntries(
      [
        "variables",
        "variables.other",
        "variables.file.name",
        "query",
        "__proto__.file",
        "variables.__proto__",
        "",
        "file",
      ].map((path) => [
        `the place ${JSON.stringify(path)}`,
        field("operations", operations) + field("map", JSON.stringify({ 0: [path] })) + file + end,
      ]),
    ),
  };

  it.each(Object.keys(cases))("%s is refused", async (name) => {
    const { status, body } = await send(cases[name] as string);
    expect([status, body.includes("BAD_USER_INPUT"), body.includes("CANARY")]).toEqual([400, true, false]);
    await expectNothingHappened();
  });

  it("without a boundary is refused", async () => {
    for (const type of ["multipart/form-data", "multipart/form-data; boundary="]) {
      expect((await send(start + file + end, { "content-type": type })).status).toBe(400);
    }
    await expectNothingHappened();
  });

  it("with a batch is refused", async () => {
    const body =
      field("operations", `[${operations},${operations}]`) + field("map", '{"0":["0.variables.file"]}') + file + end;
    const { status, body: text } = await send(body);
    expect([status, text.includes("Batching is not supported")]).toEqual([400, true]);
    await expectNothingHappened();
  });

  it("with an object that looks like a file is refused", async () => {
    const value = { id: "x", name: "x", sizeBytes: 1, sha256: "x", head: {}, arrayBuffer: {} };
    const response = await post(lectern.url, { query, variables: { file: value }, accessToken: ada.accessToken });
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: "BAD_USER_INPUT" } }] });
    await expectNothingHappened();
  });
});

describe("on disk", () => {
  it("a file is called by a name of ours, and only its server may read it", async () => {
    const names = [
      "../../etc/passwd",
      "..\\\\..\\\\x.html",
      "%2e%2e/%2e%2e/x",
      "-rf",
      ".htaccess",
      "a\u202Etxt.exe",
      "x".repeat(300),
      "nul\u0001.md",
    ];
    for (const name of names) {
      const { status, data } = await upload(
        lectern,
        ada,
        new File([`<!doctype html><p>${randomBytes(4).toString("hex")}`], name),
      );
      expect([name, status, typeof data?.createDocument.document.id]).toEqual([name, 200, "string"]);
    }
    const files = await filesOf(lectern);
    expect(files).toHaveLength(names.length);
    for (const path of files) {
      expect(path).toMatch(/^kept\/[0-9a-f]{2}\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      const full = join(lectern.config.filesDir, path);
      expect((await stat(full)).mode & 0o777).toBe(0o600);
      expect((await stat(join(full, ".."))).mode & 0o777).toBe(0o700);
    }
    expect((await stat(lectern.config.filesDir)).mode & 0o777).toBe(0o700);
    expect(await readdir(lectern.config.filesDir)).toEqual(["kept", "staged"]);
  });
});

describe("memory for texts", () => {
  it("is given to a few operations at a time; who waits too long is told to come back, and leaves nothing", async () => {
    const patient = { LOCK_TIMEOUT_MS: "60000", STATEMENT_TIMEOUT_MS: "60000", TRANSACTION_TIMEOUT_MS: "60000" };
    const settings = { MAX_DOCUMENT_BYTES: String(maxBytes), UPLOAD_WAIT_MS: "200", ...patient };
    const busy = await startLectern({ settings, database: lectern.database });
    const largest = (letter: string) => upload(busy, ada, new File([letter.repeat(maxBytes)], "large.txt"));
    // As `start` does: what is waited for below is the lock, not a thread.
    await busy.application.warmUp();
    const blocker = await connectTo(lectern.database.url);
    try {
      await blocker.query("begin; lock table documents in share mode");
      const first = [largest("a"), largest("b")];
      await expect
        .poll(async () => {
          const [row] = await lectern.database.query(
            "select count(*)::int as count from pg_locks where relation = 'documents'::regclass and not granted",
          );
          return row?.count;
        })
        .toBe(2);
      const late = await upload(busy, ada, new File(["One piece too many. ".repeat(5_000)], "small.txt"));
      // A text that is short enough to be at hand already waits for nothing but the lock.
      const short = upload(busy, ada, new File(["A short text."], "short.txt"));
      expect([late.status, late.errors?.[0]?.extensions.code]).toEqual([503, "OVERLOADED"]);
      await blocker.query("commit");
      for (const { status, errors } of await Promise.all([...first, short]))
        expect([status, errors]).toEqual([200, undefined]);
      expect(await largest("c")).toMatchObject({ status: 200, data: expect.anything() });
      // A moment after the answer.
      await expect.poll(async () => (await filesOf(busy)).filter((path) => path.startsWith("staged/"))).toEqual([]);
    } finally {
      await blocker.end();
      await busy.stop();
    }
  });
});
