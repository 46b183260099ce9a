/**
 * Bounds what operations take at the same time, in units of its owner's choice: bytes of files that are held in memory,
 * objects that are read. An operation waits here for all that it needs, before it has anything that another may wait
 * for; so nobody who waits is waited for.
 */
import { ApplicationError } from "../errors.ts";

export type BudgetOptions = {
  total: number;
  /** How long an operation waits for its turn. */
  waitMs: number;
  /** The message of the error after the longest wait. */
  refusal: string;
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
   * Waits for its turn, and until so many units are free. An operation that needs more than there are works alone.
   *
   * @returns how to give them back
   * @throws ApplicationError OVERLOADED when that takes too long
   */
  async take(needed: number): Promise<() => void> {
    const { total, waitMs, refusal } = this.#options;
    const units = Math.min(needed, total);
    await new Promise<void>((begun, failed) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(place);
        failed(new ApplicationError("OVERLOADED", refusal));
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
