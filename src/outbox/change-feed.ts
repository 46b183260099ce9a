/**
 * All subscriptions of a process: how many there may be, what wakes them, and when each of them ends. It follows the
 * outbox from the first subscription on.
 */

import { ReadOverloadError } from "../database/read-connection.ts";
import { isConnectionLoss, isOverload, isTimeout, isUnavailable } from "../database/sql-errors.ts";
import type { CursorCodec } from "../eager-loading/cursor.ts";
import type { Reader } from "../eager-loading/reader.ts";
import { ApplicationError } from "../errors.ts";
import { type EventsOf, type OutboxEvent, pageOf, pageStatement } from "./outbox-event.ts";
import { requireKnown, Subscription } from "./subscription.ts";
import type { OutboxTailer } from "./tailer.ts";

export type ChangeFeedOptions = {
  tailer: OutboxTailer;
  reader: Reader;
  cursors: CursorCodec;
  /** Subscriptions of one subscriber, and of all together. */
  maxPerSubscriber: number;
  maxSubscriptions: number;
  /** How often each subscription is looked at. */
  checkMs?: number;
  /** How long a client may leave its next event untaken. */
  maxIdleMs?: number;
  /** How long one that was dropped has to take the news of it, before its connection is broken. */
  lastWordMs?: number;
};

export type SubscribeOptions<Told> = {
  /** Who is counted; null: strangers, who are counted as one and may take half of all places. */
  subscriber: string | null;
  /** A cursor: what came after it is told first. Absent: from now on. */
  after?: string | null;
  of: EventsOf;
  /** See `SubscriptionOptions.tell`. The cursor stands for the event's place. */
  tell: (event: OutboxEvent, cursor: string) => Promise<Told | null>;
  /** Looked at every second or so, also while nothing happens. @throws what ends the subscription */
  check: () => Promise<void>;
  connection: ClientConnection;
};

/** What carries a subscription to its client. */
export type ClientConnection = {
  onClose(listener: () => void): void;
  /** Breaks it, because its client does not read. */
  destroy(): void;
};

/** What cursors belong to: all topics share one order. */
const cursorPlace = "outbox";
/** Events of the table that a subscription holds while it replays. */
const replayPageSize = 100;

type Watched = { subscription: Subscription<unknown>; check: () => Promise<void>; connection: ClientConnection };

export class ChangeFeed {
  readonly #options: ChangeFeedOptions;
  readonly #watched = new Set<Watched>();
  readonly #counts = new Map<string | null, number>();
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
    options.tailer.onEvents(() => {
      for (const { subscription } of this.#watched) subscription.notice();
    });
  }

  /** Places that are taken: by open subscriptions, and by those that are about to be. */
  get places(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Open subscriptions. */
  get open(): number {
    return [...this.#watched].filter(({ subscription }) => !subscription.isEnded).length;
  }

  /**
   * @throws ApplicationError OVERLOADED when there are too many, BAD_USER_INPUT when `after` is out of date
   * @throws PageArgumentError when `after` was not made here
   */
  async subscribe<Told>(options: SubscribeOptions<Told>): Promise<Subscription<Told>> {
    const { subscriber, after, of, tell, check, connection } = options;
    const { cursors, tailer } = this.#options;
    const from = after == null ? undefined : Number(cursors.decode(cursorPlace, after, "after")[0]);
    this.#take(subscriber);
    try {
      const ring = await tailer.ring();
      // The ring may be a moment behind, so what is newest, and whether a place is known, is the table's to say.
      const bounds = await this.#readPage(from ?? Number.MAX_SAFE_INTEGER);
      if (from !== undefined) requireKnown(from, bounds);
      const cursorOf = (place: number) => cursors.encode(cursorPlace, [place]);
      const subscription = new Subscription<Told>({
        ring,
        readPage: (behind) => this.#readPage(behind, of),
        position: from ?? bounds.newest,
        concerns: ({ topic, rowId }) => topic === of.topic && rowId === (of.rowId ?? rowId),
        tell: (event) => tell(event, cursorOf(event.position)),
        isPassing,
        cursorOf,
        onEnd: () => this.#free(subscriber),
      });
      this.#watch({ subscription, check, connection });
      return subscription;
    } catch (error) {
      this.#free(subscriber);
      throw error;
    }
  }

  /** Looks at each of them: whether it may go on, and whether its client still reads. */
  checkAll(): void {
    const { maxIdleMs = 60_000, lastWordMs = 5_000 } = this.#options;
    for (const watched of this.#watched) {
      const { subscription, check, connection } = watched;
      if (subscription.isEnded) {
        if (subscription.hasToldAll) this.#watched.delete(watched);
        else if (subscription.idleMs > lastWordMs) connection.destroy();
        continue;
      }
      if (subscription.idleMs > maxIdleMs) subscription.drop("You have not read for too long");
      else subscription.notice();
      // What is passing is tried again at the next look.
      check().catch((error) => isPassing(error) || subscription.end(error));
    }
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Ends all subscriptions; their clients may go on at another server. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    for (const { subscription } of this.#watched) subscription.drop("The server stops");
    await this.#options.tailer.stop();
  }

  #take(subscriber: string | null): void {
    const { maxPerSubscriber, maxSubscriptions } = this.#options;
    const most = subscriber === null ? Math.ceil(maxSubscriptions / 2) : maxPerSubscriber;
    const count = this.#counts.get(subscriber) ?? 0;
    if (this.#isStopped) throw new ApplicationError("OVERLOADED", "The server stops: try another.");
    if (this.places >= maxSubscriptions) {
      throw new ApplicationError("OVERLOADED", "Too many are watching: try again in a moment.");
    }
    if (count >= most) {
      throw new ApplicationError(
        "OVERLOADED",
        `You have ${count} subscriptions, the most that you may: end one first.`,
      );
    }
    this.#counts.set(subscriber, count + 1);
  }

  #free(subscriber: string | null): void {
    const left = (this.#counts.get(subscriber) ?? 0) - 1;
    if (left > 0) this.#counts.set(subscriber, left);
    else this.#counts.delete(subscriber);
  }

  #watch(watched: Watched): void {
    this.#watched.add(watched);
    watched.connection.onClose(() => {
      watched.subscription.end();
      this.#watched.delete(watched);
    });
    this.#timer ??= setInterval(() => this.checkAll(), this.#options.checkMs ?? 1_000).unref();
    if (this.#isStopped) watched.subscription.drop("The server stops");
  }

  async #readPage(after: number, of?: EventsOf) {
    return pageOf(await this.#options.reader.read(pageStatement(after, replayPageSize, of)));
  }
}

/** Errors of a database that is not there or too busy just now: another try may succeed. */
function isPassing(error: unknown): boolean {
  return (
    error instanceof ReadOverloadError ||
    [isConnectionLoss, isUnavailable, isOverload, isTimeout].some((isOfKind) => isOfKind(error))
  );
}
