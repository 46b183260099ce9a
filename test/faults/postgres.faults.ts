import type { Fault } from "./fault.ts";

const migrations = ["test/postgres/migrations.test.ts"];
const roles = ["test/postgres/roles.test.ts"];
const start = ["test/commands/start.test.ts"];

export const faults: Fault[] = [
  {
    name: "a migration that was rolled back counts as applied",
    file: "src/postgres/migrations.ts",
    replace: { "where finished_at is not null and rolled_back_at is null": "where started_at is not null" },
    tests: migrations,
  },
  {
    name: "a failed migration stays unresolved, so that it cannot be tried again",
    file: "src/postgres/migrations.ts",
    replace: { "for (const { name } of rows) await engine.markMigrationRolledBack({ migrationName: name });": "" },
    tests: migrations,
  },
  {
    name: "the reason of a failed migration is not told",
    file: "src/postgres/migrations.ts",
    replace: { "if (!database.scriptFailure) throw error;": "throw error;" },
    tests: migrations,
  },
  {
    name: "a new migration sorts before the last one when the clock is slow",
    file: "src/postgres/migrations.ts",
    replace: { "return stamp > last ? stamp : String(BigInt(last) + 1n);": "return stamp;" },
    tests: migrations,
  },
  {
    name: "a migration may be written to another folder by its name",
    file: "src/postgres/migrations.ts",
    replace: { "/^[a-z][a-z0-9_]*$/": "/^[a-z.]/" },
    tests: ["test/commands/command-line.test.ts"],
  },
  {
    name: "the type of check constraints is not translated for the engine",
    file: "src/postgres/migrations.ts",
    replace: { "if (index >= 0) result.columnTypes[index] = ColumnTypeEnum.Character;": "" },
    tests: migrations,
  },
  {
    name: "rights are granted by a login that does not own the tables",
    file: "src/postgres/roles.ts",
    replace: { "if (!rows[0].isOwner) return;": "" },
    tests: roles,
  },
  {
    name: "an owner that may not make roles cannot migrate",
    file: "src/postgres/roles.ts",
    replace: { 'if (sqlStateOf(error) !== "42501") throw error;': "throw error;" },
    tests: roles,
  },
  {
    name: "the role replaces the options of the address",
    file: "src/postgres/roles.ts",
    replace: { '[parameters.get("options"), `-c role=${role}`]': "[`-c role=${role}`]" },
    tests: roles,
  },
  {
    name: "a role without rights in this database is taken on",
    file: "src/postgres/roles.ts",
    replace: { "if (!isMade || !isGranted) {": "if (!isMade) {" },
    tests: roles,
  },
  {
    name: "a pooler that drops the role is not noticed",
    file: "src/postgres/roles.ts",
    replace: { "return user === role ? null": "return user !== null ? null" },
    tests: roles,
  },
  {
    name: "what was granted by hand stays granted",
    file: "prisma/roles.sql",
    replace: { "FROM PUBLIC, lectern_server, lectern_worker', item)": "FROM PUBLIC', item)" },
    tests: roles,
  },
  {
    name: "new functions are everybody's",
    file: "prisma/roles.sql",
    replace: { "FROM PUBLIC, lectern_server, lectern_worker', item)": "FROM lectern_server, lectern_worker', item)" },
    tests: roles,
  },
  {
    name: "rights are granted with those of the administrator",
    file: "prisma/roles.sql",
    replace: { "set_config('role', owner::regrole::text, true), ": "" },
    tests: roles,
  },
  {
    name: "the lock of a folder is taken while another holds it",
    file: "src/postgres/folder-lock.ts",
    replace: { 'open(path, "wx")': 'open(path, "w")' },
    tests: ["test/postgres/folder-lock.test.ts"],
  },
  {
    name: "the lock of a process that is gone is waited for",
    file: "src/postgres/folder-lock.ts",
    replace: { 'return (error as NodeJS.ErrnoException).code === "ESRCH";': "return false;" },
    tests: ["test/postgres/folder-lock.test.ts"],
  },
  {
    name: "the lock of a folder stays when its work fails",
    file: "src/postgres/folder-lock.ts",
    replace: {
      "return await work(); } finally {":
        "const result = await work(); await rm(path); return result; } catch (error) { throw error;",
      "await rm(path, { force: true }); } }": "} }",
    },
    tests: ["test/postgres/folder-lock.test.ts"],
  },
  {
    name: "the lock of a living process is broken before its time",
    file: "src/postgres/folder-lock.ts",
    replace: { "const oldestMs = 60_000;": "const oldestMs = 600;" },
    tests: ["test/postgres/folder-lock.test.ts"],
  },
  {
    name: "a database is stopped while another program uses it",
    file: "src/postgres/embedded-postgres.ts",
    replace: { 'if (await isShared(urlOf("postgres"))) return;': "" },
    tests: start,
  },
  {
    name: "a database that is half made is used",
    file: "src/postgres/embedded-postgres.ts",
    replace: { "const fresh = `${data}.new`;": "const fresh = data;", "await rename(fresh, data);": "" },
    tests: ["test/commands/failing-disk.test.ts"],
  },
  {
    name: "the embedded database listens to the whole network",
    file: "src/postgres/embedded-postgres.ts",
    replace: { 'listen_addresses: "127.0.0.1"': 'listen_addresses: "*"' },
    tests: start,
  },
  {
    name: "the embedded database asks for no password",
    file: "src/postgres/embedded-postgres.ts",
    replace: { "--auth=scram-sha-256": "--auth=trust" },
    tests: start,
  },
  {
    name: "the server works as the superuser of the embedded database",
    file: "src/postgres/embedded-login.ts",
    replace: { "return login.href;": "return url;" },
    tests: start,
  },
];
