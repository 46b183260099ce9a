/**
 * One client's iterator over the outbox. It holds its position, a page of the table during a replay, and a few
 * prefetched results. Its memory is bounded, even if the client is slow.
 *
 * States: replaying (reads pages of the table until it reaches the ring) ⇄ live (takes events from the ring, or waits
 * for one) → ended: by its client, by an error that is delivered last, or because the client was so slow that the ring
 * overwrote its next event.
 */
import { setTimeout as delay } from "node:timers/promises";
import { ApplicationError } from "../errors.ts";
import type { EventRing } from "./event-ring.ts";
import type { OutboxEvent, OutboxPage } from "./outbox-event.ts";

export type SubscriptionOptions<Delivery> = {
  ring: EventRing;
  /** Reads the table's events for this subscription after a position. */
  readPage: (after: number) => Promise<OutboxPage>;
  /** The first event is the next one after this position. */
  position: number;
  /** Whether the event may concern the subscription: a cheap filter before `deliver`. */
  concerns: (event: OutboxEvent) => boolean;
  /**
   * Makes the result that is delivered for an event; null: none. Retried after transient errors, so that a broken
   * connection loses no event; other errors end the subscription.
   */
  deliver: (event: OutboxEvent) => Promise<Delivery | null>;
  isTransient: (error: unknown) => boolean;
  /** The cursor of a position, with which a dropped client can resume. */
  cursorOf: (position: number) => string;
  onEnd: () => void;
};

const maxBackoffMs = 2_000;
/** Number of concurrently prefetched results: without them, a replay would wait for the database at each event. */
const maxPrefetched = 16;
/** Prefetched results older than this are reloaded: visibility may have changed. */
const staleMs = 500;
/** A client without a request for this long counts as slow. Otherwise the server itself may cause the lag. */
const notReadingMs = 1_000;

type Prefetched<Delivery> = { event: OutboxEvent; delivery: Promise<Delivery | null>; readyAt: number };

export class Subscription<Delivery> implements AsyncIterableIterator<Delivery> {
  readonly #options: SubscriptionOptions<Delivery>;
  /** Position of the last delivered event. */
  #position: number;
  /** Position of the last event that was taken from the table or the ring. */
  #readTo: number;
  #page: OutboxEvent[] = [];
  #prefetched: Prefetched<Delivery>[] = [];
  #isLive = false;
  #isEnded = false;
  /** The error that is still to be delivered. */
  #error: unknown;
  #wake = () => {};
  /** Start of the time without a request; undefined during a request. */
  #idleSince: number | undefined = performance.now();

  constructor(options: SubscriptionOptions<Delivery>) {
    this.#options = options;
    this.#position = options.position;
    this.#readTo = options.position;
  }

  /** Milliseconds since the client's last request or the subscription itself ended; 0 during a request. */
  get idleMs(): number {
    return this.#idleSince === undefined ? 0 : performance.now() - this.#idleSince;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** True if the subscription has ended and the client has read the error, if any. */
  get hasDeliveredAll(): boolean {
    return this.#isEnded && this.#error === undefined;
  }

  /** Called when the ring has new events, and at every check. */
  notice(): void {
    if (this.#isLive && this.#readTo < this.#options.ring.floor && this.idleMs > notReadingMs) {
      this.drop("The client reads more slowly than events arrive");
    }
    this.#wake();
  }

  /** Ends the subscription with an error that holds the cursor to resume from. */
  drop(reason: string): void {
    const cursor = this.#options.cursorOf(this.#position);
    this.end(new ApplicationError("OVERLOADED", `${reason}: subscribe again with \`after\`.`, { cursor }));
  }

  /** @param error delivered as the last result; absent if the client ended the subscription */
  end(error?: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#error = error;
    // A client that has not read for long still has time to read the error.
    if (this.#idleSince !== undefined) this.#idleSince = performance.now();
    this.#page = [];
    this.#prefetched = [];
    this.#options.onEnd();
    this.#wake();
  }

  async next(): Promise<IteratorResult<Delivery, undefined>> {
    this.#idleSince = undefined;
    try {
      while (!this.#isEnded) {
        this.#prefetch();
        const [first] = this.#prefetched;
        if (!first) {
          this.#position = this.#readTo;
          await this.#more();
          continue;
        }
        const isStale = performance.now() - first.readyAt > staleMs;
        const delivery = await (isStale ? this.#deliver(first.event) : first.delivery);
        if (this.#isEnded) break;
        this.#prefetched.shift();
        this.#position = first.event.position;
        if (delivery !== null) return { value: delivery, done: false };
      }
    } catch (error) {
      this.end(error);
    } finally {
      this.#idleSince = performance.now();
    }
    const error = this.#error;
    this.#error = undefined;
    if (error !== undefined) throw error;
    return { value: undefined, done: true };
  }

  async return(): Promise<IteratorResult<Delivery, undefined>> {
    this.end();
    return { value: undefined, done: true };
  }

  async throw(error: unknown): Promise<IteratorResult<Delivery, undefined>> {
    this.end();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end();
  }

  /** Prefetches results of events that are already in memory. */
  #prefetch(): void {
    while (this.#prefetched.length < maxPrefetched) {
      const event = this.#take();
      if (!event) return;
      this.#readTo = event.position;
      if (!this.#options.concerns(event)) continue;
      const prefetched: Prefetched<Delivery> = {
        event,
        delivery: this.#deliver(event),
        readyAt: Number.POSITIVE_INFINITY,
      };
      const isReady = () => {
        prefetched.readyAt = performance.now();
      };
      prefetched.delivery.then(isReady, isReady);
      this.#prefetched.push(prefetched);
    }
  }

  #take(): OutboxEvent | undefined {
    const { ring } = this.#options;
    return this.#page.shift() ?? (this.#readTo >= ring.floor ? ring.after(this.#readTo) : undefined);
  }

  /** Resolves when there may be another event, or when the subscription has ended. */
  async #more(): Promise<void> {
    this.#isLive = this.#readTo >= this.#options.ring.floor;
    if (this.#isLive) {
      await new Promise<void>((resume) => {
        this.#wake = resume;
      });
    } else {
      const page = await this.#retrying(() => this.#options.readPage(this.#readTo));
      requireKnown(this.#readTo, page);
      this.#page = page.events;
      // No matching events up to `newest`.
      if (page.events.length === 0) this.#readTo = page.newest;
    }
  }

  #deliver(event: OutboxEvent): Promise<Delivery | null> {
    return this.#retrying(() => this.#options.deliver(event));
  }

  async #retrying<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let failures = 0; ; failures++) {
      try {
        return await work();
      } catch (error) {
        if (this.#isEnded || !this.#options.isTransient(error)) throw error;
        await delay(Math.min(20 * 2 ** failures, maxBackoffMs), undefined, { ref: false });
      }
    }
  }
}

/** @throws ApplicationError if events after the position have been pruned */
export function requireKnown(position: number, { oldest, newest }: Pick<OutboxPage, "oldest" | "newest">): void {
  if (position >= oldest && position <= newest) return;
  throw new ApplicationError(
    "BAD_USER_INPUT",
    "This cursor is out of date: events after it have been deleted. Load the data and subscribe again.",
    { inputPath: ["after"], reason: "CURSOR_OUT_OF_DATE" },
  );
}
