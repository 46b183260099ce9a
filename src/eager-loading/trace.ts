/** What an operation asked of the database: one entry per statement. */
export type Batch = {
  /** The relation, or what else the statement was for. */
  relation: string;
  /** How many keys were asked; null where the keys were another statement's rows. */
  keys: number | null;
  rows: number;
  ms: number;
  /** True when the statement left with the plan. */
  planned: boolean;
  /** Present when it did not answer. */
  failed?: true;
};

export class Trace {
  readonly batches: Batch[] = [];
  /** The longest chain of trips of which each began after the one before had ended: what the operation waited for. */
  roundTrips = 0;
  #ended = 0;

  /** Notes that somebody waits for the database. */
  async trip<Result>(work: () => Promise<Result>): Promise<Result> {
    const place = this.#ended + 1;
    this.roundTrips = Math.max(this.roundTrips, place);
    try {
      return await work();
    } finally {
      this.#ended = Math.max(this.#ended, place);
    }
  }

  get statements(): number {
    return this.batches.length;
  }

  get rows(): number {
    return this.batches.reduce((sum, batch) => sum + batch.rows, 0);
  }

  get ms(): number {
    return this.batches.reduce((sum, batch) => sum + batch.ms, 0);
  }
}
