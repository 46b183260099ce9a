/**
 * The file beside the row: kept before it, removed after it, and nothing left of operations that did not happen.
 */
import { randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { fileColumnsOf } from "../../src/slice.ts";
import { slices } from "../../src/slices.ts";
import { sweepFiles } from "../../src/storage/file-sweep.ts";
import { findNamed } from "../../src/storage/named-files.ts";
import type { Probe } from "../../src/unit-of-work/transaction-guard.ts";
import { dump } from "../support/dump.ts";
import { failFiles } from "../support/failing-files.ts";
import { filesOf } from "../support/files.ts";
import { missingDocument, uuidOf } from "../support/global-ids.ts";
import { type Lectern, type Person, type ShownError, startLectern } from "../support/lectern.ts";
import { rounds } from "../support/rounds.ts";
import { postFile } from "../support/upload.ts";

let lectern: Lectern;
let ada: Person;
let probe: Probe | undefined;

beforeAll(async () => {
  lectern = await startLectern({ probe: (point, operation) => probe?.(point, operation) });
  ada = await lectern.person("Ada");
});
afterEach(() => {
  probe = undefined;
});
afterAll(() => lectern.stop());

let pages = 0;
const page = () => `<!doctype html><title>Page ${++pages}</title><p>The words of page ${pages}.`;
const create = (file = "$file") =>
  `createDocument(input: { source: { file: ${file} } }) { isDuplicate document { id } }`;

type Created = { isDuplicate: boolean; document: { id: string } };
type Sent = { data?: Record<string, Created> | null; errors?: ShownError[]; extensions?: object; isReplay: boolean };

/** One operation with one file, which it may name more than once. */
async function send(fields: string, html: string, headers: Record<string, string> = {}, to = lectern): Promise<Sent> {
  const query = `mutation($file: File!) { ${fields} }`;
  const file = new File([html], "page.html");
  const response = await postFile(to.url, { query, file, accessToken: ada.accessToken, headers });
  const isReplay = response.headers.get("idempotent-replay") === "true";
  return { ...((await response.json()) as Omit<Sent, "isReplay">), isReplay };
}

const codes = ({ errors }: Sent) => errors?.map(({ extensions }) => extensions.code);
const keysInRows = async () =>
  (await lectern.database.query("select storage_key as key from documents where storage_key is not null"))
    .map(({ key }) => `kept/${String(key).slice(-2)}/${key}`)
    .sort();

const sweep = (graceMs = 60_000) =>
  sweepFiles({
    store: lectern.application.files,
    findNamed: (keys) => findNamed(fileColumnsOf(slices), lectern.application.reads, keys),
    graceMs,
  });

describe("the file of a new document", () => {
  it("is kept, and nothing is left of its staging", async () => {
    const before = await filesOf(lectern);
    expect((await send(create(), page())).data?.createDocument?.isDuplicate).toBe(false);
    expect(await filesOf(lectern)).toHaveLength(before.length + 1);
    expect(await filesOf(lectern)).toEqual(await keysInRows());
  });

  it("is kept once when the same bytes come again, in this operation or later", async () => {
    const html = page();
    const { data } = await send(`a: ${create()} b: ${create()}`, html);
    expect([data?.a?.isDuplicate, data?.b?.isDuplicate]).toEqual([false, true]);
    const files = await filesOf(lectern);
    expect(files).toEqual(await keysInRows());
    const again = await send(create(), html);
    expect(again.data?.createDocument).toEqual({ isDuplicate: true, document: data?.a?.document });
    await expect.poll(() => filesOf(lectern)).toEqual(files);
  });

  it("is kept once when many send the same bytes at once", async () => {
    const html = page();
    const answers = await Promise.all(Array.from({ length: 12 }, () => send(create(), html)));
    expect(answers.filter(({ data }) => data?.createDocument?.isDuplicate === false)).toHaveLength(1);
    expect(new Set(answers.map(({ data }) => data?.createDocument?.document.id)).size).toBe(1);
    await expect.poll(() => filesOf(lectern)).toEqual(await keysInRows());
  });

  it("is gone when the operation did not happen", async () => {
    const [files, rows] = [await filesOf(lectern), await dump(lectern.database)];
    const isUnchanged = async () => {
      await expect.poll(() => filesOf(lectern)).toEqual(files);
      expect(await dump(lectern.database)).toEqual(rows);
    };
    const failed = await send(
      `a: ${create()} b: deleteDocument(input: { id: "${missingDocument}" }) { deletedId }`,
      page(),
    );
    expect(codes(failed)).toEqual(["NOT_FOUND", "ROLLED_BACK"]);
    await isUnchanged();

    const dry = await send(create(), page(), { "lectern-dry-run": "true" });
    expect([dry.data?.createDocument?.isDuplicate, dry.extensions]).toEqual([false, { lectern: { dryRun: true } }]);
    await isUnchanged();

    expect(
      codes(await send('createDocument(input: { source: { file: $file }, title: "" }) { isDuplicate }', page())),
    ).toEqual(["BAD_USER_INPUT"]);
    await isUnchanged();

    expect(codes(await send("signOut(nothing: $file) { ok }", page()))).toContain("BAD_USER_INPUT");
    await isUnchanged();

    probe = (point) => {
      if (point === "before_commit") throw new Error("Injected.");
    };
    expect(codes(await send(create(), page()))).toEqual(["INTERNAL_SERVER_ERROR", "ROLLED_BACK"]);
    await isUnchanged();
  });

  it("is kept once however often the operation is tried, and gone after the last try in vain", async () => {
    let tries = 0;
    probe = (point, operation) => {
      // Sweeps come to this point too.
      if (point !== "before_commit" || operation !== "anonymous mutation" || ++tries > 2) return;
      throw Object.assign(new Error("Injected."), { code: "40001" });
    };
    expect((await send(create(), page())).data?.createDocument?.isDuplicate).toBe(false);
    expect(tries).toBe(3);
    const files = await filesOf(lectern);
    expect(files).toEqual(await keysInRows());
    probe = (point) => {
      if (point === "before_commit") throw Object.assign(new Error("Injected."), { code: "40001" });
    };
    expect(codes(await send(create(), page()))).toEqual(["CONFLICT", "ROLLED_BACK"]);
    await expect.poll(() => filesOf(lectern)).toEqual(files);
  });

  it("is kept once when the operation is sent again with its key; another file with that key is refused", async () => {
    const html = page();
    const headers = { "idempotency-key": randomUUID() };
    const answers = await Promise.all(Array.from({ length: 8 }, () => send(create(), html, headers)));
    expect(answers.filter(({ isReplay }) => !isReplay)).toHaveLength(1);
    expect(new Set(answers.map(({ data }) => JSON.stringify(data))).size).toBe(1);
    expect(codes(await send(create(), page(), headers))).toEqual(["IDEMPOTENCY_MISMATCH"]);
    await expect.poll(() => filesOf(lectern)).toEqual(await keysInRows());
  });
});

describe("the file of a document that is deleted", () => {
  it("is removed after the deletion was committed, whoever deletes", async () => {
    const first = (await send(create(), page())).data?.createDocument?.document.id as string;
    const second = (await send(create(), page())).data?.createDocument?.document.id as string;
    const files = await filesOf(lectern);
    const undone = await send(
      `deleteDocument(input: { id: "${first}" }) { deletedId } b: ${create()} c: updateDocument(input: { id: "${first}", expectedVersion: 1 }) { document { id } }`,
      page(),
    );
    expect(codes(undone)).toContain("NOT_FOUND");
    await send(`deleteDocument(input: { id: "${first}" }) { deletedId } b: ${create()}`, page());
    await expect.poll(() => filesOf(lectern)).toEqual(await keysInRows());
    expect(await filesOf(lectern)).toHaveLength(files.length);
    await lectern.database.query("delete from documents where id = $1", [uuidOf(second)]);
    await expect.poll(() => filesOf(lectern)).toEqual(await keysInRows());
    expect(await filesOf(lectern)).toHaveLength(files.length - 1);
  });

  it("is removed with its owner's other files when the owner is deleted", async () => {
    const eve = await lectern.person("Eve");
    const wasAda = ada;
    ada = eve;
    for (let count = 0; count < 3; count++) await send(create(), page());
    ada = wasAda;
    const files = await filesOf(lectern);
    await lectern.database.query("delete from users where email = $1", [eve.email]);
    await expect.poll(() => filesOf(lectern)).toEqual(await keysInRows());
    expect(await filesOf(lectern)).toHaveLength(files.length - 3);
  });

  it("is left to the sweep when it cannot be removed, and does not hold up those behind it", async () => {
    const created: string[] = [];
    for (let count = 0; count < 3; count++) {
      created.push((await send(create(), page())).data?.createDocument?.document.id ?? "");
    }
    const [stuck] = await lectern.database.query("select storage_key as key from documents where id = $1", [
      uuidOf(created[0] ?? ""),
    ]);
    const path = `kept/${String(stuck?.key).slice(-2)}/${stuck?.key}`;
    const heal = failFiles("rm", "EIO", new RegExp(String(stuck?.key)));
    onTestFinished(heal);
    await lectern.database.query("delete from documents where id = any($1::uuid[])", [created.map(uuidOf)]);
    await expect.poll(() => filesOf(lectern)).toEqual([...(await keysInRows()), path].sort());
    const isHandled =
      "select position >= (select max(position) from outbox) as all from outbox_consumers where name = $1";
    await expect.poll(() => lectern.database.query(isHandled, ["files"])).toEqual([{ all: true }]);
    heal();
    expect(await filesOf(lectern)).toContain(path);
    await new Promise((resume) => setTimeout(resume, 20));
    expect(await sweep(10)).toBe(1);
    expect(await filesOf(lectern)).toEqual(await keysInRows());
  });
});

describe("the sweep", () => {
  it("removes files that no row names, when they are older than the grace, and no others", async () => {
    await send(create(), page());
    const files = await filesOf(lectern);
    const left = [randomUUID(), randomUUID()];
    const paths = [join("kept", left[0]?.slice(-2) ?? "", left[0] ?? ""), join("staged", left[1] ?? "")];
    for (const path of [...paths, "kept/not-ours", "staged/notes.txt"]) {
      const full = join(lectern.config.filesDir, path);
      await mkdir(dirname(full), { recursive: true });
      await writeFile(full, "Left by a crash.");
    }
    expect(await sweep()).toBe(0);
    // A file's age cannot be put back, since it is that of its status; so the grace is made short.
    await new Promise((resume) => setTimeout(resume, 20));
    expect(await sweep(10)).toBe(2);
    expect(await filesOf(lectern)).toEqual([...files, "kept/not-ours", "staged/notes.txt"].sort());
    for (const path of ["kept/not-ours", "staged/notes.txt"]) await rm(join(lectern.config.filesDir, path));
  });

  it(`never takes a file that a row names, ${rounds(20, 2_000)} times`, { timeout: 600_000 }, async () => {
    // From the claim to the commit it takes no longer than a transaction may, and a grace is more than that. Operations
    // are held up before they begin theirs.
    const [timeout, grace] = ["600", 2_000];
    const hurried = await startLectern({
      database: lectern.database,
      settings: { TRANSACTION_TIMEOUT_MS: timeout, STATEMENT_TIMEOUT_MS: timeout, LOCK_TIMEOUT_MS: timeout },
      housekeeping: false,
      async probe(point) {
        if (point === "begin") await new Promise((resume) => setTimeout(resume, Math.random() * 2 * grace));
      },
    });
    onTestFinished(() => hurried.stop());
    let isOver = false;
    const sweeping = (async () => {
      let removed = 0;
      while (!isOver) removed += await sweep(grace);
      return removed;
    })();
    const answers: Sent[] = [];
    // Until some were in time, too.
    while (answers.length < rounds(20, 2_000) || answers.every(({ data }) => data == null)) {
      answers.push(...(await Promise.all(Array.from({ length: 10 }, () => send(create(), page(), {}, hurried)))));
    }
    isOver = true;
    // What was swept before its row was there is told, and did not happen.
    const refused = answers.filter(({ data }) => data == null);
    for (const answer of refused) expect(codes(answer)?.[0]).toBe("TRANSACTION_TIMEOUT");
    console.log(
      `beside a sweep: ${answers.length - refused.length} created, ${refused.length} refused, ${await sweeping} files swept`,
    );
    const files = await filesOf(lectern);
    for (const key of await keysInRows()) expect(files).toContain(key);
  });
});
