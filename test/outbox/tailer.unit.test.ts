/** The tailer on a connection whose answers the test gives: the order of its statements, and when it reads again. */

import { syncBuiltinESMExports } from "node:module";
import timers, { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DatabaseClient } from "../../src/database/client.ts";
import { OutboxTailer } from "../../src/outbox/tailer.ts";

/** Positions in the table. */
let table: number[];
let statements: string[];
let clients: DatabaseClient[];
/** Called at each statement, before its answer. */
let meet: (statement: string) => void;
let delays: number[];
let tailer: OutboxTailer;
const errors: Error[] = [];

const { setTimeout: delay } = timers;

beforeEach(() => {
  [table, statements, clients, delays] = [[], [], [], []];
  meet = () => {};
  errors.length = 0;
  vi.spyOn(DatabaseClient.prototype, "connect").mockImplementation(async function (this: DatabaseClient) {
    clients.push(this);
  });
  vi.spyOn(DatabaseClient.prototype, "end").mockImplementation(async () => {});
  vi.spyOn(DatabaseClient.prototype, "query").mockImplementation((async (query: string | { values: unknown[] }) => {
    if (typeof query === "string") {
      statements.push(query);
      meet(query);
      return { rows: [] };
    }
    const [after, limit] = query.values as [number, number];
    statements.push(after === Number.MAX_SAFE_INTEGER ? "newest" : `after ${after}`);
    meet(statements.at(-1) as string);
    const bounds = { oldest: table[0] ?? 0, newest: table.at(-1) ?? 0 };
    const found = table.filter((position) => position > after).slice(0, limit);
    return { rows: (found.length > 0 ? found : [null]).map((position) => ({ ...bounds, position, topic: "any" })) };
  }) as never);
  timers.setTimeout = (async (ms: number) => void delays.push(ms)) as never;
  syncBuiltinESMExports();
  tailer = new OutboxTailer({
    url: "postgresql://nowhere/",
    capacity: 5_000,
    pollMs: 600_000,
    onError: (e) => errors.push(e),
  });
});
afterEach(async () => {
  await tailer.stop();
  timers.setTimeout = delay;
  syncBuiltinESMExports();
  vi.restoreAllMocks();
});

const notify = () => clients.at(-1)?.emit("notification", { channel: "outbox" });
const settle = async () => {
  for (let turns = 0; turns < 5; turns++) await turn();
};

describe("a tailer", () => {
  it("listens before it reads the newest position, so that it misses no event between", async () => {
    table = [1, 2];
    const ring = await tailer.ring();
    await settle();
    expect(statements).toEqual(["listen outbox", "newest", "after 2"]);
    expect([ring.head, ring.floor]).toEqual([2, 2]);
  });

  it("reads again when it is notified, also during a read", async () => {
    let told = 0;
    tailer.onEvents(() => told++);
    const ring = await tailer.ring();
    await settle();
    table = [1];
    meet = (statement) => {
      if (statement !== "after 0") return;
      meet = () => {};
      notify();
    };
    notify();
    await settle();
    expect(statements.slice(3)).toEqual(["after 0", "after 1"]);
    expect([ring.head, told]).toEqual([1, 1]);
  });

  it("reads all pages at one notification", async () => {
    const ring = await tailer.ring();
    await settle();
    table = Array.from({ length: 2_001 }, (_, index) => index + 1);
    notify();
    await settle();
    expect(statements.slice(3)).toEqual(["after 0", "after 1000", "after 2000"]);
    expect(ring.head).toBe(2_001);
  });

  it("continues its ring after a reconnection", async () => {
    const ring = await tailer.ring();
    await settle();
    table = [1];
    notify();
    await settle();
    table = [1, 2, 3];
    clients.at(-1)?.emit("error", new Error("It broke."));
    await settle();
    expect([ring.head, ring.after(1)?.position, clients.length]).toEqual([3, 2, 2]);
    expect(errors.map(({ message }) => message)).toEqual(["It broke."]);
  });

  it("waits longer after each failure in a row, and briefly again after a success", async () => {
    await tailer.ring();
    await settle();
    let failures = 8;
    meet = (statement) => {
      if (statement === "listen outbox" && failures-- > 0) throw new Error("The database is starting.");
    };
    clients.at(-1)?.emit("error", new Error("It broke."));
    await settle();
    expect(delays).toEqual([50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
    for (let times = 0; times < 2; times++) {
      clients.at(-1)?.emit("error", new Error("It broke again."));
      await settle();
    }
    expect(delays.slice(9)).toEqual([50, 50]);
  });
});
