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

/** What became of a call that only the holder of a claim may make. */
export type Verdict = {
  /** False: the claim is lost, and nothing changed. */
  stands: boolean;
  /** Where it does not stand: the state, worker and claim that the call met, in words for the log. */
  met?: string;
};

export interface Queue<Job, Result> {
  /** Shown in logs. */
  readonly name: string;
  /** Takes up to `count` jobs. */
  claim(worker: string, count: number, leaseMs: number): Promise<Claim<Job>[]>;
  extend(claim: Claim<Job>, leaseMs: number, progress?: number): Promise<Verdict>;
  complete(claim: Claim<Job>, result: Result): Promise<Verdict>;
  /** Ends the attempt; there will be others, unless there were enough or `isFinal`. */
  fail(claim: Claim<Job>, reason: string, isFinal: boolean): Promise<Verdict>;
  /** Gives the job back without using up an attempt. */
  release(claim: Claim<Job>): Promise<Verdict>;
  /** Ends the attempts whose lease is over. Returns how many. */
  releaseExpired(): Promise<number>;
  /** When a pause or a lease ends that nobody will tell of: milliseconds from now, null when there is none. */
  nextEndMs(): Promise<number | null>;
  /** Calls back when there may be something to claim. Returns how to stop listening. */
  listen(wake: () => void): Promise<() => Promise<void>>;
}
