/** A consumer on a real table: it handles each event in order, and its position tells what it has handled. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { OutboxConsumer, type OutboxConsumerOptions } from "../../src/outbox/consumer.ts";
import type { OutboxEvent } from "../../src/outbox/outbox-event.ts";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { collectedLog } from "../support/logs.ts";
import { until } from "../support/until.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.query("delete from outbox");
  await database.query("alter sequence outbox_position restart");
  await database.query("update outbox_consumers set position = 0");
});

const add = (count: number) =>
  database.query("select add_to_outbox('any', gen_random_uuid(), '{}') from generate_series(1, $1)", [count]);
const position = async () => Number((await database.query("select position from outbox_consumers"))[0]?.position);
const failed = "following the outbox failed; it will be retried";

/** A consumer that the poll does not wake, unless a test says so. */
function start(handle: OutboxConsumerOptions["handle"], options: Partial<OutboxConsumerOptions> = {}) {
  const { logger, lines } = collectedLog();
  const handled: number[] = [];
  const readsAfterWrites: number[] = [];
  let reads = 0;
  const consumer = new OutboxConsumer({
    name: "files",
    reader: {
      read({ text, values }) {
        reads++;
        return database.query(text, [...values]);
      },
    },
    async write(text, values) {
      await database.query(text, values);
      // By then it reads again, unless it waits for a wake-up.
      setImmediate(() => readsAfterWrites.push(reads));
    },
    async handle(event: OutboxEvent) {
      handled.push(event.position);
      await handle(event);
    },
    pollMs: 600_000,
    logger,
    ...options,
  });
  onTestFinished(() => consumer.stop());
  return {
    consumer,
    handled,
    readsAfterWrites,
    reads: () => reads,
    failures: () => lines.filter(({ msg }) => msg === failed).length,
  };
}

describe("a consumer", () => {
  it("handles the events one after another, all pages of them, and remembers the last", async () => {
    await add(250);
    let underWay = 0;
    const { handled, readsAfterWrites } = start(async () => {
      expect(++underWay).toBe(1);
      await Promise.resolve();
      underWay--;
    });
    await until(() => readsAfterWrites.length > 0, "the first page is handled");
    expect(readsAfterWrites[0]).toBe(2);
    await until(() => readsAfterWrites.length === 3, "all pages are handled");
    expect([readsAfterWrites, await position()]).toEqual([[2, 3, 3], 250]);
    expect(handled).toEqual(Array.from({ length: 250 }, (_, index) => index + 1));
  });

  it("remembers what it handled before a failure, and waits for the poll to go on with the event that failed", async () => {
    await add(3);
    const { consumer, handled, reads, failures } = start(async ({ position }) => {
      if (position === 2) throw new Error("Event 2 cannot be handled.");
    });
    await until(() => failures() === 1, "the failure is logged");
    expect([handled, await position()]).toEqual([[1, 2], 1]);
    // A wake-up reads at once, or not at all.
    const before = reads();
    consumer.wake();
    expect([reads(), before]).toEqual([1, 1]);
  });

  it("retries an event that failed at the next poll, and handles later ones after it", async () => {
    await add(3);
    const failures = [2, 2];
    const { handled } = start(
      async ({ position }) => {
        if (position === failures[0]) throw new Error(`Event ${failures.shift()} cannot be handled yet.`);
      },
      { pollMs: 20 },
    );
    await expect.poll(position).toBe(3);
    expect(handled).toEqual([1, 2, 2, 2, 3]);
  });

  it("does not miss a wake-up that comes while it handles events", async () => {
    await add(1);
    const [begun, mayEnd] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { consumer, handled, readsAfterWrites } = start(async ({ position }) => {
      if (position > 1) return;
      begun.resolve();
      await mayEnd.promise;
    });
    await begun.promise;
    await add(1);
    consumer.wake();
    mayEnd.resolve();
    await until(() => readsAfterWrites.length > 0, "the first event is handled");
    expect(readsAfterWrites[0]).toBe(2);
    await until(() => readsAfterWrites.length === 2, "the second event is handled");
    expect([handled, await position()]).toEqual([[1, 2], 2]);
  });

  it("does not set the position back that another server has written meanwhile", async () => {
    await add(2);
    const { consumer, handled } = start(async () => {
      await database.query("update outbox_consumers set position = 40");
    });
    await until(() => handled.length === 2, "both events are handled");
    await consumer.stop();
    expect(await position()).toBe(40);
  });

  it("is stopped when the events that it has read are handled and remembered", async () => {
    await add(1);
    const [begun, mayEnd] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { consumer } = start(async () => {
      begun.resolve();
      await mayEnd.promise;
    });
    await begun.promise;
    let isStopped = false;
    const stopped = consumer.stop().then(() => {
      isStopped = true;
    });
    await new Promise((resume) => setTimeout(resume, 20));
    expect(isStopped).toBe(false);
    mayEnd.resolve();
    await stopped;
    expect(await position()).toBe(1);
  });
});
