/**
 * Resumable uploads, from their creation to the operation that uses them: cut, continued, refused, and gone without a
 * trace. Requests are written by hand where a client of good will could not send them.
 */
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { mkdir, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Upload } from "tus-js-client";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { documentSlice } from "../../src/documents/document.slice.ts";
import { ApplicationError } from "../../src/errors.ts";
import type { Slice } from "../../src/slice.ts";
import { slices } from "../../src/slices.ts";
import { graphql } from "../support/client/generated/gql.ts";
import { failFiles } from "../support/failing-files.ts";
import { filesOf } from "../support/files.ts";
import { errorsOf, type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { post } from "../support/post.ts";
import { metadata, offsetType, type Tus, tusOf } from "../support/tus.ts";
import { until } from "../support/until.ts";

const maxBytes = 400_000;
const hourMs = 3_600_000;
let lectern: Lectern;
let [ada, bob]: Person[] = [];
let tus: Tus;
let heals: (() => void)[] = [];
const room = vi.fn(async (_viewer: object, _bytes: number) => {});

beforeAll(async () => {
  const documents: Slice = {
    ...documentSlice,
    uploads: () => ({
      createDocument: { maxBytes, role: "VIEWER" },
      createLargeThing: { maxBytes: 2 * maxBytes, role: "EDITOR" },
    }),
    open: (parts) => ({ ...documentSlice.open?.(parts), requireRoom: room }),
  };
  lectern = await startLectern({
    slices: slices.map((slice) => (slice === documentSlice ? documents : slice)),
    settings: {
      MAX_DOCUMENT_BYTES: String(maxBytes),
      MAX_AUDIO_BYTES: String(maxBytes),
      UPLOADS_PER_USER: "3",
      UPLOAD_BYTES_PER_USER: String(2 * maxBytes),
    },
  });
  [ada, bob] = [await lectern.person("Ada"), await lectern.person("Bob")];
  tus = tusOf(lectern, ada);
});
afterEach(async () => {
  for (const heal of heals.splice(0)) heal();
  room.mockReset();
  // Each test begins without uploads.
  for (const person of [ada, bob]) {
    for (const id of await uploadIds()) await tusOf(lectern, person as Person).send("DELETE", `/uploads/${id}`);
  }
  await lectern.database.query("delete from documents");
  await until(async () => (await filesOf(lectern)).length === 0, "no file is left");
});
afterAll(() => lectern.stop());

const idOf = (path: string) => path.slice("/uploads/".length);
const page = (bytes: number) => {
  const start = `<!doctype html><p>${randomBytes(8).toString("hex")}`;
  return Buffer.from(start.padEnd(bytes, " Words.")) as Buffer<ArrayBuffer>;
};
const text = (bytes: number) =>
  Buffer.from(`${randomBytes(8).toString("hex")} `.padEnd(bytes, "Words. ")) as never as Buffer<ArrayBuffer>;

async function uploadIds(): Promise<string[]> {
  const files = await filesOf(lectern);
  return [...new Set(files.flatMap((path) => /^uploads\/[^/]+\/([^/.]+)/.exec(path)?.[1] ?? []))];
}
const pathOf = async (path: string) => {
  const found = (await filesOf(lectern)).find((file) => file.endsWith(idOf(path)));
  return join(lectern.config.filesDir, found as string);
};

const CreateFromUpload = graphql(`
  mutation CreateFromUpload($uploadId: ID!) {
    createDocument(input: { source: { uploadId: $uploadId } }) {
      isDuplicate
      document { id title sha256 }
    }
  }
`);
const create = (path: string, { client }: Pick<Person, "client"> = ada as Person) =>
  client.request(CreateFromUpload, { uploadId: idOf(path) });
const countDocuments = async () => (await lectern.database.query("select from documents")).length;

const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

type Answer = Awaited<ReturnType<Tus["send"]>>;

async function expectRefusal(answer: Answer, status: number, code: string, message: string): Promise<void> {
  expect([answer.status, answer.code, answer.message]).toEqual([status, code, message]);
  expect(answer.headers.get("content-type")).toBe("application/json");
  expect(answer.headers.get("x-request-id")).toMatch(/./);
  expect((await filesOf(lectern)).filter((path) => path.startsWith("staged/"))).toEqual([]);
}

describe("an upload", () => {
  it.each([1, 50, 99])("that is cut at %i %% is continued at its offset, and becomes a document", async (percent) => {
    const bytes = page(300_000);
    const cut = (bytes.length * percent) / 100;
    const path = await tus.create(bytes.length, "Emma.html");
    expect(path).toMatch(/^\/uploads\/[0-9a-f-]{36}$/);
    const { socket, write } = await tus.begin(path, 0, bytes.length);
    write(bytes.subarray(0, cut));
    await until(async () => (await stat(await pathOf(path))).size === cut, "a part of the file is on the disk");
    socket.resetAndDestroy();
    await until(async () => (await tus.offsetOf(path).catch(() => 0)) === cut, "the server has noticed it");

    expect(await errorsOf(create(path))).toMatchObject([
      {
        message: `The upload is not complete: ${cut} of 300000 bytes. Send the rest first.`,
        extensions: { code: "INVALID_STATE", inputPath: ["input", "source", "uploadId"] },
      },
    ]);
    const rest = await tus.patch(path, cut, bytes.subarray(cut));
    expect([rest.status, rest.headers.get("upload-offset")]).toEqual([204, "300000"]);
    const { createDocument } = await create(path);
    expect(createDocument).toMatchObject({ isDuplicate: false, document: { title: "Emma", sha256: hashOf(bytes) } });
    await until(async () => (await uploadIds()).length === 0, "the upload is removed");
    expect((await filesOf(lectern)).map((file) => file.split("/")[0])).toEqual(["kept"]);
  });

  it("is sent by a client of the protocol, in pieces and with its creation", async () => {
    const bytes = text(250_000);
    const send = (options: object) =>
      new Promise<string>((onSuccess, onError) => {
        const upload: Upload = new Upload(bytes, {
          endpoint: tus.root,
          headers: { authorization: `Bearer ${ada?.accessToken}` },
          metadata: { filename: "persuasion.txt", filetype: "audio/mpeg" },
          retryDelays: null,
          onError,
          onSuccess: () => onSuccess(new URL(upload.url as string).pathname),
          ...options,
        });
        upload.start();
      });
    const paths = [await send({ chunkSize: 100_000 }), await send({ uploadDataDuringCreation: true })];
    const created = await Promise.all(paths.map((path) => create(path)));
    expect(created.map(({ createDocument }) => createDocument.isDuplicate).sort()).toEqual([false, true]);
    expect(new Set(created.map(({ createDocument }) => createDocument.document.sha256))).toEqual(
      new Set([hashOf(bytes)]),
    );
    await until(async () => (await uploadIds()).length === 0, "both uploads are removed");
  });

  it("is described by its server", async () => {
    const path = await tus.create(10, "Emma.txt");
    const { status, headers } = await tus.send("HEAD", path);
    expect(status).toBe(200);
    expect(Object.fromEntries(headers)).toMatchObject({
      "cache-control": "no-store",
      "tus-resumable": "1.0.0",
      "upload-length": "10",
      "upload-offset": "0",
      "upload-metadata": metadata("Emma.txt"),
    });
    const sent = await tus.patch(path, 0, "12345");
    const left = Date.parse(sent.headers.get("upload-expires") as string) - Date.now();
    expect([sent.status, Math.round(left / hourMs)]).toEqual([204, 24]);
    const known = await tus.send("OPTIONS", "/uploads", { headers: { authorization: null } });
    expect(Object.fromEntries(known.headers)).toMatchObject({
      "tus-version": "1.0.0",
      "tus-extension": "creation,creation-with-upload,termination,expiration",
    });
    // Other sites are told nothing.
    for (const answer of [sent, known]) {
      expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
  });

  it("may be deleted, complete or not", async () => {
    for (const sent of ["", "12345"]) {
      const path = await tus.create(5);
      await tus.patch(path, 0, sent);
      expect((await tus.send("DELETE", path)).status).toBe(204);
      expect((await tus.send("DELETE", path)).status).toBe(404);
      expect(await filesOf(lectern)).toEqual([]);
    }
  });

  it("is called by a name of the server, and only its server may read it", async () => {
    const names = {
      "../../etc/passwd": "passwd",
      "..\\..\\x.html": "x.html",
      "..": "",
      "nul\u0000 cr\r\nlf.md": "nul crlf.md",
      [`${"x".repeat(300)}.txt`]: `${"x".repeat(251)}.txt`,
      "a\u202Etxt.exe": "atxt.exe",
    };
    for (const [name, shown] of Object.entries(names)) {
      const bytes = page(100);
      const path = await tus.create(bytes.length, name);
      const { headers } = await tus.send("HEAD", path);
      expect([name, headers.get("upload-metadata")]).toEqual([name, shown === "" ? null : metadata(shown)]);
      await tus.patch(path, 0, bytes);
      for (const file of await filesOf(lectern)) {
        expect(file).toMatch(/^uploads\/[0-9a-f-]{36}\/[0-9a-f-]{36}(\.json)?$/);
        const full = join(lectern.config.filesDir, file);
        expect((await stat(full)).mode & 0o777).toBe(0o600);
        expect((await stat(join(full, ".."))).mode & 0o777).toBe(0o700);
      }
      await tus.send("DELETE", path);
    }
  });

  it("is kept if its operation fails, and used by the next", async () => {
    const bytes = page(1_000);
    const path = await tus.create(bytes.length);
    await tus.patch(path, 0, bytes);
    const two = `mutation($id: ID!) {
      a: createDocument(input: { source: { uploadId: $id } }) { document { id } }
      b: createDocument(input: { source: { text: "" } }) { document { id } } }`;
    expect(await errorsOf((ada as Person).client.request(two, { id: idOf(path) }))).toHaveLength(2);
    const dryRun = (ada as Person)
      .with({ "lectern-dry-run": "true" })
      .request(CreateFromUpload, { uploadId: idOf(path) });
    expect((await dryRun).createDocument.isDuplicate).toBe(false);
    expect([await countDocuments(), (await filesOf(lectern)).length]).toEqual([0, 2]);
    expect((await create(path)).createDocument.isDuplicate).toBe(false);
    expect(await errorsOf(create(path))).toMatchObject([{ extensions: { code: "NOT_FOUND" } }]);
  });

  it("is not needed again when its operation is repeated under the same key", async () => {
    const bytes = page(1_000);
    const path = await tus.create(bytes.length);
    await tus.patch(path, 0, bytes);
    const keyed = (ada as Person).with({ "idempotency-key": randomUUID() });
    const send = () => keyed.request(CreateFromUpload, { uploadId: idOf(path) });
    const first = await send();
    await until(async () => (await uploadIds()).length === 0, "the upload is removed");
    expect(await send()).toEqual(first);
  });

  it("is not copied if it is too large for the field that it is used for", async () => {
    const eve = await lectern.person("Eve", "EDITOR");
    const own = tusOf(lectern, eve);
    const path = await own.create(maxBytes + 1);
    await own.patch(path, 0, page(maxBytes + 1));
    heals = [failFiles("write", "EIO", /staged/)];
    expect(await errorsOf(create(path, eve))).toMatchObject([
      {
        message: `A file has at most ${maxBytes} bytes, not ${maxBytes + 1}.`,
        extensions: { code: "PAYLOAD_TOO_LARGE", inputPath: ["input", "source", "uploadId"] },
      },
    ]);
    await own.send("DELETE", path);
  });

  it("is used by several operations at once without a loss", async () => {
    const bytes = page(1_000);
    const path = await tus.create(bytes.length);
    await tus.patch(path, 0, bytes);
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => create(path)));
    expect(outcomes.filter(({ status }) => status === "fulfilled").length).toBeGreaterThan(0);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected")
        expect(outcome.reason.response.errors).toMatchObject([{ extensions: { code: "NOT_FOUND" } }]);
    }
    expect(await countDocuments()).toBe(1);
    await until(async () => (await filesOf(lectern)).length === 1, "only the original is left");
    const twice = await tus.create(bytes.length);
    await tus.patch(twice, 0, page(1_000));
    const both = `mutation($id: ID!) {
      a: createDocument(input: { source: { uploadId: $id } }) { isDuplicate }
      b: createDocument(input: { source: { uploadId: $id } }) { isDuplicate } }`;
    expect(await (ada as Person).client.request(both, { id: idOf(twice) })).toEqual({
      a: { isDuplicate: false },
      b: { isDuplicate: true },
    });
  });
});

