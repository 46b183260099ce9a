/**
 * The database's own disk is full: an operation that was undone is told so, with a code of its own; one that may have
 * been committed is never called undone; and it goes on when there is room again.
 */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { withClient } from "../../src/database/with-client.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/postgres/embedded-postgres.ts";
import { migrate } from "../../src/postgres/migrations.ts";
import { databaseUrl, type TestDatabase } from "../support/database.ts";
import { dump } from "../support/dump.ts";
import { type Lectern, type Person, type ShownError, startLectern } from "../support/lectern.ts";
import { post } from "../support/post.ts";
import { mountDisk, type SmallDisk, whyNoDisk } from "../support/small-disk.ts";

let folder: string;
let server: EmbeddedPostgres;
let database: TestDatabase;
let disk: SmallDisk;
let lectern: Lectern;
let ada: Person;
let lines: Record<string, unknown>[] = [];

/** Nothing but the test's own work writes, so that it is the one to meet the full disk. */
const calm = { autovacuum: "off", checkpoint_timeout: "1h", wal_writer_delay: "10s", fsync: "off" };
const start = async () => {
  server = await startEmbeddedPostgres({ folder: join(folder, "postgres"), settings: calm });
  const url = databaseUrl(server.url, "lectern");
  // A connection for each question: those of a pool would break with the server.
  const query: TestDatabase["query"] = async (text, values) =>
    (await withClient(url, (client) => client.query(text, values as never))).rows;
  database = { name: "lectern", url, query, dataDir: join(folder, "data"), drop: async () => {} };
};

beforeAll(async () => {
  if (whyNoDisk) return;
  folder = await mkdtemp(join(tmpdir(), "lectern-test-"));
  // The database runs as another user, who must pass through.
  await chmod(folder, 0o755);
  await start();
  await migrate(database.url);
});
beforeEach(() => {
  lines = [];
});
afterAll(async () => {
  if (whyNoDisk) return;
  await server.stop().finally(() => rm(folder, { recursive: true, force: true }));
});

const ownerOfServer = () => Number(execFileSync("id", ["-u", "postgres"], { encoding: "utf8" }));

async function startServer(): Promise<void> {
  const limits = { TRANSACTION_TIMEOUT_MS: "4000", STATEMENT_TIMEOUT_MS: "3000", LOCK_TIMEOUT_MS: "1000" };
  lectern = await startLectern({
    database,
    settings: limits,
    housekeeping: false,
    log: (line) => void lines.push(line),
  });
  ada = await lectern.person("Ada");
}

/** A text of so many bytes, which compression makes no shorter. */
async function create(bytes: number): Promise<{ status: number; errors?: ShownError[] }> {
  const query =
    "mutation Fill($text: String!) { createDocument(input: { source: { text: $text } }) { document { id } } }";
  const variables = { text: randomBytes(bytes / 2).toString("hex") };
  const response = await post(lectern.url, { query, variables, accessToken: ada.accessToken });
  const { errors } = (await response.json()) as { errors?: ShownError[] };
  return { status: response.status, ...(errors && { errors }) };
}

const error = 50;
const diskFull = "The database's disk is full: nothing was changed. Retry when it has free space.";
const failures = () => lines.filter(({ level }) => Number(level) >= error);
const units = () => lines.filter(({ msg }) => msg === "unit of work");

