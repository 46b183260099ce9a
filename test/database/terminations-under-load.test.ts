/**
 * An administrator ends the connections of a server and of a worker amid their work, again and again (57P01; a failover
 * and a restart look the same). The processes live on, and what they acknowledged is there, once.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { begin, type Running } from "../support/command.ts";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { post } from "../support/post.ts";
import { rounds } from "../support/rounds.ts";
import { addUser } from "../support/rows.ts";
import { secret } from "../support/secret.ts";
import { until } from "../support/until.ts";
import { changesOf, watchBySse } from "../support/watching.ts";

/** Of each kind of connection. A server has one that follows the outbox, and meanwhile loses ten that write. */
const ofServer = rounds(10, 1_000);
const ofWorker = rounds(100, 1_000);
const long = { timeout: rounds(180_000, 3_600_000) };

let database: TestDatabase;
let server: Running;
let worker: Running;
let url: string;
let accessToken: string | undefined;

beforeAll(async () => {
  database = await freshDatabase();
  // Where there is a user, a start loads no sample.
  await addUser(database);
  const environment = {
    NODE_ENV: "test",
    DATABASE_URL: database.url,
    DATA_DIR: database.dataDir,
    AUTH_SECRET: secret,
    LOG_FORMAT: "json",
    // An attempt whose claim or end was terminated waits for the end of its lease, and counts.
    WORKER_LEASE_MS: "1000",
    WORKER_ATTEMPTS: "100",
  };
  server = begin(["start"], { environment: { ...environment, PORT: "0", WORKERS: "0" } });
  worker = begin(["worker"], { environment: { ...environment, WORKERS: "2" } });
  url = (await server.printed(/"address":"([^"]+)"/))[1] as string;
  await worker.printed("the worker waits for work");
  const input = { email: "bea@lectern.test", name: "Bea", password: "a good password" };
  const { data } = await send("mutation ($input: SignUpInput!) { signUp(input: $input) { accessToken } }", { input });
  accessToken = data?.signUp.accessToken;
});
afterAll(async () => {
  for (const running of [worker, server]) {
    running?.process.kill("SIGTERM");
    await running?.ended;
  }
  await database.drop();
});

// biome-ignore lint/suspicious/noExplicitAny: the answers of three mutations and a query.
type Answer = { data: any; errors?: { message: string; extensions: { code: string } }[] };

async function send(query: string, variables: object, key?: string): Promise<Answer> {
  const headers = { ...(key && { "idempotency-key": key }) };
  const response = await post(url, { query, variables, accessToken, headers });
  return (await response.json()) as Answer;
}

/** Sends it until it is acknowledged: again when it was not done, and when nobody knows. */
async function acknowledged(query: string, variables: object): Promise<Answer["data"]> {
  const key = randomUUID();
  for (;;) {
    expectAlive();
    const { data, errors } = await send(query, variables, key);
    if (!errors) return data;
    // The first says why; what follows, that the rest was undone.
    expect(["OVERLOADED", "UNKNOWN_OUTCOME"], errors[0]?.message).toContain(errors[0]?.extensions.code);
    await pause(50);
  }
}

const read = "query ($id: ID!) { node(id: $id) { ... on Document { status version } } }";
const create = "mutation ($input: CreateDocumentInput!) { createDocument(input: $input) { document { id } } }";
const update = "mutation ($input: UpdateDocumentInput!) { updateDocument(input: $input) { document { version } } }";

async function createDocument(title: string): Promise<string> {
  const input = { title, source: { text: `The text of ${title}.` } };
  return (await acknowledged(create, { input })).createDocument.document.id;
}

async function untilCompleted(id: string): Promise<number> {
  for (;;) {
    const { node } = await acknowledged(read, { id });
    expect(node.status).not.toBe("FAILED");
    if (node.status === "COMPLETED") return node.version;
    await pause(20);
  }
}

