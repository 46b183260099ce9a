/** The command line on a database that is there already: what it prints, and with which status it ends. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from "vitest";
import { doctor } from "../../src/commands/doctor.ts";
import { migrateCommand } from "../../src/commands/migrate.ts";
import { seedCommand } from "../../src/commands/seed.ts";
import { start } from "../../src/commands/start.ts";
import { createUserCommand, type UserOptions } from "../../src/commands/user.ts";
import { worker } from "../../src/commands/worker.ts";
import { UserError } from "../../src/errors.ts";
import { migrate } from "../../src/postgres/migrations.ts";
import { begin, freePort, makeFolder, type RunOptions, run } from "../support/command.ts";
import { databaseUrl, type TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { addDocument, addUser } from "../support/rows.ts";
import { secret } from "../support/secret.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";

const root = join(import.meta.dirname, "../..");
const commands = ["start", "worker", "migrate", "seed", "schema", "doctor", "storage", "user"];

let folder: Awaited<ReturnType<typeof makeFolder>>;
let environment: Record<string, string>;

beforeAll(async () => {
  folder = await makeFolder();
  environment = { DATA_DIR: folder.path, AUTH_SECRET: secret };
});
afterAll(() => folder.remove());

const lectern = (parameters: string[], { environment: more, ...options }: RunOptions = {}) =>
  run(parameters, { folder: folder.path, ...options, environment: { ...environment, ...more } });

/** One clear line for a mistake, and nothing of how the program looks inside. */
function expectMistake(outcome: { code: number | null; stdout: string; stderr: string }, line: string | RegExp): void {
  expect(outcome.stderr).not.toMatch(/^\s+at /m);
  if (typeof line === "string") expect(outcome.stderr).toBe(`${line}\n`);
  else expect(outcome.stderr).toMatch(line);
  expect(outcome.code).toBe(1);
}

/** A command in this process, which saves the start of another one. Returns what it prints. */
async function inProcess(command: () => Promise<void>, more: Record<string, string> = {}): Promise<string> {
  const { log } = console;
  const before = process.cwd();
  const printed: string[] = [];
  for (const name of ["NODE_ENV", "DATABASE_URL"]) vi.stubEnv(name, undefined);
  for (const [name, value] of Object.entries({ ...environment, ...more })) vi.stubEnv(name, value);
  // No `.env` of the project is read.
  process.chdir(folder.path);
  console.log = (line) => void printed.push(`${line}\n`);
  try {
    await command();
    return printed.join("");
  } finally {
    console.log = log;
    process.chdir(before);
    vi.unstubAllEnvs();
  }
}

/** The mistake with which a command ends in this process. `main.ts` prints its message and nothing else. */
async function mistakeOf(command: () => Promise<void>, more: Record<string, string> = {}): Promise<string> {
  const error = await inProcess(command, more).then(
    () => new Error("The command did not fail."),
    (error: unknown) => error,
  );
  if (!(error instanceof UserError)) throw error;
  return error.message;
}

