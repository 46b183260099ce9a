/** The environment of the benchmarks: a PostgreSQL, databases copied from a migrated template, and processes. */
import { execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { migrate } from "../src/postgres/migrations.ts";
import { connectionsOf, createDatabase, databaseUrl, dropDatabase } from "../test/support/database.ts";
import { startTemporaryPostgres } from "../test/support/temporary-postgres.ts";

/** A PostgreSQL with a migrated template database. */
export type Stage = { serverUrl: string; templateName: string };

/** Starts PostgreSQL with its default settings, so commits are durable. */
export async function withStage<Result>(use: (stage: Stage) => Promise<Result>): Promise<Result> {
  const server = await startTemporaryPostgres({});
  try {
    const templateName = "lectern_bench";
    await createDatabase(server.url, templateName, "template0");
    await migrate(databaseUrl(server.url, templateName));
    return await use({ serverUrl: server.url, templateName });
  } finally {
    await server.stop();
  }
}

export type Database = {
  url: string;
  pool: pg.Pool;
  /** Inserts PENDING documents in one transaction. */
  insert(texts: readonly string[]): Promise<void>;
  /** Resolves when no document is PENDING or PROCESSING. @throws if one has FAILED */
  settled(): Promise<void>;
  /** DATA_DIR of the processes. */
  dataDir: string;
};

/** Creates a database for `use`, and drops it afterwards. */
export async function withDatabase<Result>(
  { serverUrl, templateName }: Stage,
  use: (database: Database) => Promise<Result>,
): Promise<Result> {
  const name = `lectern_bench_${randomBytes(4).toString("hex")}`;
  const dataDir = join(tmpdir(), name);
  await createDatabase(serverUrl, name, templateName);
  const url = databaseUrl(serverUrl, name);
  const pool = new pg.Pool({ connectionString: url, application_name: "bench", max: 2 });
  try {
    return await use({
      url,
      pool,
      dataDir,
      insert: (texts) => insertDocuments(pool, texts),
      settled: () => settled(pool),
    });
  } finally {
    await pool.end();
    // A connection that is still closing would be ended by force, which is an error that nobody expects.
    await connectionsOf(serverUrl, name);
    await dropDatabase(serverUrl, name);
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function insertDocuments(pool: pg.Pool, texts: readonly string[]): Promise<void> {
  const hashes = texts.map((text) => createHash("sha256").update(text).digest("hex"));
  await pool.query(
    `with owner as (
       insert into users (email, name, password_hash) values ('bench@lectern.example', 'Bench', '-')
       on conflict (email) do update set name = excluded.name returning id)
     insert into documents (owner_id, title, mime_type, size_bytes, sha256, text)
     select owner.id, 'A text', 'text/plain', octet_length(text), sha256, text
     from owner, unnest($1::text[], $2::text[]) as given (text, sha256)`,
    [texts, hashes],
  );
}

/** Interval of polling, which limits the resolution of the results. */
const pollMs = 20;

async function settled(pool: pg.Pool): Promise<void> {
  for (;;) {
    const { rows } = await pool.query(
      `select exists (select from documents where status in ('PENDING', 'PROCESSING')) as open,
              (select min(failure) from documents where status = 'FAILED') as failure`,
    );
    if (rows[0].failure !== null) throw new Error(`A document failed: ${rows[0].failure}`);
    if (!rows[0].open) return;
    await pause(pollMs);
  }
}

export type Process = {
  /** Resident memory in MB: current and peak. Linux only. */
  memory(): { nowMb: number; peakMb: number };
  stop(): Promise<void>;
};

const root = join(import.meta.dirname, "..");
const python = "/usr/bin/python3";
const pythonWorker = join(root, "examples/python-worker/worker.py");

/** Whether the Python worker can run on this machine. */
export function hasPython(): boolean {
  try {
    execFileSync(python, ["-c", "import asyncpg"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

export type WorkerKind = "ours" | "python";

export const startWorker = (kind: WorkerKind, database: Database): Promise<Process> =>
  kind === "ours" ? startLectern("worker", database) : startPythonWorker(database);

/** Starts a process of Lectern and waits until it is ready. */
export async function startLectern(
  command: "start" | "worker",
  database: Database,
  settings: Record<string, string> = {},
): Promise<Process & { address: string }> {
  const { output, ...process } = await begin(
    globalThis.process.execPath,
    [join(root, "src/main.ts"), command],
    {
      NODE_ENV: "test",
      DATABASE_URL: database.url,
      DATA_DIR: database.dataDir,
      AUTH_SECRET: "only for figures, which nobody need forge",
      LOG_FORMAT: "json",
      PORT: "0",
      ...settings,
    },
    /"msg":"(?:ready|the worker waits for work.*)"/,
  );
  return { ...process, address: /"address":"([^"]+)"/.exec(output)?.[1] ?? "" };
}

const startPythonWorker = ({ url }: Database): Promise<Process> =>
  begin(python, ["-u", pythonWorker], { DATABASE_URL: url }, /waiting for documents/);

/** Starts a process and waits until its output matches `isReady`. */
async function begin(
  command: string,
  parameters: string[],
  environment: Record<string, string>,
  isReady: RegExp,
): Promise<Process & { output: string }> {
  const child = spawn(command, parameters, {
    cwd: tmpdir(),
    // The tests share compiled modules between processes; a measurement has none, unless it is told.
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  let output = "";
  await new Promise<void>((ready, failed) => {
    child.once("error", failed);
    child.once("exit", (code) => failed(new Error(`${command} ended with ${code}:\n${output}`)));
    const listen = (piece: Buffer) => {
      output += piece;
      if (!isReady.test(output)) return;
      child.stdout.off("data", listen);
      // Discards further output, which would otherwise fill the pipe and block the process.
      child.stdout.resume();
      ready();
    };
    child.stdout.on("data", listen);
  });
  return {
    output,
    memory() {
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
      const megabytes = (name: string) => (Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1_024) / 1e6;
      return { nowMb: megabytes("VmRSS"), peakMb: megabytes("VmHWM") };
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
      await ended;
    },
  };
}

/** Whether `Process.memory` works on this machine. */
export const canMeasureMemory = existsSync("/proc/self/status");