describe.skipIf(whyNoDisk)("a table's disk that is full", () => {
  beforeAll(async () => {
    disk = mountDisk(join(folder, "tables"), 8_000_000, ownerOfServer());
    await database.query(`create tablespace small location '${join(folder, "tables")}'`);
    await startServer();
    await ada.document();
  });
  afterAll(async () => {
    await lectern.stop();
    await database.query("alter table documents set tablespace pg_default");
    await database.query("alter table outbox set tablespace pg_default");
    await database.query("drop tablespace small").finally(() => disk.unmount());
  });

  it("undoes the operation of a statement that finds no room, and goes on when there is some", async () => {
    await database.query("alter table documents set tablespace small");
    await disk.fill();
    const before = await dump(database);
    const { status, errors } = await create(500_000);
    expect([status, errors]).toMatchObject([
      507,
      [{ message: diskFull, extensions: { code: "INSUFFICIENT_STORAGE" } }],
    ]);
    expect(errors).toHaveLength(1);
    expect(JSON.stringify(errors)).not.toMatch(/base\/|pg_|No space/);
    expect(failures()).toMatchObject([{ err: { message: expect.stringContaining("No space left on device") } }]);
    expect(units()).toMatchObject([{ operation: "Fill", outcome: "aborted", attempts: 1, sqlState: "53100" }]);
    expect(await dump(database)).toEqual(before);
    const read = await ada.client.request<{ documents: { totalCount: number } }>("{ documents { totalCount } }");
    expect(read.documents.totalCount).toBe(1);
    await disk.empty();
    expect(await create(500_000)).toEqual({ status: 200 });
    await database.query("alter table documents set tablespace pg_default");
  });

  it("is found at COMMIT by what is deferred to it: undone, and told so", async () => {
    await database.query("alter table outbox set tablespace small");
    await disk.fill();
    // In the pages that it has, there is room for some events.
    for (let tries = 1; ; tries++) {
      const before = await dump(database);
      lines = [];
      const { status, errors } = await create(20);
      if (status === 200 && tries < 1_000) continue;
      const codes = errors?.map(({ extensions }) => extensions.code);
      expect([status, codes, errors?.[0]?.message]).toEqual([507, ["INSUFFICIENT_STORAGE", "ROLLED_BACK"], diskFull]);
      expect(failures()).toHaveLength(1);
      expect(units()).toMatchObject([{ operation: "Fill", outcome: "aborted", attempts: 1, sqlState: "53100" }]);
      expect(await dump(database)).toEqual(before);
      break;
    }
    await disk.empty();
    expect(await create(20)).toEqual({ status: 200 });
  });
});

describe.skipIf(whyNoDisk)("a log's disk that is full", () => {
  beforeAll(async () => {
    await server.stop();
    const [log, small] = [join(folder, "postgres/data/pg_wal"), join(folder, "log")];
    disk = mountDisk(small, 100_000_000, ownerOfServer());
    execFileSync("cp", ["-a", `${log}/.`, small]);
    await rm(log, { recursive: true });
    await symlink(small, log);
    await start();
    await startServer();
  });
  afterAll(async () => {
    await lectern.stop().finally(async () => {
      await server.stop();
      disk.unmount();
    });
  });

  it("ends the database at COMMIT, with the code of a mere error: nothing is called undone that may stand", async () => {
    const before = await database.query("select text from documents order by 1");
    await disk.fill();
    const answers: Awaited<ReturnType<typeof create>>[] = [];
    // The next write needs a new file, unless one is left from before.
    for (let tries = 0; tries < 20 && answers.every(({ status, errors }) => status === 200 && !errors); tries++) {
      await database.query("select pg_switch_wal()");
      answers.push(await create(20));
    }
    const last = answers.at(-1);
    expect(last?.errors?.[0]?.extensions.code).toBe("UNKNOWN_OUTCOME");
    expect(units().at(-1)).toMatchObject({ operation: "Fill", outcome: "unknown", sqlState: "53100" });
    expect(failures()).toMatchObject([{ err: { message: expect.stringContaining("No space left on device") } }]);
    const ready = await fetch(new URL("/ready", lectern.url));
    expect([ready.status, await ready.text()]).toEqual([503, '{"status":"not ready"}']);

    await disk.empty();
    await server.stop();
    await start();
    const { length } = await database.query("select text from documents order by 1");
    const committed = before.length + answers.length - 1;
    expect([committed, committed + 1]).toContain(length);
  });
});
