/** One statement of an operation. */
export type Batch = {
  /** The relation, or another name for the statement's purpose. */
  relation: string;
  /** Number of keys; null if the keys are a sub-select. */
  keys: number | null;
  rows: number;
  ms: number;
  /** True if the plan sent the statement. */
  planned: boolean;
  /** Present if the statement failed. */
  failed?: true;
};

export class Trace {
  readonly batches: Batch[] = [];
  /** Longest chain of sequential round trips. */
  roundTrips = 0;
  #endedDepth = 0;

  /** Counts a round trip while the work waits for the database. */
  async trip<Result>(work: () => Promise<Result>): Promise<Result> {
    const depth = this.#endedDepth + 1;
    this.roundTrips = Math.max(this.roundTrips, depth);
    try {
      return await work();
    } finally {
      this.#endedDepth = Math.max(this.#endedDepth, depth);
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
