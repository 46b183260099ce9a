/** Workers as processes of their own on a database for them: ours and the one in Python. They can be met at their work. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { inject } from "vitest";
import { withClient } from "../../src/database/with-client.ts";
import { basics } from "./command.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";
import { endWithRun } from "./reap.ts";
import { addUser } from "./rows.ts";
import { secret } from "./secret.ts";

const root = join(import.meta.dirname, "../..");
export const pythonScript = join(root, "examples/python-worker/worker.py");

/** The first python3 of PATH, or Debian's own, that has asyncpg; null, after a word about it, where there is none. */
export const python = findPython();

function findPython(): string | null {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/bin"];
  for (const python of new Set(folders.map((folder) => join(folder, "python3")))) {
    if (!existsSync(python)) continue;
    try {
      execFileSync(python, ["-c", "import asyncpg"], { stdio: "ignore" });
      return python;
    } catch {
      // Another one may have it.
    }
  }
  console.warn("Skipped: no python3 in PATH has asyncpg.");
  return null;
}

export type WorkerKind = "ours" | "python";
/** A document that somebody holds. `worker` is what it calls itself. */
export type Held = { id: string; claim: string; attempt: number; worker: string };

export type WorkerProcess = {
  kind: WorkerKind;
  process: ChildProcess;
  /** What it printed so far. */
  output(): string;
  /** The lines of our worker's log. */
  log(): Record<string, unknown>[];
};

export type WorkerProcesses = {
  /** With one user, whose documents may be put in. */
  database: TestDatabase;
  /** Of a login that may work, and nothing else. */
  url: string;
  /** Starts one and waits until it listens. `settings` are environment variables. */
  begin(kind: WorkerKind, settings?: Record<string, string>): Promise<WorkerProcess>;
  /** What it holds, as the database sees it. */
  heldBy(worker: WorkerProcess): Promise<Held[]>;
  /** Stops one of those, chosen by chance, with SIGSTOP while it holds a document; `process.kill("SIGCONT")` lets it go on. */
  freezeAtWork(choose: (worker: WorkerProcess) => boolean, random?: () => number): Promise<WorkerProcess>;
  /** Ends it with SIGKILL, and waits until the database knows. What it still holds then, nobody else will end. */
  kill(worker: WorkerProcess): Promise<Held[]>;
  /** Ends all that are left, and removes their login and the database. */
  stop(): Promise<void>;
};

const patienceMs = 60_000;

export async function workerProcesses(): Promise<WorkerProcesses> {
  const serverUrl = inject("serverUrl");
  const database = await createTestDatabase(serverUrl, inject("templateName"));
  await addUser(database);
  const login = `${database.name}_worker`;
  await database.query(`create role ${login} login password 'x' in role lectern_worker`);
  const url = new URL(database.url);
  url.username = login;
  url.password = "x";
  const begun: WorkerProcess[] = [];

  /** Each process has a name of its own among the connections. */
  const connectionName = ({ process: { pid } }: Pick<WorkerProcess, "process">) => `worker ${pid}`;
  const connectionsOf = (worker: Pick<WorkerProcess, "process">) =>
    database.query(
      "select query, wait_event from pg_stat_activity where application_name = $1 and datname = current_database()",
      [connectionName(worker)],
    );

  const heldBy = async ({ process: { pid } }: Pick<WorkerProcess, "process">) =>
    (await database.query(
      `select id, claim_token as claim, attempts as attempt, claimed_by as worker from documents
       where status = 'PROCESSING' and split_part(claimed_by, '/', 2) = $1`,
      [String(pid)],
    )) as Held[];

  async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + patienceMs;
    while (!(await isSo())) {
      if (performance.now() > end) {
        throw new Error(
          `Not in ${patienceMs} ms: ${what}.\n${begun.map((worker) => worker.output().slice(-1_000)).join("\n")}`,
        );
      }
      await pause(1);
    }
  }

  return {
    database,
    url: url.href,
    async begin(kind, settings = {}) {
      if (kind === "python" && python === null) throw new Error("There is no Python.");
      const [program, parameters] =
        kind === "python"
          ? [python as string, [pythonScript]]
          : [process.execPath, [join(root, "src/main.ts"), "worker"]];
      // The shell takes the program's place, so that the name can be made of the process's own id.
      const child = spawn(
        "/bin/sh",
        ["-c", `DATABASE_URL="$DATABASE_URL?application_name=worker%20$$" exec "$0" "$@"`, program, ...parameters],
        {
          cwd: tmpdir(),
          env: {
            ...basics,
            DATABASE_URL: url.href,
            DATA_DIR: database.dataDir,
            AUTH_SECRET: secret,
            LOG_FORMAT: "json",
            ...settings,
          },
          stdio: ["ignore", "pipe", "pipe"],
        },
      );
      endWithRun(child);
      let output = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text: string) => {
          output += text;
        });
      }
      const worker: WorkerProcess = {
        kind,
        process: child,
        output: () => output,
        log: () => output.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : [])),
      };
      begun.push(worker);
      await until(`a worker (${kind}) listens`, async () => {
        if (hasEnded(child)) throw new Error(`A worker (${kind}) ended before it listened:\n${output}`);
        return (await connectionsOf(worker)).some(({ query }) => /^listen/i.test(query as string));
      });
      return worker;
    },

    heldBy,

    async freezeAtWork(choose, random = Math.random) {
      let frozen: WorkerProcess | undefined;
      await until("a worker is met at its work", async () => {
        const holders = await database.query(
          "select split_part(claimed_by, '/', 2)::int as pid from documents where status = 'PROCESSING'",
        );
        const atWork = begun.filter(
          (worker) =>
            !hasEnded(worker.process) && choose(worker) && holders.some(({ pid }) => pid === worker.process.pid),
        );
        const chosen = atWork[Math.floor(random() * atWork.length)];
        if (!chosen) return false;
        chosen.process.kill("SIGSTOP");
        // What it had sent goes on: only when that is done, and the database waits for it to say more, it is seen
        // whether it ended its work in between. (Its connection need not be idle: asyncpg may be amid a statement.)
        await until("what a frozen worker had sent is done", async () =>
          (await connectionsOf(chosen)).every(({ wait_event }) => wait_event === "ClientRead"),
        );
        if ((await heldBy(chosen)).length > 0) frozen = chosen;
        else chosen.process.kill("SIGCONT");
        return frozen !== undefined;
      });
      return frozen as WorkerProcess;
    },

    async kill(worker) {
      await Promise.all([once(worker.process, "exit"), worker.process.kill("SIGKILL")]);
      // All that it had sent is done when its connections have ended.
      await until("the connections of a killed worker end", async () => (await connectionsOf(worker)).length === 0);
      return heldBy(worker);
    },

    async stop() {
      await Promise.all(begun.map((worker) => end(worker.process)));
      await until("the connections of workers end", async () => {
        const rows = await database.query("select 1 from pg_stat_activity where usename = $1", [login]);
        return rows.length === 0;
      });
      await database.query(`drop owned by ${login}`);
      await withClient(serverUrl, (client) => client.query(`drop role ${login}`));
      await database.drop();
    },
  };
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;

function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return Promise.resolve();
  return new Promise((ended) => {
    child.once("exit", () => ended());
    child.kill("SIGTERM");
    // It may have been left frozen.
    child.kill("SIGCONT");
  });
}
