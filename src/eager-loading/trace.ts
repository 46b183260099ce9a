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
};

export class Trace {
  readonly batches: Batch[] = [];
  roundTrips = 0;
  #underWay = 0;

  /** Times a trip to the database. Trips that overlap are one: nobody waited twice. */
  async trip<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#underWay++ === 0) this.roundTrips++;
    try {
      return await work();
    } finally {
      this.#underWay--;
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
