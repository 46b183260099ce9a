/**
 * One PostgreSQL per run, and in it one migrated template database that every test file copies. DATABASE_URL names
 * another server to run on, whose user may create databases.
 */
import type { TestProject } from "vitest/node";
import { migrate } from "../../src/postgres/migrations.ts";
import { createDatabase, databaseUrl, dropDatabase } from "./database.ts";
import { startTemporaryPostgres } from "./temporary-postgres.ts";

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
