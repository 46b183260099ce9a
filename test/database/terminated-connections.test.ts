/**
 * The database ends a connection (57P01) in the very moment in which a client is handed on: the FATAL comes in one
 * piece with the answer before it. Every pool and every single connection hears it, and its users go on with another.
 * Terminations under load are in terminations-under-load.test.ts.
 */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, onTestFinished } from "vitest";
import { DatabasePool } from "../../src/database/client.ts";
import { ReadConnections } from "../../src/database/read-connections.ts";
import { withClient } from "../../src/database/with-client.ts";
import { documentSlice } from "../../src/documents/document.slice.ts";
import { type DocumentJob, documentQueue } from "../../src/documents/worker/document-queue.ts";
import { sql } from "../../src/eager-loading/sql.ts";
import { OutboxTailer } from "../../src/outbox/tailer.ts";
import { findMissing, migrate } from "../../src/postgres/migrations.ts";
import type { Claim } from "../../src/processing/queue.ts";
import { sqlQueue } from "../../src/processing/sql-queue.ts";
import type { FileStore } from "../../src/storage/file-store.ts";
import { createDatabase, databaseUrl, dropDatabase } from "../support/database.ts";
import { type Lectern, startLectern } from "../support/lectern.ts";
import { silent as logger } from "../support/logs.ts";
import { addDocument, addUser } from "../support/rows.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

/** Straight to the database. */
let home: Lectern;
let proxy: TcpProxy;
const uncaught: unknown[] = [];
const note = (error: unknown) => uncaught.push(error);
let before = 0;

beforeAll(async () => {
  process.on("uncaughtExceptionMonitor", note);
  home = await startLectern({ housekeeping: false });
  proxy = await startTcpProxy(home.database.url);
});
afterEach(() => {
  expect(uncaught.splice(0)).toEqual([]);
});
afterAll(async () => {
  await proxy.stop();
  await home.stop();
  process.off("uncaughtExceptionMonitor", note);
});

/** From here on `terminations` counts anew. */
function terminateBehind(message: RegExp, times = 1): void {
  before = proxy.terminations;
  proxy.terminateBehind(message, times);
}
const terminations = () => proxy.terminations - before;

describe("the write pool", () => {
  let lectern: Lectern;

  beforeAll(async () => {
    lectern = await startLectern({
      database: { ...home.database, url: proxy.url },
      settings: { WRITE_CONNECTIONS: "1" },
      housekeeping: false,
    });
    await home.database.query("create table marks (mark text); grant insert on marks to lectern_server");
  });
  afterAll(() => lectern.stop());

  const mark = (text: string) =>
    lectern.application.run({ name: "mark" }, async (uow) => {
      await (await uow.transaction()).$executeRaw`insert into marks values (${text})`;
      return text;
    });
  const marks = async (text: string) =>
    (await home.database.query("select 1 from marks where mark = $1", [text])).length;

  it("hands a client on to a unit of work as it ends", async () => {
    const { pool } = lectern.application.database;
    terminateBehind(/select 'first'/);
    const [first, second] = await Promise.all([pool.query("select 'first' as word"), mark("second")]);
    expect([first.rows, second]).toEqual([[{ word: "first" }], "second"]);
    expect([await marks("second"), terminations()]).toEqual([1, 1]);
  });

  it.each([
    ["a new connection", /lectern write/],
    ["its settings", /transaction_timeout/],
    ["BEGIN", /^begin/i],
    ["a statement", /insert into marks/i],
    ["COMMIT", /^\0*commit/i],
  ])("runs a unit of work once when the end follows %s", async (what, message) => {
    // So that a new one is opened.
    proxy.cut();
    terminateBehind(message);
    expect(await mark(what)).toBe(what);
    expect([await marks(what), terminations()]).toEqual([1, 1]);
  });
});

it.each([
  ["a new connection", /lectern read/],
  ["a statement", /select 'read'/],
])("read connections answer when the end follows %s", async (_, message) => {
  terminateBehind(message);
  const options = { url: proxy.url, count: 2, maxDepth: 10, statementTimeoutMs: 5_000, connectTimeoutMs: 5_000 };
  const reads = new ReadConnections(options);
  onTestFinished(() => reads.close());
  const word = () => reads.read(sql`select 'read' as word`);
  expect(await word()).toEqual([{ word: "read" }]);
  // The other of the two may have answered.
  await until(() => terminations() === 1, "the connection is terminated");
  expect(await word()).toEqual([{ word: "read" }]);
});

