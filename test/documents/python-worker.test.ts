/** The worker in examples/python-worker and ours, several processes of each on one database, some of them killed. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { withClient } from "../../src/database/with-client.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { rounds } from "../support/rounds.ts";

const root = join(import.meta.dirname, "../..");
const python = "/usr/bin/python3";
const script = join(root, "examples/python-worker/worker.py");
const hasPython = (() => {
  try {
    execFileSync(python, ["-c", "import asyncpg"], { stdio: "ignore" });
    return true;
  } catch {
    console.warn("Skipped: /usr/bin/python3 with asyncpg is not here.");
    return false;
  }
})();

let database: TestDatabase;
let login: { name: string; url: string };
let running: ChildProcess[] = [];

beforeEach(async () => {
  database = await createTestDatabase(inject("serverUrl"), inject("templateName"));
  // Whoever may work, and nothing else.
  const name = `${database.name}_worker`;
  const url = new URL(database.url);
  url.username = name;
  url.password = "x";
  login = { name, url: url.href };
  await database.query(`create role ${name} login password 'x' in role lectern_worker`);
});
afterEach(async () => {
  await Promise.all(running.map(end));
  running = [];
  await database.drop();
  await withClient(inject("serverUrl"), (client) => client.query(`drop role ${login.name}`));
});

function begin(command: string, parameters: string[]): ChildProcess {
  const child = spawn(command, parameters, {
    cwd: tmpdir(),
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: login.url,
      DATA_DIR: join(tmpdir(), database.name),
      AUTH_SECRET: "a secret that is only for tests, and long enough",
      WORKER_LEASE_MS: "2000",
      LEASE_SECONDS: "2",
    },
    stdio: "ignore",
  });
  running.push(child);
  return child;
}
const beginPython = () => begin(python, [script]);
const beginOurs = () => begin(process.execPath, [join(root, "src/main.ts"), "worker"]);

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((ended) => {
    child.once("exit", () => ended());
    child.kill("SIGTERM");
  });
}

async function insertDocuments(count: number): Promise<void> {
  await database.query(
    `with ada as (insert into users (email, name, password_hash) values ('ada@lectern.test', 'Ada', '-') returning id)
     insert into documents (owner_id, title, mime_type, size_bytes, sha256, text)
     select id, 'Number ' || n, 'text/plain', 1, n::text, 'Người đẹp 𝒳, number ' || n || E'.\\n\\nThe second paragraph.'
     from ada, generate_series(1, $1::int) n`,
    [count],
  );
}
const statuses = async () =>
  Object.fromEntries(
    (await database.query("select status, count(*)::int from documents group by 1")).map((row) => [
      row.status,
      row.count,
    ]),
  );

describe.skipIf(!hasPython)("the worker in Python", () => {
  it("is under 120 lines", () => {
    expect(readFileSync(script, "utf8").trimEnd().split("\n").length).toBeLessThan(120);
  });

  it("cuts documents into chunks with exact offsets, with the rights of lectern_worker alone", async () => {
    await insertDocuments(1);
    beginPython();
    await expect.poll(statuses, { timeout: 20_000 }).toEqual({ COMPLETED: 1 });
    const text = (await database.query("select text from documents"))[0]?.text as string;
    const chunks = await database.query("select text, start_offset, end_offset from chunks order by index");
    expect(chunks.map((chunk) => chunk.text)).toEqual(["Người đẹp 𝒳, number 1.", "The second paragraph."]);
    for (const chunk of chunks) {
      expect(text.slice(chunk.start_offset as number, chunk.end_offset as number)).toBe(chunk.text);
    }
  });

  it("shares the work with ours: each document is completed once, also when workers are killed", {
    timeout: 600_000,
  }, async () => {
    const [each, count] = [rounds(2, 8), rounds(300, 2_000)];
    for (let n = 0; n < each; n++) [beginPython(), beginOurs()];
    await insertDocuments(count);
    for (let kills = 0; kills < each; kills++) {
      await expect
        .poll(async () => (await statuses()).PROCESSING ?? 0, { timeout: 60_000, interval: 5 })
        .toBeGreaterThan(0);
      const victim = running[kills * 2 + (kills % 2)] as ChildProcess;
      victim.kill("SIGKILL");
      [beginPython, beginOurs][kills % 2]?.();
    }
    await expect.poll(statuses, { timeout: 300_000 }).toEqual({ COMPLETED: count });
    const completions = await database.query(
      `select count(*)::int as events, count(distinct row_id)::int as documents from outbox
       where payload->>'status' = 'COMPLETED'`,
    );
    expect(completions).toEqual([{ events: count, documents: count }]);
    const [left] = await database.query(
      `select count(*)::int as n from documents d where (select count(distinct generation) from chunks c where c.document_id = d.id) <> 1`,
    );
    expect(left).toEqual({ n: 0 });
  });
});