/** Terminates all connections of these kinds, again and again, until so many of each kind were; `goOn` comes between. */
async function terminate(kinds: string[], times: number, goOn: () => Promise<void>): Promise<void> {
  const counts = Object.fromEntries(kinds.map((kind) => [kind, 0]));
  while (Object.values(counts).some((count) => count < times)) {
    const rows = await database.query(
      `select kind, pg_terminate_backend(pid) as hit from (
         select pid, case when query = 'listen documents_pending' then 'listener' else application_name end as kind
         from pg_stat_activity where datname = current_database()) connections
       where kind = any($1)`,
      [kinds],
    );
    for (const { kind, hit } of rows) if (hit) counts[kind as string] = (counts[kind as string] ?? 0) + 1;
    await goOn();
    expectAlive();
    await pause(Math.random() * 20);
  }
}

/** @throws with its last words when a process has ended */
function expectAlive(): void {
  for (const { process: child, output } of [server, worker]) {
    // One that lives on after an error that nothing handled has no listener where it needs one.
    expect(output()).not.toMatch(/unhandled (error|rejection)/);
    if (child.exitCode === null && child.signalCode === null) continue;
    throw new Error(`A process ended with ${child.exitCode ?? child.signalCode}:\n${output().slice(-5_000)}`);
  }
}

/** Waits for all. Should a process have ended, that is said, and not what failed for want of it. */
async function together(...work: Promise<void>[]): Promise<void> {
  await Promise.allSettled(work);
  expectAlive();
  await Promise.all(work);
}

it(`a server with 40 clients that write lives through ${ofServer} terminations of each kind`, long, async () => {
  const counters = await Promise.all(Array.from({ length: 40 }, (_, number) => createDocument(`Counter ${number}`)));
  const versions = await Promise.all(counters.map(untilCompleted));
  const watch = await watchBySse(url, { accessToken });
  const created: string[] = [];
  let steps = 0;
  let isOver = false;
  const writing = counters.map(async (id, number) => {
    for (let step = 0; !isOver; step++, steps++) {
      if (step % 10 === number % 10) {
        created.push(await createDocument(`Document ${number}, ${step}`));
        continue;
      }
      // Were one lost or done twice, the next would not find the version that it expects.
      const expectedVersion = versions[number] as number;
      const input = { id, expectedVersion, title: `Counter ${number}, ${step}` };
      const { updateDocument } = await acknowledged(update, { input });
      expect(updateDocument.document.version).toBe(expectedVersion + 1);
      versions[number] = expectedVersion + 1;
    }
  });
  const storm = terminate(["lectern write", "lectern read", "lectern outbox"], ofServer, async () => {
    const before = steps;
    await until(() => steps > before, "the server goes on", 30_000);
  }).finally(() => {
    isOver = true;
  });
  await together(storm, ...writing);
  expect(await Promise.all(counters.map(untilCompleted))).toEqual(versions);
  await Promise.all(created.map(untilCompleted));
  expect(await database.query("select 1 from documents where title like 'Document %'")).toHaveLength(created.length);
  const seen = () => new Set(changesOf(watch.results).map(({ document }) => document?.id));
  await until(() => created.every((id) => seen().has(id)), "the subscriber is told of every document", 30_000);
  watch.close();
});

it(`a worker with documents to process lives through ${ofWorker} terminations`, long, async () => {
  const created: string[] = [];
  let isOver = false;
  const writing = Array.from({ length: 8 }, async (_, number) => {
    for (let step = 0; !isOver; step++) {
      const id = await createDocument(`Work ${number}, ${step}`);
      created.push(id);
      await untilCompleted(id);
    }
  });
  // A worker whose claim failed looks again when it is woken, or after its poll of five seconds.
  const goOn = async () => void (await database.query("notify documents_pending"));
  const storm = terminate(["lectern worker"], ofWorker, goOn)
    // It comes back after a second.
    .then(() => terminate(["listener"], rounds(2, 100), goOn))
    .finally(() => {
      isOver = true;
    });
  await together(storm, ...writing);
  const rows = await database.query("select status, count(*)::int from documents where title like 'Work %' group by 1");
  expect(rows).toEqual([{ status: "COMPLETED", count: created.length }]);
});
