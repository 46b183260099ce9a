/**
 * The latest events, shared by all subscriptions, which hold only their positions. In a full ring, a new event
 * overwrites the oldest.
 */
import type { OutboxEvent } from "./outbox-event.ts";

export class EventRing {
  readonly #events: OutboxEvent[] = [];
  readonly #capacity: number;
  /** Number of events added so far; the next one's index is `#added % capacity`. */
  #added = 0;
  #floor: number;
  #head: number;

  /** @param start the position after which all events will be added */
  constructor(capacity: number, start: number) {
    this.#capacity = capacity;
    this.#floor = start;
    this.#head = start;
  }

  /** The position of the newest event. */
  get head(): number {
    return this.#head;
  }

  /** The ring holds all events after this position, up to `head`. */
  get floor(): number {
    return this.#floor;
  }

  add(event: OutboxEvent): void {
    const index = this.#added % this.#capacity;
    const overwritten = this.#events[index];
    if (overwritten) this.#floor = overwritten.position;
    this.#events[index] = event;
    this.#added++;
    this.#head = event.position;
  }

  /** The first event after a position, or undefined if there is none yet. The position is not below `floor`. */
  after(position: number): OutboxEvent | undefined {
    let low = Math.max(0, this.#added - this.#capacity);
    let high = this.#added;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#at(middle).position > position) high = middle;
      else low = middle + 1;
    }
    return low < this.#added ? this.#at(low) : undefined;
  }

  #at(number: number): OutboxEvent {
    return this.#events[number % this.#capacity] as OutboxEvent;
  }
}
