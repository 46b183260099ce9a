/**
 * A durable reader of the outbox, for side effects that must survive a crash. Its position is a row of
 * `outbox_consumers`, which is written after the work: events are handled at least once and in order. If handling an
 * event fails, the next poll retries it, and later events wait. Every server may run one, so handlers are idempotent.
 *
 * States: waiting → (a wake-up, or the poll) → following, until no event is left → waiting. After a failure: backing
 * off, until the poll → following. At any time: stopped.
 */
import type { Logger } from "pino";
import type { Reader } from "../eager-loading/reader.ts";
import { sql } from "../eager-loading/sql.ts";
import type { OutboxEvent } from "./outbox-event.ts";

export type OutboxConsumerOptions = {
  /** Key of the row in `outbox_consumers`, which a migration has inserted. */
  name: string;
  reader: Reader;
  /** Runs a writing statement in its own transaction. */
  write: (text: string, values: unknown[]) => Promise<unknown>;
  handle: (event: OutboxEvent) => Promise<void>;
  /** Interval of polling, which is also the delay of retries. */
  pollMs?: number;
  logger: Logger;
};

const pageSize = 100;

export class OutboxConsumer {
  readonly #options: OutboxConsumerOptions;
  readonly #poll: NodeJS.Timeout;
  #following: Promise<void> | undefined;
  #isWoken = false;
  #isBackingOff = false;
  #isStopped = false;

  constructor(options: OutboxConsumerOptions) {
    this.#options = options;
    this.#poll = setInterval(() => {
      this.#isBackingOff = false;
      this.wake();
    }, options.pollMs ?? 2_000);
    this.#poll.unref();
    this.wake();
  }

  /** Reads the outbox, because there may be new events. */
  wake(): void {
    this.#isWoken = true;
    if (this.#isStopped || this.#isBackingOff) return;
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
      this.#isBackingOff = true;
      if (!this.#isStopped)
        logger.warn({ err: error, consumer: name }, "following the outbox failed; it will be retried");
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

  /** The next events after the consumer's position. */
  async #read(): Promise<OutboxEvent[]> {
    const rows = await this.#options.reader.read(sql`
      select o.position, o.topic, o.row_id as "rowId", o.payload from outbox_consumers c
      cross join lateral (
        select * from outbox where position > c.position order by position limit ${pageSize}::int) o
      where c.name = ${this.#options.name} order by o.position`);
    return rows.map((row) => ({ ...(row as OutboxEvent), position: Number(row.position) }));
  }
}
