/** Migrations without Prisma's native engine, which must leave what Prisma's own command line would leave. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findMissing, findSchemaDrift, migrate, stampAfter } from "../../src/postgres/migrations.ts";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";

const folder = join(import.meta.dirname, "../../prisma/migrations");
const names = (await readdir(folder, { withFileTypes: true }))
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();

let database: TestDatabase;
beforeEach(async () => {
  database = await freshDatabase("template0");
});
afterEach(() => database.drop());

describe("migrations", () => {
  it("lead exactly to schema.prisma", async () => {
    expect(await findSchemaDrift(database.url)).toBe("");
  });

  it("are told apart from schema.prisma when somebody changed the database by hand in between", async () => {
    await migrate(database.url);
    await database.query("alter table documents drop column attempts");
    const drift = await findSchemaDrift(database.url);
    expect(drift).toContain('ALTER TABLE "documents" ADD COLUMN     "attempts" INTEGER NOT NULL DEFAULT 0');
  });

  it("are applied once, in order", async () => {
    expect(await migrate(database.url)).toEqual(names);
    expect(await migrate(database.url)).toEqual([]);
    expect(await database.query("select migration_name from _prisma_migrations order by started_at")).toEqual(
      names.map((migration_name) => ({ migration_name })),
    );
  });

  it("are applied once by two who begin at the same time", async () => {
    const applied = await Promise.all([migrate(database.url), migrate(database.url)]);
    expect(applied.flat()).toEqual(names);
    expect(await database.query("select count(*)::int as count from _prisma_migrations")).toEqual([
      { count: names.length },
    ]);
  });

  it("are written down as `prisma migrate deploy` writes them", async () => {
    await migrate(database.url);
    const rows = await database.query("select * from _prisma_migrations order by migration_name");
    const expected = await Promise.all(
      names.map(async (migration_name) => ({
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        checksum: createHash("sha256")
          .update(await readFile(join(folder, migration_name, "migration.sql")))
          .digest("hex"),
        migration_name,
        started_at: expect.any(Date),
        finished_at: expect.any(Date),
        rolled_back_at: null,
        logs: null,
        applied_steps_count: 1,
      })),
    );
    expect(rows).toEqual(expected);
    const columns = await database.query(`
      select column_name, data_type from information_schema.columns
      where table_name = '_prisma_migrations' order by column_name`);
    expect(Object.fromEntries(columns.map((column) => [column.column_name, column.data_type]))).toEqual({
      id: "character varying",
      checksum: "character varying",
      finished_at: "timestamp with time zone",
      migration_name: "character varying",
      logs: "text",
      rolled_back_at: "timestamp with time zone",
      started_at: "timestamp with time zone",
      applied_steps_count: "integer",
    });
  });

  it("leave nothing half applied when one fails, and say why", async () => {
    // What the first migration makes last is in the way, so that all before it has been done by then.
    await migrate(database.url);
    await database.query("create schema kept");
    await database.query("alter function grant_foundation_rights set schema kept");
    await database.query("drop schema public cascade");
    await database.query("alter schema kept rename to public");
    await expect(migrate(database.url)).rejects.toThrow(
      `The migration ${names[0]} failed and was rolled back: function "grant_foundation_rights" already exists with same argument types`,
    );
    const left = await database.query(`
      select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
      union all select proname from pg_proc where pronamespace = 'public'::regnamespace
      union all select typname from pg_type where typnamespace = 'public'::regnamespace and typtype = 'e' order by 1`);
    expect(left).toEqual([{ name: "_prisma_migrations" }, { name: "grant_foundation_rights" }]);

    // Once it is mended, the same command goes on.
    expect(await findMissing(database.url)).toEqual(names);
    await database.query("drop function grant_foundation_rights");
    expect(await migrate(database.url)).toEqual(names);
  });
});

describe("a new migration", () => {
  const now = new Date("2026-12-01T09:30:00.500Z");

  it.each([
    ["the first", [], "20261201093000"],
    ["later than the last", ["20261127030000_a", "20261201092959_b"], "20261201093000"],
    ["of the same second", ["20261201093000_a"], "20261201093001"],
    ["earlier than the last, by a slow clock", ["20261127030000_a", "20270101000059_b"], "20270101000060"],
  ])("sorts after all others: %s", (_, names, stamp) => {
    expect(stampAfter(names, now)).toBe(stamp);
  });
});

describe("columns", () => {
  it("of points in time are exact to the millisecond, as a JavaScript Date and thus a cursor is", async () => {
    await migrate(database.url);
    const columns = await database.query(`
      select table_name || '.' || column_name as name, data_type, datetime_precision from information_schema.columns
      where table_schema = 'public' and table_name <> '_prisma_migrations'
        and data_type similar to '(timestamp|time|date|interval)%' order by 1`);
    expect(columns.length).toBeGreaterThan(10);
    const coarse = columns.filter(
      (column) => column.data_type !== "timestamp with time zone" || column.datetime_precision !== 3,
    );
    expect(coarse).toEqual([]);
  });

  it("named version are raised by a trigger", async () => {
    await migrate(database.url);
    const unguarded = await database.query(`
      select table_name from information_schema.columns c
      where table_schema = 'public' and column_name = 'version' and not exists (
        select 1 from information_schema.triggers t
        where t.event_object_table = c.table_name and t.action_timing = 'BEFORE' and t.event_manipulation = 'UPDATE'
          and t.action_statement like '%raise_version%')`);
    expect(unguarded).toEqual([]);
  });
});
