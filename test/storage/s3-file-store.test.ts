/** Every way in which a network or S3 itself fails the store: files are whole or absent, and nothing stays for good. */
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { FileMissingError, FileStoreError } from "../../src/storage/file-store.ts";
import { sweepFiles } from "../../src/storage/file-sweep.ts";
import { parseS3Address } from "../../src/storage/s3-address.ts";
import { S3FileStore, type S3FileStoreOptions } from "../../src/storage/s3-file-store.ts";
import { type HttpFault, type HttpFaults, startHttpFaults } from "../support/http-faults.ts";
import { type S3Server, startS3Server } from "../support/s3-server.ts";

let s3: S3Server;
let front: HttpFaults;
let folder: string;
const opened: S3FileStore[] = [];
let patient: S3FileStore;
let store: S3FileStore;

const partBytes = 5_242_880;

beforeAll(async () => {
  s3 = await startS3Server();
  front = await startHttpFaults(s3.port);
  folder = await mkdtemp(join(tmpdir(), "lectern-store-"));
  patient = open({});
  store = patient;
});
afterEach(async () => {
  store = patient;
  front.reset();
  for (const { id, isStaged } of await Array.fromAsync(store.list())) {
    await (isStaged ? store.removeStaged(id) : store.remove(id));
  }
  front.reset();
});
afterAll(async () => {
  for (const each of opened) each.close();
  await front.stop();
  await s3.stop();
  await rm(folder, { recursive: true, force: true });
});

function open({ port = front.port, ...options }: Partial<S3FileStoreOptions> & { port?: number; url?: string }) {
  const url = options.url ?? s3.url.replace(String(s3.port), String(port));
  const made = new S3FileStore({
    folder,
    address: parseS3Address(url),
    credentials: s3.credentials,
    partBytes,
    ...options,
  });
  opened.push(made);
  return made;
}

/** Only a store that meets silence is impatient: on a busy machine, every answer may take a while. */
function meet(request: RegExp, fault: HttpFault, times = 1): void {
  if (fault === "silence") store = open({ silenceMs: 1_000 });
  front.next(request, fault, times);
}

async function* from(contents: Uint8Array) {
  for (let start = 0; start < contents.length; start += 50_000) yield contents.subarray(start, start + 50_000);
}
const stage = (contents: Uint8Array) => store.stage(from(contents), { name: "a.bin", maxBytes: 100_000_000 });
const keep = async (contents: Uint8Array) => store.keep(await stage(contents));
const staged = () => readdir(folder);
/** Everything in S3, and everything on the disk. */
const left = async () => ({ ...(await s3.contents()), staged: await staged() });
const nothing = { objects: [], uploads: [], staged: [] };
const whole = async (key: string, range?: { start: number; end: number }) =>
  Buffer.concat(await Array.fromAsync(store.pieces(key, range)));

