/**
 * Follows the outbox durably: what must follow a change, whatever happens to our process. How far it came is a row of
 * `outbox_consumers`, written after the work, so each event is handled at least once, in order; an event whose handling
 * fails is handled again at the next look, and those behind it wait. Every server may run one: what they do twice must
 * be harmless.
 *
 * States: waiting → (a wake, or the poll) → following, until nothing is left → waiting. When something fails: resting →
 * (the poll) → following, since what failed fails again at once. At any time: stopped.
 */
import type { Logger } from "pino";
import type { Reader } from "../eager-loading/reader.ts";
import { sql } from "../eager-loading/sql.ts";
import type { OutboxEvent } from "./outbox-event.ts";

export type OutboxConsumerOptions = {
  /** Of its row in `outbox_consumers`, which a migration has made. */
  name: string;
  reader: Reader;
  /** Runs a statement that writes, committed by itself. */
  write: (text: string, values: unknown[]) => Promise<unknown>;
  handle: (event: OutboxEvent) => Promise<void>;
  /** How often it looks without being woken. */
  pollMs?: number;
  logger: Logger;
};

const pageSize = 100;

export class OutboxConsumer {
  readonly #options: OutboxConsumerOptions;
  readonly #poll: NodeJS.Timeout;
  #following: Promise<void> | undefined;
  #isWoken = false;
  #isResting = false;
  #isStopped = false;

  constructor(options: OutboxConsumerOptions) {
    this.#options = options;
    this.#poll = setInterval(() => {
      this.#isResting = false;
      this.wake();
    }, options.pollMs ?? 2_000);
    this.#poll.unref();
    this.wake();
  }

  /** There may be something to follow. */
  wake(): void {
    this.#isWoken = true;
    if (this.#isStopped || this.#isResting) return;
    this.#following ??= this.#follow().finally(() => {
      this.#following = undefined;
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#poll);
    await this.#following;
  }

  async #follow(): Promise<void> {
    const { name, logger } = this.#options;
    try {
      while (this.#isWoken && !this.#isStopped) {
        this.#isWoken = false;
        const events = await this.#read();
        await this.#handle(events);
        if (events.length === pageSize) this.#isWoken = true;
      }
    } catch (error) {
      this.#isResting = true;
      if (!this.#isStopped)
        logger.warn({ err: error, consumer: name }, "following the outbox failed; it is tried again");
    }
  }

  async #handle(events: readonly OutboxEvent[]): Promise<void> {
    const { name, handle, write } = this.#options;
    let followed = 0;
    try {
      for (const event of events) {
        await handle(event);
        followed = event.position;
      }
    } finally {
      if (followed > 0) {
        const text = "update outbox_consumers set position = greatest(position, $2) where name = $1";
        await write(text, [name, followed]);
      }
    }
  }

  /** The next events behind the place that was followed to. */
  async #read(): Promise<OutboxEvent[]> {
    const rows = await this.#options.reader.read(sql`
      select o.position, o.topic, o.row_id as "rowId", o.payload from outbox_consumers c
      cross join lateral (
        select * from outbox where position > c.position order by position limit ${pageSize}::int) o
      where c.name = ${this.#options.name} order by o.position`);
    return rows.map((row) => ({ ...(row as OutboxEvent), position: Number(row.position) }));
  }
}
