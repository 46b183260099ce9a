/**
 * Follows the outbox for a whole process, over one connection: NOTIFY wakes it, a poll finds what a lost notification
 * would have told, and what it reads goes into the ring.
 *
 * States: new → connecting → following → (the connection broke) connecting again, after a pause that doubles → stopped.
 * It goes on where it was, so the ring has no gap, however often the connection breaks.
 */
import { setTimeout as pause } from "node:timers/promises";
import type pg from "pg";
import { DatabaseClient } from "../database/client.ts";
import { streamOf } from "../database/pg-internals.ts";
import { EventRing } from "./event-ring.ts";
import { pageOf, pageStatement } from "./outbox-event.ts";

export type TailerOptions = {
  url: string;
  /** Events that the ring holds. */
  capacity: number;
  /** How often it looks without being woken. */
  pollMs?: number;
  /** How long the database may leave it without an answer: a network that swallows everything is noticed after that. */
  silenceMs?: number;
  onError: (error: Error) => void;
};

const pageSize = 1_000;
const longestPauseMs = 5_000;
/** How long a stop waits for what is under way. */
const patienceMs = 1_000;

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
    // Nobody may be waiting when it is stopped.
    this.#ready.promise.catch(() => {});
  }

  /** Begins to follow, at the first call. The ring is there when the newest position is known. */
  ring(): Promise<EventRing> {
    this.#running ??= this.#run();
    return this.#ready.promise;
  }

  /** Calls the listener whenever there is something new in the ring. */
  onEvents(listener: () => void): void {
    this.#listeners.add(listener);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#ready.reject(new Error("The outbox is not followed any more."));
    this.#wake();
    const timer = setTimeout(() => this.#client && streamOf(this.#client).destroy(), patienceMs);
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
        const pauseMs = Math.min(50 * 2 ** this.#failures++, longestPauseMs);
        await pause(pauseMs, undefined, { signal: this.#stop.signal }).catch(() => {});
      }
    }
  }

  /** Returns when it is stopped. @throws when the connection breaks */
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
      // What is committed before this is read below, what is committed after it is told.
      await client.query("listen outbox");
      while (!this.#isStopped) {
        this.#isWoken = false;
        await this.#readAll(client);
        this.#failures = 0;
        await this.#sleep(() => failure !== undefined);
        if (failure) throw failure;
      }
      // A stop breaks it where the goodbye is not answered.
      await client.end();
    } catch (error) {
      // No goodbye: where the network swallows everything, it would be waited for.
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

  /** Until there is something to do, or the poll is due. */
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
