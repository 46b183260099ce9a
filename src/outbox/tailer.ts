/**
 * Follows the outbox for a whole process over one connection and adds its events to the ring. NOTIFY wakes it; a poll
 * makes up for lost notifications.
 *
 * States: new → connecting → following → (the connection broke) connecting again, after an exponential backoff →
 * stopped. It continues at its position, so the ring has no gaps after a reconnection.
 */
import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import { DatabaseClient } from "../database/client.ts";
import { streamOf } from "../database/pg-internals.ts";
import { EventRing } from "./event-ring.ts";
import { pageOf, pageStatement } from "./outbox-event.ts";

export type TailerOptions = {
  url: string;
  /** Number of events in the ring. */
  capacity: number;
  /** Interval of polling. */
  pollMs?: number;
  /** Timeout of connecting and of each statement, after which a dead network is noticed. */
  silenceMs?: number;
  onError: (error: Error) => void;
};

const pageSize = 1_000;
const maxBackoffMs = 5_000;
/** Time that `stop` waits for a pending statement. */
const graceMs = 1_000;

export class OutboxTailer {
  readonly #options: TailerOptions;
  readonly #listeners = new Set<() => void>();
  readonly #stop = new AbortController();
  readonly #ready = Promise.withResolvers<EventRing>();
  #ring: EventRing | undefined;
  #running: Promise<void> | undefined;
  #failures = 0;
  #isWoken = false;
  #wake = () => {};
  #client: pg.Client | undefined;

  constructor(options: TailerOptions) {
    this.#options = options;
    // `stop` rejects the promise, which then may have no handler.
    this.#ready.promise.catch(() => {});
  }

  /** The first call starts the tailer. Resolves once the newest position is known. */
  ring(): Promise<EventRing> {
    this.#running ??= this.#run();
    return this.#ready.promise;
  }

  /** Calls the listener when the ring has new events. */
  onEvents(listener: () => void): void {
    this.#listeners.add(listener);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#ready.reject(new Error("The outbox tailer has stopped."));
    this.#wake();
    const timer = setTimeout(() => this.#client && streamOf(this.#client).destroy(), graceMs);
    await this.#running;
    clearTimeout(timer);
  }

  get #isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      try {
        await this.#follow();
      } catch (error) {
        if (this.#isStopped) return;
        this.#options.onError(error as Error);
        const backoffMs = Math.min(50 * 2 ** this.#failures++, maxBackoffMs);
        await delay(backoffMs, undefined, { signal: this.#stop.signal }).catch(() => {});
      }
    }
  }

  /** Returns after a stop. @throws if the connection breaks */
  async #follow(): Promise<void> {
    const { url, silenceMs = 10_000 } = this.#options;
    const client = new DatabaseClient({
      connectionString: url,
      application_name: "lectern outbox",
      connectionTimeoutMillis: silenceMs,
      query_timeout: silenceMs,
      keepAlive: true,
    });
    this.#client = client;
    let failure: Error | undefined;
    const lose = (error: Error) => {
      failure ??= error;
      this.#wake();
    };
    client.on("notification", () => {
      this.#isWoken = true;
      this.#wake();
    });
    client.on("error", lose);
    client.on("end", () => lose(new Error("Connection terminated.")));
    try {
      await client.connect();
      // LISTEN before the first read, so that no event is missed between.
      await client.query("listen outbox");
      while (!this.#isStopped) {
        this.#isWoken = false;
        await this.#readAll(client);
        this.#failures = 0;
        await this.#sleep(() => failure !== undefined);
        if (failure) throw failure;
      }
      // `stop` destroys the socket if this is not answered.
      await client.end();
    } catch (error) {
      // Not `end`, which would never settle on a dead network.
      streamOf(client).destroy();
      throw error;
    }
  }

  async #readAll(client: pg.Client): Promise<void> {
    this.#ring ??= await this.#startingRing(client);
    const ring = this.#ring;
    this.#ready.resolve(ring);
    for (;;) {
      const { events } = pageOf((await client.query(pageStatement(ring.head, pageSize))).rows);
      for (const event of events) ring.add(event);
      if (events.length > 0) for (const listener of this.#listeners) listener();
      if (events.length < pageSize || this.#isStopped) return;
    }
  }

  async #startingRing(client: pg.Client): Promise<EventRing> {
    const { newest } = pageOf((await client.query(pageStatement(Number.MAX_SAFE_INTEGER, 1))).rows);
    return new EventRing(this.#options.capacity, newest);
  }

  /** Resolves after a wake-up, or when the poll is due. */
  async #sleep(isLost: () => boolean): Promise<void> {
    if (this.#isWoken || this.#isStopped || isLost()) return;
    await new Promise<void>((resume) => {
      const timer = setTimeout(resume, this.#options.pollMs ?? 2_000);
      this.#wake = () => {
        clearTimeout(timer);
        resume();
      };
    });
    this.#wake = () => {};
  }
}
