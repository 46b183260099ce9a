/** The database that a command works on: the one in DATABASE_URL, or the embedded one, started when it is not running. */
import { join } from "node:path";
import type { Config } from "../config.ts";
import { startEmbeddedPostgres } from "../database/embedded-postgres.ts";

export type DatabaseSession = {
  url: string;
  isEmbedded: boolean;
  stop(): Promise<void>;
};

export async function openDatabase(config: Config): Promise<DatabaseSession> {
  if (config.DATABASE_URL) return { url: config.DATABASE_URL, isEmbedded: false, stop: async () => {} };
  const { url, stop } = await startEmbeddedPostgres({ folder: join(config.DATA_DIR, "postgres") });
  return { url, isEmbedded: true, stop };
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
