/** One subscription on a ring and a table of the test's own: the order of results, how far it reads, and how it ends. */
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { EventRing } from "../../src/outbox/event-ring.ts";
import type { OutboxEvent, OutboxPage } from "../../src/outbox/outbox-event.ts";
import { Subscription, type SubscriptionOptions } from "../../src/outbox/subscription.ts";

const eventAt = (position: number): OutboxEvent => ({ position, topic: "any", rowId: "", payload: {} });
const eventsTo = (last: number) => Array.from({ length: last }, (_, index) => eventAt(index + 1));
const broken = new Error("The connection broke.");

/** A subscription from position 0 on. */
function subscribe(options: Partial<SubscriptionOptions<number>> = {}, capacity = 100) {
  const { ring = new EventRing(capacity, 0), ...more } = options;
  let ends = 0;
  const subscription = new Subscription<number>({
    ring,
    readPage: () => expect.unreachable("The table is not read."),
    position: 0,
    concerns: () => true,
    deliver: async ({ position }) => position,
    isTransient: (error) => error === broken,
    cursorOf: (position) => `cursor ${position}`,
    onEnd: () => ends++,
    ...more,
  });
  return {
    ring,
    subscription,
    ends: () => ends,
    add(...events: OutboxEvent[]) {
      for (const event of events) ring.add(event);
      subscription.notice();
    },
    async take(count: number) {
      const taken: number[] = [];
      for (let number = 0; number < count; number++) taken.push((await subscription.next()).value as number);
      return taken;
    },
  };
}

/** The time that the subscription sees, from now on. */
function stopClock() {
  let now = 1_000_000;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  return (ms: number) => {
    now += ms;
  };
}
afterEach(() => vi.restoreAllMocks());

const overloaded = (cursor: string) => ({ code: "OVERLOADED", details: { cursor } });

describe("a subscription", () => {
  it("gives each event of the ring once, and then waits for the next", async () => {
    const { add, take, subscription } = subscribe();
    add(...eventsTo(3));
    expect(await take(3)).toEqual([1, 2, 3]);
    const next = subscription.next();
    add(eventAt(4));
    expect(await next).toEqual({ value: 4, done: false });
  });

  it("passes over events that do not concern it, or of which nothing is to be told", async () => {
    const { add, take } = subscribe({
      concerns: ({ position }) => position % 2 === 0,
      deliver: async ({ position }) => (position === 4 ? null : position),
    });
    add(...eventsTo(6));
    expect(await take(2)).toEqual([2, 6]);
  });

  it("prefetches 16 results and no more", async () => {
    const deliver = vi.fn(async ({ position }: OutboxEvent) => position);
    const { add, take } = subscribe({ deliver });
    add(...eventsTo(50));
    await take(1);
    expect(deliver).toHaveBeenCalledTimes(16);
  });

  it("loads a result again that is older than half a second", async () => {
    const pass = stopClock();
    let state = "old";
    const delivered: string[] = [];
    const deliver = async ({ position }: OutboxEvent) => {
      delivered.push(`${position} ${state}`);
      return position;
    };
    const { add, take } = subscribe({ deliver });
    add(...eventsTo(3));
    await take(1);
    state = "new";
    pass(500);
    await take(1);
    expect(delivered).toEqual(["1 old", "2 old", "3 old"]);
    pass(1);
    expect(await take(1)).toEqual([3]);
    expect(delivered).toEqual(["1 old", "2 old", "3 old", "3 new"]);
  });

  it("retries a result after a broken connection, and ends with any other error", async () => {
    const failures = [broken, broken];
    const invalid = new Error("The row is invalid.");
    const { add, take, subscription, ends } = subscribe({
      async deliver({ position }) {
        const failure = failures.shift();
        if (failure) throw failure;
        if (position === 2) throw invalid;
        return position;
      },
    });
    add(...eventsTo(1));
    expect(await take(1)).toEqual([1]);
    add(eventAt(2));
    await expect(subscription.next()).rejects.toBe(invalid);
    expect(await subscription.next()).toEqual({ value: undefined, done: true });
    expect([subscription.isEnded, ends()]).toEqual([true, 1]);
  });
});

