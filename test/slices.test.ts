/** A slice from outside `src`, and two tables with files in one store: what follows from slices being values in a list. */
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../src/config.ts";
import { grantRoles } from "../src/postgres/roles.ts";
import { fileColumnsOf } from "../src/slice.ts";
import { slices } from "../src/slices.ts";
import { sweepFiles } from "../src/storage/file-sweep.ts";
import { findNamed, removeUnnamed } from "../src/storage/named-files.ts";
import type { TestDatabase } from "./support/database.ts";
import { pdf } from "./support/documents.ts";
import { filesOf } from "./support/files.ts";
import { freshDatabase } from "./support/fresh-database.ts";
import { countsIn, integrityOf } from "./support/integrity.ts";
import { errorsOf, type Lectern, type Person, startLectern } from "./support/lectern.ts";
import { silent } from "./support/logs.ts";
import { sketchSlice, swept } from "./support/sketches/sketch.slice.ts";
import { sketchMigration } from "./support/sketches/sketch.table.ts";
import { formOf, upload } from "./support/upload.ts";

const all = [...slices, sketchSlice];

let database: TestDatabase;
let lectern: Lectern;
let ada: Person;

beforeAll(async () => {
  database = await freshDatabase();
  await database.query(sketchMigration);
  await grantRoles(database.url);
  lectern = await startLectern({ database, slices: all, worker: true });
  ada = await lectern.person("Ada");
});
afterAll(async () => {
  await lectern.stop();
  await database.drop();
});

async function draw(name: string, text: string): Promise<{ data?: { createSketch: { id: string } }; codes: string[] }> {
  const query = `mutation ($file: File!) { createSketch(input: { name: "${name}", file: $file }) { id } }`;
  const headers = { authorization: `Bearer ${ada.accessToken}`, "graphql-require-preflight": "1" };
  const body = formOf(query, new File([text], "sketch.svg"));
  const { data, errors = [] } = await (await fetch(lectern.url, { method: "POST", headers, body })).json();
  return { data, codes: errors.map(({ extensions }: { extensions: { code: string } }) => extensions.code) };
}

const keyOf = async (table: string, where: string) =>
  (await database.query(`select storage_key as key from ${table} where ${where}`))[0]?.key as string;

const keptFiles = async () => (await filesOf(lectern)).map((path) => path.split("/").at(-1));

describe("a slice from outside src", () => {
  it("has its types, its mutation, its queue and its files", async () => {
    const { data } = await draw("House", "one\ntwo\nthree");
    expect(data?.createSketch.id).toBeTypeOf("string");
    await draw("Nothing", "");
    const states = () => database.query("select name, status, lines, failure from sketches order by name");
    await expect.poll(states).toEqual([
      { name: "House", status: "COMPLETED", lines: 3, failure: null },
      { name: "Nothing", status: "FAILED", lines: null, failure: "The sketch is empty." },
    ]);
    expect(await keptFiles()).toContain(await keyOf("sketches", "name = 'House'"));
  });

  it("cannot hand out a column that its table does not have", async () => {
    const misspelled = sketchMigration.replaceAll(/sketch/g, "doodle").replace("array['storage_key']", "array['key']");
    await expect(database.query(misspelled)).rejects.toThrow("column q.key does not exist");
  });

  it("is read in one round trip, with the rows of another slice", async () => {
    const query = "{ sketches(first: 10) { totalCount nodes { name lines owner { name } } } }";
    const { data, extensions } = await ada.with({ "Lectern-Trace": "1" }).rawRequest<Record<string, unknown>>(query);
    expect(data).toEqual({
      sketches: {
        totalCount: 2,
        nodes: [
          { name: "Nothing", lines: null, owner: { name: "Ada" } },
          { name: "House", lines: 3, owner: { name: "Ada" } },
        ],
      },
    });
    expect(extensions).toMatchObject({ lectern: { roundTrips: 1, statements: 3 } });
  });

  it("has its setting, which is checked with all others", async () => {
    expect((await draw("A name of far too many letters", "x")).codes).toEqual(["BAD_USER_INPUT"]);
    const environment = { NODE_ENV: "test", LONGEST_SKETCH_NAME: "many" };
    expect(() => readConfig(environment, all)).toThrow("LONGEST_SKETCH_NAME");
    expect(() => readConfig(environment, slices)).not.toThrow();
  });

  it("has its limit of a file, its sweep, its check and its tab", async () => {
    const { data, codes } = await draw("Large", "x".repeat(30_000_000));
    expect([data, codes]).toEqual([undefined, ["PAYLOAD_TOO_LARGE"]]);
    await expect.poll(() => swept.count).toBeGreaterThan(0);
    const page = await fetch(lectern.url, { headers: { accept: "text/html" } });
    expect(await page.text()).toContain("A tab of sketches");
    const complaints = (await integrityOf(lectern).examine()).map(({ complaint }) => complaint);
    expect(complaints).toContain("COMPLETED sketches without lines");
  });

  it("loses the file of a row that is deleted, and of one that names another file", async () => {
    const { data } = await draw("Tree", "a line");
    const key = await keyOf("sketches", "name = 'Tree'");
    const other = await keyOf("sketches", "name = 'House'");
    expect(await keptFiles()).toContain(key);
    await ada.client.request("mutation ($id: ID!) { deleteSketch(id: $id) }", { id: data?.createSketch.id });
    await expect.poll(keptFiles).not.toContain(key);
    expect(await keptFiles()).toContain(other);
    expect(
      await errorsOf(ada.client.request(`mutation { deleteSketch(id: "${data?.createSketch.id}") }`)),
    ).toMatchObject([{ extensions: { code: "NOT_FOUND" } }]);

    await draw("Boat", "a line");
    const [first, second] = [await keyOf("sketches", "name = 'Boat'"), crypto.randomUUID()];
    await database.query("update sketches set storage_key = $2 where storage_key = $1", [first, second]);
    await expect.poll(keptFiles).not.toContain(first);
    await database.query("delete from sketches where name = 'Boat'");
  });
});

