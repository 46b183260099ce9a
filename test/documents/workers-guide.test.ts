/** What docs/workers.md shows for copying, run as it stands there, by a login that is a member of lectern_worker. */
import { execFile, execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { withClient } from "../../src/database/with-client.ts";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { addDocument, addUser } from "../support/rows.ts";
import { python } from "../support/worker-processes.ts";

const guide = readFileSync(join(import.meta.dirname, "../../docs/workers.md"), "utf8");
const blocks = [...guide.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = "", code = ""]) => ({
  language,
  code,
}));
const codes = (wanted: string) => blocks.filter(({ language }) => language === wanted).map(({ code }) => code);
const [byHand = "", role = ""] = codes("sql");

const hasPsql = (() => {
  try {
    execFileSync("psql", ["--version"]);
    return true;
  } catch {
    console.warn("Skipped: there is no psql in PATH.");
    return false;
  }
})();

let database: TestDatabase;
let login: { name: string; url: string };

beforeEach(async () => {
  database = await freshDatabase();
  const name = `${database.name}_mine`;
  // The guide's own way to make it.
  await database.query(role.replaceAll("my_worker", name).replace("…", "x"));
  const url = new URL(database.url);
  url.username = name;
  url.password = "x";
  login = { name, url: url.href };
  await addUser(database);
});
afterEach(async () => {
  await database.drop();
  await withClient(inject("serverUrl"), (client) => client.query(`drop role ${login.name}`));
});

const insertDocument = (text: string) => addDocument(database, { title: "Mine", text });
const documents = () => database.query("select status, attempts, failure, claimed_by from documents");
const chunks = () => database.query("select index, text, start_offset, end_offset, token_count from chunks");

/** Runs it as somebody with psql would; a statement that fails ends it. */
function psql(script: string): Promise<{ stdout: string; stderr: string }> {
  const run = promisify(execFile)("psql", [
    "-X",
    "-q",
    "-A",
    "-t",
    "-v",
    "ON_ERROR_STOP=1",
    "-d",
    login.url,
    "-f",
    "-",
  ]);
  run.child.stdin?.end(script);
  return run;
}

it("is SQL, JSON and Python that is run here", () => {
  expect(blocks.map(({ language }) => language)).toEqual(["json", "python", "json", "sql", "python", "sql"]);
});

it("chunks in JSON are taken as they are", async () => {
  const [json = ""] = codes("json");
  const text = JSON.parse(json)
    .map((chunk: { text: string }) => chunk.text)
    .join("");
  await insertDocument(text);
  await withClient(login.url, async (client) => {
    const { rows } = await client.query("select id, claim from claim_documents('mine', 1, '30 seconds')");
    const call = "select complete_document($1, $2, $3::jsonb) as stands";
    expect((await client.query(call, [rows[0].id, rows[0].claim, json])).rows).toEqual([{ stands: true }]);
  });
  expect(await chunks()).toEqual([{ index: 0, text, start_offset: 0, end_offset: text.length, token_count: 4 }]);
});

it("what is found of a sound is taken in JSON as it is", async () => {
  const [, json = ""] = codes("json");
  const [row] = await database.query(`
    insert into audio (title, filename, uploaded_by_id, mime_type, size_bytes, sha256, sent_sha256, storage_key)
    select 'A sound', 'sound.mp3', id, 'audio/mpeg', 1, 'a', 'a', gen_random_uuid()::text from users limit 1
    returning id`);
  await withClient(login.url, async (client) => {
    const { rows } = await client.query("select id, claim from claim_audio('mine', 1, '30 seconds')");
    const call = "select complete_audio($1, $2, $3) as stands";
    expect((await client.query(call, [rows[0].id, rows[0].claim, json])).rows).toEqual([{ stands: true }]);
  });
  const [audio] = await database.query("select status, duration_ms, artist, peaks from audio where id = $1", [row?.id]);
  expect(audio).toEqual({
    status: "COMPLETED",
    duration_ms: 215_000,
    artist: "Ada",
    peaks: Buffer.from([0, 1, 2, 3]),
  });
});

describe.skipIf(!hasPsql)("SQL", () => {
  it("completes a document, which then is not failed any more", async () => {
    await insertDocument("Người đẹp.");
    const { stdout, stderr } = await psql(byHand);
    expect(stdout.trim().split("\n")).toEqual(["t", "t", "f"]);
    expect(stderr).toMatch(
      /NOTICE: {2}fail_document by claim \S+ changed nothing: document \S+ is COMPLETED in attempt 1, /,
    );
    expect(await documents()).toEqual([{ status: "COMPLETED", attempts: 1, failure: null, claimed_by: "me, by hand" }]);
    expect(await chunks()).toEqual([{ index: 0, text: "Người đẹp.", start_offset: 0, end_offset: 10, token_count: 3 }]);
  });

  it("fails a document, where it is not completed", async () => {
    await insertDocument("Người đẹp.");
    const steps = byHand.split("\n\n");
    expect(steps.map((step) => step.slice(0, 8))).toEqual(["-- Take ", "-- Still", "-- Done:", "-- Inste"]);
    const { stdout } = await psql([steps[0], steps[1], steps[3]].join("\n\n"));
    expect(stdout.trim().split("\n")).toEqual(["t", "t"]);
    expect(await documents()).toEqual([{ status: "PENDING", attempts: 1, failure: "Not today.", claimed_by: null }]);
  });
});

describe.skipIf(python === null)("Python", () => {
  it("is a worker that completes all there is, with offsets as JavaScript counts them", async () => {
    const texts = ["Người đẹp 𝒳.", "Another one."];
    for (const text of texts) await insertDocument(text);
    const check = "assert utf16_slice('a𝒳b', 1, 3) == '𝒳' and utf16_length('a𝒳b') == 4";
    const { stdout, stderr } = await promisify(execFile)(
      python as string,
      ["-c", `${codes("python").join("\n")}\n${check}\n`],
      {
        env: { DATABASE_URL: login.url, PYTHONIOENCODING: "utf-8" },
      },
    );
    expect([stdout, stderr]).toEqual(["Mine is done\nMine is done\n", ""]);
    const done = { status: "COMPLETED", attempts: 1, failure: null, claimed_by: "me, in Python" };
    expect(await documents()).toEqual([done, done]);
    expect((await chunks()).map((chunk) => [chunk.text, chunk.end_offset]).sort()).toEqual(
      texts.map((text) => [text, text.length]).sort(),
    );
  });
});
