/**
 * Bounds what work takes at the same time, in units of its owner's choice: bytes of files that are held in memory,
 * objects that are read, threads. Work takes all that it needs at once, so no two wait for each other.
 */

export type BudgetOptions = {
  total: number;
  /** How long work waits for its turn. */
  waitMs: number;
  /** The error after the longest wait. */
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
   * Waits for its turn, and until so many units are free. Work that needs more than there are runs alone.
   *
   * @returns how to give them back
   * @throws the owner's `refusal` when that takes too long
   */
  async take(needed: number): Promise<() => void> {
    const { total, waitMs, refusal } = this.#options;
    const units = Math.min(needed, total);
    await new Promise<void>((begun, failed) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(place);
        failed(refusal());
        // It may have kept smaller ones from theirs.
        this.#begin();
      }, waitMs);
      const begin = () => {
        clearTimeout(timer);
        begun();
      };
      const place = { units, begin };
      this.#waiting.add(place);
      this.#begin();
    });
    return () => {
      this.#free += units;
      this.#begin();
    };
  }

  #begin(): void {
    for (const place of this.#waiting) {
      if (place.units > this.#free) return;
      this.#waiting.delete(place);
      this.#free -= place.units;
      place.begin();
    }
  }
}
