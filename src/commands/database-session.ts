/** The database that a command works on: the one in DATABASE_URL, or the embedded one, started when it is not running. */
import { join } from "node:path";
import type { Logger } from "pino";
import { DatabaseClient } from "../database/client.ts";
import { UserError } from "../errors.ts";
import { embeddedLogin } from "../postgres/embedded-login.ts";
import { startEmbeddedPostgres } from "../postgres/embedded-postgres.ts";
import { type DatabaseRole, urlAs, whyNot } from "../postgres/roles.ts";
import type { Config } from "../settings.ts";

export type DatabaseSession = {
  /** URL for the owner of the tables, who may change them. */
  ownerUrl: string;
  isEmbedded: boolean;
  /** URL for servers and workers. Requires that the database is migrated. */
  loginUrl(): Promise<string>;
  stop(): Promise<void>;
};

export async function openDatabase(config: Config): Promise<DatabaseSession> {
  const { DATABASE_URL, MIGRATE_DATABASE_URL } = config;
  if (DATABASE_URL) {
    await requireUsable("DATABASE_URL", DATABASE_URL);
    if (MIGRATE_DATABASE_URL) await requireUsable("MIGRATE_DATABASE_URL", MIGRATE_DATABASE_URL);
    return {
      ownerUrl: MIGRATE_DATABASE_URL ?? DATABASE_URL,
      isEmbedded: false,
      loginUrl: async () => DATABASE_URL,
      stop: async () => {},
    };
  }
  const { url, stop } = await startEmbeddedPostgres({ folder: join(config.DATA_DIR, "postgres") });
  return { ownerUrl: url, isEmbedded: true, loginUrl: () => embeddedLogin(url), stop };
}

/** URL that takes on `role` if the login may; otherwise logs a warning and returns the login's own URL. */
export async function connectAs(session: DatabaseSession, role: DatabaseRole, logger: Logger): Promise<string> {
  const url = await session.loginUrl();
  const reason = await whyNot(url, role);
  if (reason === null) return urlAs(url, role);
  logger.warn({ role, reason }, "connections to the database have all rights of their login");
  return url;
}

/** The roles that servers and workers cannot take on, with the reasons. */
export async function missingRoles(session: DatabaseSession): Promise<{ role: DatabaseRole; reason: string }[]> {
  const url = await session.loginUrl();
  const missing: { role: DatabaseRole; reason: string }[] = [];
  for (const role of ["lectern_server", "lectern_worker"] as const) {
    const reason = await whyNot(url, role);
    if (reason !== null) missing.push({ role, reason });
  }
  return missing;
}

const oldestVersion = 15;

/** @throws UserError with one clear line, instead of a stack trace of the first connection */
async function requireUsable(setting: string, url: string): Promise<void> {
  const client = new DatabaseClient({ connectionString: url, connectionTimeoutMillis: 10_000 });
  try {
    await client.connect();
    const { rows } = await client.query("select current_setting('server_version_num')::int / 10000 as version");
    if (rows[0].version < oldestVersion) {
      throw new UserError(`${setting} is a PostgreSQL ${rows[0].version}: ${oldestVersion} or later is needed.`);
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    // The message is empty if the host name has several addresses.
    const { message, code } = error as NodeJS.ErrnoException;
    throw new UserError(`The database in ${setting} cannot be used: ${message || code}.`);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Runs `use` on the database. Stops the embedded database afterwards if it was not running before. */
export async function withDatabase<Result>(
  config: Config,
  use: (database: DatabaseSession) => Promise<Result>,
): Promise<Result> {
  const session = await openDatabase(config);
  try {
    return await use(session);
  } finally {
    await session.stop();
  }
}
