/** Read connections to a database whose answers the test gives: which of them is asked, what it is sent, and its end. */
import { syncBuiltinESMExports } from "node:module";
import timers, { setImmediate as turn } from "node:timers/promises";
import type pg from "pg";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DatabaseClient } from "../../src/database/client.ts";
import { streamOf } from "../../src/database/pg-internals.ts";
import { ReadOverloadError } from "../../src/database/read-connection.ts";
import { ReadConnections, type ReadConnectionsOptions } from "../../src/database/read-connections.ts";
import { plannedEachTime, raw, sql } from "../../src/eager-loading/sql.ts";

type Sent = { client: number; query: pg.QueryConfig };

let clients: DatabaseClient[];
let sent: Sent[];
/** The answer to a statement; absent: its text as a row. */
let answer: ((query: Sent) => Promise<unknown[]> | undefined) | undefined;
/** The errors of the next connections. */
let refusals: Error[];
let delays: number[];
let reads: ReadConnections;

const { setTimeout: delay } = timers;
const loss = () => Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  [clients, sent, answer, refusals, delays] = [[], [], undefined, [], []];
  vi.spyOn(DatabaseClient.prototype, "connect").mockImplementation(async function (this: DatabaseClient) {
    const refusal = refusals.shift();
    if (refusal) throw refusal;
    clients.push(this);
  });
  vi.spyOn(DatabaseClient.prototype, "query").mockImplementation(async function (
    this: DatabaseClient,
    query: pg.QueryConfig,
  ) {
    const one = { client: clients.indexOf(this), query };
    sent.push(one);
    return { rows: (await answer?.(one)) ?? [{ text: query.text }] };
  } as never);
  vi.spyOn(DatabaseClient.prototype, "end").mockImplementation(async () => {});
  timers.setTimeout = (async (ms: number) => void delays.push(ms)) as never;
  syncBuiltinESMExports();
});
afterEach(async () => {
  await reads.close();
  timers.setTimeout = delay;
  syncBuiltinESMExports();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function open(options: Partial<ReadConnectionsOptions> = {}): Promise<void> {
  const limits = { maxDepth: 10, statementTimeoutMs: 5_000, connectTimeoutMs: 5_000 };
  reads = new ReadConnections({ url: "postgresql://nowhere/", count: 2, ...limits, ...options });
  await settle();
}
const settle = async () => {
  for (let turns = 0; turns < 5; turns++) await turn();
};
const texts = (of = sent) => of.map(({ query }) => query.text);
/** Statements that are answered when the test says so. */
function holdBack(text: string): () => void {
  const { promise, resolve } = Promise.withResolvers<unknown[]>();
  answer = ({ query }) => (query.text === text ? promise : undefined);
  return () => resolve([]);
}

describe("a read", () => {
  it("goes to the connection with the fewest statements, and is refused when all have as many as they may", async () => {
    await open({ maxDepth: 2 });
    const release = holdBack("select 'held'");
    const held = [1, 2, 3, 4].map(() => reads.read(sql`select 'held'`));
    expect(sent.map(({ client }) => client)).toEqual([0, 1, 0, 1]);
    expect(reads.state).toEqual({ ready: 2, underWay: 4 });
    await expect(reads.read(sql`select 'more'`)).rejects.toBeInstanceOf(ReadOverloadError);
    release();
    await Promise.all(held);
    expect(reads.state).toEqual({ ready: 2, underWay: 0 });
    expect(await reads.read(sql`select 'more'`)).toEqual([{ text: "select 'more'" }]);
  });

  it("avoids a connection whose oldest statement has taken more than 50 ms", async () => {
    await open();
    const release = holdBack("select 'held'");
    const held: Promise<unknown>[] = [];
    const ask = () => {
      held.push(reads.read(sql`select 'held'`));
      return sent.at(-1)?.client;
    };
    expect(ask()).toBe(0);
    vi.advanceTimersByTime(50);
    expect([ask(), ask()]).toEqual([1, 0]);
    vi.advanceTimersByTime(1);
    expect([ask(), ask(), ask()]).toEqual([1, 1, 1]);
    release();
    await Promise.all(held);
  });

  it("is repeated once on another connection when its own is lost", async () => {
    await open();
    answer = ({ client }) => (client === 0 ? Promise.reject(loss()) : undefined);
    expect(await reads.read(sql`select 'again'`)).toEqual([{ text: "select 'again'" }]);
    expect(sent.map(({ client }) => client)).toEqual([0, 1]);
    sent = [];
    answer = () => Promise.reject(loss());
    await expect(reads.read(sql`select 'in vain'`)).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(sent).toHaveLength(2);
  });

  it("that fails for another reason is not repeated", async () => {
    await open();
    const error = Object.assign(new Error("canceling statement due to statement timeout"), { code: "57014" });
    answer = () => Promise.reject(error);
    await expect(reads.read(sql`select 'slow'`)).rejects.toBe(error);
    expect(sent).toHaveLength(1);
  });
});

describe("statements that are read together", () => {
  it("are one transaction, and fail each by itself", async () => {
    await open({ count: 1 });
    const failure = Object.assign(new Error("division by zero"), { code: "22012" });
    answer = ({ query }) => (query.text === "select 1 / 0" ? Promise.reject(failure) : undefined);
    const outcomes = await reads.readTogether([sql`select 1 / 0`, sql`select 2`], 300);
    expect(outcomes).toMatchObject([{ error: failure }, { rows: [{ text: "select 2" }] }]);
    expect(texts()).toEqual([
      "begin isolation level repeatable read read only",
      "select set_config('statement_timeout', $1, true)",
      "select 1 / 0",
      "select 2",
      "commit",
    ]);
    expect(sent[1]?.query.values).toEqual(["300"]);
  });

  it("are all repeated when the connection is lost, even if some were answered", async () => {
    await open();
    answer = ({ client, query }) =>
      client === 0 && ["select 'second'", "commit"].includes(query.text) ? Promise.reject(loss()) : undefined;
    const outcomes = await reads.readTogether([sql`select 'first'`, sql`select 'second'`]);
    expect(outcomes).toMatchObject([{ rows: [{ text: "select 'first'" }] }, { rows: [{ text: "select 'second'" }] }]);
    expect(sent.map(({ client }) => client)).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  });
});

describe("a statement", () => {
  const namesOf = (text: string) =>
    sent.filter(({ query }) => query.text === text).map(({ query }) => query.name !== undefined);

  it("has a name from its second use on, the same on all connections", async () => {
    await open();
    const text = "select 'named'";
    await Promise.all([1, 2, 3, 4].map(() => reads.read(raw(text))));
    expect(namesOf(text)).toEqual([false, true, true, true]);
    expect(new Set(sent.slice(1).map(({ query }) => query.name)).size).toBe(1);
    await reads.read(raw("select 'another'"));
    await reads.read(raw("select 'another'"));
    expect(sent.at(-1)?.query.name).not.toBe(sent[1]?.query.name);
  });

  it("has none when it is long, or to be planned each time", async () => {
    await open();
    const [longest, longer] = [8_000, 8_001].map((length) => "select 1".padEnd(length)) as [string, string];
    const planned = `select 1 ${plannedEachTime.text}`;
    for (const text of [longest, longer, planned]) {
      for (let times = 0; times < 3; times++) await reads.read(raw(text));
    }
    expect([longest, longer, planned].map(namesOf)).toEqual([
      [false, true, true],
      [false, false, false],
      [false, false, false],
    ]);
  });

  it("has none after 500 others on its connection, until the connection is a new one", async () => {
    await open({ count: 1 });
    const use = async (number: number) => {
      for (let times = 0; times < 2; times++) await reads.read(raw(`select 'bounded', ${number}`));
      return sent.at(-1)?.query.name !== undefined;
    };
    for (let number = 0; number < 500; number++) expect(await use(number)).toBe(true);
    expect([await use(500), await use(0)]).toEqual([false, true]);
    clients[0]?.emit("end");
    await settle();
    expect([await use(500), sent.at(-1)?.client]).toEqual([true, 1]);
  });
});

describe("a connection", () => {
  it("that is lost is opened again, after longer and longer delays while that fails", async () => {
    await open({ count: 1 });
    refusals = Array.from({ length: 8 }, loss);
    clients[0]?.emit("error", loss());
    await settle();
    await settle();
    expect([clients.length, delays]).toEqual([2, [50, 100, 200, 400, 800, 1_600, 2_000, 2_000]]);
    delays = [];
    clients[1]?.emit("end");
    await settle();
    expect([clients.length, delays, reads.state.ready]).toEqual([3, [], 1]);
  });

  it("is lost once, however often it says so", async () => {
    await open({ count: 1 });
    clients[0]?.emit("error", loss());
    await settle();
    clients[0]?.emit("end");
    await settle();
    expect([clients.length, reads.state.ready]).toEqual([2, 1]);
  });

  it("is broken when the database says nothing for a second longer than a statement may take", async () => {
    await open({ count: 1, statementTimeoutMs: 2_000 });
    const stream = streamOf(clients[0] as DatabaseClient);
    const isBroken = (ms: number) => {
      vi.advanceTimersByTime(ms);
      return stream.destroyed;
    };
    // Without a statement, silence is normal.
    expect(isBroken(60_000)).toBe(false);
    const release = holdBack("select 'held'");
    const held = reads.read(sql`select 'held'`);
    expect(isBroken(3_000)).toBe(false);
    // It answers those before.
    stream.emit("data", Buffer.of());
    expect(isBroken(3_000)).toBe(false);
    expect(isBroken(1_000)).toBe(true);
    release();
    await held;
  });

  it("that is closed is not opened again, and takes no more reads", async () => {
    await open();
    await reads.close();
    for (const client of clients) client.emit("end");
    await settle();
    expect(clients).toHaveLength(2);
    await expect(reads.read(sql`select 1`)).rejects.toBeInstanceOf(ReadOverloadError);
    expect([sent, vi.getTimerCount()]).toEqual([[], 0]);
  });
});