describe("what is said of itself", () => {
  it("names every command at --help and when nothing is said, and the latter is a mistake", async () => {
    for (const parameters of [["--help"], ["-h"], ["start", "--help"]]) {
      const { code, stdout, stderr } = await lectern(parameters);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, "m"));
    }
    const nothing = await lectern([]);
    expect(nothing.code).toBe(2);
    expect(nothing.stdout).toMatch(/^Usage: /);
  });

  it("is a mistake to ask for what there is not", async () => {
    expectMistake(await lectern(["serve"]), /^Unknown command "serve"\.\n\nUsage: /);
    expectMistake(await lectern(["--port", "80", "start"]), /^Unknown option '--port'/);
    expectMistake(await lectern(["user", "create", "--email"]), /^Option '--email <value>' argument missing/);
    expectMistake(await lectern(["start", "worker"]), '`start` takes no arguments, not "worker".');
    expectMistake(await lectern(["user", "remove"]), "The only command for users is `user create`.");
    expectMistake(await lectern(["user", "create", "--email", "a@b.example"]), "Say --email and --name.");
    expectMistake(await lectern(["migrate", "down"]), "Say `migrate`, or `migrate new NAME`.");
  });

  it("lists every fault of the configuration before it does anything", async () => {
    const wrong = { PORT: "http", LOG_LEVEL: "loud", DATABASE_URL: "hunter2" };
    const outcome = await lectern(["start"], { environment: wrong });
    const faults = /^The configuration has 3 fault\(s\):\n {2}DATABASE_URL: .*\n {2}PORT: .*\n {2}LOG_LEVEL: .*\n$/;
    expectMistake(outcome, faults);
    expect(outcome.stderr).not.toContain("hunter2");
    for (const command of [start, worker, () => migrateCommand([]), seedCommand, doctor]) {
      expect(`${await mistakeOf(command, wrong)}\n`).toBe(outcome.stderr);
    }
  });

  it("reads .env, which the environment overrules", async () => {
    const own = join(folder.path, "with-env");
    await mkdir(own);
    await writeFile(join(own, ".env"), "PORT=http\nWORKERS=none\n");
    expectMistake(
      await lectern(["doctor"], { folder: own, environment: { WORKERS: "1" } }),
      /^The configuration has 1 fault\(s\):\n {2}PORT: .*\n$/,
    );
  });

  it("says in one line that a database cannot be reached, without its password", async () => {
    const DATABASE_URL = `postgresql://someone:hunter2@127.0.0.1:${await freePort()}/lectern`;
    const refused = /^The database in DATABASE_URL cannot be used: connect ECONNREFUSED 127.0.0.1:\d+\.\n$/;
    // These two begin with what lasts as long as their process.
    for (const command of ["start", "worker"]) {
      expectMistake(await lectern([command], { environment: { DATABASE_URL } }), refused);
    }
    const made = () => createUserCommand({ email: "a@b.example", name: "A" });
    for (const command of [() => migrateCommand([]), seedCommand, doctor, made]) {
      const message = await mistakeOf(command, { DATABASE_URL, LECTERN_PASSWORD: "a good password" });
      expect(`${message}\n`).toMatch(refused);
    }
    const missing = databaseUrl(inject("serverUrl"), "lectern_not_there");
    expectMistake(
      await lectern(["migrate"], { environment: { DATABASE_URL: missing } }),
      'The database in DATABASE_URL cannot be used: database "lectern_not_there" does not exist.',
    );
  });
});

