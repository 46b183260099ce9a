/** Who may do what: prisma/roles.sql, tried on every table, column, sequence and function that there is. */
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sessionSettings } from "../../src/database/session-settings.ts";
import { withClient } from "../../src/database/with-client.ts";
import { sql } from "../../src/eager-loading/sql.ts";
import { startEmbeddedPostgres } from "../../src/postgres/embedded-postgres.ts";
import { migrate } from "../../src/postgres/migrations.ts";
import { type DatabaseRole, grantRoles, urlAs, whyNot } from "../../src/postgres/roles.ts";
import { makeFolder, run } from "../support/command.ts";
import { databaseUrl, type TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { startLectern } from "../support/lectern.ts";
import { addDocument, addUser } from "../support/rows.ts";
import { secret } from "../support/secret.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.drop());

const roles: DatabaseRole[] = ["lectern_server", "lectern_worker"];

/** All that is allowed. A new table, column or function is refused to everybody until it stands here and in roles.sql. */
const allowed: Record<DatabaseRole, { tables: Record<string, string>; functions: string[] }> = {
  lectern_server: {
    tables: {
      // Of a new one, the columns that only workers write are left out: see the migration.
      audio:
        "select delete update(album, artist, category_id, event_id, filename, mime_type, sent_sha256, sha256, size_bytes, status, storage_key, title)",
      _prisma_migrations: "select",
      chunks: "select",
      categories: "select insert delete update(name)",
      documents: "select insert delete update(status, title, visibility)",
      events: "select insert delete update(ends_at, name, starts_at)",
      idempotency_keys: "select insert delete update(*)",
      now_playing: "select",
      outbox: "select",
      outbox_consumers: "select update(position)",
      // Triggers write the sums, the durations and the ends.
      playlist_tracks: "select delete update(rank)",
      playlists: "select delete update(name)",
      schedule_series:
        "select delete update(channel, every_weeks, first_day, last_day, playlist_id, skipped_days, start_time, time_zone, weekdays)",
      schedules: "select delete update(channel, playlist_id, starts_at)",
      sessions: "select insert delete update(*)",
      storage_usage: "select update(limit_bytes)",
      users: "select insert update(name, password_hash, role)",
    },
    functions: [
      "extend_schedule_series",
      "fold",
      "has_words_like",
      "instant_of",
      "prune_outbox",
      "release_expired_audio",
      "release_expired_documents",
      "uuid_v7",
    ],
  },
  lectern_worker: {
    tables: { audio: "select", documents: "select" },
    functions: [
      "claim_audio",
      "claim_documents",
      "complete_audio",
      "complete_document",
      "extend_audio_lease",
      "extend_document_lease",
      "fail_audio",
      "fail_document",
      "release_audio",
      "release_document",
      "release_expired_audio",
      "release_expired_documents",
    ],
  },
};

type Table = { name: string; columns: string[] };

async function findTables(): Promise<Table[]> {
  const rows = await database.query(`
    select c.relname as name, array_agg(a.attname::text order by a.attname) filter (where a.attgenerated = '') as columns
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm') group by 1 order by 1`);
  return rows as Table[];
}

/** Insufficient privilege; and of a view of several tables, which takes no rows: not in that state, and no such object. */
const refusals = new Set<string | undefined>(["42501", "55000", "42809"]);

/** Whether the database lets it happen; whatever else may be wrong with it. */
async function may(client: pg.Client, statement: string): Promise<boolean> {
  await client.query("savepoint before");
  try {
    await client.query(statement);
    return true;
  } catch (error) {
    if (refusals.has((error as pg.DatabaseError).code)) return false;
    throw new Error(`${statement}: ${error}`);
  } finally {
    await client.query("rollback to before");
  }
}

/** What a role may do with a table, found by doing it to no row. */
async function rightsOn(client: pg.Client, { name, columns }: Table): Promise<string> {
  const names = columns.map((column) => `"${column}"`);
  const rights: string[] = [];
  if (await may(client, `select * from "${name}" where false`)) rights.push("select");
  const nothing = `insert into "${name}" (${names}) select ${names.map((column) => `(null::"${name}").${column}`)} where false`;
  if (await may(client, nothing)) rights.push("insert");
  if (await may(client, `delete from "${name}"`)) rights.push("delete");
  if (await may(client, `truncate "${name}" cascade`)) rights.push("truncate");
  if (await may(client, `alter table "${name}" add more integer`)) rights.push("alter");
  const written: string[] = [];
  for (const column of columns) {
    if (await may(client, `update "${name}" set "${column}" = default where false`)) written.push(column);
  }
  if (written.length === columns.length) rights.push("update(*)");
  else if (written.length > 0) rights.push(`update(${written.join(", ")})`);
  return rights.join(" ");
}

describe.each(roles)("%s", (role) => {
  it("may do to each table what is said, and nothing else", async () => {
    const tables = await findTables();
    expect(tables.length).toBeGreaterThan(7);
    const found: Record<string, string> = {};
    await withClient(urlAs(database.url, role), async (client) => {
      await client.query("begin");
      for (const table of tables) found[table.name] = await rightsOn(client, table);
      await client.query("rollback");
    });
    const nothing = Object.fromEntries(tables.map(({ name }) => [name, ""]));
    expect(found).toEqual({ ...nothing, ...allowed[role].tables });
  });

  it("may call the functions that are said, and no other of ours", async () => {
    const functions = await database.query(
      `select p.proname as name, has_function_privilege($1, p.oid, 'EXECUTE') as may from pg_proc p
       where p.pronamespace = 'public'::regnamespace
         and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e') order by 1`,
      [role],
    );
    expect(functions.length).toBeGreaterThan(12);
    expect(functions.filter((one) => one.may).map(({ name }) => name)).toEqual(allowed[role].functions);
  });

  it("owns nothing, logs in nowhere, makes nothing and takes no number", async () => {
    const [attributes] = await database.query(
      "select rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication from pg_roles where rolname = $1",
      [role],
    );
    expect(new Set(Object.values(attributes ?? {}))).toEqual(new Set([false]));
    const owned = "select oid::regclass::text as name from pg_class where pg_has_role($1, relowner, 'USAGE')";
    expect(await database.query(owned, [role])).toEqual([]);
    await withClient(urlAs(database.url, role), async (client) => {
      await client.query("begin");
      expect(await may(client, "create table mine ()")).toBe(false);
      expect(await may(client, "create function mine() returns int language sql as 'select 1'")).toBe(false);
      expect(await may(client, "select nextval('outbox_position')")).toBe(false);
      expect(await may(client, "alter table documents disable trigger all")).toBe(false);
      expect(await may(client, "set session_replication_role = replica")).toBe(false);
    });
  });
});

describe("the server's role", () => {
  it("sets no status that only the contract sets, though it may ask for PENDING", async () => {
    await addUser(database);
    const document = await addDocument(database);
    await withClient(urlAs(database.url, "lectern_server"), async (client) => {
      const move = (status: string) => client.query("update documents set status = $1", [status]);
      const refusal = (status: string) => ({
        code: "42501",
        message: `document ${document} becomes ${status} by claim_documents() and complete_document() only`,
      });
      await expect(move("PROCESSING")).rejects.toMatchObject(refusal("PROCESSING"));
      // An error arrives a moment before its row is unlocked, and a claim skips what is locked.
      await client.query("select 1");
      await database.query("select claim_documents('w', 1, '1 minute')");
      await expect(move("COMPLETED")).rejects.toMatchObject(refusal("COMPLETED"));
      await database.query("select complete_document(id, claim_token, '[]') from documents");
      await move("PENDING");
    });
  });

  it("is what a running server works as, and the workers' role what its worker does", async () => {
    const lectern = await startLectern({ worker: true });
    try {
      const user = "select current_user::text as name";
      expect((await lectern.application.database.pool.query(user)).rows).toEqual([{ name: "lectern_server" }]);
      expect(await lectern.application.reads.read(sql`select current_user::text as name`)).toEqual([
        { name: "lectern_server" },
      ]);
      const editor = await lectern.person("Edith", "EDITOR");
      await editor.document();
      await lectern.settled();
      expect(await lectern.database.query("select status from documents")).toEqual([{ status: "COMPLETED" }]);
    } finally {
      await lectern.stop();
    }
  });
});

describe("functions", () => {
  it("that run as their owner look names up where nobody else makes any", async () => {
    const functions = await database.query(`
      select proname as name, proconfig as settings from pg_proc
      where prosecdef and pronamespace = 'public'::regnamespace order by 1`);
    expect(functions.length).toBeGreaterThan(7);
    for (const { name, settings } of functions) {
      expect({ name, settings }).toEqual({ name, settings: ["search_path=public, pg_temp"] });
    }
  });

  it("of ours are nobody's by default", async () => {
    const open = await database.query(`
      select p.oid::regprocedure::text as name from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
      where p.pronamespace = 'public'::regnamespace and a.grantee = 0
        and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')`);
    expect(open).toEqual([]);
  });
});

describe("granting", () => {
  const rights = ({ query }: TestDatabase) =>
    query(`select relname, relacl::text, (select array_agg(attacl::text order by attname) from pg_attribute
             where attrelid = c.oid and attacl is not null) as columns
           from pg_class c where relnamespace = 'public'::regnamespace and relkind in ('r', 'S') order by 1`);

  it("is the same every time, takes back what was granted by hand, and may be done by many at once", async () => {
    const other = await freshDatabase();
    try {
      const before = await rights(database);
      await database.query("grant insert, update on chunks to lectern_server");
      await database.query("grant update (text) on documents to lectern_worker, public");
      await database.query("create table born_today (id int)");
      await database.query("drop table born_today");
      const all = [database.url, other.url, database.url, other.url, database.url, other.url];
      await Promise.all(all.map(grantRoles));
      expect(await rights(database)).toEqual(before);
      expect(await rights(other)).toEqual(before);
    } finally {
      await other.drop();
    }
  });
});

describe("a login", () => {
  it("keeps the options of its URL beside the role and our settings", async () => {
    const url = `${database.url}?options=${encodeURIComponent("-c work_mem=5MB -c statement_timeout=1")}`;
    const settings = sessionSettings(urlAs(url, "lectern_worker"), { statement_timeout: 7_000 });
    const { rows } = await withClient(settings, (client) =>
      client.query(
        "select current_user as name, current_setting('work_mem') w, current_setting('statement_timeout') t",
      ),
    );
    expect(rows).toEqual([{ name: "lectern_worker", w: "5MB", t: "7s" }]);
  });
});

describe("an ordinary owner, on a cluster without the roles", () => {
  let folder: string;
  let server: Awaited<ReturnType<typeof startEmbeddedPostgres>>;
  let here: Awaited<ReturnType<typeof makeFolder>>;
  let urls: { superuser: string; owner: string; login: string };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "lectern-roles-"));
    await chmod(folder, 0o755);
    here = await makeFolder();
    server = await startEmbeddedPostgres({ folder: join(folder, "postgres"), settings: { fsync: "off" } });
    await withClient(server.url, async (client) => {
      await client.query("create role plain login password 'x'");
      await client.query("create role app login password 'x'");
      await client.query("create database theirs owner plain");
    });
    const as = (name: string) => databaseUrl(server.url, "theirs").replace(/\/\/[^@]*@/, `//${name}:x@`);
    urls = { superuser: databaseUrl(server.url, "theirs"), owner: as("plain"), login: as("app") };
  });
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
    await here.remove();
  });

  const lectern = (parameters: string[], environment: Record<string, string>) =>
    run(parameters, {
      folder: here.path,
      environment: {
        DATA_DIR: here.path,
        AUTH_SECRET: secret,
        LECTERN_PASSWORD: "a good password",
        ...environment,
      },
    });
  const createUser = (name: string) => ["user", "create", "--email", `${name}@lectern.test`, "--name", name];

  it("is told what an administrator has to run, and everything works as before", async () => {
    const migrated = await lectern(["migrate"], { DATABASE_URL: urls.owner });
    expect(migrated).toMatchObject({ code: 0, stderr: "" });
    const advice = (role: string) =>
      `There is no role ${role}: run prisma/roles.sql once as an administrator (psql -f prisma/roles.sql … theirs).`;
    expect(migrated.stdout.trimEnd().split("\n").slice(1)).toEqual(
      roles.map((role) => `Connections do not work as ${role} yet. ${advice(role)}`),
    );
    const made = await lectern(createUser("one"), { DATABASE_URL: urls.owner });
    expect(made).toMatchObject({ code: 0, stderr: "" });
    const doctor = await lectern(["doctor"], { DATABASE_URL: urls.owner });
    expect(doctor).toMatchObject({ code: 0, stderr: "" });
    expect(doctor.stdout).toContain(`note no connection works as lectern_server: ${advice("lectern_server")}\n`);
  });

  it("steps down to the roles once an administrator has run the file", async () => {
    const script = await readFile(join(import.meta.dirname, "../../prisma/roles.sql"), "utf8");
    await withClient(urls.superuser, (client) => client.query(script));
    for (const role of roles) expect(await whyNot(urls.owner, role)).toBeNull();
    const again = await lectern(["migrate"], { DATABASE_URL: urls.owner });
    expect(again).toMatchObject({ code: 0, stdout: "The database is up to date.\n", stderr: "" });
    expect(await lectern(createUser("two"), { DATABASE_URL: urls.owner })).toMatchObject({ code: 0 });
  });

  it("may leave the serving to a login that owns nothing", async () => {
    expect(await whyNot(urls.login, "lectern_server")).toBe(
      'The login app is not a member of lectern_server: an administrator can run GRANT lectern_server TO "app";',
    );
    await withClient(urls.superuser, (client) => client.query("grant lectern_server, lectern_worker to app"));
    for (const role of roles) expect(await whyNot(urls.login, role)).toBeNull();
    const apart = { DATABASE_URL: urls.login, MIGRATE_DATABASE_URL: urls.owner };
    expect(await lectern(createUser("three"), apart)).toMatchObject({ code: 0, stderr: "" });
    expect(await lectern(["doctor"], apart)).toMatchObject({ code: 0, stderr: "" });
    // With nothing to migrate, it needs no other.
    expect(await lectern(createUser("four"), { DATABASE_URL: urls.login })).toMatchObject({ code: 0, stderr: "" });
  });

  it("grants what it owns by itself in its next database", async () => {
    await withClient(server.url, (client) => client.query("create database theirs_too owner plain"));
    const url = databaseUrl(urls.owner, "theirs_too");
    await migrate(url);
    for (const role of roles) expect(await whyNot(url, role)).toBeNull();
  });
});
