/** The database that a command works on: the one in DATABASE_URL, or the embedded one, started when it is not running. */
import { join } from "node:path";
import pg from "pg";
import type { Config } from "../config.ts";
import { startEmbeddedPostgres } from "../database/embedded-postgres.ts";
import { UserError } from "../errors.ts";

export type DatabaseSession = {
  url: string;
  isEmbedded: boolean;
  stop(): Promise<void>;
};

export async function openDatabase(config: Config): Promise<DatabaseSession> {
  if (config.DATABASE_URL) {
    await requireUsable(config.DATABASE_URL);
    return { url: config.DATABASE_URL, isEmbedded: false, stop: async () => {} };
  }
  const { url, stop } = await startEmbeddedPostgres({ folder: join(config.DATA_DIR, "postgres") });
  return { url, isEmbedded: true, stop };
}

const oldestVersion = 15;

/** One clear line now, instead of a stack trace from whatever would connect first. */
async function requireUsable(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  try {
    await client.connect();
    const { rows } = await client.query("select current_setting('server_version_num')::int / 10000 as version");
    if (rows[0].version < oldestVersion) {
      throw new UserError(`DATABASE_URL is a PostgreSQL ${rows[0].version}: ${oldestVersion} or later is needed.`);
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    // Where a name has several addresses, the message is empty.
    const { message, code } = error as NodeJS.ErrnoException;
    throw new UserError(`The database in DATABASE_URL cannot be used: ${message || code}.`);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Runs `use` on the database and then leaves it as it was found. */
export async function withDatabase<Result>(config: Config, use: (url: string) => Promise<Result>): Promise<Result> {
  const session = await openDatabase(config);
  try {
    return await use(session.url);
  } finally {
    await session.stop();
  }
}