describe("two tables with files in one store", () => {
  const columns = fileColumnsOf(all);
  let original: string;
  let sketch: string;

  beforeAll(async () => {
    const { errors } = await upload(lectern, ada, new File([new Uint8Array(pdf(["A page."]))], "page.pdf"));
    expect(errors).toBeUndefined();
    original = await keyOf("documents", "storage_key is not null");
    sketch = await keyOf("sketches", "name = 'House'");
  });

  it("are told apart from files that no row names", async () => {
    const { reads, files } = lectern.application;
    const stray = await files.keep(await files.stage(Readable.from([Buffer.alloc(1)]), { name: "", maxBytes: 1 }));
    expect(await findNamed(columns, reads, [original, sketch, stray])).toEqual(new Set([original, sketch]));
    const unnamed = async (graceMs: number) => countsIn(await integrityOf(lectern, { graceMs }).examine());
    expect(await unnamed(-1)).toMatchObject({ "files that no row names": 1 });
    // An operation that still runs may name it.
    expect(await unnamed(60_000)).not.toHaveProperty("files that no row names");
    const removed = await sweepFiles({
      store: files,
      findNamed: (keys) => findNamed(columns, reads, keys),
      graceMs: -1,
    });
    expect(removed).toBe(1);
    expect(await keptFiles()).toEqual(expect.arrayContaining([original, sketch]));
    expect(await keptFiles()).not.toContain(stray);
  });

  it.each([
    ["document", () => sketch],
    ["sketch", () => original],
  ])("keep the other's file when an event of a %s names it", async (topic, key) => {
    const { reads, files } = lectern.application;
    const event = { position: 1, topic, rowId: crypto.randomUUID(), payload: { change: "deleted", storageKey: key() } };
    await removeUnnamed(event, columns, reads, files, silent);
    expect(await keptFiles()).toContain(key());
    // Were the table that names it not in the list, the file would be gone.
    const removed: string[] = [];
    const own = columns.filter((column) => column.topic === topic);
    await removeUnnamed(event, own, reads, { remove: async (gone) => void removed.push(gone) }, silent);
    expect(removed).toEqual([key()]);
  });

  it("are examined each by itself", async () => {
    const faults = async () => {
      const findings = await integrityOf(lectern).examine();
      return Object.fromEntries(
        findings
          .filter(({ complaint }) => /^(documents|sketches) whose file/.test(complaint))
          .map(({ complaint, count }) => [complaint, count]),
      );
    };
    const none = {
      "documents whose file is missing": 0,
      "documents whose file is not what was sent": 0,
      "documents whose file cannot be read": 0,
      "sketches whose file is missing": 0,
      "sketches whose file is not what was sent": 0,
      "sketches whose file cannot be read": 0,
    };
    expect(await faults()).toEqual(none);
    await database.query("update sketches set sha256 = repeat('0', 64) where name = 'House'");
    expect(await faults()).toEqual({ ...none, "sketches whose file is not what was sent": 1 });
    await lectern.application.files.remove(original);
    expect(await faults()).toEqual({
      ...none,
      "sketches whose file is not what was sent": 1,
      "documents whose file is missing": 1,
    });
  });
});
