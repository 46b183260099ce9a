/**
 * All subscriptions of a process: their limits, their wake-ups and their ends. The first subscription starts the tailer
 * of the outbox.
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
  maxPerSubscriber: number;
  /** Limit of the process. */
  maxSubscriptions: number;
  /** Interval of `checkAll`. */
  checkMs?: number;
  /** Timeout of a client that does not read its next event. */
  maxIdleMs?: number;
  /** Timeout of an ended subscription's client for reading the error, before its connection is broken. */
  readErrorMs?: number;
};

export type SubscribeOptions<Delivery> = {
  /** The user whose subscriptions are counted. Null: strangers, counted as one, who get at most half of all. */
  subscriber: string | null;
  /** Cursor after which events are replayed. Absent: only future events. */
  after?: string | null;
  of: EventsOf;
  /** See `SubscriptionOptions.deliver`. The cursor encodes the event's position. */
  deliver: (event: OutboxEvent, cursor: string) => Promise<Delivery | null>;
  /** Called at every check, also without events. An error that is not transient ends the subscription. */
  check: () => Promise<void>;
  connection: ClientConnection;
};

/** The connection over which a client receives its subscription. */
export type ClientConnection = {
  onClose(listener: () => void): void;
  /** Breaks the connection of a client that does not read. */
  destroy(): void;
};

/** All topics share one order, so cursors are valid for all of them. */
const cursorScope = "outbox";
/** Maximum number of rows that a subscription holds during a replay. */
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

  /** Number of subscriptions that count towards the limits: open ones, and those that are being opened. */
  get subscriptions(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Number of open subscriptions. */
  get open(): number {
    return [...this.#watched].filter(({ subscription }) => !subscription.isEnded).length;
  }

  /**
   * @throws ApplicationError OVERLOADED if there are too many, BAD_USER_INPUT if `after` is out of date
   * @throws PageArgumentError if `after` is invalid
   */
  async subscribe<Delivery>(options: SubscribeOptions<Delivery>): Promise<Subscription<Delivery>> {
    const { subscriber, after, of, deliver, check, connection } = options;
    const { cursors, tailer } = this.#options;
    const from = after == null ? undefined : Number(cursors.decode(cursorScope, after, "after")[0]);
    this.#take(subscriber);
    try {
      const ring = await tailer.ring();
      // The table decides: the ring may lack the newest events, and does not know whether old positions are complete.
      const bounds = await this.#readPage(from ?? Number.MAX_SAFE_INTEGER);
      if (from !== undefined) requireKnown(from, bounds);
      const cursorOf = (position: number) => cursors.encode(cursorScope, [position]);
      const subscription = new Subscription<Delivery>({
        ring,
        readPage: (position) => this.#readPage(position, of),
        position: from ?? bounds.newest,
        concerns: ({ topic, rowId }) => topic === of.topic && rowId === (of.rowId ?? rowId),
        deliver: (event) => deliver(event, cursorOf(event.position)),
        isTransient,
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

  /** Checks each subscription: whether it may continue, and whether its client reads. */
  checkAll(): void {
    const { maxIdleMs = 60_000, readErrorMs = 5_000 } = this.#options;
    for (const watched of this.#watched) {
      const { subscription, check, connection } = watched;
      if (subscription.isEnded) {
        if (subscription.hasDeliveredAll) this.#watched.delete(watched);
        else if (subscription.idleMs > readErrorMs) connection.destroy();
        continue;
      }
      if (subscription.idleMs > maxIdleMs) subscription.drop("The client has not read for too long");
      else subscription.notice();
      // After a transient error, the next check is the retry.
      check().catch((error) => isTransient(error) || subscription.end(error));
    }
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Ends all subscriptions; clients may continue on another server. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    for (const { subscription } of this.#watched) subscription.drop("The server is stopping");
    await this.#options.tailer.stop();
  }

  #take(subscriber: string | null): void {
    const { maxPerSubscriber, maxSubscriptions } = this.#options;
    const maximum = subscriber === null ? Math.ceil(maxSubscriptions / 2) : maxPerSubscriber;
    const count = this.#counts.get(subscriber) ?? 0;
    if (this.#isStopped) throw new ApplicationError("OVERLOADED", "The server is stopping: try another.");
    if (this.subscriptions >= maxSubscriptions) {
      throw new ApplicationError("OVERLOADED", "The server has too many subscriptions: try again later.");
    }
    if (count >= maximum) {
      throw new ApplicationError("OVERLOADED", `You already have ${count} subscriptions, the maximum: end one first.`);
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
    if (this.#isStopped) watched.subscription.drop("The server is stopping");
  }

  async #readPage(after: number, of?: EventsOf) {
    return pageOf(await this.#options.reader.read(pageStatement(after, replayPageSize, of)));
  }
}

/** Errors of a database that is unavailable or overloaded, after which a retry may succeed. */
function isTransient(error: unknown): boolean {
  return (
    error instanceof ReadOverloadError ||
    [isConnectionLoss, isUnavailable, isOverload, isTimeout].some((isOfKind) => isOfKind(error))
  );
}
