/**
 * Migrations through Prisma's schema engine in its WebAssembly form, which needs no native binary. It reads the same
 * `prisma/migrations` and writes the same `_prisma_migrations` table as `prisma migrate deploy`, so both can be used
 * on one database.
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
 * Applies what is missing, and grants the roles what they may do. Returns the names of the migrations that it applied.
 *
 * @param url of the owner of the tables; where nothing is missing, anybody may call it, and nothing is done
 * @throws UserError in the database's words; the failed migration has left nothing and may be tried again
 */
export async function migrate(url: string): Promise<string[]> {
  const applied = (await findMissing(url)).length === 0 ? [] : await applyMigrations(url);
  await grantRoles(url);
  return applied;
}

/** The names of the migrations that the database does not have yet. */
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
      // Prisma would refuse every migration from now on until somebody says what became of this one. A script is one
      // transaction, so that is known: nothing.
      const { rows } = await database.pool.query(
        "select migration_name as name from _prisma_migrations where finished_at is null and rolled_back_at is null",
      );
      for (const { name } of rows) await engine.markMigrationRolledBack({ migrationName: name });
      const names = rows.map(({ name }) => name).join(", ");
      const reason = (database.scriptFailure as Error).message;
      throw new UserError(`The migration ${names} failed and was undone: ${reason}`, { cause: error });
    }
  });
}

/**
 * The SQL that would lead from the migrations to `schema.prisma`; empty when they agree.
 *
 * @param url of an empty database, in which the migrations are played
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

/** Writes a migration with the difference between the migrations and `schema.prisma`. Returns its file. */
export async function writeMigration(name: string, url: string): Promise<string> {
  if (!/^[a-z][a-z0-9_]*$/.test(name)) {
    throw new UserError(`A migration's name is lower_case_with_underscores, not "${name}".`);
  }
  const sql = await findSchemaDrift(url);
  const stamp = new Date().toISOString().replace(/\D/g, "").slice(0, 14);
  const folder = join(migrationsFolder, `${stamp}_${name}`);
  await mkdir(folder, { recursive: true });
  const file = join(folder, "migration.sql");
  await writeFile(file, sql === "" ? "-- schema.prisma has nothing new: write your SQL here.\n" : `${sql}\n`);
  return file;
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
  // A connection that ends between two statements is replaced; during one, the statement fails and says so.
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
 * adapter-pg 7.10 refuses PostgreSQL's one-letter type `"char"`, which the engine meets when it looks at check
 * constraints. Here the connection says `text` and the adapter then says `Character`, which is what the engine expects.
 */
class CatalogPool extends DatabasePool {
  // biome-ignore lint/suspicious/noExplicitAny: pg overloads query a dozen times; the adapter calls one of them.
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
  /** The database's own words, which the engine keeps to itself. */
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
    // The adapter cuts scripts at every semicolon, also inside functions. Sent whole, a script is one transaction.
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

/** The engine throws plain objects and `Error`s with the database's words deep inside. */
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

/** The package's own entry imports its `.wasm` as a module, which Node does not load without a flag. */
async function instantiateEngine(): Promise<EngineModule> {
  const path = fileURLToPath(import.meta.resolve("@prisma/schema-engine-wasm")).replace(/\.js$/, "_bg.js");
  const glue = (await import(path)) as EngineModule & { __wbg_set_wasm(exports: WebAssembly.Exports): void };
  const bytes = await readFile(path.replace(/\.js$/, ".wasm"));
  const { instance } = await WebAssembly.instantiate(bytes, { "./schema_engine_bg.js": withoutWaiting(glue) });
  glue.__wbg_set_wasm(instance.exports);
  (instance.exports.__wbindgen_start as () => void)();
  return glue;
}

/** The engine's guard against a lock that never comes is a timer of 10 s, which would keep the process from ending. */
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
