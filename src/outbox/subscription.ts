/**
 * One subscriber's way through the outbox, as an iterator of what it is told. It holds its place, a page of the table
 * while it replays what it missed, and a few events that are being made ready: no queue grows while its client is slow.
 *
 * States: replaying (reads pages of the table, until it has come as far as the ring) ⇄ live (takes events from the ring,
 * or waits for one) → ended: by its client, by an error that the client is told as the last thing, or because its client
 * did not read while the ring went past it.
 */
import { setTimeout as pause } from "node:timers/promises";
import { ApplicationError } from "../errors.ts";
import type { EventRing } from "./event-ring.ts";
import type { OutboxEvent, OutboxPage } from "./outbox-event.ts";

export type SubscriptionOptions<Told> = {
  ring: EventRing;
  /** What the table holds for the subscriber behind a position. */
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
/** Events that are made ready at once, so that who is behind does not wait for the database at each of them. */
const maxAhead = 16;
/** What was made ready and not taken for so long is made again: the viewer may not see it any more. */
const staleMs = 500;
/** A client that asks for nothing for so long does not read; one that does is behind because we are slow. */
const notReadingMs = 1_000;

type Ahead<Told> = { event: OutboxEvent; told: Promise<Told | null>; readyAt: number };

export class Subscription<Told> implements AsyncIterableIterator<Told> {
  readonly #options: SubscriptionOptions<Told>;
  /** What lies behind this has not been told yet. */
  #position: number;
  /** What lies behind this has not been looked at yet. */
  #readTo: number;
  #page: OutboxEvent[] = [];
  #ahead: Ahead<Told>[] = [];
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
    this.#readTo = options.position;
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

  /** There is something new in the ring, or time has passed. */
  notice(): void {
    if (this.#isLive && this.#readTo < this.#options.ring.floor && this.idleMs > notReadingMs) {
      this.drop("You read more slowly than things change");
    }
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
    this.#ahead = [];
    this.#options.onEnd();
    this.#wake();
  }

  async next(): Promise<IteratorResult<Told, undefined>> {
    this.#idleSince = undefined;
    try {
      while (!this.#isEnded) {
        this.#lookAhead();
        const [first] = this.#ahead;
        if (!first) {
          this.#position = this.#readTo;
          await this.#more();
          continue;
        }
        const isStale = performance.now() - first.readyAt > staleMs;
        const told = await (isStale ? this.#tell(first.event) : first.told);
        if (this.#isEnded) break;
        this.#ahead.shift();
        this.#position = first.event.position;
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

  /** Begins with what is here already. */
  #lookAhead(): void {
    while (this.#ahead.length < maxAhead) {
      const event = this.#take();
      if (!event) return;
      this.#readTo = event.position;
      if (!this.#options.concerns(event)) continue;
      const ahead: Ahead<Told> = { event, told: this.#tell(event), readyAt: Number.POSITIVE_INFINITY };
      const isReady = () => {
        ahead.readyAt = performance.now();
      };
      ahead.told.then(isReady, isReady);
      this.#ahead.push(ahead);
    }
  }

  #take(): OutboxEvent | undefined {
    const { ring } = this.#options;
    return this.#page.shift() ?? (this.#readTo >= ring.floor ? ring.after(this.#readTo) : undefined);
  }

  /** Resolves when there may be another event, or when it has ended. */
  async #more(): Promise<void> {
    this.#isLive = this.#readTo >= this.#options.ring.floor;
    if (this.#isLive) {
      await new Promise<void>((resume) => {
        this.#wake = resume;
      });
    } else {
      const page = await this.#trying(() => this.#options.readPage(this.#readTo));
      requireKnown(this.#readTo, page);
      this.#page = page.events;
      // What lies between was not meant.
      if (page.events.length === 0) this.#readTo = page.newest;
    }
  }

  #tell(event: OutboxEvent): Promise<Told | null> {
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