describe("uploads are refused before their body is read", () => {
  /** Sends the head only: waiting for the body would be waiting for ever. */
  async function announce(headers: Record<string, string> = {}) {
    const all = { "upload-length": "100", "content-length": "100", "content-type": offsetType, ...headers };
    const { socket, answer } = await tus.open("POST", "/uploads", all);
    const given = await answer;
    socket.destroy();
    return given;
  }

  it("of strangers", async () => {
    for (const authorization of ["", "Bearer wrong"]) {
      const answer = await announce({ authorization, "graphql-require-preflight": "1" });
      await expectRefusal(answer, 401, "UNAUTHENTICATED", "Sign in before you send files.");
    }
    const path = await tus.create(10);
    for (const method of ["HEAD", "PATCH", "DELETE"]) {
      const headers = { authorization: null, "graphql-require-preflight": "1" };
      expect((await tus.send(method, path, { headers })).status).toBe(401);
    }
    expect(await tus.offsetOf(path)).toBe(0);
  });

  it("that another site may have made", async () => {
    const signIn = `mutation { signIn(input: { email: "${ada?.email}", password: "a good password" }) { expiresAt } }`;
    const cookie = (await post(lectern.url, { query: signIn })).headers
      .getSetCookie()
      .map((line) => line.split(";", 1)[0])
      .join("; ");
    const headers = { authorization: null, cookie, "upload-length": "10" };
    await expectRefusal(
      await tus.send("POST", "/uploads", { headers }),
      ...([403, "FORBIDDEN", "Send the header graphql-require-preflight: 1."] as const),
    );
    expect(await filesOf(lectern)).toEqual([]);
    for (const [name, value] of [
      ["graphql-require-preflight", "1"],
      ["sec-fetch-site", "same-origin"],
    ] as const) {
      const answer = await tus.send("POST", "/uploads", { headers: { ...headers, [name]: value } });
      expect([answer.status, await tus.offsetOf(answer.headers.get("location") as string)]).toEqual([201, 0]);
    }
  });

  it("of another user, as if there were none", async () => {
    const path = await tus.create(10);
    const other = tusOf(lectern, bob as Person);
    for (const unknown of [path, `/uploads/${randomUUID()}`, "/uploads/x", "/uploads/", "/uploads/../uploads/x%2fy"]) {
      for (const method of ["HEAD", "DELETE"]) expect((await other.send(method, unknown)).status).toBe(404);
      const message = "You have no such upload, or its time is over: create a new one.";
      await expectRefusal(await other.patch(unknown, 0, "1234567890"), 404, "NOT_FOUND", message);
    }
    await tus.patch(path, 0, "1234567890");
    const none = [{ message: "You have no such upload, or its time is over: send the file again." }];
    expect(await errorsOf(create(path, bob))).toMatchObject(none);
    for (const id of [randomUUID(), "../x", "x".repeat(1_000)]) {
      expect(await errorsOf(create(`/uploads/${id}`))).toMatchObject(none);
    }
  });

  it("that are empty, too large for the viewer's role, or of unknown length", async () => {
    const announced = (length: string) => tus.send("POST", "/uploads", { headers: { "upload-length": length } });
    await expectRefusal(await announced("0"), 400, "BAD_USER_INPUT", "An upload has 1 byte or more.");
    await expectRefusal(await announced(String(maxBytes + 1)), 413, "PAYLOAD_TOO_LARGE", "Maximum size exceeded");
    for (const length of ["-1", "1e3", "x", "9".repeat(30)]) expect((await announced(length)).status).toBe(400);
    const deferred = await tus.send("POST", "/uploads", { headers: { "upload-defer-length": "1" } });
    expect([deferred.status, deferred.code]).toEqual([501, "BAD_USER_INPUT"]);
    expect(await filesOf(lectern)).toEqual([]);
    expect((await announced(String(maxBytes))).status).toBe(201);

    const editor = tusOf(lectern, await lectern.person("Eve", "EDITOR"));
    const path = await editor.create(maxBytes + 1);
    expect((await editor.send("DELETE", path)).status).toBe(204);
  });

  it("for which there is no room", async () => {
    room.mockRejectedValueOnce(new ApplicationError("QUOTA_EXCEEDED", "There is no room.", { http: { status: 413 } }));
    const answer = await announce();
    await expectRefusal(answer, 413, "QUOTA_EXCEEDED", "There is no room.");
    expect(room.mock.calls).toMatchObject([[{ role: "VIEWER" }, 100]]);
    expect(await filesOf(lectern)).toEqual([]);
  });

  it("that are too many for their user, also at once", async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => tus.create(10)));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
    const message = `You have at most 3 uploads, of ${2 * maxBytes} bytes together: use or delete one of them, and create this one again.`;
    const answer = await tus.send("POST", "/uploads", { headers: { "upload-length": "10" } });
    await expectRefusal(answer, 429, "QUOTA_EXCEEDED", message);
    const others = tusOf(lectern, bob as Person);
    for (const length of [maxBytes, maxBytes]) await others.create(length);
    await expect(others.create(1)).rejects.toThrow("429");
  });

  it("in another form than the protocol's", async () => {
    const path = await tus.create(10);
    const cases: [string, string, Record<string, string | null>, number][] = [
      ["POST", "/uploads", { "upload-length": "1", "tus-resumable": null }, 412],
      ["POST", "/uploads", { "upload-length": "1", "tus-resumable": "0.2.2" }, 400],
      ["POST", "/uploads", { "upload-length": "1", "upload-metadata": "filename !" }, 400],
      ["POST", "/uploads", { "upload-length": "1", "upload-metadata": "__proto__ eA==" }, 400],
      ["POST", path, { "upload-length": "1" }, 404],
      ["PATCH", path, { "upload-offset": "0", "content-type": "text/plain" }, 400],
      ["PATCH", path, { "upload-offset": "-1", "content-type": offsetType }, 400],
      ["PATCH", path, { "content-type": offsetType }, 403],
      ["GET", path, {}, 405],
      ["PUT", path, {}, 405],
      ["POST", "/uploads", { "upload-length": "1", "upload-concat": "partial" }, 501],
    ];
    for (const [method, at, headers, status] of cases) {
      expect([method, headers, (await tus.send(method, at, { headers })).status]).toEqual([method, headers, status]);
    }
    expect((await tus.send("GET", path)).headers.get("allow")).toBe("OPTIONS, POST, HEAD, PATCH, DELETE");
    expect(await tus.offsetOf(path)).toBe(0);
    expect(await uploadIds()).toHaveLength(1);
  });
});

