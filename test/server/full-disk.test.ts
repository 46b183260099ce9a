/**
 * Files on a disk that fails: the client is told with a code of its own, nothing half is left, `/ready` and the log say
 * it, who reads is served meanwhile, and it works again without a restart.
 */
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fileColumnsOf } from "../../src/slice.ts";
import { slices } from "../../src/slices.ts";
import { sweepFiles } from "../../src/storage/file-sweep.ts";
import { findNamed } from "../../src/storage/named-files.ts";
import { dump } from "../support/dump.ts";
import { failFiles } from "../support/failing-files.ts";
import { filesOf } from "../support/files.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { mountDisk, type SmallDisk, whyNoDisk } from "../support/small-disk.ts";
import { postFile, upload } from "../support/upload.ts";

let lectern: Lectern;
let ada: Person;
let lines: Record<string, unknown>[] = [];
let heals: (() => void)[] = [];

beforeAll(async () => {
  lectern = await startLectern({
    worker: true,
    // A file of any age is swept only where a test asks for it.
    settings: { FILE_GRACE_MS: "600000" },
    log: (line) => void lines.push(line),
  });
  ada = await lectern.person("Ada");
});
beforeEach(() => {
  lines = [];
});
afterEach(() => {
  for (const heal of heals.splice(0)) heal();
});
afterAll(() => lectern.stop());

const [error, info] = [50, 30];
const patiently = { timeout: 20_000 };
const diskFull = "The disk for files is full: nothing was changed. Retry when it has free space.";
const cannotUse = "Files cannot be stored or read at the moment: nothing was changed. Retry later.";
const tooBusy = "The file store is too busy: nothing was changed. Retry in a moment.";

let count = 0;
const text = (bytes: number) => new File([`Text ${++count}.${" Words.".repeat(bytes / 7)}`], "text.txt");
const page = (words = `Page ${++count}.`) => new File([`<!doctype html><p>${words}`], "page.html");

/** A file on its way in, and all that its client is told. */
async function send(file: File, query = oneFile): Promise<{ status: number; headers: Headers; body: string }> {
  const response = await postFile(lectern.url, { query, file, accessToken: ada.accessToken });
  return { status: response.status, headers: response.headers, body: await response.text() };
}
const create = "createDocument(input: { source: { file: $file } }) { document { id } }";
const oneFile = `mutation($file: File!) { ${create} }`;

async function ready(): Promise<[number, string]> {
  const response = await fetch(new URL("/ready", lectern.url));
  return [response.status, await response.text()];
}
/** The last result holds for a second. */
const becomesReady = () => expect.poll(ready, patiently).toEqual([200, '{"status":"ok"}']);
const saysNotReady = (code: string) =>
  expect.poll(ready, patiently).toEqual([503, `{"status":"not ready","files":"${code}"}`]);

/** The log, as an operator reads it. */
const failures = () =>
  lines.filter(({ level, msg }) => Number(level) >= error && msg !== "the file store accepts no files");
const changes = () =>
  lines.flatMap(({ level, msg }) => (/^the file store accepts/.test(String(msg)) ? [[level, String(msg)]] : []));

const everything = async () => [await filesOf(lectern), await dump(lectern.database)] as const;
/** All that exists, when nothing goes on any more: to compare with it afterwards. */
async function everythingSettled(): ReturnType<typeof everything> {
  await lectern.settled();
  await expect
    .poll(async () => (await filesOf(lectern)).filter((path) => path.startsWith("staged/")), patiently)
    .toEqual([]);
  return everything();
}

/** Refused in these words, with nothing left and one line in the log. */
async function expectRefusal(
  work: () => Promise<Awaited<ReturnType<typeof send>>>,
  { status, code, message, reason }: { status: number; code: string; message: string; reason: string },
): Promise<Headers> {
  const before = await everythingSettled();
  lines = [];
  const answer = await work();
  const { errors, data } = JSON.parse(answer.body);
  expect([answer.status, data ?? null, errors.map((one: { message: string }) => one.message)]).toEqual([
    status,
    null,
    [message],
  ]);
  expect(errors[0].extensions).toEqual({ code, requestId: answer.headers.get("x-request-id") });
  // No path of the machine, and no name of an error that only its operator knows.
  expect(answer.body).not.toMatch(/tmp|staged|kept|\bE[A-Z]{3,}\b/);
  expect(failures()).toMatchObject([
    { level: error, requestId: errors[0].extensions.requestId, err: { type: "FileStoreError", code, reason } },
  ]);
  const [{ err }] = failures() as [{ err: { path: string; message: string } }];
  expect(err.path).toContain(lectern.config.filesDir);
  expect(err.message).toContain(reason);
  await expect.poll(everything, patiently).toEqual(before);
  return answer.headers;
}

