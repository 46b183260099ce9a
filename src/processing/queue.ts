/** What a worker needs of a table that is a queue. The database keeps the promises; see docs/workers.md. */
export type Claim<Job> = {
  id: string;
  /** Proof that the job is ours. */
  token: string;
  attempt: number;
  job: Job;
};

export interface Queue<Job, Result> {
  /** Shown in logs. */
  readonly name: string;
  /** Takes up to `count` jobs. */
  claim(worker: string, count: number, leaseMs: number): Promise<Claim<Job>[]>;
  /** False: the claim is lost. */
  extend(claim: Claim<Job>, leaseMs: number, progress?: number): Promise<boolean>;
  /** False: the claim was lost, and nothing changed. */
  complete(claim: Claim<Job>, result: Result): Promise<boolean>;
  fail(claim: Claim<Job>, reason: string): Promise<boolean>;
  /** Gives the job back without using up an attempt. */
  release(claim: Claim<Job>): Promise<boolean>;
  /** Ends the attempts whose lease is over. Returns how many. */
  releaseExpired(): Promise<number>;
  /** Calls back when there may be something to claim. Returns how to stop listening. */
  listen(wake: () => void): Promise<() => Promise<void>>;
}
