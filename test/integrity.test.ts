/** What `doctor --repair` mends, and what it leaves alone: files that are being uploaded, and faults that need people. */
import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Check, Slice } from "../src/slice.ts";
import type { FileStore } from "../src/storage/file-store.ts";
import type { Probe } from "../src/unit-of-work/transaction-guard.ts";
import { filesOf } from "./support/files.ts";
import { countsIn, integrityOf } from "./support/integrity.ts";
import { type Lectern, type Person, startLectern } from "./support/lectern.ts";
import { addDocuments } from "./support/rows.ts";
import { until } from "./support/until.ts";
import { formOf, postFile } from "./support/upload.ts";

let lectern: Lectern;
let ada: Person;
let probe: Probe | undefined;

beforeEach(async () => {
  probe = undefined;
  lectern = await startLectern({ housekeeping: false, probe: (point, operation) => probe?.(point, operation) });
  ada = await lectern.person("Ada");
});
afterEach(() => lectern.stop());

const unnamed = "files that no row names";
const lease = "PROCESSING documents whose lease ended over five minutes ago";

const create =
  "mutation Upload($file: File!) { createDocument(input: { source: { file: $file } }) { document { id } } }";
const page = () => new File([`<!doctype html><title>A page</title><p>${randomUUID()}`], "page.html");

const keep = async () => {
  const { files } = lectern.application;
  return files.keep(await files.stage(Readable.from([Buffer.from("Left.")]), { name: "", maxBytes: 10 }));
};

/** Documents that a worker has claimed long ago. */
async function addExpired(count: number): Promise<string[]> {
  const ids = await addDocuments(lectern.database, Array(count).fill({}));
  await lectern.database.query("select * from claim_documents('gone', $1, interval '1 hour')", [count]);
  await lectern.database.query("update documents set lease_until = now() - interval '6 minutes'");
  return ids.sort();
}

const withCheck = (complaint: string, check: Check): Slice[] => [
  ...lectern.application.slices,
  { checks: { [complaint]: check } },
];

describe("a repair", () => {
  it("removes files that no row names and ends expired leases, and then nothing is found", async () => {
    const expired = await addExpired(25);
    const left = [await keep(), await keep()].sort();
    const { files } = lectern.application;
    const staged = await files.stage(Readable.from([Buffer.from("Staged.")]), { name: "", maxBytes: 10 });
    const { examine, repair } = integrityOf(lectern, { graceMs: -1 });
    const findings = await examine();
    expect(countsIn(findings)).toEqual({ [lease]: 25, [unnamed]: 3 });
    const found = (complaint: string) => findings.find((finding) => finding.complaint === complaint);
    expect(found(lease)).toMatchObject({ ids: expired.slice(0, 20), isFault: true, isRepairable: true, advice: null });
    expect(found(unnamed)).toMatchObject({ ids: [...left, staged.id].sort(), isFault: false, isRepairable: true });

    await repair(findings);
    expect(countsIn(await examine())).toEqual({});
    expect(await filesOf(lectern)).toEqual([]);
    const [status] = await lectern.database.query("select array_agg(distinct status::text) as states from documents");
    expect(status?.states).toEqual(["PENDING"]);
  });

  it("leaves missing and changed files to people, with advice and the ids of their rows", async () => {
    const key = await keep();
    const ids = await addDocuments(lectern.database, [
      { storageKey: randomUUID(), sizeBytes: 5 },
      { storageKey: key, sizeBytes: 6 },
    ]);
    const { examine, repair } = integrityOf(lectern, { graceMs: -1 });
    const findings = await examine();
    const faults = findings.filter(({ count }) => count > 0);
    expect(faults).toEqual([
      {
        complaint: "documents whose file is missing",
        count: 1,
        ids: [ids[0]],
        isFault: true,
        isRepairable: false,
        advice: "Restore the file from a backup, or delete the row: nothing else has its contents.",
      },
      {
        complaint: "documents whose file is not what was sent",
        count: 1,
        ids: [ids[1]],
        isFault: true,
        isRepairable: false,
        advice: "Restore the file from a backup, or delete the row and send the file again.",
      },
    ]);
    await repair(findings);
    expect((await examine()).filter(({ count }) => count > 0)).toEqual(faults);
    expect(await lectern.application.files.size(key)).toBe(5);
  });

  it("runs the statements of a slice's check in one transaction, and only where it found something", async () => {
    const [first, second] = await addDocuments(lectern.database, [{ title: "Wrong" }, { title: "Right" }]);
    const titles = async () =>
      (await lectern.database.query("select title from documents order by title")).map(({ title }) => title);
    const check = (...repair: string[]): Check => ({
      violations: "select id from documents where title = 'Wrong'",
      repair: ["lock table documents in share row exclusive mode", ...repair],
    });
    const rename = "update documents set title = 'Mended' where title = 'Wrong'";
    const complaint = "documents with a wrong title";

    const failing = integrityOf(lectern, { slices: withCheck(complaint, check(rename, "select 1 / 0")) });
    const findings = await failing.examine();
    expect(findings.find((finding) => finding.complaint === complaint)).toMatchObject({ count: 1, ids: [first] });
    await expect(failing.repair(findings)).rejects.toThrow("division by zero");
    expect(await titles()).toEqual(["Right", "Wrong"]);

    const mending = integrityOf(lectern, { slices: withCheck(complaint, check(rename)) });
    await mending.repair(await mending.examine());
    expect(await titles()).toEqual(["Mended", "Right"]);
    expect(countsIn(await mending.examine())).toEqual({});

    await lectern.database.query("update documents set title = 'Wrong' where id = $1", [second]);
    await mending.repair(findings.map((finding) => ({ ...finding, count: 0 })));
    expect(await titles()).toEqual(["Mended", "Wrong"]);
  });
});

