/**
 * A weighted semaphore: bounds the units that concurrent work uses, such as bytes in memory, objects to read, or
 * threads. Work takes all its units at once, so it cannot deadlock. Waiters are served in order.
 */

export type BudgetOptions = {
  total: number;
  /** Timeout of waiting. */
  waitMs: number;
  /** Makes the error that is thrown after the timeout. */
  refusal: () => Error;
};

export class Budget {
  readonly #options: BudgetOptions;
  readonly #waiting = new Set<{ units: number; begin: () => void }>();
  #free: number;

  constructor(options: BudgetOptions) {
    this.#options = options;
    this.#free = options.total;
  }

  /**
   * Waits until it is first in the queue and the units are free. Work that needs more than the total runs alone.
   *
   * @returns a function that releases the units
   * @throws `refusal()` after the timeout
   */
  async take(needed: number): Promise<() => void> {
    const { total, waitMs, refusal } = this.#options;
    const units = Math.min(needed, total);
    await new Promise<void>((begun, failed) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(waiter);
        failed(refusal());
        // This waiter may have blocked smaller ones after it.
        this.#begin();
      }, waitMs);
      const begin = () => {
        clearTimeout(timer);
        begun();
      };
      const waiter = { units, begin };
      this.#waiting.add(waiter);
      this.#begin();
    });
    return () => {
      this.#free += units;
      this.#begin();
    };
  }

  #begin(): void {
    for (const waiter of this.#waiting) {
      if (waiter.units > this.#free) return;
      this.#waiting.delete(waiter);
      this.#free -= waiter.units;
      waiter.begin();
    }
  }
}
