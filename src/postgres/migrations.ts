/**
 * Migrations by Prisma's schema engine as WebAssembly, which needs no native binary. It shares `prisma/migrations` and
 * the table `_prisma_migrations` with `prisma migrate deploy`, so both work on the same database.
 */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PrismaPg } from "@prisma/adapter-pg";
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from "@prisma/driver-adapter-utils";
import type { MigrationList, SchemaEngine, SchemaFilter } from "@prisma/schema-engine-wasm";
import pg from "pg";
import { DatabasePool } from "../database/client.ts";
import { withClient } from "../database/with-client.ts";
import { UserError } from "../errors.ts";
import { grantRoles } from "./roles.ts";

const prismaFolder = join(import.meta.dirname, "../../prisma");
const migrationsFolder = join(prismaFolder, "migrations");
const noFilters: SchemaFilter = { externalTables: [], externalEnums: [] };

/**
 * Applies missing migrations and grants the roles their rights. Returns the names of the applied migrations.
 *
 * @param url of the owner of the tables. Other logins may call it if no migration is missing; it then has no effect
 * @throws UserError with the database's message; the failed migration was rolled back and can be retried
 */
export async function migrate(url: string): Promise<string[]> {
  const applied = (await findMissing(url)).length === 0 ? [] : await applyMigrations(url);
  await grantRoles(url);
  return applied;
}

/** The names of the migrations that are not applied to the database. */
export async function findMissing(url: string): Promise<string[]> {
  const names = await migrationNames();
  return withClient(url, async (client) => {
    const { rows: found } = await client.query("select to_regclass('public._prisma_migrations') is not null as any");
    if (!found[0].any) return names;
    const { rows } = await client.query(
      "select migration_name as name from public._prisma_migrations where finished_at is not null and rolled_back_at is null",
    );
    const done = new Set(rows.map(({ name }) => name));
    return names.filter((name) => !done.has(name));
  });
}

async function applyMigrations(url: string): Promise<string[]> {
  return withEngine(url, async (engine, database) => {
    const migrationsList = await readMigrations();
    try {
      return (await engine.applyMigrations({ migrationsList, filters: noFilters })).appliedMigrationNames;
    } catch (error) {
      if (!database.scriptFailure) throw error;
      // Prisma refuses all migrations until the failed one is resolved. A script is one transaction, so it is known to
      // be rolled back.
      const { rows } = await database.pool.query(
        "select migration_name as name from _prisma_migrations where finished_at is null and rolled_back_at is null",
      );
      for (const { name } of rows) await engine.markMigrationRolledBack({ migrationName: name });
      const names = rows.map(({ name }) => name).join(", ");
      const reason = (database.scriptFailure as Error).message;
      throw new UserError(`The migration ${names} failed and was rolled back: ${reason}`, { cause: error });
    }
  });
}

/**
 * The SQL that leads from the migrations to `schema.prisma`; empty if they are equivalent.
 *
 * @param url of an empty database, to which the migrations are applied
 */
export async function findSchemaDrift(url: string): Promise<string> {
  await migrate(url);
  return withEngine(url, async (engine) => {
    const files = [{ path: join(prismaFolder, "schema.prisma"), content: await readSchema() }];
    const { stdout } = await engine.diff({
      from: { tag: "schemaDatasource", files, configDir: prismaFolder },
      to: { tag: "schemaDatamodel", files },
      script: true,
      exitCode: null,
      filters: noFilters,
    });
    const sql = stdout ?? "";
    return sql.includes("This is an empty migration") ? "" : sql.trim();
  });
}

/** Writes a migration with the difference between the migrations and `schema.prisma`. Returns its path. */
export async function writeMigration(name: string, url: string): Promise<string> {
  if (!/^[a-z][a-z0-9_]*$/.test(name)) {
    throw new UserError(`The name of a migration is lower_case_with_underscores, not "${name}".`);
  }
  const sql = await findSchemaDrift(url);
  const folder = join(migrationsFolder, `${stampAfter(await migrationNames(), new Date())}_${name}`);
  await mkdir(folder, { recursive: true });
  const file = join(folder, "migration.sql");
  await writeFile(file, sql === "" ? "-- schema.prisma has no changes: write your SQL here.\n" : `${sql}\n`);
  return file;
}

/** The time as 14 digits, or a later number: a new migration sorts after all others, even if the clock is slow. */
export function stampAfter(names: readonly string[], now: Date): string {
  const stamp = now.toISOString().replace(/\D/g, "").slice(0, 14);
  const last = names.at(-1)?.slice(0, 14) ?? "";
  return stamp > last ? stamp : String(BigInt(last) + 1n);
}

async function readSchema(): Promise<string> {
  return readFile(join(prismaFolder, "schema.prisma"), "utf8");
}