describe("schema", () => {
  it("prints schema.graphql, and needs neither database nor settings", async () => {
    const { code, stdout, stderr } = await run(["schema"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(await readFile(join(root, "schema.graphql"), "utf8"));
  });
});

describe("on a database", () => {
  let database: TestDatabase;
  const on = (parameters: string[], options: RunOptions = {}) =>
    lectern(parameters, { ...options, environment: { DATABASE_URL: database.url, ...options.environment } });

  beforeEach(async () => {
    database = await freshDatabase();
  });
  afterEach(() => database.drop());

  describe("user create", () => {
    const first = ["user", "create", "--email", " Boss@Lectern.Example ", "--name", "The Boss", "--admin"];
    const users = () => database.query("select email, name, role, password_hash from users order by id");

    it("makes the first admin, with a password from the environment or standard input", async () => {
      const one = await on(first, { environment: { LECTERN_PASSWORD: "a good password" } });
      expect(one).toMatchObject({ code: 0, stdout: "Made boss@lectern.example as ADMIN.\n", stderr: "" });
      const second = ["user", "create", "--email", "ed@lectern.example", "--name", "Ed", "--editor"];
      const two = await on(second, { input: " the password of Ed \nsomething else\n" });
      expect(two).toMatchObject({ code: 0, stdout: "Made ed@lectern.example as EDITOR.\n", stderr: "" });

      const made = await users();
      const { argon2Passwords } = await import("../../src/users/passwords.ts");
      const passwords = argon2Passwords();
      expect(made).toMatchObject([
        { email: "boss@lectern.example", name: "The Boss", role: "ADMIN" },
        { email: "ed@lectern.example", name: "Ed", role: "EDITOR" },
      ]);
      expect(await passwords.verify(made[0]?.password_hash as string, "a good password")).toBe(true);
      expect(await passwords.verify(made[1]?.password_hash as string, " the password of Ed ")).toBe(true);
    });

    it("refuses what is wrong with one line, and makes nobody", async () => {
      const password = "a good password";
      const create = (options: UserOptions, LECTERN_PASSWORD: string) =>
        [() => createUserCommand(options), { DATABASE_URL: database.url, LECTERN_PASSWORD }] as const;
      const boss = { email: " Boss@Lectern.Example ", name: "The Boss", admin: true };
      expect(await inProcess(...create(boss, password))).toBe("Made boss@lectern.example as ADMIN.\n");
      const before = await users();
      expectMistake(
        await on(first, { environment: { LECTERN_PASSWORD: password } }),
        "There is an account with this e-mail.",
      );
      const other = ["user", "create", "--email", "other@lectern.example", "--name", "Other"];
      const none = "There is no password: set LECTERN_PASSWORD, or write it to standard input.";
      expectMistake(await on(other, { input: "" }), none);
      expectMistake(await on(other), none);
      expectMistake(
        await on([...other, "--admin", "--editor"], { environment: { LECTERN_PASSWORD: password } }),
        "Say --admin or --editor, not both.",
      );
      const named = { email: "other@lectern.example", name: "Other" };
      expect(await mistakeOf(...create(named, "short"))).toBe("A password has 8 to 128 characters, not 5.");
      expect(await mistakeOf(...create({ email: "nobody", name: "N" }, password))).toBe(
        "This is not an e-mail address.",
      );
      expect(await users()).toEqual(before);
    });
  });

  describe("seed", () => {
    it("loads the sample library once, and never in production", async () => {
      const count = () =>
        database.query("select (select count(*) from users)::int u, count(*)::int > 0 d from documents");
      const production = { NODE_ENV: "production", PUBLIC_URL: "https://lectern.example" };
      expect(await mistakeOf(seedCommand, { ...production, DATABASE_URL: database.url })).toBe(
        "The sample library is for development: its passwords are public.",
      );
      expect(await count()).toEqual([{ u: 0, d: false }]);
      // Its files stay where no other test looks for files that no row names.
      const apart = { environment: { DATA_DIR: database.dataDir, LOG_LEVEL: "warn" } };
      expect(await on(["seed"], apart)).toMatchObject({
        code: 0,
        stdout: "The sample library is loaded. Workers process it, which takes some seconds.\nIt is complete.\n",
      });
      expect(await count()).toEqual([{ u: 3, d: true }]);
      const labels = "select name from categories union all select name from events order by name";
      expect((await database.query(labels)).map(({ name }) => name)).toEqual(["Music", "Opening", "Speech"]);
      const open =
        "select status from documents where status <> 'COMPLETED' union all select status from audio where status <> 'COMPLETED'";
      expect(await database.query(open)).toEqual([]);
      expect(await database.query("select name, track_count > 2 as full from playlists order by name")).toEqual([
        { name: "Daytime", full: true },
        { name: "Lobby", full: true },
      ]);
      expect(await inProcess(seedCommand, { DATABASE_URL: database.url, LOG_LEVEL: "silent" })).toBe(
        "There are users already: nothing was loaded.\n",
      );
      expect(await count()).toEqual([{ u: 3, d: true }]);
    });
  });

  describe("migrate", () => {
    const migrations = join(root, "prisma/migrations");

    it("applies what is missing, and then nothing, and ends at once", async () => {
      const empty = await freshDatabase("template0");
      try {
        const names = (await readdir(migrations, { withFileTypes: true })).filter((entry) => entry.isDirectory());
        const applied = names.map(({ name }) => name).sort();
        const here = { environment: { DATABASE_URL: empty.url } };
        expectMistake(await lectern(["doctor"], here), "The database has no tables yet: run `migrate` first.");
        const first = begin(["migrate"], here);
        await first.printed(`Applied: ${applied.join(", ")}\n`);
        const printed = performance.now();
        expect(await first.ended).toMatchObject({ code: 0, stderr: "" });
        // The engine leaves a timer of 10 s behind, for which nobody waits: all the rest takes a small part of that.
        expect(performance.now() - printed).toBeLessThan(8_000);
        const second = await lectern(["migrate"], here);
        expect(second).toMatchObject({ code: 0, stdout: "The database is up to date.\n", stderr: "" });
      } finally {
        await empty.drop();
      }
    });

    it.each(["Bad-Name", "../elsewhere", "1st", "drop table", ""])("writes no migration named %j", async (name) => {
      const before = await readdir(migrations);
      const write = () => migrateCommand(["new", name]);
      expect(await mistakeOf(write, { DATABASE_URL: database.url })).toBe(
        `The name of a migration is lower_case_with_underscores, not "${name}".`,
      );
      expect(await readdir(migrations)).toEqual(before);
      expect(await database.query("select 1 from pg_database where datname like 'lectern_shadow_%'")).toEqual([]);
    });
  });

  describe("worker", () => {
    it("works on what comes in until Ctrl-C", async () => {
      const worker = begin(["worker"], {
        environment: { ...environment, DATABASE_URL: database.url, LOG_FORMAT: "json" },
      });
      await worker.printed("the worker waits for work");
      await addUser(database);
      await addDocument(database, { text: "Some words." });
      await expect
        .poll(() => database.query("select status from documents"), { timeout: 30_000 })
        .toEqual([{ status: "COMPLETED" }]);
      expect(await database.query("select index, text from chunks")).toEqual([{ index: 0, text: "Some words." }]);
      worker.process.kill("SIGINT");
      expect(await worker.ended).toMatchObject({ code: 0, stderr: "" });
    });

    it("waits for a database that is not migrated, and then works; Ctrl-C ends it while it waits, too", async () => {
      const empty = await freshDatabase("template0");
      const proxy = await startTcpProxy(empty.url);
      try {
        const here = { environment: { ...environment, DATABASE_URL: proxy.url, LOG_FORMAT: "json" } };
        const workers = [begin(["worker"], here), begin(["worker"], here)] as const;
        await Promise.all(workers.map((worker) => worker.printed("the database is not migrated: waiting")));
        expect(await empty.query("select to_regclass('documents') is null as untouched")).toEqual([
          { untouched: true },
        ]);
        const [impatient, patient] = workers;
        impatient.process.kill("SIGINT");
        expect(await impatient.ended).toMatchObject({ code: 0, stderr: "" });
        expect(impatient.output()).not.toContain("the worker waits for work");
        // Nor does it mind when the database ends the connection on which it looks.
        proxy.terminateBehind(new RegExp(empty.name));
        await expect.poll(() => proxy.terminations, { timeout: 30_000 }).toBe(1);
        await migrate(empty.url);
        await addUser(empty);
        await addDocument(empty);
        await expect
          .poll(() => empty.query("select status from documents"), { timeout: 30_000 })
          .toEqual([{ status: "COMPLETED" }]);
        patient.process.kill("SIGINT");
        expect(await patient.ended).toMatchObject({ code: 0, stderr: "" });
      } finally {
        await proxy.stop();
        await empty.drop();
      }
    });
  });

  describe("doctor", () => {
    it("finds nothing in a fresh database", async () => {
      const { code, stdout, stderr } = await on(["doctor"]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const lines = stdout.trimEnd().split("\n");
      expect(lines).toHaveLength(26);
      for (const line of lines) expect(line).toMatch(/^ok {3}0 \S/);
    });

    it("counts what must never be, and ends with 1", async () => {
      // As an owner who tells the triggers to look away.
      await database.query(`
        begin;
        set local session_replication_role = replica;
        insert into users (id, email, name, password_hash) values ('00000000-0000-7000-8000-000000000001', 'a@b.example', 'A', '');
        insert into documents (id, owner_id, title, mime_type, size_bytes, sha256, text, status, claimed_by, claim_token, lease_until)
        select ('00000000-0000-7000-8000-00000000001' || n)::uuid, '00000000-0000-7000-8000-000000000001', 'D', 'text/plain', 1,
               n::text, 'abcdef', (array['COMPLETED', 'COMPLETED', 'PROCESSING'])[n]::work_status, 'w', gen_random_uuid(),
               now() - interval '6 minutes'
        from generate_series(1, 3) n;
        insert into chunks (document_id, index, text, start_offset, end_offset, token_count) values
          ('00000000-0000-7000-8000-000000000011', 0, 'abc', 0, 3, 1),
          ('00000000-0000-7000-8000-000000000011', 2, 'XYZ', 3, 6, 1);
        update documents set storage_key = '00000000-0000-4000-8000-0000000000' || sha256 || '0' where sha256 in ('1', '2');
        commit`);
      // Of two documents with originals, one has another than it was sent; and one file is of a document that is gone.
      const kept = (key: string) => join(folder.path, "files/kept", key.slice(-2), key);
      for (const key of ["20", "99"].map((end) => `00000000-0000-4000-8000-0000000000${end}`)) {
        await mkdir(dirname(kept(key)), { recursive: true });
        await writeFile(kept(key), "Not what was sent.");
      }
      const old = { environment: { NODE_ENV: "test", FILE_GRACE_MS: "0" } };
      const document = (n: number) => `00000000-0000-7000-8000-00000000001${n}`;
      const ofAudio = ["file", "cover"].flatMap((noun) =>
        ["is missing", "is not what was sent", "cannot be read"].map((fault) => `ok   0 audio whose ${noun} ${fault}`),
      );
      const ofPlaylists = [
        "ok   0 playlists whose number of tracks or duration differs from their tracks",
        "ok   0 tracks whose duration differs from their audio",
        "ok   0 schedules that do not end when their playlist does",
        "ok   0 schedules that overlap another one on their channel",
        "ok   0 empty playlists that are scheduled",
        "ok   0 series of schedules that are more than a day behind",
        "ok   0 series of schedules that start at another time than their time zone says",
        "ok   0 series of schedules with days to come on which another schedule is in the way",
      ];
      const outcome = await on(["doctor"], old);
      const reprocess = "     Call `reprocessDocument` for each document, and find the worker that wrote its chunks.";
      expect(outcome.stdout.trimEnd().split("\n")).toEqual([
        "BAD  1 chunks whose offsets do not cut out their text (where characters and UTF-16 code units are the same)",
        reprocess,
        `     ${document(1)}`,
        "BAD  1 documents whose chunks are not numbered 0, 1, 2 …",
        reprocess,
        `     ${document(1)}`,
        "BAD  1 COMPLETED documents without chunks",
        reprocess,
        `     ${document(2)}`,
        "BAD  1 PROCESSING documents whose lease ended over five minutes ago",
        "     Run `doctor --repair`.",
        `     ${document(3)}`,
        "ok   0 PROCESSING audio whose lease ended over five minutes ago",
        ...ofPlaylists,
        "BAD  1 the ledger of the file store, which differs from the sum",
        "     Run `doctor --repair`.",
        "     1",
        "ok   0 transactions left open for over ten seconds",
        "BAD  1 documents whose file is missing",
        "     Restore the file from a backup, or delete the row: nothing else has its contents.",
        `     ${document(1)}`,
        "BAD  1 documents whose file is not what was sent",
        "     Restore the file from a backup, or delete the row and send the file again.",
        `     ${document(2)}`,
        "ok   0 documents whose file cannot be read",
        ...["file", "cover"].flatMap((noun) =>
          ["is missing", "is not what was sent", "cannot be read"].map(
            (fault) => `ok   0 audio whose ${noun} ${fault}`,
          ),
        ),
        "note 1 files that no row names",
        "     Run `doctor --repair`.",
        "     00000000-0000-4000-8000-000000000099",
        "ok   0 consumers of the outbox that are over an hour behind",
      ]);
      expectMistake(outcome, "The database holds what must never be.");

      // As one object for programs; the same, and nothing was changed.
      const asJson = await on(["doctor", "--json"], old);
      expectMistake(asJson, "The database holds what must never be.");
      const report = JSON.parse(asJson.stdout);
      expect(report).toMatchObject({ isSound: false, repaired: [] });
      expect(report.findings).toHaveLength(26);
      expect(report.findings[3]).toEqual({
        complaint: "PROCESSING documents whose lease ended over five minutes ago",
        count: 1,
        ids: [document(3)],
        isFault: true,
        isRepairable: true,
        advice: null,
      });
      expect(report.findings[15]).toMatchObject({
        count: 1,
        ids: [document(1)],
        isRepairable: false,
      });

      // Three of them are mended; the others need people.
      const repaired = await on(["doctor", "--repair"], old);
      expect(repaired.stdout.split("\n").filter((line) => /^\w/.test(line))).toEqual([
        "done 1 PROCESSING documents whose lease ended over five minutes ago",
        "done 1 the ledger of the file store, which differs from the sum",
        "done 1 files that no row names",
        "BAD  1 chunks whose offsets do not cut out their text (where characters and UTF-16 code units are the same)",
        "BAD  1 documents whose chunks are not numbered 0, 1, 2 …",
        "BAD  1 COMPLETED documents without chunks",
        "ok   0 PROCESSING documents whose lease ended over five minutes ago",
        "ok   0 PROCESSING audio whose lease ended over five minutes ago",
        ...ofPlaylists,
        "ok   0 the ledger of the file store, which differs from the sum",
        "ok   0 transactions left open for over ten seconds",
        "BAD  1 documents whose file is missing",
        "BAD  1 documents whose file is not what was sent",
        "ok   0 documents whose file cannot be read",
        ...ofAudio,
        "ok   0 files that no row names",
        "ok   0 consumers of the outbox that are over an hour behind",
      ]);
      expectMistake(repaired, "The database holds what must never be.");
      expect(await database.query("select status, attempts from documents where id = $1", [document(3)])).toEqual([
        { status: "PENDING", attempts: 0 },
      ]);
    });
  });
});