async function failureOf(work: Promise<unknown>): Promise<FileStoreError> {
  const error = await work.then(
    () => expect.unreachable("It was expected to fail."),
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(FileStoreError);
  return error;
}

const slowDown =
  "<?xml version='1.0' encoding='UTF-8'?><Error><Code>SlowDown</Code><Message>Reduce your rate.</Message></Error>";
const passing: [name: string, fault: HttpFault][] = [
  ["is answered with 500", { status: 500 }],
  ["is answered with 503 SlowDown", { status: 503, body: slowDown }],
  ["is answered with a page of a proxy", { status: 502, body: "<html><body>Bad gateway</body>" }],
  ["is cut before it arrives", "cut before"],
  ["is carried out while its answer is lost", "lose answer"],
  ["is not answered for too long", "silence"],
];

describe("an upload", () => {
  const object = /^PUT \/library\/files\/[0-9a-f-]{36}\?x-id=PutObject/;

  it.each([...passing, ["is cut in the middle", { cutRequestAt: 40_000 }] as const])(
    "that %s is repeated under the same key",
    async (_, fault) => {
      const contents = randomBytes(100_000);
      meet(object, fault, 2);
      const key = await keep(contents);
      expect(front.pending).toBe(0);
      expect(new Set(front.requests.filter((request) => object.test(request)))).toHaveLength(1);
      expect((await store.read(key)).equals(contents)).toBe(true);
      expect(await left()).toEqual({ ...nothing, objects: [`files/${key}`] });
    },
  );

  it("whose bytes change on the way is refused by the service", async () => {
    for (const bytes of [1_000, 6_000_000]) {
      const file = await stage(randomBytes(bytes));
      front.next(bytes > partBytes ? /partNumber=1/ : object, "change request");
      expect(await failureOf(store.keep(file))).toMatchObject({ reason: "XAmzContentSHA256Mismatch", mayPass: true });
      expect(await left()).toEqual({ ...nothing, staged: [file.id] });
      await store.discard(file);
    }
  });

  it("of which the service loses a part is refused, and removed", async () => {
    const file = await stage(randomBytes(100_000));
    s3.truncateNext(60_000);
    const error = await failureOf(store.keep(file));
    expect(error).toMatchObject({ code: "STORAGE_UNAVAILABLE", reason: "Truncated", mayPass: true });
    expect((error.cause as Error).message).toBe("Of 100000 bytes, the service has kept 60000.");
    // It may be kept with a second call.
    expect(await left()).toEqual({ ...nothing, staged: [file.id] });
    expect(await store.size(await store.keep(file))).toBe(100_000);
  });

  it("that always fails leaves the staged file alone", async () => {
    const file = await stage(Buffer.from("The text."));
    front.next(object, "cut before", 4);
    expect(await failureOf(store.keep(file))).toMatchObject({ code: "STORAGE_UNAVAILABLE", mayPass: true });
    expect(await left()).toEqual({ ...nothing, staged: [file.id] });
  });

  it("whose answers are all lost has succeeded, since the file is there", async () => {
    front.next(object, "lose answer", 4);
    const key = await keep(Buffer.from("The text."));
    expect(front.pending).toBe(0);
    expect(String(await store.read(key))).toBe("The text.");
    expect(await staged()).toEqual([]);
  });

  it("of unknown outcome gives no key; the sweep removes what it left", async () => {
    front.next(object, "lose answer", 4);
    front.next(/^(HEAD|DELETE)/, "cut before", 8);
    const file = await stage(Buffer.from("The text."));
    await failureOf(store.keep(file));
    expect(front.pending).toBe(0);
    const { objects } = await left();
    expect(objects).toHaveLength(1);
    await s3.makeOld(objects[0] as string, 3_600_000);
    const old = new Date(Date.now() - 3_600_000);
    await utimes(join(folder, file.id), old, old);
    await store.discard(file);
    expect(await sweepFiles({ store, findNamed: async () => new Set(), graceMs: 60_000 })).toBe(1);
    expect(await left()).toEqual(nothing);
  });

  it("of a staged file that has changed on the disk is refused", async () => {
    for (const bytes of [1_000, 6_000_000]) {
      const file = await stage(randomBytes(bytes));
      await writeFile(join(folder, file.id), randomBytes(bytes));
      expect(await failureOf(store.keep(file))).toMatchObject({ reason: "Changed", mayPass: false });
      await store.discard(file);
      expect(await left()).toEqual(nothing);
    }
  });
});

describe("an upload in parts", () => {
  const begin = /^POST .*\?uploads/;
  const part = /^PUT .*partNumber=2/;
  const complete = /^POST .*\?uploadId=/;

  it("is made for files that are larger than a part, and read back whole", async () => {
    const contents = randomBytes(11_000_000);
    const key = await keep(contents);
    expect(front.requests.filter((request) => /partNumber/.test(request))).toHaveLength(3);
    const hash = createHash("sha256");
    for await (const piece of store.pieces(key)) hash.update(piece);
    expect(hash.digest("hex")).toBe(createHash("sha256").update(contents).digest("hex"));
    expect(await left()).toEqual({ ...nothing, objects: [`files/${key}`] });
  });

  it.each([...passing, ["is cut in the middle", { cutRequestAt: 1_000_000 }] as const])(
    "goes on when a part %s",
    async (_, fault) => {
      const contents = randomBytes(6_000_000);
      meet(part, fault);
      const key = await keep(contents);
      expect(front.pending).toBe(0);
      expect((await store.read(key)).equals(contents)).toBe(true);
    },
  );

  it("that lost the answer to its last request has succeeded, since the file is there", async () => {
    front.next(complete, "lose answer");
    const key = await keep(randomBytes(6_000_000));
    expect(front.pending).toBe(0);
    expect(await store.size(key)).toBe(6_000_000);
  });

  it.each([
    ["the begin", begin],
    ["a part", part],
    ["the end", complete],
  ])("is aborted when %s always fails", async (_, request) => {
    const file = await stage(randomBytes(6_000_000));
    front.next(request, { status: 500 }, 4);
    expect(await failureOf(store.keep(file))).toMatchObject({ code: "STORAGE_UNAVAILABLE", mayPass: true });
    expect(await left()).toEqual({ ...nothing, staged: [file.id] });
  });

  it("that a crash has left is swept, after the time that an upload may take and the grace", async () => {
    const file = await stage(randomBytes(6_000_000));
    front.next(part, { status: 403 });
    front.next(/^DELETE/, { status: 403 }, 2);
    await failureOf(store.keep(file));
    await store.discard(file);
    const { uploads } = await left();
    expect(uploads).toHaveLength(1);
    const sweep = () => sweepFiles({ store, findNamed: async () => new Set(), graceMs: 60_000 });
    await s3.makeOld(uploads[0] as string, 650_000);
    expect([await sweep(), (await left()).uploads]).toEqual([0, uploads]);
    await s3.makeOld(uploads[0] as string, 670_000);
    expect([await sweep(), await left()]).toEqual([1, nothing]);
  });

  it("cannot be listed everywhere: then the sweep goes on without", async () => {
    const key = await keep(Buffer.from("The text."));
    await s3.makeOld(`files/${key}`, 3_600_000);
    front.next(/[?&]uploads/, {
      status: 501,
      body: "<Error><Code>NotImplemented</Code><Message>Not implemented.</Message></Error>",
    });
    expect(await sweepFiles({ store, findNamed: async () => new Set(), graceMs: 60_000 })).toBe(1);
    expect(front.pending).toBe(0);
  });
});

describe("a download", () => {
  const get = /^GET .*x-id=GetObject/;
  let contents: Buffer;
  let key: string;
  const prepare = async () => {
    contents = randomBytes(300_000);
    key = await keep(contents);
    front.reset();
  };

  it.each(passing)("that %s is repeated", async (_, fault) => {
    await prepare();
    meet(get, fault);
    expect((await whole(key)).equals(contents)).toBe(true);
    expect(front.pending).toBe(0);
  });

  it.each([
    ["breaks", { cutAnswerAt: 100_000 }],
    ["ends early", { endAnswerAt: 100_000 }],
  ])("that %s in the middle continues there", async (_, fault) => {
    await prepare();
    front.next(get, fault, 2);
    expect((await whole(key)).equals(contents)).toBe(true);
    front.next(get, fault, 2);
    expect((await whole(key, { start: 10_000, end: 290_000 })).equals(contents.subarray(10_000, 290_000))).toBe(true);
    front.next(get, fault, 2);
    expect((await store.read(key)).equals(contents)).toBe(true);
    expect(front.requests).toHaveLength(9);
    expect(front.pending).toBe(0);
  });

  it("that makes no progress fails", async () => {
    await prepare();
    front.next(get, { cutAnswerAt: 0 }, 100);
    expect(await failureOf(whole(key))).toMatchObject({ code: "STORAGE_UNAVAILABLE", mayPass: true });
    expect(front.requests).toHaveLength(6);
  });

  it("does not end quietly when its file is removed meanwhile", async () => {
    await prepare();
    let received = 0;
    const reading = (async () => {
      for await (const piece of store.pieces(key)) {
        if (received === 0) await store.remove(key);
        received += piece.length;
      }
    })();
    front.next(get, { cutAnswerAt: 100_000 });
    await expect(reading).rejects.toThrow(FileMissingError);
    expect(received).toBeLessThanOrEqual(100_000);
  });

  it("to a program continues as well, and leaves no temporary file when it fails", async () => {
    await prepare();
    front.next(get, { cutAnswerAt: 100_000 });
    expect((await store.withLocalFile(key, (path) => readFile(path))).equals(contents)).toBe(true);
    front.next(get, { status: 403 });
    await failureOf(store.withLocalFile(key, () => expect.unreachable("The file was not downloaded.")));
    expect(await staged()).toEqual([]);
  });
});

describe("other requests", () => {
  it.each(passing)("are repeated when one %s", async (_, fault) => {
    const key = await keep(Buffer.from("The text."));
    await s3.makeOld(`files/${key}`, 3_600_000);
    front.reset();
    const works = [
      ["HEAD", () => store.size(key), 9],
      ["PUT", () => store.touch(key), undefined],
      ["GET .*list-type", async () => (await Array.fromAsync(store.list())).length, 1],
      ["DELETE", () => store.remove(key), undefined],
      ["PUT", () => store.requireUsable(), undefined],
    ] as const;
    for (const [request, work, result] of works) {
      meet(new RegExp(`^${request}`), fault);
      expect([request, await work(), front.pending]).toEqual([request, result, 0]);
    }
    expect(await left()).toEqual(nothing);
  });
});

describe("touching", () => {
  it("costs no copy while the file is young enough for the rest of its operation", async () => {
    const key = await keep(Buffer.from("The text."));
    front.reset();
    await store.touch(key);
    expect(front.requests.map((request) => request.split(" ")[0])).toEqual(["HEAD"]);
    await s3.makeOld(`files/${key}`, 61_000);
    await store.touch(key);
    expect(front.requests.map((request) => request.split(" ")[0])).toEqual(["HEAD", "HEAD", "PUT"]);
  });

  it("tells of a file that was swept in between", async () => {
    const key = await keep(Buffer.from("The text."));
    await s3.makeOld(`files/${key}`, 3_600_000);
    front.next(/^PUT/, { status: 404, body: "<Error><Code>NoSuchKey</Code><Message>It is gone.</Message></Error>" });
    await expect(store.touch(key)).rejects.toThrow(FileMissingError);
  });
});

describe("the age of a file", () => {
  it("is measured by the clock of the service, not by that of this machine", async () => {
    const key = await keep(Buffer.from("The text."));
    front.shiftClock(240);
    expect(await store.age(key)).toBeGreaterThan(230_000);
    expect(await store.age(key)).toBeLessThan(300_000);
  });
});

describe("an operator's mistake", () => {
  const unavailable = { code: "STORAGE_UNAVAILABLE", isFull: false, mayPass: false };

  it("in the login is told from passing trouble, and no error holds the login", async () => {
    const wrong = open({ credentials: { accessKeyId: "S3RVER", secretAccessKey: "secret-of-another" } });
    const key = randomUUID();
    const works = {
      read: () => wrong.read(key),
      size: () => wrong.size(key),
      remove: () => wrong.remove(key),
      requireUsable: () => wrong.requireUsable(),
    };
    for (const [name, work] of Object.entries(works)) {
      const error = await failureOf(work());
      expect([name, error]).toEqual([name, expect.objectContaining(unavailable)]);
      expect(error.message).toBe("Files cannot be stored or read at the moment: nothing was changed. Retry later.");
      expect(error.path).toMatch(/^s3:\/\/library\/files\/[0-9a-f-]{36}$/);
      const logged = JSON.stringify({ ...error, ...(error.cause as Error), message: (error.cause as Error).message });
      expect(logged).not.toMatch(/S3RVER|secret-of-another|Signature=/);
    }
  });

  it("in the bucket is a failure of every request, not a missing file", async () => {
    const elsewhere = open({ url: s3.url.replace("library", "nowhere") });
    const key = randomUUID();
    const file = await elsewhere.stage(from(Buffer.from("x")), { name: "a", maxBytes: 10 });
    const works = [
      elsewhere.keep(file),
      elsewhere.read(key),
      elsewhere.size(key),
      elsewhere.age(key),
      elsewhere.touch(key),
      elsewhere.remove(key),
      Array.fromAsync(elsewhere.list()),
      elsewhere.requireUsable(),
    ];
    for (const error of await Promise.all(works.map(failureOf))) expect(error).toMatchObject(unavailable);
    await elsewhere.discard(file);
  });

  it("in the port, or a service that is down, is told", async () => {
    const down = open({ port: 1 });
    expect(await failureOf(down.requireUsable())).toMatchObject({ reason: "ECONNREFUSED", mayPass: true });
  });
});

describe("a bucket that is full", () => {
  it.each([
    [403, "QuotaExceeded"],
    [507, "XMinioStorageFull"],
    [507, "Unheard"],
  ])("says so: %i %s", async (status, code) => {
    const file = await stage(Buffer.from("The text."));
    front.next(/^PUT/, { status, body: `<Error><Code>${code}</Code><Message>It is full.</Message></Error>` }, 4);
    expect(await failureOf(store.keep(file))).toMatchObject({ code: "INSUFFICIENT_STORAGE", isFull: true });
    expect(await left()).toEqual({ ...nothing, staged: [file.id] });
  });
});

describe("a presigned address", () => {
  it("gives the file to everybody who has it, under its type and name, until it expires", async () => {
    const key = await keep(Buffer.from("The text."));
    const options = { expiresSeconds: 60, mimeType: "audio/mpeg", disposition: 'inline; filename="a b.mp3"' };
    const url = await store.presignedUrl(key, options);
    const response = await fetch(url);
    expect([response.status, await response.text()]).toEqual([200, "The text."]);
    expect(response.headers.get("content-type")).toBe("audio/mpeg");
    expect(response.headers.get("content-disposition")).toBe('inline; filename="a b.mp3"');
    const range = await fetch(url, { headers: { range: "bytes=4-7" } });
    expect([range.status, await range.text()]).toEqual([206, "text"]);
    expect(new URL(url).searchParams.get("X-Amz-Expires")).toBe("60");
    for (const changed of [url.replace("audio", "text"), url.replace(key, randomUUID()), url.replace(/\?.*/, "")]) {
      const refused = await fetch(changed);
      expect(refused.status).toBe(403);
    }
  });
});