describe("a client that waits for 100 Continue", () => {
  const headers = { expect: "100-continue", "content-length": "10" };

  it("is told to send bytes only if they are wanted", async () => {
    const path = await tus.create(10);
    const patch = { ...headers, "content-type": offsetType };
    const wrong = await tus.open("PATCH", path, { ...patch, "upload-offset": "5" });
    expect((await wrong.answer).status).toBe(409);
    wrong.socket.destroy();
    const right = await tus.open("PATCH", path, { ...patch, "upload-offset": "0" });
    expect((await right.answer).status).toBe(100);
    right.write("1234567890");
    await until(async () => (await tus.offsetOf(path).catch(() => 0)) === 10, "the bytes were taken");
    right.socket.destroy();
  });
});

describe("the bytes of an upload", () => {
  it("are not taken at another offset", async () => {
    const path = await tus.create(10);
    await tus.patch(path, 0, "12345");
    for (const offset of [0, 4, 6, 10]) {
      await expectRefusal(await tus.patch(path, offset, "67890"), 409, "CONFLICT", "Upload-Offset conflict");
    }
    expect((await tus.patch(path, 5, "67890")).headers.get("upload-offset")).toBe("10");
  });

  it("are not more than announced, by length or by count", async () => {
    const path = await tus.create(100_000);
    const announced = await tus.begin(path, 0, 100_001);
    expect(await announced.answer).toMatchObject({ status: 413, code: "PAYLOAD_TOO_LARGE" });
    announced.socket.destroy();
    const counted = await tus.begin(path, 0, "unknown");
    for (let sent = 0; sent < 100_001; sent += 20_000) counted.write("x".repeat(20_001));
    expect(await counted.answer).toMatchObject({ status: 413, code: "PAYLOAD_TOO_LARGE" });
    counted.socket.destroy();
    const offset = await tus.offsetOf(path);
    expect(offset).toBeLessThanOrEqual(100_000);
    await tus.patch(path, offset, "y".repeat(100_000 - offset));
    expect((await create(path)).createDocument.isDuplicate).toBe(false);
  });

  it("are taken from one request at a time", async () => {
    const path = await tus.create(10);
    const first = await tus.begin(path, 0, 10);
    first.write("12345");
    await until(async () => (await stat(await pathOf(path))).size === 5, "the first has begun");
    const message = "Another request is sending this upload: wait until it has ended, and ask for the offset.";
    await expectRefusal(await tus.patch(path, 0, "abcdefghij"), 423, "CONFLICT", message);
    first.write("67890");
    expect((await first.answer).status).toBe(204);
    first.socket.destroy();

    const racers = await tus.create(5);
    const answers = await Promise.all(["11111", "22222", "33333"].map((bytes) => tus.patch(racers, 0, bytes)));
    const [winner, ...others] = answers.map(({ status }) => status).sort();
    expect(winner).toBe(204);
    // At the old offset, or after a second in vain on a busy machine.
    for (const status of others) expect([409, 423]).toContain(status);
    expect(await tus.offsetOf(racers)).toBe(5);
  });

  it("are removed if they came with a creation that failed", async () => {
    heals = [failFiles("write", "ENOSPC", /uploads/)];
    const answer = await tus.send("POST", "/uploads", {
      headers: { "upload-length": "5", "content-type": offsetType },
      body: "12345",
    });
    const full = "The disk for files is full: nothing was changed. Retry when it has free space.";
    await expectRefusal(answer, 507, "INSUFFICIENT_STORAGE", full);
    expect(await filesOf(lectern)).toEqual([]);
  });

  it("are kept up to a failure of the disk, and continued after it", async () => {
    const path = await tus.create(10);
    await tus.patch(path, 0, "12345");
    heals = [failFiles("write", "EIO", /uploads/)];
    const failed = await tus.patch(path, 5, "67890");
    expect([failed.status, failed.code]).toEqual([503, "STORAGE_UNAVAILABLE"]);
    heals.pop()?.();
    heals = [failFiles("sync", "EIO", /uploads/)];
    // An offset that may not be on the disk is not told.
    expect((await tus.send("HEAD", path)).status).toBe(503);
    heals.pop()?.();
    expect(await tus.offsetOf(path)).toBe(5);
    expect((await tus.patch(path, 5, "67890")).status).toBe(204);
  });
});

