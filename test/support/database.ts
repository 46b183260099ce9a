/** Databases of a test: copies of the migrated template, dropped when the file is done. */
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { withClient } from "../../src/database/with-client.ts";

export type TestDatabase = {
  name: string;
  url: string;
  /** SQL as the database's owner: what a person with psql, or another program, could do. */
  query(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  /** Where servers of this database keep their files. */
  dataDir: string;
  /**
   * Removes it, and the files of its servers. Fails when somebody still holds a connection: a test that leaks them hides
   * a leak of ours.
   */
  drop(): Promise<void>;
};

export async function createTestDatabase(serverUrl: string, templateName: string): Promise<TestDatabase> {
  const name = `lectern_test_${randomBytes(8).toString("hex")}`;
  await createDatabase(serverUrl, name, templateName);
  const url = databaseUrl(serverUrl, name);
  const dataDir = join(tmpdir(), name);
  const pool = new pg.Pool({ connectionString: url, application_name: "test", max: 4 });
  return {
    name,
    url,
    dataDir,
    query: async (text, values) => (await pool.query(text, values)).rows,
    async drop() {
      await pool.end();
      const left = await connectionsOf(serverUrl, name);
      await dropDatabase(serverUrl, name);
      await rm(dataDir, { recursive: true, force: true });
      if (left.length > 0) throw new Error(`Connections were left open: ${left.join(", ")}`);
    },
  };
}

export function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

export async function createDatabase(serverUrl: string, name: string, template: string): Promise<void> {
  await withClient(serverUrl, (client) => client.query(`create database ${name} template ${template}`));
}

export async function dropDatabase(serverUrl: string, name: string): Promise<void> {
  await withClient(serverUrl, (client) => client.query(`drop database if exists ${name} with (force)`));
}

/** A connection of the test's own, as another program has one. */
export async function connectTo(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

/** Who is connected, after a moment in which closing connections may end. */
export async function connectionsOf(serverUrl: string, name: string): Promise<string[]> {
  return withClient(serverUrl, async (client) => {
    for (let tries = 0; ; tries++) {
      const { rows } = await client.query("select application_name from pg_stat_activity where datname = $1", [name]);
      if (rows.length === 0 || tries === 200) return rows.map((row) => row.application_name);
      await new Promise((resume) => setTimeout(resume, 50));
    }
  });
}
