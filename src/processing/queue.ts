/** What a worker needs of a table that is a queue. The database keeps the promises; see docs/workers.md. */
export type Claim<Job> = {
  id: string;
  /** Proof that the job is ours. */
  token: string;
  attempt: number;
  job: Job;
};

/** The job can never be done: every further attempt would end the same way. */
export class ImpossibleJobError extends Error {
  override name = "ImpossibleJobError";
}

export interface Queue<Job, Result> {
  /** Shown in logs. */
  readonly name: string;
  /** Takes up to `count` jobs. */
  claim(worker: string, count: number, leaseMs: number): Promise<Claim<Job>[]>;
  /** False: the claim is lost. */
  extend(claim: Claim<Job>, leaseMs: number, progress?: number): Promise<boolean>;
  /** False: the claim was lost, and nothing changed. */
  complete(claim: Claim<Job>, result: Result): Promise<boolean>;
  /** Ends the attempt; there will be others, unless there were enough or `isFinal`. */
  fail(claim: Claim<Job>, reason: string, isFinal: boolean): Promise<boolean>;
  /** Gives the job back without using up an attempt. */
  release(claim: Claim<Job>): Promise<boolean>;
  /** Ends the attempts whose lease is over. Returns how many. */
  releaseExpired(): Promise<number>;
  /** Calls back when there may be something to claim. Returns how to stop listening. */
  listen(wake: () => void): Promise<() => Promise<void>>;
}