it.each([
  ["a new connection", /lectern outbox/],
  ["LISTEN", /listen outbox/],
  ["a page of events", /from outbox/],
])("the tailer misses no event when the end follows %s", async (_, message) => {
  terminateBehind(message);
  const tailer = new OutboxTailer({ url: proxy.url, capacity: 10, onError: () => {} });
  onTestFinished(() => tailer.stop());
  const ring = await tailer.ring();
  const rowId = "01a1fe1d-63bf-76f8-b5d1-2a227d14d302";
  await home.database.query("select add_to_outbox('any', $1, '{}')", [rowId]);
  const [row] = await home.database.query("select max(position)::int as newest from outbox");
  await until(() => ring.head === row?.newest, "the event is in the ring");
  expect(terminations()).toBe(1);
});

it("a single client refuses the next statement when the end follows one", async () => {
  terminateBehind(/select 'single'/);
  const use = withClient(proxy.url, async (client) => {
    await client.query("select 'single'");
    return client.query("select 'next'");
  });
  await expect(use).rejects.toThrow("Client has encountered a connection error and is not queryable");
  expect(terminations()).toBe(1);
});

it("migrations say what ended them, and can be tried again", async () => {
  const name = `${home.database.name}_empty`;
  await createDatabase(inject("serverUrl"), name, "template0");
  onTestFinished(() => dropDatabase(inject("serverUrl"), name));
  const url = databaseUrl(proxy.url, name);
  const missing = await findMissing(url);
  terminateBehind(/lectern migrate/);
  await expect(migrate(url)).rejects.toThrow("FATAL: terminating connection due to administrator command");
  expect(terminations()).toBe(1);
  expect(await findMissing(url)).toEqual(missing);
  // Here the pool has the client back as it ends, and opens another.
  terminateBehind(/create table "?_prisma_migrations/i);
  expect(await migrate(url)).toEqual(missing);
  expect(terminations()).toBe(1);
});

describe("the worker's queue", () => {
  /** On a pool of one connection, as the worker makes it. */
  function open(silenceMs = 10_000) {
    const connection = { connectionString: proxy.url, application_name: "lectern worker", max: 1 };
    const pool = new DatabasePool(connection, () => {});
    onTestFinished(() => pool.end());
    return sqlQueue(documentQueue, pool, { url: proxy.url, maxAttempts: 5, silenceMs, logger });
  }
  const lost: Claim<DocumentJob> = {
    id: "01a1fe1d-63bf-76f8-b5d1-2a227d14d302",
    token: "01a1fe1d-63bf-76f8-b5d1-2a227d14d303",
    attempt: 1,
    job: { mimeType: "text/plain", text: "words", storageKey: null },
  };

  it("calls again when the end follows a new connection", async () => {
    terminateBehind(/lectern worker/);
    expect(await open().release(lost)).toMatchObject({ stands: false });
    expect(terminations()).toBe(1);
  });

  it("hands a client on to a call as it ends", async () => {
    const queue = open();
    terminateBehind(/claim_documents/);
    const [claims, verdict] = await Promise.all([queue.claim("a worker", 1, 1_000), queue.release(lost)]);
    expect([claims, verdict]).toMatchObject([[], { stands: false }]);
    expect(terminations()).toBe(1);
  });

  it("listens again after a connection that was never answered", async () => {
    let wakes = 0;
    const stopListening = await open(2_000).listen(() => wakes++);
    onTestFinished(stopListening);
    expect(wakes).toBe(1);
    proxy.blackHole(true);
    proxy.cut();
    proxy.resetCounts();
    await until(() => proxy.counts.flushes > 0, "it asks for a connection");
    proxy.blackHole(false);
    await until(() => wakes === 2, "it listens");
    await home.database.query("notify documents_pending");
    await until(() => wakes === 3, "it is woken");
  });
});

it.each([
  ["a claim", /claim_documents/],
  ["a result", /complete_document/],
  ["LISTEN", /listen documents_pending/],
])("the worker completes a document when the end follows %s", { timeout: 120_000 }, async (_, message) => {
  const page = new TextEncoder().encode("<!doctype html><title>A page</title><p>Its words.");
  const files = { read: async () => Buffer.from(page.buffer.slice()) } as Pick<FileStore, "read"> as FileStore;
  terminateBehind(message);
  const { config } = home;
  const worker = await documentSlice.queue?.start({
    config,
    url: proxy.url,
    files,
    slots: 1,
    leaseMs: 30_000,
    maxAttempts: 5,
    logger,
  });
  onTestFinished(() => worker?.stop());
  await home.database.query("delete from users");
  await addUser(home.database);
  await addDocument(home.database, { storageKey: randomUUID(), sizeBytes: 10 });
  // The first document waits for its thread, which loads the readers of all formats.
  const statuses = () => home.database.query("select status from documents");
  await expect.poll(statuses, { timeout: 100_000 }).toEqual([{ status: "COMPLETED" }]);
  // The database says so before its answer has come through the proxy.
  await expect.poll(terminations).toBe(1);
});