const full = { status: 507, code: "INSUFFICIENT_STORAGE", message: diskFull, reason: "ENOSPC" };
const unavailable = { status: 503, code: "STORAGE_UNAVAILABLE", message: cannotUse };

async function expectReadsAndTexts(): Promise<void> {
  const answer = await ada.client.request<{ documents: { totalCount: number } }>("{ documents { totalCount } }");
  expect(answer.documents.totalCount).toBeGreaterThan(0);
  // The disk of the database is another.
  expect(await ada.document()).toMatchObject({ version: 1 });
  expect((await fetch(new URL("/health", lectern.url))).status).toBe(200);
}

describe.skipIf(whyNoDisk)("a disk for files that is full", () => {
  let disk: SmallDisk;
  const fill = async (left?: number) => {
    await everythingSettled();
    await disk.fill(left);
  };
  beforeAll(() => {
    disk = mountDisk(lectern.config.filesDir, 2_000_000);
  });
  afterAll(() => disk.unmount());

  it("answers 507 INSUFFICIENT_STORAGE and leaves nothing, from the first byte on or amid a file", async () => {
    expect((await send(page())).status).toBe(200);
    await becomesReady();
    for (const left of [0, 200_704]) {
      await fill(left);
      await expectRefusal(() => send(text(1_000_000)), full);
      await expectReadsAndTexts();
    }
    await fill();
    await expectRefusal(() => send(page()), full);
    await disk.empty();
    expect((await send(page())).status).toBe(200);
  });

  it("is said by /ready and, once, by the log, until there is room again", async () => {
    await fill();
    await saysNotReady("INSUFFICIENT_STORAGE");
    for (let asked = 0; asked < 50; asked++) await ready();
    expect(changes()).toEqual([[error, "the file store accepts no files"]]);
    await expectReadsAndTexts();
    await disk.empty();
    await becomesReady();
    expect(changes()).toEqual([
      [error, "the file store accepts no files"],
      [info, "the file store accepts files again"],
    ]);
    expect((await send(text(1_000_000))).status).toBe(200);
  });

  it("refuses all that come at once, each by itself, and takes all of them later", async () => {
    await fill(300_000);
    const before = await everythingSettled();
    const answers = await Promise.all(Array.from({ length: 12 }, () => send(text(500_000))));
    expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(507));
    expect(failures()).toHaveLength(12);
    await expect.poll(everything, patiently).toEqual(before);
    await disk.empty();
    expect((await send(text(500_000))).status).toBe(200);
  });

  it("keeps neither of two files when only one finds room", async () => {
    await fill(300_000);
    await expectRefusal(async () => {
      const form = new FormData();
      const two =
        "mutation($a: File!, $b: File!) { a: createDocument(input: { source: { file: $a } }) { isDuplicate } b: createDocument(input: { source: { file: $b } }) { isDuplicate } }";
      form.set("operations", JSON.stringify({ query: two, variables: { a: null, b: null } }));
      form.set("map", JSON.stringify({ 0: ["variables.a"], 1: ["variables.b"] }));
      form.set("0", page());
      form.set("1", text(500_000));
      const headers = { authorization: `Bearer ${ada.accessToken}` };
      const response = await fetch(lectern.url, { method: "POST", body: form, headers });
      return { status: response.status, headers: response.headers, body: await response.text() };
    }, full);
    await disk.empty();
  });

  it("that is read-only is STORAGE_UNAVAILABLE; what is deleted meanwhile, is removed later", async () => {
    const { data } = await upload(lectern, ada, page());
    await lectern.settled();
    const files = await filesOf(lectern);
    disk.close();
    const headers = await expectRefusal(() => send(page()), { ...unavailable, reason: "EROFS" });
    expect(headers.get("retry-after")).toBeNull();
    await saysNotReady("STORAGE_UNAVAILABLE");
    await expectReadsAndTexts();
    const remove = "mutation($id: ID!) { deleteDocument(input: { id: $id }) { deletedId } }";
    await ada.client.request(remove, { id: data?.createDocument.document.id });
    const left = () => lines.filter(({ msg }) => msg === "a file could not be removed; the sweep will").length;
    await expect.poll(left, patiently).toBe(1);
    expect(await filesOf(lectern)).toEqual(files);
    disk.open();
    await becomesReady();
    // It holds up no other file, and the sweep removes it once it is old enough.
    const { files: store, reads } = lectern.application;
    const sweep = { store, findNamed: (keys: readonly string[]) => findNamed(fileColumnsOf(slices), reads, keys) };
    expect(await sweepFiles({ ...sweep, graceMs: -1 })).toBe(1);
    expect(await filesOf(lectern)).toHaveLength(files.length - 1);
    expect((await send(page())).status).toBe(200);
  });
});

