/**
 * One PostgreSQL per run, and in it one migrated template database that every test file copies. DATABASE_URL names
 * another server to run on, whose user may create databases.
 */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startEmbeddedPostgres } from "../../src/database/embedded-postgres.ts";
import { migrate } from "../../src/database/migrations.ts";
import { createDatabase, databaseUrl, dropDatabase } from "./database.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** The server's own database, from which others are made. */
    serverUrl: string;
    templateName: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = process.env.DATABASE_URL
    ? { url: process.env.DATABASE_URL, stop: async () => {} }
    : await startTemporaryPostgres();
  const templateName = `lectern_template_${process.pid}`;
  await createDatabase(server.url, templateName, "template0");
  await migrate(databaseUrl(server.url, templateName));
  project.provide("serverUrl", server.url);
  project.provide("templateName", templateName);
  return async () => {
    await dropDatabase(server.url, templateName);
    await server.stop();
  };
}

async function startTemporaryPostgres() {
  const folder = await mkdtemp(join(tmpdir(), "lectern-test-"));
  // The database may run as another user, who must pass through.
  await chmod(folder, 0o755);
  const server = await startEmbeddedPostgres({
    folder: join(folder, "postgres"),
    // What a crash of the machine would lose is no loss here.
    settings: { fsync: "off", full_page_writes: "off", synchronous_commit: "off", max_connections: "300" },
  });
  return {
    url: server.url,
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
