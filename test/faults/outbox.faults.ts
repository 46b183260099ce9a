import type { Fault } from "./fault.ts";

const migration = "prisma/migrations/20261127030100_outbox/migration.sql";

export const faults: Fault[] = [
  {
    name: "positions are given without the lock, so commits overtake them",
    file: migration,
    replace: { "PERFORM pg_advisory_xact_lock(hashtext('lectern outbox'));": "" },
    tests: ["test/outbox/outbox-table.test.ts"],
  },
  {
    name: "the event of an update is added before the commit",
    file: migration,
    replace: {
      'AFTER UPDATE ON "{table}" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW':
        'AFTER UPDATE ON "{table}" DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW',
    },
    tests: ["test/outbox/outbox-table.test.ts"],
  },
  {
    name: "events send no notification",
    file: migration,
    replace: { "PERFORM pg_notify('outbox', '');": "" },
    tests: ["test/outbox/outbox-table.test.ts"],
  },
  {
    name: "events that the slowest consumer has not handled are pruned",
    file: migration,
    replace: { "SELECT min(c.position) FROM outbox_consumers c": "SELECT max(c.position) FROM outbox_consumers c" },
    tests: ["test/outbox/outbox-table.test.ts"],
  },
  {
    name: "pruning leaves no mark",
    file: migration,
    replace: { "WHERE o.position < mark.position RETURNING 1": "WHERE o.position <= mark.position RETURNING 1" },
    tests: ["test/outbox/outbox-table.test.ts"],
  },
  {
    name: "an event counts as handled before its work",
    file: "src/outbox/consumer.ts",
    replace: { "await handle(event); followed = event.position;": "followed = event.position; await handle(event);" },
    tests: ["test/outbox/consumer.test.ts"],
  },
  {
    name: "a failure forgets the events handled before it",
    file: "src/outbox/consumer.ts",
    replace: {
      "try { for (const event of events) {": "{ for (const event of events) {",
      "} } finally { if (followed > 0) {": "} } { if (followed > 0) {",
    },
    tests: ["test/outbox/consumer.test.ts"],
  },
  {
    name: "a slower server sets the consumer's position back",
    file: "src/outbox/consumer.ts",
    replace: { "set position = greatest(position, $2)": "set position = $2" },
    tests: ["test/outbox/consumer.test.ts"],
  },
  {
    name: "a client that is dropped for not reading has no time to read why",
    file: "src/outbox/subscription.ts",
    replace: { "if (this.#idleSince !== undefined) this.#idleSince = performance.now();": "" },
    tests: ["test/outbox/subscription.unit.test.ts"],
  },
  {
    name: "a failed consumer is retried at every wake-up",
    file: "src/outbox/consumer.ts",
    replace: { "if (this.#isStopped || this.#isBackingOff) return;": "if (this.#isStopped) return;" },
    tests: ["test/outbox/consumer.test.ts"],
  },
  {
    name: "a full page of events waits for the next poll",
    file: "src/outbox/consumer.ts",
    replace: { "if (events.length === pageSize) this.#isWoken = true;": "" },
    tests: ["test/outbox/consumer.test.ts"],
  },
  {
    name: "a wake-up while events are handled is lost",
    file: "src/outbox/consumer.ts",
    replace: {
      "this.#isWoken = false; const events = await this.#read();": "const events = await this.#read();",
      "await this.#handle(events);": "await this.#handle(events); this.#isWoken = false;",
    },
    tests: ["test/outbox/consumer.test.ts"],
  },
  {
    name: "a stopped consumer is not waited for",
    file: "src/outbox/consumer.ts",
    replace: { "clearInterval(this.#poll); await this.#following;": "clearInterval(this.#poll);" },
    tests: ["test/outbox/consumer.test.ts"],
  },
  {
    name: "a full ring claims to hold the event that it has overwritten",
    file: "src/outbox/event-ring.ts",
    replace: { "if (overwritten) this.#floor = overwritten.position;": "" },
    tests: ["test/outbox/event-ring.unit.test.ts"],
  },
  {
    name: "the ring gives an event again",
    file: "src/outbox/event-ring.ts",
    replace: { "this.#at(middle).position > position": "this.#at(middle).position >= position" },
    tests: ["test/outbox/event-ring.unit.test.ts"],
  },
  {
    name: "the tailer reads before it listens",
    file: "src/outbox/tailer.ts",
    replace: {
      'await client.query("listen outbox");': "",
      "await this.#readAll(client); this.#failures = 0;":
        'await this.#readAll(client); await client.query("listen outbox"); this.#failures = 0;',
    },
    tests: ["test/outbox/tailer.unit.test.ts"],
  },
  {
    name: "the tailer begins a new ring after a reconnection",
    file: "src/outbox/tailer.ts",
    replace: { "this.#ring ??= await this.#startingRing(client);": "this.#ring = await this.#startingRing(client);" },
    tests: ["test/outbox/tailer.unit.test.ts"],
  },
  {
    name: "the tailer reads one page for each wake-up",
    file: "src/outbox/tailer.ts",
    replace: { "if (events.length < pageSize || this.#isStopped) return;": "return;" },
    tests: ["test/outbox/tailer.unit.test.ts"],
  },
  {
    name: "the delay of reconnections grows for ever",
    file: "src/outbox/tailer.ts",
    replace: { "await this.#readAll(client); this.#failures = 0;": "await this.#readAll(client);" },
    tests: ["test/outbox/tailer.unit.test.ts"],
  },
  {
    name: "the cursor of a dropped client skips prefetched events",
    file: "src/outbox/subscription.ts",
    replace: { "cursorOf(this.#position)": "cursorOf(this.#readTo)" },
    tests: ["test/outbox/subscription.unit.test.ts"],
  },
  {
    name: "old prefetched results are delivered although visibility may have changed",
    file: "src/outbox/subscription.ts",
    replace: {
      "await (isStale ? this.#deliver(first.event) : first.delivery)":
        "await (isStale ? first.delivery : first.delivery)",
    },
    tests: ["test/outbox/subscription.unit.test.ts"],
  },
  {
    name: "a result that arrives after the end is delivered",
    file: "src/outbox/subscription.ts",
    replace: { "if (this.#isEnded) break;": "" },
    tests: ["test/outbox/subscription.unit.test.ts"],
  },
  {
    name: "events that are pruned during a replay are missed silently",
    file: "src/outbox/subscription.ts",
    replace: { "requireKnown(this.#readTo, page);": "" },
    tests: ["test/outbox/subscription.unit.test.ts"],
  },
  {
    name: "a broken connection ends the subscription",
    file: "src/outbox/subscription.ts",
    replace: {
      "if (this.#isEnded || !this.#options.isTransient(error)) throw error;": "if (failures >= 0) throw error;",
    },
    tests: ["test/outbox/subscription.unit.test.ts"],
  },
  {
    name: "a client that waits for events counts as one that does not read",
    file: "src/outbox/subscription.ts",
    replace: { "this.#idleSince = undefined; try {": "try {" },
    tests: ["test/outbox/subscription.unit.test.ts"],
  },
  {
    name: "strangers may take every subscription",
    file: "src/outbox/change-feed.ts",
    replace: {
      "subscriber === null ? Math.ceil(maxSubscriptions / 2) : maxPerSubscriber":
        "subscriber === null ? maxSubscriptions : maxPerSubscriber",
    },
    tests: ["test/outbox/change-feed.unit.test.ts"],
  },
  {
    name: "a subscription that fails to begin stays counted",
    file: "src/outbox/change-feed.ts",
    replace: { "this.#free(subscriber); throw error;": "throw error;" },
    tests: ["test/outbox/change-feed.unit.test.ts"],
  },
  {
    name: "a check that meets a broken connection ends the subscription",
    file: "src/outbox/change-feed.ts",
    replace: { "isTransient(error) || subscription.end(error)": "subscription.end(error)" },
    tests: ["test/outbox/change-feed.unit.test.ts"],
  },
];