describe("a store that fails in another way", () => {
  beforeAll(async () => {
    await mkdir(join(lectern.config.filesDir, "staged"), { recursive: true });
    expect((await send(page())).status).toBe(200);
    await lectern.settled();
  });

  it("for a file in its folder's place, answers 503 without advice to come back at once", async () => {
    const staged = join(lectern.config.filesDir, "staged");
    await expect
      .poll(() => rm(staged, { recursive: true }).then(() => writeFile(staged, "")), patiently)
      .toBeUndefined();
    const headers = await expectRefusal(() => send(page()), { ...unavailable, reason: "ENOTDIR" });
    expect(headers.get("retry-after")).toBeNull();
    await saysNotReady("STORAGE_UNAVAILABLE");
    await expectReadsAndTexts();
    await rm(staged);
    await becomesReady();
    expect((await send(page())).status).toBe(200);
  });

  it("for a while only, answers 503 with it: EMFILE", async () => {
    heals = [failFiles("open", "EMFILE", /staged/)];
    const headers = await expectRefusal(() => send(page()), { ...unavailable, message: tooBusy, reason: "EMFILE" });
    expect(headers.get("retry-after")).toBe("1");
    await saysNotReady("STORAGE_UNAVAILABLE");
  });

  it.each(["EIO", "EACCES", "EPERM", "ENODEV"] as const)("while a file is written: %s", async (code) => {
    heals = [failFiles("write", code, /staged/)];
    await expectRefusal(() => send(text(300_000)), { ...unavailable, reason: code });
  });

  it.each(["rename", "sync"] as const)("when a file is kept, by its %s", async (call) => {
    heals = [failFiles(call, "EIO", call === "sync" ? /kept/ : /staged/)];
    await expectRefusal(() => send(page()), { ...unavailable, reason: "EIO" });
  });

  it("when the row is there already: it is undone, and the kept file with it", async () => {
    heals = [failFiles("utimes", "EIO", /kept/)];
    await expectRefusal(() => send(page()), { ...unavailable, reason: "EIO" });
  });

  it("when a text is read", async () => {
    heals = [failFiles("readFile", "EIO", /staged/)];
    // A shorter one is at hand since it was received.
    await expectRefusal(() => send(text(100_000)), { ...unavailable, reason: "EIO" });
  });

  it("when what was received is removed: the answer stands", async () => {
    heals = [failFiles("rm", "EIO", /staged/)];
    expect((await send(text(100))).status).toBe(200);
    const told = () => lines.filter(({ msg }) => /^a staged file could not be removed/.test(String(msg)));
    await expect.poll(told, patiently).toMatchObject([{ level: 40, err: { type: "FileStoreError", reason: "EIO" } }]);
    expect(failures()).toEqual([]);
  });
});

describe("a worker whose store fails", () => {
  const failureOf = async (title: string) => {
    const [row] = await lectern.database.query("select status, attempts, failure from documents where title = $1", [
      title,
    ]);
    return row;
  };
  const failed = (reason: string) => ({
    status: "PENDING",
    failure: `The original cannot be read from this worker's file store (${reason}).`,
  });

  it("tries again, says why meanwhile without a path, and does it when it can", async () => {
    heals = [failFiles("readFile", "EIO", /kept/)];
    expect((await send(new File(["<!doctype html><p>Unread."], "Unread.html"))).status).toBe(200);
    await expect.poll(() => failureOf("Unread"), patiently).toMatchObject(failed("EIO"));
    const tried = () => lines.filter(({ msg }) => msg === "an attempt failed");
    // The worker logs after the database has answered, so the row tells it first.
    const logged = { level: 40, err: { message: expect.stringContaining("EIO") } };
    await expect.poll(() => tried()[0], patiently).toMatchObject(logged);
    heals.pop()?.();
    await expect.poll(() => failureOf("Unread"), patiently).toMatchObject({ status: "COMPLETED" });
  });

  it("finds a folder in the file's place: EISDIR", async () => {
    heals = [failFiles("readFile", "EIO", /kept/)];
    expect((await send(new File(["<!doctype html><p>Hidden."], "Hidden.html"))).status).toBe(200);
    const [row] = await lectern.database.query("select storage_key as key from documents where title = 'Hidden'");
    const path = join(lectern.config.filesDir, "kept", String(row?.key).slice(-2), String(row?.key));
    await rename(path, `${path}.away`);
    await mkdir(path);
    heals.pop()?.();
    await expect.poll(() => failureOf("Hidden"), patiently).toMatchObject(failed("EISDIR"));
    await rm(path, { recursive: true });
    await rename(`${path}.away`, path);
    await expect.poll(() => failureOf("Hidden"), patiently).toMatchObject({ status: "COMPLETED" });
  });
});