describe("an upload that is not used", () => {
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * hourMs);

  it("is refused after its time, counted from its last byte, and swept", async () => {
    const path = await tus.create(10);
    await tus.patch(path, 0, "12345");
    const file = await pathOf(path);
    for (const name of [file, `${file}.json`]) await utimes(name, hoursAgo(23.9), hoursAgo(23.9));
    expect(await lectern.application.uploads.sweep()).toBe(0);
    expect((await tus.patch(path, 5, "67")).status).toBe(204);
    // The announcement is old, the last byte is not.
    await utimes(`${file}.json`, hoursAgo(100), hoursAgo(100));
    expect(await lectern.application.uploads.sweep()).toBe(0);
    expect(await tus.offsetOf(path)).toBe(7);
    for (const name of [file, `${file}.json`]) await utimes(name, hoursAgo(24.1), hoursAgo(24.1));
    expect((await tus.send("HEAD", path)).status).toBe(404);
    expect((await tus.patch(path, 7, "890")).status).toBe(404);
    expect(await lectern.application.uploads.sweep()).toBe(1);
    expect(await filesOf(lectern)).toEqual([]);
  });

  it("has its time again when an operation has failed with it", async () => {
    const bytes = page(10_000);
    const path = await tus.create(bytes.length);
    await tus.patch(path, 0, bytes);
    const file = await pathOf(path);
    await utimes(file, hoursAgo(23.9), hoursAgo(23.9));
    const invalid = `mutation($id: ID!) { createDocument(input: { source: { uploadId: $id }, title: "" }) { isDuplicate } }`;
    expect(await errorsOf((ada as Person).client.request(invalid, { id: idOf(path) }))).toHaveLength(1);
    expect(Date.now() - (await stat(file)).mtimeMs).toBeLessThan(hourMs);
  });

  it("is not swept while a request sends it", async () => {
    const path = await tus.create(10);
    const { socket, write, answer } = await tus.begin(path, 0, 10);
    write("12345");
    const file = await pathOf(path);
    await until(async () => (await stat(file)).size === 5, "it has begun");
    for (const name of [file, `${file}.json`]) await utimes(name, hoursAgo(30), hoursAgo(30));
    expect(await lectern.application.uploads.sweep()).toBe(0);
    write("67890");
    expect((await answer).status).toBe(204);
    socket.destroy();
  });

  it("is swept also if a crash has left a part of it, and its user has no folder then", async () => {
    const folder = join(lectern.config.filesDir, "uploads", randomUUID());
    await mkdir(folder, { recursive: true });
    const [cut, alone] = [join(folder, randomUUID()), join(folder, randomUUID())];
    for (const [path, content] of [
      [cut, "1"],
      [`${cut}.json`, "{"],
      [alone, "1"],
    ] as const)
      await writeFile(path, content);
    expect(await lectern.application.uploads.sweep()).toBe(0);
    for (const path of [cut, `${cut}.json`, alone]) await utimes(path, hoursAgo(30), hoursAgo(30));
    expect(await lectern.application.uploads.sweep()).toBe(2);
    await lectern.application.uploads.sweep();
    await expect(stat(folder)).rejects.toThrow("ENOENT");
  });
});
