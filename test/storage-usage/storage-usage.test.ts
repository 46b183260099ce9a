/** The limit of the file store: a ledger that the database keeps, whoever writes the rows. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { filesOf } from "../support/files.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { addDocument } from "../support/rows.ts";
import { postFile } from "../support/upload.ts";

let lectern: Lectern;
let ada: Person;

beforeAll(async () => {
  lectern = await startLectern({ settings: { STORAGE_LIMIT_BYTES: "10000" } });
  ada = await lectern.person("Ada");
});
afterAll(() => lectern.stop());

const mutation = `mutation($file: File!) {
  createDocument(input: { source: { file: $file } }) { isDuplicate document { id version } }
}`;

let pages = 0;
/** A document whose original is kept, of exactly so many bytes. */
function page(sizeBytes: number): File {
  const start = `<!doctype html><title>Page ${++pages}</title><p>`;
  return new File([start.padEnd(sizeBytes, "word ")], "page.html");
}

type Sent = {
  status: number;
  data?: { createDocument: { isDuplicate: boolean; document: { id: string; version: number } } } | null;
  errors?: { message: string; extensions: { code: string; usedBytes?: number; neededBytes?: number } }[];
};
async function send(file: File, to = lectern): Promise<Sent> {
  const response = await postFile(to.url, { query: mutation, file, accessToken: ada.accessToken });
  return { status: response.status, ...((await response.json()) as Omit<Sent, "status">) };
}

const storage = async () => {
  const { data } = (await ada.client.rawRequest<{ viewer: { storage: { usedBytes: number; limitBytes: number } } }>(
    "{ viewer { storage { usedBytes limitBytes } } }",
  )) as { data: { viewer: { storage: { usedBytes: number; limitBytes: number } } } };
  return data.viewer.storage;
};
const sum = async () =>
  Number((await lectern.database.query("select sum(size_bytes) from documents where storage_key is not null"))[0]?.sum);
const clear = () => lectern.database.query("delete from documents");

describe("the ledger", () => {
  it("has the limit of the settings, and counts originals, but no texts", async () => {
    expect(await storage()).toEqual({ usedBytes: 0, limitBytes: 10_000 });
    await ada.document({ text: "A text is in the database." });
    expect(await storage()).toMatchObject({ usedBytes: 0 });
    await send(page(1_000));
    await send(page(234));
    expect(await storage()).toMatchObject({ usedBytes: 1_234 });
  });

  it("follows deletions, also of another program, and of users with all that is theirs", async () => {
    await clear();
    expect(await storage()).toMatchObject({ usedBytes: 0 });
    const eve = await lectern.person("Eve");
    const { data } = await send(page(500));
    await lectern.database.query("update documents set owner_id = (select id from users where name = 'Eve')");
    await lectern.database.query("delete from users where name = 'Eve'");
    expect([eve.name, data?.createDocument.isDuplicate, await storage()]).toMatchObject([
      "Eve",
      false,
      { usedBytes: 0 },
    ]);
  });

  it("follows a file that another replaces", async () => {
    await send(page(500));
    await lectern.database.query("update documents set size_bytes = 700");
    expect(await storage()).toMatchObject({ usedBytes: 700 });
    await clear();
  });

  it("does not count the same bytes twice", async () => {
    const file = page(900);
    expect((await send(file)).data?.createDocument.isDuplicate).toBe(false);
    expect((await send(file)).data?.createDocument.isDuplicate).toBe(true);
    expect(await storage()).toMatchObject({ usedBytes: 900 });
    await clear();
  });
});

describe("a file beyond the limit", () => {
  it("is refused with what is used, needed and allowed, and leaves nothing", async () => {
    await send(page(9_000));
    const files = await filesOf(lectern);
    const { status, errors } = await send(page(1_001));
    expect(status).toBe(507);
    expect(errors?.[0]).toMatchObject({
      message:
        "The library's storage has 10000 bytes, of which 9000 are used, and this needs 1001: nothing was changed. Delete files that are not needed first.",
      extensions: { code: "QUOTA_EXCEEDED", usedBytes: 9_000, neededBytes: 1_001, limitBytes: 10_000 },
    });
    await expect.poll(() => filesOf(lectern)).toEqual(files);
    expect(await storage()).toMatchObject({ usedBytes: 9_000 });
    expect((await send(page(1_000))).errors).toBeUndefined();
    expect(await storage()).toMatchObject({ usedBytes: 10_000 });
    await clear();
  });

  it("is refused to any program by the database itself", async () => {
    await send(page(9_000));
    const key = crypto.randomUUID();
    await expect(addDocument(lectern.database, { storageKey: key, sizeBytes: 1_001 })).rejects.toMatchObject({
      code: "LT003",
    });
    await clear();
  });
});

it("100 uploads at once into room for ten: ten succeed, and the ledger equals the sum", async () => {
  const answers = await Promise.all(Array.from({ length: 100 }, () => send(page(1_000))));
  const codes = answers.map(({ errors }) => errors?.[0]?.extensions.code);
  expect(codes.filter((code) => code === undefined)).toHaveLength(10);
  expect(new Set(codes)).toEqual(new Set([undefined, "QUOTA_EXCEEDED"]));
  expect(await storage()).toMatchObject({ usedBytes: 10_000 });
  expect(await sum()).toBe(10_000);
  await expect.poll(async () => (await filesOf(lectern)).length).toBe(10);
  await clear();
});

it("a limit below what is used refuses more, and takes nothing away", async () => {
  await send(page(5_000));
  const smaller = await startLectern({ database: lectern.database, settings: { STORAGE_LIMIT_BYTES: "4000" } });
  onTestFinished(() => smaller.stop());
  expect(await storage()).toEqual({ usedBytes: 5_000, limitBytes: 4_000 });
  expect((await send(page(1), smaller)).errors?.[0]?.extensions.code).toBe("QUOTA_EXCEEDED");
  await clear();
  expect(await storage()).toMatchObject({ usedBytes: 0 });
});

it("a file that cannot fit is refused before it is read, by its announced size", async () => {
  const { status, errors } = await send(page(100_000));
  expect([status, errors?.length, errors?.[0]?.extensions.code]).toEqual([507, 1, "QUOTA_EXCEEDED"]);
  // Of the announced size, the names and headers of the parts are not the file's.
  expect(errors?.[0]?.extensions.neededBytes).toBeLessThanOrEqual(100_000);
});