describe("a replay", () => {
  /** The table's events after a position, in pages of 2. */
  function tableOf(events: OutboxEvent[], bounds: Pick<OutboxPage, "oldest" | "newest">) {
    const asked: number[] = [];
    const readPage = async (after: number) => {
      asked.push(after);
      if (asked.length > 5) throw new Error("The table is read again and again.");
      return { ...bounds, events: events.filter(({ position }) => position > after).slice(0, 2) };
    };
    return { asked, readPage };
  }

  it("reads pages of the table until it reaches the ring", async () => {
    const ring = new EventRing(10, 4);
    const { asked, readPage } = tableOf(eventsTo(5), { oldest: 0, newest: 5 });
    const { add, take } = subscribe({ ring, readPage });
    add(eventAt(5), eventAt(6));
    expect(await take(6)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(asked).toEqual([0, 2]);
  });

  it("without an event goes on behind the newest", async () => {
    const ring = new EventRing(10, 500);
    const { asked, readPage } = tableOf([], { oldest: 0, newest: 500 });
    const { add, subscription } = subscribe({ ring, readPage });
    const next = subscription.next();
    await turn();
    add(eventAt(501));
    expect(await next).toEqual({ value: 501, done: false });
    expect(asked).toEqual([0]);
  });

  it("is retried after a broken connection", async () => {
    const ring = new EventRing(10, 2);
    const { readPage } = tableOf(eventsTo(2), { oldest: 0, newest: 2 });
    const failures = [broken];
    const { take } = subscribe({
      ring,
      async readPage(after) {
        const failure = failures.shift();
        if (failure) throw failure;
        return readPage(after);
      },
    });
    expect(await take(2)).toEqual([1, 2]);
  });

  it("is refused when events that it has not read are pruned meanwhile", async () => {
    const ring = new EventRing(10, 500);
    const bounds = { oldest: 0, newest: 500 };
    const { readPage } = tableOf([eventAt(1), eventAt(2), eventAt(500)], bounds);
    const { take, subscription } = subscribe({
      ring,
      readPage: async (after) => ({ ...(await readPage(after)), ...bounds }),
    });
    expect(await take(2)).toEqual([1, 2]);
    bounds.oldest = 400;
    await expect(subscription.next()).rejects.toMatchObject({
      code: "BAD_USER_INPUT",
      details: { reason: "CURSOR_OUT_OF_DATE" },
    });
  });
});

describe("a subscription that is dropped", () => {
  it("tells the cursor of the last event that its client has, not of those that are prefetched", async () => {
    const { add, take, subscription } = subscribe();
    add(...eventsTo(3));
    await take(1);
    subscription.drop("The server is stopping");
    expect(subscription.hasDeliveredAll).toBe(false);
    await expect(subscription.next()).rejects.toMatchObject(overloaded("cursor 1"));
    expect(subscription.hasDeliveredAll).toBe(true);
    expect(await subscription.next()).toEqual({ value: undefined, done: true });
  });

  it("counts events that do not concern it as read", async () => {
    const { add, subscription } = subscribe({ concerns: () => false });
    const next = subscription.next();
    add(...eventsTo(3));
    await turn();
    subscription.drop("The server is stopping");
    await expect(next).rejects.toMatchObject(overloaded("cursor 3"));
  });

  it("gives no result that comes after its end", async () => {
    const loaded = Promise.withResolvers<number>();
    const { add, subscription, ends } = subscribe({ deliver: () => loaded.promise });
    add(eventAt(1));
    const next = subscription.next();
    subscription.end();
    loaded.resolve(1);
    expect(await next).toEqual({ value: undefined, done: true });
    expect(ends()).toBe(1);
  });

  it("has not read for a second, and its next event is overwritten", async () => {
    const pass = stopClock();
    const { add, take, subscription } = subscribe({}, 16);
    // The client waits for an event first, so that it is live.
    const first = subscription.next();
    add(eventAt(1));
    await first;
    pass(1_001);
    add(...eventsTo(17).slice(1));
    expect(subscription.isEnded).toBe(false);
    add(eventAt(18));
    expect(subscription.isEnded).toBe(true);
    await expect(take(1)).rejects.toMatchObject(overloaded("cursor 1"));
  });

  it("is not one whose client has just read", async () => {
    const pass = stopClock();
    const { add, subscription } = subscribe({}, 16);
    const first = subscription.next();
    add(eventAt(1));
    await first;
    pass(1_000);
    add(...eventsTo(40).slice(1));
    expect(subscription.isEnded).toBe(false);
  });
});

describe("the time without a request", () => {
  it("is none while the client waits for an event", async () => {
    const pass = stopClock();
    const { add, subscription } = subscribe();
    pass(10);
    expect(subscription.idleMs).toBe(10);
    const next = subscription.next();
    pass(60_000);
    expect(subscription.idleMs).toBe(0);
    add(eventAt(1));
    await next;
    expect(subscription.idleMs).toBe(0);
    pass(20);
    expect(subscription.idleMs).toBe(20);
  });

  it("begins again at the end of the subscription, so that its client has time to read why", async () => {
    const pass = stopClock();
    const { subscription } = subscribe();
    pass(60_000);
    subscription.drop("The client has not read for too long");
    expect(subscription.idleMs).toBe(0);
    pass(20);
    expect(subscription.idleMs).toBe(20);
    const next = subscription.next();
    expect(subscription.idleMs).toBe(0);
    await expect(next).rejects.toMatchObject({ code: "OVERLOADED" });
  });
});
