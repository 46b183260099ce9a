/** A server as it runs in production, in a process of its own, whose event loop a test can watch from outside. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { begin, freePort } from "./command.ts";
import type { TestDatabase } from "./database.ts";
import { freshDatabase } from "./fresh-database.ts";
import { post } from "./post.ts";
import { secret } from "./secret.ts";

export type ProductionServer = {
  url: string;
  processId: number;
  database: TestDatabase;
  /** Of a user who has just signed up. */
  accessToken: string;
  /** Milliseconds of processor time that the thread of the event loop has used so far. */
  cpuMs(): number;
  /** What is requested next finds no garbage of earlier requests, and seldom makes enough to be stopped for it. */
  collectGarbage(): Promise<void>;
  isRunning(): boolean;
  /** The log, a line each. */
  log(): Record<string, unknown>[];
  stop(): Promise<void>;
};

/** Linux tells what a thread has used in nanoseconds, the main thread's in the file of its process. */
export const canMeasureCpu = process.platform === "linux";

const garbageCollection = pathToFileURL(join(import.meta.dirname, "garbage-collection.ts")).href;

export async function startProductionServer(settings: Record<string, string> = {}): Promise<ProductionServer> {
  const database = await freshDatabase();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/graphql`;
  const running = begin(["start"], {
    environment: {
      NODE_ENV: "production",
      NODE_OPTIONS: `--import=${garbageCollection}`,
      AUTH_SECRET: secret,
      PUBLIC_URL: url,
      PORT: String(port),
      DATABASE_URL: database.url,
      DATA_DIR: database.dataDir,
      WORKERS: "0",
      ...settings,
    },
  });
  await running.printed('"msg":"ready"');
  const { process: child } = running;
  const processId = child.pid as number;
  let collections = 0;
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  return {
    url,
    processId,
    database,
    accessToken: await signUp(url),
    cpuMs: () => Number(readFileSync(`/proc/${processId}/schedstat`, "utf8").split(" ")[0]) / 1_000_000,
    async collectGarbage() {
      child.kill("SIGUSR2");
      await running.printed(`collected garbage, ${++collections}.`);
    },
    isRunning,
    log: () => running.output().trim().split("\n").map(lineOf),
    async stop() {
      if (isRunning()) await Promise.all([once(child, "exit"), child.kill("SIGTERM")]);
      await database.drop();
    },
  };
}

async function signUp(url: string): Promise<string> {
  const input = { email: "ada@lectern.test", name: "Ada", password: "a good password" };
  const query = "mutation($input: SignUpInput!) { signUp(input: $input) { accessToken } }";
  const response = await post(url, { query, variables: { input } });
  const { data } = (await response.json()) as { data: { signUp: { accessToken: string } } };
  return data.signUp.accessToken;
}

function lineOf(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch {
    return { text };
  }
}
