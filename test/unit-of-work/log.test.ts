/** One line of the log per unit of work: what it was called, what became of it, what it took, and who was in its way. */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, it, onTestFinished } from "vitest";
import type { Probe } from "../../src/unit-of-work/transaction-guard.ts";
import { graphql } from "../support/client/generated/gql.ts";
import { connectTo } from "../support/database.ts";
import { missingDocument, uuidOf } from "../support/global-ids.ts";
import { errorsOf, type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

/** Straight to the database. */
let home: Lectern;
let proxy: TcpProxy;
/** Through the proxy, with a log. */
let lectern: Lectern;
let ada: Person;
let client: Person["client"];
let probe: Probe | undefined;
let lines: Record<string, unknown>[] = [];
const settings = { TRANSACTION_ATTEMPTS: "3", WRITE_CONNECTIONS: "2", WRITE_QUEUE: "0" };

beforeAll(async () => {
  home = await startLectern();
  await home.database.query(`alter database ${home.database.name} set deadlock_timeout = '20ms'`);
  proxy = await startTcpProxy(home.database.url);
  lectern = await startLectern({
    database: { ...home.database, url: proxy.url },
    settings,
    // Its lines, its connections and the faults are the tests' alone.
    housekeeping: false,
    probe: (point, operation) => probe?.(point, operation),
    log: (line) => void lines.push(line),
  });
  ada = await home.person("Ada");
  client = lectern.client({ authorization: `Bearer ${ada.accessToken}` });
  await client.request("{ viewer { user { id } } }");
});
afterEach(async () => {
  probe = undefined;
  lines = [];
  proxy.refuse(false);
  await home.database.query("drop function if exists meet cascade; drop sequence if exists meetings");
});
afterAll(async () => {
  await lectern.stop();
  await proxy.stop();
  await home.stop();
});

const Create = graphql(`
  mutation LogCreate($title: String!) {
    createDocument(input: { title: $title, source: { text: $title } }) { document { id } }
  }
`);
const Delete = graphql(`
  mutation LogDelete($id: ID!) {
    deleteDocument(input: { id: $id }) { deletedId }
  }
`);
/** The line of each unit of work that has ended; waited for, since a client may know of the end before the log does. */
async function ended(count = 1): Promise<Record<string, unknown>[]> {
  const found = () => lines.filter(({ msg }) => msg === "unit of work");
  await until(() => found().length >= count, `${count} units of work are in the log`);
  return found();
}

/** The same server, but with these limits: on a busy machine what other tests do takes longer than such limits. */
async function hurry(limits: Record<string, string>): Promise<Person["client"]> {
  const hurried = await startLectern({
    database: home.database,
    settings: { ...settings, ...limits },
    housekeeping: false,
    probe: (point, operation) => probe?.(point, operation),
    log: (line) => void lines.push(line),
  });
  onTestFinished(() => hurried.stop());
  return hurried.client({ authorization: `Bearer ${ada.accessToken}` });
}

const again = () => lines.filter(({ msg }) => msg === "unit of work is retried");
const [debug, info] = [20, 30];
const whole = expect.any(Number);

/** Whoever inserts a document of this title meets this, so many times. */
async function meet(title: string, times: number, what: string): Promise<void> {
  await home.database.query(`
    create sequence meetings;
    grant usage on sequence meetings to lectern_server;
    create function meet() returns trigger language plpgsql as $$
    begin
      if new.title = '${title}' and nextval('meetings') <= ${times} then ${what}; end if;
      return new;
    end $$;
    create trigger meet before insert on documents for each row execute function meet()`);
}

it("says what a commit took: every statement, as the database was sent them, and the time", async () => {
  await client.request(Create, { title: "The first opens a connection" });
  await ended();
  lines = [];
  proxy.resetCounts();
  const started = performance.now();
  await client.request(Create, { title: "Plain" });
  const took = performance.now() - started;
  const [line] = await ended();
  expect(line).toMatchObject({ level: debug, operation: "LogCreate", outcome: "committed", attempts: 1 });
  // All but BEGIN and COMMIT are the work's own.
  expect(line?.statements).toBe(proxy.counts.statements - 2);
  expect(line?.ms).toBeGreaterThan(0);
  expect(line?.ms).toBeLessThan(took);
  expect(lines).toHaveLength(1);
});

it("says that a dry run was one", async () => {
  const dry = lectern.client({ authorization: `Bearer ${ada.accessToken}`, "lectern-dry-run": "true" });
  await dry.request(Create, { title: "Dry" });
  expect(await ended()).toMatchObject([{ level: debug, operation: "LogCreate", outcome: "dry-run", attempts: 1 }]);
});

it("says why a rollback was one", async () => {
  await errorsOf(client.request(Delete, { id: missingDocument }));
  const [line] = await ended();
  expect(line).toMatchObject({ level: info, operation: "LogDelete", outcome: "aborted", attempts: 1, ms: whole });
  expect(line?.statements).toBeGreaterThan(0);
  expect(line).not.toHaveProperty("sqlState");
  expect(JSON.stringify(line?.err)).toContain("NOT_FOUND");
});

it("says how often an operation was tried, and counts the statements of all tries", async () => {
  await meet("Tried again", 2, "raise exception 'in the way' using errcode = '40001'");
  await client.request(Create, { title: "Tried again" });
  const [line] = await ended();
  expect(line).toMatchObject({ level: info, operation: "LogCreate", outcome: "committed", attempts: 3 });
  const tries = again();
  expect(tries).toMatchObject([
    { level: debug, operation: "LogCreate", outcome: "aborted", attempts: 1, sqlState: "40001", reason: "conflict" },
    { level: debug, operation: "LogCreate", outcome: "aborted", attempts: 2, sqlState: "40001", reason: "conflict" },
  ]);
  const statements = [...tries, line].map((each) => each?.statements as number);
  const perTry = statements.map((count, index) => count - (statements[index - 1] ?? 0));
  expect(Math.min(...perTry)).toBeGreaterThan(0);
  expect(perTry[0]).toBe(perTry[1]);
});

it("says that all tries met a conflict", async () => {
  await meet("In vain", 1_000, "raise exception 'in the way' using errcode = '40001'");
  const [error] = await errorsOf(client.request(Create, { title: "In vain" }));
  expect(error?.extensions.code).toBe("CONFLICT");
  expect(await ended()).toMatchObject([
    { level: info, operation: "LogCreate", outcome: "aborted", attempts: 3, sqlState: "40001" },
  ]);
});

it("says who collided with whom", async () => {
  const ids = [await ada.document(), await ada.document()].map(({ id }) => uuidOf(id));
  const [one, two] = ids as [string, string];
  let holding = 0;
  const bothHold = Promise.withResolvers<void>();
  const cross = (name: string, first: string, second: string) =>
    lectern.application.run({ name }, async ({ documents, attempt }) => {
      await documents.update(first, { title: name });
      if (attempt === 1 && ++holding === 2) bothHold.resolve();
      if (attempt === 1) await bothHold.promise;
      await documents.update(second, { title: name });
    });
  await Promise.all([cross("upwards", one, two), cross("downwards", two, one)]);
  const both = await ended(2);
  expect(both.map(({ operation, outcome }) => [operation, outcome])).toEqual(
    expect.arrayContaining([
      ["upwards", "committed"],
      ["downwards", "committed"],
    ]),
  );
  const [victim] = again();
  const other = victim?.operation === "upwards" ? "downwards" : "upwards";
  expect(victim).toMatchObject({ outcome: "aborted", sqlState: "40P01", reason: "conflict", collidedWith: [other] });
  expect(victim?.collision).toMatch(/waits for .* blocked by process/);
});

it("names another program by its process in the database", async () => {
  const { id } = await ada.document();
  const uuid = uuidOf(id);
  const second = Buffer.from((await ada.document()).id, "base64url")
    .toString()
    .split(":")[1] as string;
  const other = await connectTo(home.database.url);
  // It looks for a deadlock so late that it is not the one who finds it.
  await other.query("set deadlock_timeout = '20s'");
  await other.query("begin");
  const { rows } = await other.query("select pg_backend_pid() as pid");
  const lock = "select 1 from documents where id = $1 for update";
  await other.query(lock, [second]);
  let waiting: Promise<unknown> | undefined;
  await lectern.application.run({ name: "ours" }, async ({ documents, attempt }) => {
    await documents.update(uuid, { title: "Ours" });
    if (attempt === 1) waiting = other.query(lock, [uuid]).then(() => other.query("commit"));
    if (attempt === 1) await isWaiting(rows[0].pid);
    else await waiting;
    await documents.update(second, { title: "Ours" });
  });
  await other.end();
  expect(again()).toMatchObject([{ operation: "ours", sqlState: "40P01", collidedWith: [`process ${rows[0].pid}`] }]);
});

async function isWaiting(pid: number): Promise<void> {
  const state = "select wait_event_type as type from pg_stat_activity where pid = $1";
  await until(async () => (await home.database.query(state, [pid]))[0]?.type === "Lock", "it waits for the lock");
}

it.each([
  ["a statement's", "57014", "perform pg_sleep(5)"],
  ["a lock's", "55P03", "raise exception 'held' using errcode = '55P03'"],
])("says that %s time was up: %s", async (title, sqlState, what) => {
  const hurried = await hurry({ STATEMENT_TIMEOUT_MS: "1000" });
  await meet(title.replace("'", ""), 1, what);
  await errorsOf(hurried.request(Create, { title: title.replace("'", "") }));
  expect(await ended()).toMatchObject([
    { level: info, operation: "LogCreate", outcome: "aborted", attempts: 1, sqlState, statements: whole, ms: whole },
  ]);
});

it("says that the transaction's time was up", async () => {
  probe = async (point) => {
    if (point === "before_commit") await pause(1_700);
  };
  const hurried = await hurry({ TRANSACTION_TIMEOUT_MS: "1500" });
  const [error] = await errorsOf(hurried.request(Create, { title: "Slow" }));
  expect(error?.extensions.code).toBe("TRANSACTION_TIMEOUT");
  const [line] = await ended();
  expect(line).toMatchObject({ level: info, operation: "LogCreate", outcome: "aborted", attempts: 1 });
  expect(line?.ms).toBeGreaterThan(1_500);
});

it("says that nothing was done for want of a connection", async () => {
  const release = Promise.withResolvers<void>();
  const bothHold = Promise.withResolvers<void>();
  let holding = 0;
  probe = async (point, operation) => {
    if (point !== "statement" || operation !== "Holder") return;
    if (++holding === 2) bothHold.resolve();
    await release.promise;
  };
  const holders = [1, 2].map((index) =>
    lectern.application.run({ name: "Holder" }, async (uow) => {
      const prisma = await uow.transaction();
      await prisma.$queryRaw`select ${index}::int`;
    }),
  );
  await bothHold.promise;
  const [error] = await errorsOf(client.request(Create, { title: "Crowded out" }));
  expect(error?.extensions.code).toBe("OVERLOADED");
  expect(await ended()).toMatchObject([
    { level: info, operation: "LogCreate", outcome: "aborted", attempts: 1, statements: 0 },
  ]);
  release.resolve();
  await Promise.all(holders);
});

it("says that nobody knows", async () => {
  proxy.loseOutcome();
  const [error] = await errorsOf(client.request(Create, { title: "Who knows" }));
  expect(error?.extensions.code).toBe("UNKNOWN_OUTCOME");
  const [line] = await ended();
  expect(line).toMatchObject({ level: info, operation: "LogCreate", outcome: "unknown", attempts: 1, ms: whole });
  expect(line?.statements).toBeGreaterThan(0);
});

it("tells of an effect that failed after the commit", async () => {
  await lectern.application.run({ name: "effects" }, async (uow) => {
    await uow.transaction();
    uow.afterCommit(() => {
      throw new Error("No effect.");
    });
  });
  const [line] = await ended();
  expect(line).toMatchObject({ operation: "effects", outcome: "committed" });
  const [told] = lines.filter(({ msg }) => msg === "an effect after commit or abort failed");
  expect(told).toMatchObject({ level: 50, operation: "effects", err: { message: "No effect." } });
});

it("has a name for an operation without one", async () => {
  await client.request('mutation { createDocument(input: { source: { text: "Nameless." } }) { isDuplicate } }');
  expect(await ended()).toMatchObject([{ operation: "anonymous mutation", outcome: "committed" }]);
});
