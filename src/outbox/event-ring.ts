/**
 * The latest events, in memory once for all subscribers: each of them holds no more than its position. A new event
 * overwrites the oldest when the ring is full.
 */
import type { OutboxEvent } from "./outbox-event.ts";

export class EventRing {
  readonly #slots: OutboxEvent[] = [];
  readonly #capacity: number;
  /** How many events were ever added: the next goes to `#added % capacity`. */
  #added = 0;
  #floor: number;
  #head: number;

  /** @param start the position from which on all events will be added */
  constructor(capacity: number, start: number) {
    this.#capacity = capacity;
    this.#floor = start;
    this.#head = start;
  }

  /** The position of the newest event. */
  get head(): number {
    return this.#head;
  }

  /** The ring holds every event behind this position, up to `head`. */
  get floor(): number {
    return this.#floor;
  }

  add(event: OutboxEvent): void {
    const place = this.#added % this.#capacity;
    const overwritten = this.#slots[place];
    if (overwritten) this.#floor = overwritten.position;
    this.#slots[place] = event;
    this.#added++;
    this.#head = event.position;
  }

  /** The first event behind a position that is not below `floor`, or undefined when there is none yet. */
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

  #at(index: number): OutboxEvent {
    return this.#slots[index % this.#capacity] as OutboxEvent;
  }
}