async function migrationNames(): Promise<string[]> {
  const entries = await readdir(migrationsFolder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

async function readMigrations(): Promise<MigrationList> {
  const names = await migrationNames();
  return {
    baseDir: migrationsFolder,
    lockfile: {
      path: "migration_lock.toml",
      content: await readFile(join(migrationsFolder, "migration_lock.toml"), "utf8"),
    },
    shadowDbInitScript: "",
    migrationDirectories: await Promise.all(
      names.map(async (path) => ({
        path,
        migrationFile: {
          path: "migration.sql",
          content: {
            tag: "ok" as const,
            value: await readFile(join(migrationsFolder, path, "migration.sql"), "utf8"),
          },
        },
      })),
    ),
  };
}

async function withEngine<Result>(
  url: string,
  use: (engine: SchemaEngine, database: CatalogAdapterFactory) => Promise<Result>,
): Promise<Result> {
  // The pool replaces a connection that breaks between statements; during a statement, the statement fails.
  const pool = new CatalogPool({ connectionString: url, application_name: "lectern migrate" }, () => {});
  const database = new CatalogAdapterFactory(pool);
  const adapter = bindMigrationAwareSqlAdapterFactory(database);
  const { SchemaEngine: Engine } = await loadEngine();
  let engine: SchemaEngine | undefined;
  try {
    engine = await Engine.new(
      { datamodels: [[join(prismaFolder, "schema.prisma"), await readSchema()]] },
      () => {},
      adapter,
    );
    return await use(engine, database);
  } catch (error) {
    throw asMigrationError(error);
  } finally {
    engine?.free();
    await pool.end();
  }
}

/**
 * adapter-pg 7.10 refuses PostgreSQL's one-letter type `"char"`, which the engine reads from the catalog of check
 * constraints. This pool declares such columns as `text`, and the factory below as `Character`, as the engine expects.
 */
class CatalogPool extends DatabasePool {
  // biome-ignore lint/suspicious/noExplicitAny: query has many overloads; the adapter uses one.
  override async query(...parameters: any[]): Promise<any> {
    const result = await (super.query as (...parameters: unknown[]) => Promise<pg.QueryResult>)(...parameters);
    for (const field of result.fields ?? [])
      if (field.dataTypeID === pg.types.builtins.CHAR) field.dataTypeID = textType;
    return result;
  }
}
const textType = pg.types.builtins.TEXT as number;

class CatalogAdapterFactory extends PrismaPg {
  readonly pool: pg.Pool;
  /** The database's error, which the engine does not expose. */
  scriptFailure: unknown;

  constructor(pool: pg.Pool) {
    super(pool);
    this.pool = pool;
  }

  override async connect() {
    const adapter = await super.connect();
    const queryRaw = adapter.queryRaw.bind(adapter);
    adapter.queryRaw = async (query) => {
      const result = await queryRaw(query);
      const index = result.columnNames.indexOf("constraint_type");
      if (index >= 0) result.columnTypes[index] = ColumnTypeEnum.Character;
      return result;
    };
    // The adapter splits scripts at every semicolon, even inside functions. A whole script is one transaction.
    adapter.executeScript = async (script) => {
      try {
        await this.pool.query(script);
      } catch (error) {
        this.scriptFailure = error;
        throw error;
      }
    };
    return adapter;
  }
}

/** The engine throws plain objects as well as `Error`s. */
function asMigrationError(error: unknown): Error {
  if (error instanceof UserError) return error;
  const message = error instanceof Error ? error.message : JSON.stringify(error);
  return new Error(`The migrations could not be applied: ${message}`, { cause: error });
}

type EngineModule = typeof import("@prisma/schema-engine-wasm");
let engineModule: Promise<EngineModule> | undefined;

function loadEngine(): Promise<EngineModule> {
  engineModule ??= instantiateEngine();
  return engineModule;
}

/** The package's entry imports its `.wasm` as a module, which Node loads only with a flag. */
async function instantiateEngine(): Promise<EngineModule> {
  const path = fileURLToPath(import.meta.resolve("@prisma/schema-engine-wasm")).replace(/\.js$/, "_bg.js");
  const glue = (await import(path)) as EngineModule & { __wbg_set_wasm(exports: WebAssembly.Exports): void };
  const bytes = await readFile(path.replace(/\.js$/, ".wasm"));
  const { instance } = await WebAssembly.instantiate(bytes, { "./schema_engine_bg.js": withoutWaiting(glue) });
  glue.__wbg_set_wasm(instance.exports);
  (instance.exports.__wbindgen_start as () => void)();
  return glue;
}

/** Unrefs the engine's timer for the lock timeout (10 s), which would otherwise keep the process alive. */
function withoutWaiting(glue: object): WebAssembly.ModuleImports {
  const unref = (start: (...parameters: unknown[]) => unknown, parameters: unknown[]) => {
    const timer = start(...parameters);
    if (timer instanceof Object && "unref" in timer) (timer as NodeJS.Timeout).unref();
    return timer;
  };
  return Object.fromEntries(
    Object.entries(glue).map(([name, value]) =>
      name.startsWith("__wbg_setTimeout")
        ? [name, (...parameters: unknown[]) => unref(value, parameters)]
        : [name, value],
    ),
  );
}
