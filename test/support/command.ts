/** Lectern's command line, run as a person would: another process, an environment of its own, a folder of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Lectern } from "./lectern.ts";
import { endWithRun } from "./reap.ts";

const main = join(import.meta.dirname, "../../src/main.ts");

/** Longer than a process takes to start on a busy machine, and less than a test may take. */
const startMs = 50_000;

/** The variables of the test run that every process of ours is given. */
export const basics = { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE };

/** The environment of a further server, or of a worker, on the database and the files of a Lectern. It runs no worker. */
export const environmentBeside = ({ config, database }: Pick<Lectern, "config" | "database">) => ({
  NODE_ENV: "test",
  DATABASE_URL: database.url,
  DATA_DIR: config.DATA_DIR,
  AUTH_SECRET: config.AUTH_SECRET,
  // Tokens are good for the server that issued them only.
  PUBLIC_URL: "http://lectern.test",
  PORT: "0",
  WORKERS: "0",
  LOG_LEVEL: "warn",
});

export type Outcome = { code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string };

export type RunOptions = {
  /** All that the command sees of the environment, besides `basics` and patience: no DATABASE_URL of the test run reaches it. */
  environment?: Record<string, string>;
  /** What is written to standard input, which is then closed. */
  input?: string;
  /** Where it runs. A folder without `.env`, unless a test puts one there. */
  folder?: string;
  /** Another program than Lectern's. */
  program?: string;
};

export type Running = {
  process: ChildProcess;
  /** What it printed so far. */
  output: () => string;
  ended: Promise<Outcome>;
  /** Waits until it has printed this. Fails when it ends before, or does not in the time of the slowest start. */
  printed(text: string | RegExp): Promise<RegExpExecArray>;
};

/** Starts a command in a process group of its own, as a shell does. */
export function begin(parameters: string[], options: RunOptions = {}): Running {
  const { environment = {}, input, folder = tmpdir(), program = main } = options;
  const child = spawn(process.execPath, [program, ...parameters], {
    cwd: folder,
    // A machine that is busy with other tests is no load of this process's.
    env: { ...basics, MAX_EVENT_LOOP_DELAY_MS: "600000", QUERY_WAIT_MS: "600000", ...environment },
    detached: true,
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  endWithRun(child, environment.DATA_DIR);
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
  let stdout = "";
  let stderr = "";
  const watchers = new Set<() => void>();
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    for (const watcher of watchers) watcher();
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Outcome>((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return {
    process: child,
    output: () => `${stdout}${stderr}`,
    ended,
    printed: (text) =>
      new Promise((found, failed) => {
        const pattern = typeof text === "string" ? new RegExp(RegExp.escape(text)) : text;
        const look = () => {
          const match = pattern.exec(stdout);
          if (!match) return;
          watchers.delete(look);
          clearTimeout(timer);
          found(match);
        };
        const fail = (how: string) => {
          clearTimeout(timer);
          failed(new Error(`It ${how} ${pattern}:\n${stdout}${stderr}`));
        };
        const timer = setTimeout(() => fail(`has not printed in ${startMs} ms`), startMs);
        watchers.add(look);
        look();
        void ended.then(() => fail("ended without printing"));
      }),
  };
}

export function run(parameters: string[], options: RunOptions = {}): Promise<Outcome> {
  return begin(parameters, options).ended;
}

/** A folder that the embedded database's user may pass through, and how to remove it. */
export async function makeFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "lectern-command-"));
  await chmod(path, 0o755);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/**
 * A port that is free, and the next two. Not one of those that systems give to whoever asks for any (from 32,768 on):
 * other tests, and every connection that is opened, would soon be given it or the next.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const first = 10_000 + Math.floor(Math.random() * 10_000);
    const taken = await Promise.allSettled([first, first + 1, first + 2].map(occupy));
    for (const one of taken) if (one.status === "fulfilled") await one.value.free();
    if (taken.every(({ status }) => status === "fulfilled")) return first;
  }
}

/** Listens on the port until `free` is called. */
export function occupy(port: number): Promise<{ port: number; free(): Promise<void> }> {
  return new Promise((done, failed) => {
    const server = createServer();
    server.once("error", failed);
    server.listen(port, "127.0.0.1", () => {
      const free = () => new Promise<void>((freed) => server.close(() => freed()));
      done({ port: (server.address() as { port: number }).port, free });
    });
  });
}

/** The process id of the database server that runs on this data folder, or null when none does. */
export async function databaseProcess(dataDir: string): Promise<number | null> {
  const file = await readFile(join(dataDir, "postgres/data/postmaster.pid"), "utf8").catch(() => null);
  const id = Number(file?.split("\n")[0]);
  return id && isAlive(id) ? id : null;
}

export function isAlive(id: number): boolean {
  try {
    process.kill(id, 0);
  } catch {
    return false;
  }
  // On Linux an entry may remain of a process that ended, until somebody collects it.
  const state = existsSync(`/proc/${id}/stat`) ? readFileSync(`/proc/${id}/stat`, "utf8").split(") ")[1] : "R";
  return !state?.startsWith("Z");
}
