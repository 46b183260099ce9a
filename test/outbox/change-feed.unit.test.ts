/** The feed without a database: its limits, its checks and its end. */
import { setImmediate as turn } from "node:timers/promises";
import { beforeEach, describe, expect, it } from "vitest";
import { ReadOverloadError } from "../../src/database/read-connection.ts";
import { CursorCodec } from "../../src/eager-loading/cursor.ts";
import { ChangeFeed } from "../../src/outbox/change-feed.ts";
import { EventRing } from "../../src/outbox/event-ring.ts";
import type { OutboxTailer } from "../../src/outbox/tailer.ts";

const cursors = new CursorCodec("secret");
const cursorOf = (position: number) => cursors.encode("outbox", [position]);

/** The first and the last position of the table. */
let bounds: { oldest: number; newest: number };
let ring: EventRing;
let feed: ChangeFeed;
let tailer: { ring(): Promise<EventRing>; onEvents(): void; stop(): Promise<void> };
/** The result of the next check. */
let check: () => Promise<void>;
const ada = "01a1fe1d-63bf-76f8-b5d1-2a227d14d302";

beforeEach(() => {
  bounds = { oldest: 3, newest: 7 };
  ring = new EventRing(10, 7);
  check = async () => {};
  tailer = { ring: async () => ring, onEvents() {}, stop: async () => {} };
  feed = new ChangeFeed({
    tailer: tailer as unknown as OutboxTailer,
    reader: { read: async () => [{ ...bounds, position: null }] },
    cursors,
    maxPerSubscriber: 2,
    maxSubscriptions: 5,
    checkMs: 600_000,
  });
});

const subscribe = (subscriber: string | null, after?: string) =>
  feed.subscribe({
    subscriber,
    after,
    of: { topic: "any" },
    deliver: async ({ position }) => position,
    check: () => check(),
    connection: { onClose() {}, destroy() {} },
  });
const overloaded = (message: RegExp) => ({ code: "OVERLOADED", message: expect.stringMatching(message) });

describe("the limits of subscriptions", () => {
  it("leave half of all to users, however many strangers there are", async () => {
    for (let count = 0; count < 3; count++) await subscribe(null);
    await expect(subscribe(null)).rejects.toMatchObject(overloaded(/^You already have 3 subscriptions/));
    await subscribe(ada);
    await subscribe(ada);
    expect([feed.subscriptions, feed.open]).toEqual([5, 5]);
    await expect(subscribe("another")).rejects.toMatchObject(overloaded(/^The server has too many/));
  });

  it("are those of each user by itself, and do not count the ended", async () => {
    const [first] = [await subscribe(ada), await subscribe(ada)];
    await expect(subscribe(ada)).rejects.toMatchObject(overloaded(/^You already have 2 subscriptions/));
    await subscribe("another");
    await first?.return();
    expect(feed.subscriptions).toBe(2);
    await subscribe(ada);
  });

  it("do not count a subscription that could not begin", async () => {
    const { ring } = tailer;
    tailer.ring = async () => Promise.reject(new Error("The database is away."));
    await expect(subscribe(ada)).rejects.toThrow("The database is away.");
    expect(feed.subscriptions).toBe(0);
    tailer.ring = ring;
    await expect(subscribe(ada, cursorOf(2))).rejects.toMatchObject({ code: "BAD_USER_INPUT" });
    expect(feed.subscriptions).toBe(0);
  });
});

describe("a cursor", () => {
  it.each([
    [2, "older than the oldest event", false],
    [3, "of the oldest event", true],
    [7, "of the newest event", true],
    [8, "newer than the newest event", false],
  ])("%i, which is %s, is known: %s", async (position, _what, isKnown) => {
    const reason = await subscribe(ada, cursorOf(position)).then(
      () => undefined,
      ({ details }) => details.reason,
    );
    expect(reason).toBe(isKnown ? undefined : "CURSOR_OUT_OF_DATE");
  });
});

describe("a check", () => {
  it("that meets a busy database ends nothing, and one that is refused ends its subscription", async () => {
    const subscription = await subscribe(ada);
    check = () => Promise.reject(new ReadOverloadError("All read connections are busy."));
    feed.checkAll();
    await turn();
    expect(subscription.isEnded).toBe(false);
    const refusal = new Error("The session has ended.");
    check = () => Promise.reject(refusal);
    feed.checkAll();
    await turn();
    await expect(subscription.next()).rejects.toBe(refusal);
  });
});

describe("a feed that stops", () => {
  it("drops all subscriptions, those that are being opened too, and refuses new ones", async () => {
    const open = await subscribe(ada);
    const begun = Promise.withResolvers<EventRing>();
    tailer.ring = () => begun.promise;
    const opening = subscribe(ada);
    await feed.stop();
    begun.resolve(ring);
    for (const subscription of [open, await opening]) {
      await expect(subscription.next()).rejects.toMatchObject({
        ...overloaded(/^The server is stopping/),
        details: { cursor: cursorOf(7) },
      });
    }
    await expect(subscribe("another")).rejects.toMatchObject(overloaded(/^The server is stopping/));
    expect(feed.subscriptions).toBe(0);
  });
});
