/** The parts of watching by themselves: the ring, and what becomes of clients that do not read. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ReadConnections } from "../../src/database/read-connections.ts";
import { CursorCodec } from "../../src/eager-loading/cursor.ts";
import { ChangeFeed, type ChangeFeedOptions } from "../../src/outbox/change-feed.ts";
import { EventRing } from "../../src/outbox/event-ring.ts";
import type { OutboxEvent } from "../../src/outbox/outbox-event.ts";
import { OutboxTailer, type TailerOptions } from "../../src/outbox/tailer.ts";
import type { TestDatabase } from "../support/database.ts";
import { connectTo } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.drop());

const rowId = "01a1fe1d-63bf-76f8-b5d1-2a227d14d302";
const eventAt = (position: number): OutboxEvent => ({ position, topic: "any", rowId, payload: {} });
const otherRowId = "01a1fe1d-63bf-76f8-b5d1-2a227d14d303";
const add = (count: number, row = rowId) =>
  database.query("select add_to_outbox('any', $1, jsonb_build_object('number', n)) from generate_series(1, $2) n", [
    row,
    count,
  ]);

describe("the ring", () => {
  it("holds the latest events, and knows from where on it holds all", () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 60 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 20 }), fc.nat({ max: 100 }), (steps, capacity, start) => {
        const ring = new EventRing(capacity, start);
        const all: number[] = [];
        for (const step of steps) {
          all.push((all.at(-1) ?? start) + step);
          ring.add(eventAt(all.at(-1) as number));
        }
        const held = all.slice(-capacity);
        expect(ring.head).toBe(all.at(-1) ?? start);
        expect(ring.floor).toBe(all.at(-capacity - 1) ?? start);
        for (let position = ring.floor; position <= ring.head + 1; position++) {
          expect(ring.after(position)?.position).toBe(held.find((each) => each > position));
        }
      }),
    );
  });
});

type Client = { isBroken: boolean; close(): void };

async function withFeed(
  use: (
    feed: ChangeFeed,
    subscribe: (after?: string, rowId?: string) => Promise<{ told: AsyncIterator<[number, string]>; client: Client }>,
  ) => Promise<void>,
  options: Partial<ChangeFeedOptions> & Partial<TailerOptions> = {},
): Promise<void> {
  const { capacity = 100, url = database.url, pollMs, silenceMs, ...more } = options;
  const reader = new ReadConnections({
    url: database.url,
    count: 1,
    maxDepth: 100,
    statementTimeoutMs: 5_000,
    connectTimeoutMs: 5_000,
  });
  const feed = new ChangeFeed({
    tailer: new OutboxTailer({
      url,
      capacity,
      ...(pollMs && { pollMs }),
      ...(silenceMs && { silenceMs }),
      onError: () => {},
    }),
    reader,
    cursors: new CursorCodec("secret"),
    maxPerSubscriber: 10,
    maxSubscriptions: 20,
    checkMs: 20,
    ...more,
  });
  const subscribe = async (after?: string, rowId?: string) => {
    let close = () => {};
    const client = { isBroken: false, close: () => close() };
    const told = await feed.subscribe<[number, string]>({
      subscriber: "somebody",
      after,
      of: { topic: "any", rowId: rowId ?? null },
      deliver: async ({ position }, cursor) => [position, cursor],
      check: async () => {},
      connection: {
        onClose: (listener) => {
          close = listener;
        },
        destroy: () => {
          client.isBroken = true;
          close();
        },
      },
    });
    return { told, client };
  };
  try {
    await use(feed, subscribe);
  } finally {
    await feed.stop();
    await reader.close();
  }
}

async function take(told: AsyncIterator<[number, string]>, count: number): Promise<[number, string][]> {
  const taken: [number, string][] = [];
  for (let number = 0; number < count; number++) taken.push((await told.next()).value);
  return taken;
}
const positionsOf = (taken: [number, string][]) => taken.map(([position]) => position);
const consecutive = (taken: [number, string][]) => {
  const [first = 0] = positionsOf(taken);
  expect(positionsOf(taken)).toEqual(taken.map((_, index) => first + index));
};

describe("pruning", () => {
  it("keeps what a consumer has not followed, and the newest of the rest as a mark", async () => {
    await database.query("delete from outbox");
    await add(5);
    const left = async () =>
      (await database.query("select position from outbox order by 1")).map((row) => row.position);
    const positions = await left();
    await database.query("update outbox_consumers set position = $1", [positions[1]]);
    await database.query("select prune_outbox('0 seconds')");
    expect(await left()).toEqual(positions.slice(1));
    await database.query("update outbox_consumers set position = $1", [positions[4]]);
    await database.query("select prune_outbox('1 hour')");
    expect(await left()).toEqual(positions.slice(1));
    await database.query("select prune_outbox('0 seconds')");
    expect(await left()).toEqual(positions.slice(4));
  });
});

describe("a feed", () => {
  it("goes over from the table to the ring without a gap and without a repeat", async () => {
    await withFeed(
      async (_feed, subscribe) => {
        const first = await subscribe();
        await add(1);
        const [[, cursor] = [0, ""]] = await take(first.told, 1);
        await add(450);
        const second = await subscribe(cursor);
        const taken = await take(second.told, 150);
        await add(50);
        taken.push(...(await take(second.told, 350)));
        expect(taken).toHaveLength(500);
        consecutive(taken);
      },
      { capacity: 40 },
    );
  });

  it("of one row reads no others' events from the table", async () => {
    const read = vi.spyOn(ReadConnections.prototype, "read");
    await withFeed(
      async (_feed, subscribe) => {
        const { told } = await subscribe();
        await add(1);
        const [[first, cursor] = [0, ""]] = await take(told, 1);
        for (const row of [otherRowId, rowId, otherRowId, rowId]) await add(300, row);
        read.mockClear();
        const again = await subscribe(cursor, rowId);
        const taken = await take(again.told, 600);
        expect(positionsOf(taken)).toEqual(
          Array.from({ length: 1_200 }, (_, index) => first + 1 + index).filter((_, index) => index % 600 >= 300),
        );
        // Where it begins, and 600 by hundreds; the last look finds nothing more, or has not been made yet.
        expect(read.mock.calls.length).toBeLessThanOrEqual(8);
        await add(1, otherRowId);
        await add(1);
        expect(positionsOf(await take(again.told, 1))).toEqual([first + 1_202]);
        expect(read.mock.calls.length).toBeLessThanOrEqual(8);
      },
      { capacity: 20 },
    );
    read.mockRestore();
  });

  it("does not need its notifications", async () => {
    await withFeed(
      async (_feed, subscribe) => {
        const { told } = await subscribe();
        const waiting = take(told, 1);
        // Written past the function that notifies.
        await database.query(
          "insert into outbox (position, topic, row_id, payload) values (nextval('outbox_position'), 'any', $1, '{}')",
          [rowId],
        );
        expect(await waiting).toHaveLength(1);
      },
      { pollMs: 50 },
    );
  });

  it.each([
    {
      what: "its connection broke",
      harm(proxy: TcpProxy) {
        proxy.refuse(true);
        proxy.cut();
      },
      heal: (proxy: TcpProxy) => proxy.refuse(false),
      options: {},
    },
    {
      what: "the network swallowed its connection, though nothing broke",
      harm: (proxy: TcpProxy) => proxy.swallow(),
      heal: () => {},
      options: { pollMs: 50, silenceMs: 500 },
    },
  ])("goes on where it was after $what", async ({ harm, heal, options }) => {
    const proxy = await startTcpProxy(database.url);
    await withFeed(
      async (_feed, subscribe) => {
        const { told } = await subscribe();
        const taken = [];
        for (let round = 0; round < 3; round++) {
          await add(1);
          taken.push(...(await take(told, 1)));
          harm(proxy);
          await add(2);
          heal(proxy);
          taken.push(...(await take(told, 2)));
        }
        consecutive(taken);
      },
      { url: proxy.url, ...options },
    );
    await proxy.stop();
  });

  it.each([
    ["while it waits", 60_000],
    ["while it asks", 20],
  ])("stops within seconds when the network has swallowed its connection %s", async (_when, pollMs) => {
    const proxy = await startTcpProxy(database.url);
    await withFeed(
      async (feed, subscribe) => {
        const { told } = await subscribe();
        await add(1);
        await take(told, 1);
        proxy.swallow();
        // A poll or more may go unanswered.
        await new Promise((resume) => setTimeout(resume, 100));
        // A second of patience, and then it breaks the connection. Were it to wait for the silence to last too long, it
        // would hang.
        await feed.stop();
      },
      { url: proxy.url, pollMs, silenceMs: 600_000 },
    );
    await proxy.stop();
  });

  it("stops within seconds while it connects to a network that swallows everything", async () => {
    const proxy = await startTcpProxy(database.url);
    proxy.blackHole(true);
    const tailer = new OutboxTailer({ url: proxy.url, capacity: 10, silenceMs: 600_000, onError: () => {} });
    const ring = tailer.ring();
    await until(() => proxy.counts.connections === 1, "it was connecting");
    await Promise.all([tailer.stop(), expect(ring).rejects.toThrow("The outbox tailer has stopped.")]);
    await proxy.stop();
  });

  it("drops a client that does not read, and breaks its connection when it does not take that either", async () => {
    await withFeed(
      async (feed, subscribe) => {
        const [stalled, waiting] = [await subscribe(), await subscribe()];
        const next = waiting.told.next();
        await until(() => stalled.client.isBroken, "its connection was broken");
        expect({ subscriptions: feed.subscriptions, isBroken: waiting.client.isBroken }).toEqual({
          subscriptions: 1,
          isBroken: false,
        });
        await add(1);
        expect((await next).done).toBe(false);
      },
      { maxIdleMs: 50, readErrorMs: 50 },
    );
  });

  it("frees the place of a client that is gone, whatever it was doing", async () => {
    await withFeed(async (feed, subscribe) => {
      const [idle, waiting, left] = [await subscribe(), await subscribe(), await subscribe()];
      const next = waiting.told.next();
      for (const { client } of [idle, waiting]) client.close();
      await left.told.return?.();
      expect(await next).toEqual({ done: true, value: undefined });
      expect(feed.subscriptions).toBe(0);
    });
  });

  it("takes positions in the order of commits, however transactions cross", async () => {
    const clients = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const client = await connectTo(database.url);
        return client;
      }),
    );
    await withFeed(async (_feed, subscribe) => {
      const { told } = await subscribe();
      const each = 40;
      const writing = clients.map(async (client, index) => {
        for (let turn = 0; turn < each; turn++) {
          await client.query("begin");
          await client.query("select add_to_outbox('any', $1, '{}')", [rowId]);
          if (turn % 2 === index % 2) await client.query("select pg_sleep(0.002)");
          await client.query(turn % 4 === 3 ? "rollback" : "commit");
        }
      });
      const taken = await take(told, (clients.length * each * 3) / 4);
      await Promise.all(writing);
      const rows = await database.query("select position from outbox where position >= $1 order by 1", [taken[0]?.[0]]);
      expect(positionsOf(taken)).toEqual(rows.map(({ position }) => Number(position)));
    });
    await Promise.all(clients.map((client) => client.end()));
  });
});
