/**
 * One subscriber's way through the outbox, as an iterator of what it is told. It holds a position and, while it replays
 * what it missed, one page of the table: no queue grows while its client is slow.
 *
 * States: replaying (reads pages of the table, until it has come as far as the ring) → live (takes events from the ring,
 * or waits for one) → ended: by its client, by an error that the client is told as the last thing, or because it fell
 * out of the ring.
 */
import { setTimeout as pause } from "node:timers/promises";
import { ApplicationError } from "../errors.ts";
import type { EventRing } from "./event-ring.ts";
import type { OutboxEvent, OutboxPage } from "./outbox-event.ts";

export type SubscriptionOptions<Told> = {
  ring: EventRing;
  /** What the table holds behind a position. */
  readPage: (after: number) => Promise<OutboxPage>;
  /** Where it starts: behind this position. */
  position: number;
  /** Whether the event may concern the subscriber: asked first, and of every event. */
  concerns: (event: OutboxEvent) => boolean;
  /**
   * What the subscriber is told of an event; null: nothing. Asked again when `isPassing` says of its error that another
   * try may succeed, so that no event is lost to a broken connection.
   *
   * @throws what ends the subscription
   */
  tell: (event: OutboxEvent) => Promise<Told | null>;
  isPassing: (error: unknown) => boolean;
  /** The cursor of a position, for a client that has to come back. */
  cursorOf: (position: number) => string;
  onEnd: () => void;
};

const longestPauseMs = 2_000;

export class Subscription<Told> implements AsyncIterableIterator<Told> {
  readonly #options: SubscriptionOptions<Told>;
  #position: number;
  #page: OutboxEvent[] = [];
  #isLive = false;
  #isEnded = false;
  /** What the client is still to be told. */
  #error: unknown;
  #wake = () => {};
  /** Since when nobody has asked for the next event; undefined while somebody does. */
  #idleSince: number | undefined = performance.now();

  constructor(options: SubscriptionOptions<Told>) {
    this.#options = options;
    this.#position = options.position;
  }

  /** How long its client has not asked for another event, in milliseconds. */
  get idleMs(): number {
    return this.#idleSince === undefined ? 0 : performance.now() - this.#idleSince;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** False while it has ended by an error that its client has not taken yet. */
  get hasToldAll(): boolean {
    return this.#isEnded && this.#error === undefined;
  }

  /** There is something new in the ring. */
  notice(): void {
    if (this.#isLive && this.#position < this.#options.ring.floor) this.drop("You read more slowly than things change");
    this.#wake();
  }

  /** Ends it for a client that could go on from where it was. */
  drop(reason: string): void {
    const cursor = this.#options.cursorOf(this.#position);
    this.end(new ApplicationError("OVERLOADED", `${reason}: subscribe again with \`after\`.`, { cursor }));
  }

  /** @param error told to the client as the last thing; absent: the client is gone */
  end(error?: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#error = error;
    this.#page = [];
    this.#options.onEnd();
    this.#wake();
  }

  async next(): Promise<IteratorResult<Told, undefined>> {
    this.#idleSince = undefined;
    try {
      while (!this.#isEnded) {
        const event = await this.#take();
        if (!event) continue;
        const told = await this.#tell(event);
        if (this.#isEnded) break;
        this.#position = event.position;
        if (told !== null) return { value: told, done: false };
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

  async return(): Promise<IteratorResult<Told, undefined>> {
    this.end();
    return { value: undefined, done: true };
  }

  async throw(error: unknown): Promise<IteratorResult<Told, undefined>> {
    this.end();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end();
  }

  /** The next event; undefined when there may be one now, or when it has ended. */
  async #take(): Promise<OutboxEvent | undefined> {
    const { ring } = this.#options;
    const paged = this.#page.shift();
    if (paged) return paged;
    if (this.#position < ring.floor) {
      this.#page = await this.#readPage();
      return this.#page.shift();
    }
    this.#isLive = true;
    const event = ring.after(this.#position);
    if (!event) await this.#sleep();
    return event;
  }

  async #readPage(): Promise<OutboxEvent[]> {
    const { oldest, newest, events } = await this.#trying(() => this.#options.readPage(this.#position));
    requireKnown(this.#position, { oldest, newest });
    return events;
  }

  async #tell(event: OutboxEvent): Promise<Told | null> {
    if (!this.#options.concerns(event)) return null;
    return this.#trying(() => this.#options.tell(event));
  }

  async #trying<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let failures = 0; ; failures++) {
      try {
        return await work();
      } catch (error) {
        if (this.#isEnded || !this.#options.isPassing(error)) throw error;
        await pause(Math.min(20 * 2 ** failures, longestPauseMs), undefined, { ref: false });
      }
    }
  }

  #sleep(): Promise<void> {
    if (this.#isEnded) return Promise.resolve();
    return new Promise((resume) => {
      this.#wake = resume;
    });
  }
}

/** @throws ApplicationError when what lies behind the position is not all there any more */
export function requireKnown(position: number, { oldest, newest }: Pick<OutboxPage, "oldest" | "newest">): void {
  if (position >= oldest && position <= newest) return;
  throw new ApplicationError(
    "BAD_USER_INPUT",
    "This cursor is out of date: what came after it is not kept any more. Load what you show again, and subscribe again.",
    { inputPath: ["after"], reason: "CURSOR_OUT_OF_DATE" },
  );
}