describe("a file that is being uploaded", () => {
  const kept = async () => (await filesOf(lectern)).filter((path) => path.startsWith("kept/"));
  const staged = async () => (await filesOf(lectern)).filter((path) => path.startsWith("staged/"));

  it("is left alone while its body arrives", async () => {
    const request = new Request(lectern.url, { method: "POST", body: formOf(create, page()) });
    const bytes = new Uint8Array(await request.arrayBuffer());
    const rest = Promise.withResolvers<void>();
    const body = Readable.from(
      (async function* () {
        yield bytes.subarray(0, -100);
        await rest.promise;
        yield bytes.subarray(-100);
      })(),
    );
    const headers = {
      authorization: `Bearer ${ada.accessToken}`,
      "content-type": request.headers.get("content-type") as string,
      "graphql-require-preflight": "1",
    };
    const answer = fetch(lectern.url, {
      method: "POST",
      headers,
      body: Readable.toWeb(body),
      duplex: "half",
    } as object);
    await until(async () => (await staged()).length === 1, "the file is staged");
    const { examine, repair } = integrityOf(lectern);
    const findings = await examine();
    expect(countsIn(findings)).toEqual({});
    await repair(findings.map((finding) => ({ ...finding, count: 1 })));
    expect(await staged()).toHaveLength(1);
    rest.resolve();
    expect((await (await answer).json()).errors).toBeUndefined();
    expect(countsIn(await examine())).toEqual({});
    expect(await kept()).toHaveLength(1);
  });

  it("is left alone before its row is committed, also if it was old when the files were listed", async () => {
    const commit = Promise.withResolvers<void>();
    let halted = 0;
    probe = async (point, operation) => {
      if (point !== "before_commit" || operation !== "Upload") return;
      halted++;
      await commit.promise;
    };
    const { accessToken } = ada;
    const answers = Array.from({ length: 3 }, () =>
      postFile(lectern.url, {
        query: create,
        file: page(),
        accessToken,
        headers: { "graphql-require-preflight": "1" },
      }),
    );
    await until(() => halted === 3, "the uploads are about to commit");
    expect(await kept()).toHaveLength(3);

    const { examine, repair } = integrityOf(lectern, { files: listedAsOld(lectern.application.files) });
    const findings = await examine();
    expect(countsIn(findings)).toEqual({ [unnamed]: 3 });
    await repair(findings);
    expect(await kept()).toHaveLength(3);

    commit.resolve();
    for (const answer of answers) expect((await (await answer).json()).errors).toBeUndefined();
    expect(countsIn(await examine())).toEqual({});
    const rows = await lectern.database.query("select storage_key as key from documents");
    expect((await kept()).map((path) => path.split("/").at(-1)).sort()).toEqual(rows.map(({ key }) => key).sort());
  });
});

/** The store as a sweep sees it that listed the files an hour after they were kept, and before they were touched. */
function listedAsOld(files: FileStore): FileStore {
  const list = async function* () {
    for await (const file of files.list()) yield { ...file, ageMs: file.isStaged ? file.ageMs : 3_600_000 };
  };
  return new Proxy(files, {
    get(target, name: keyof FileStore) {
      const value = name === "list" ? list : target[name];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
