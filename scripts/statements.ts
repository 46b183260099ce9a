/**
 * Prints the table in src/eager-loading/README.md: statements and round trips of five typical queries.
 *
 * `npm run statements` starts a temporary database, loads the sample library and runs the queries. A test compares the
 * table with the README.
 */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execute, type OperationDefinitionNode, parse, validate } from "graphql";
import { pino } from "pino";
import { type Application, openApplication } from "../src/application.ts";
import { readConfig } from "../src/config.ts";
import { compile } from "../src/eager-loading/compile-plan.ts";
import { Loaders } from "../src/eager-loading/loaders.ts";
import { runPlan } from "../src/eager-loading/run-plan.ts";
import { sql } from "../src/eager-loading/sql.ts";
import { buildSchema } from "../src/graphql/schema.ts";
import { startEmbeddedPostgres } from "../src/postgres/embedded-postgres.ts";
import { migrate } from "../src/postgres/migrations.ts";
import { loadSampleLibrary, untilProcessed } from "../src/sample-library.ts";
import { slices } from "../src/slices.ts";
import { startWorkers } from "../src/worker-process.ts";

const typicalQueries: Record<string, string> = {
  "a document and its owner": `{ documents(first: 1) { nodes { title owner { name } } } }`,
  "a list with its count": `{ documents(first: 20) { totalCount nodes { title } pageInfo { hasNextPage endCursor } } }`,
  "users → documents → chunks": `{ users(first: 20) { nodes { name documents(first: 5) { nodes { title chunks(first: 5) { nodes { text } } } } } } }`,
  "search, with context": `{ searchChunks(query: "lectern", first: 10) { totalCount nodes { snippet chunk { document { title owner { name } } neighbours { text } } } } }`,
  "a start page": `{ viewer { user { name } } documents(first: 5) { totalCount nodes { title owner { name } chunks { totalCount } } } users { totalCount } }`,
};

const schema = await buildSchema(slices);
const planLimits = { timeoutMs: 5_000 };

/** One line per query, as Markdown. */
export async function statementTable({ reads, cursors }: Pick<Application, "reads" | "cursors">): Promise<string> {
  const lines = ["| query | statements | round trips, planned | round trips, by level |", "| --- | --- | --- | --- |"];
  const [admin] = await reads.read(sql`select id from users where role = 'ADMIN' limit 1`);
  for (const [name, query] of Object.entries(typicalQueries)) {
    const document = parse(query);
    const faults = validate(schema, document);
    if (faults.length > 0) throw faults[0];
    const run = async (isPlanned: boolean) => {
      const viewer = { id: admin?.id as string, role: "ADMIN" as const, sessionId: "" };
      const loaders = new Loaders({ viewer, reader: reads, cursors });
      const plan = compile(schema, document, document.definitions[0] as OperationDefinitionNode);
      if (isPlanned) await runPlan(plan, {}, loaders, planLimits);
      const contextValue = { viewer, canRead: true, loaders };
      const { errors } = await execute({ schema, document, contextValue });
      if (errors) throw errors[0];
      return loaders.trace;
    };
    const [planned, byLevel] = [await run(true), await run(false)];
    lines.push(`| ${name} | ${planned.statements} | ${planned.roundTrips} | ${byLevel.roundTrips} |`);
  }
  return lines.join("\n");
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "lectern-statements-"));
  // The database may run as another user, which must be able to traverse the folder.
  await chmod(folder, 0o755);
  const server = await startEmbeddedPostgres({ folder: join(folder, "postgres") });
  try {
    await migrate(server.url);
    const config = readConfig({ NODE_ENV: "test", AUTH_SECRET: "only for this table, which shows no secret" });
    const logger = pino({ level: "silent" });
    const { url } = server;
    const application = await openApplication(config, { url, publicUrl: "http://localhost", logger });
    await loadSampleLibrary(application);
    const workers = await startWorkers(config, { url, slots: 1, logger });
    await untilProcessed(application);
    await workers.stop();
    console.log(await statementTable(application));
    await application.close();
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) await main();
