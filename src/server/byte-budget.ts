/**
 * Bounds the memory for files while operations run: a text is held whole then. Everybody waits here, with all files on
 * disk and before any transaction begins, and takes all that is needed at once; so nobody who waits is waited for.
 */
import { ApplicationError } from "../errors.ts";

export class ByteBudget {
  readonly #total: number;
  readonly #waitMs: number;
  readonly #waiting = new Set<{ bytes: number; begin: () => void }>();
  #free: number;

  constructor(total: number, waitMs: number) {
    this.#total = total;
    this.#waitMs = waitMs;
    this.#free = total;
  }

  /**
   * Waits for its turn, and until so many bytes are free. Who needs more than there are works alone.
   *
   * @returns how to give them back
   * @throws ApplicationError OVERLOADED when that takes too long
   */
  async take(needed: number): Promise<() => void> {
    const bytes = Math.min(needed, this.#total);
    await new Promise<void>((begun, failed) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(place);
        failed(new ApplicationError("OVERLOADED", "Too many files are being taken in: send them again in a moment."));
        // It may have kept smaller ones from theirs.
        this.#begin();
      }, this.#waitMs);
      const begin = () => {
        clearTimeout(timer);
        begun();
      };
      const place = { bytes, begin };
      this.#waiting.add(place);
      this.#begin();
    });
    return () => {
      this.#free += bytes;
      this.#begin();
    };
  }

  #begin(): void {
    for (const place of this.#waiting) {
      if (place.bytes > this.#free) return;
      this.#waiting.delete(place);
      this.#free -= place.bytes;
      place.begin();
    }
  }
}
