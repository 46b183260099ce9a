/** The interface of a queue for workers. Functions of the database implement it; see docs/workers.md. */
export type Claim<Job> = {
  id: string;
  /** Proves the claim. */
  token: string;
  attempt: number;
  job: Job;
};

/** The job cannot succeed: every further attempt would fail in the same way. */
export class ImpossibleJobError extends Error {
  override name = "ImpossibleJobError";
}

/** Result of a call that only the holder of the claim may make. */
export type Verdict = {
  /** False: the claim is lost, and nothing changed. */
  stands: boolean;
  /** For the log, if the claim is lost: the state, worker and claim of the current holder. */
  holder?: string;
};

export interface Queue<Job, Result> {
  /** Shown in logs. */
  readonly name: string;
  /** Claims up to `count` jobs. */
  claim(worker: string, count: number, leaseMs: number): Promise<Claim<Job>[]>;
  extend(claim: Claim<Job>, leaseMs: number, progress?: number): Promise<Verdict>;
  complete(claim: Claim<Job>, result: Result): Promise<Verdict>;
  /** Ends the attempt. The job will be retried, unless `isFinal` or no attempts are left. */
  fail(claim: Claim<Job>, reason: string, isFinal: boolean): Promise<Verdict>;
  /** Releases the claim without using up an attempt. */
  release(claim: Claim<Job>): Promise<Verdict>;
  /** Ends the attempts whose lease has expired. Returns their number. */
  releaseExpired(): Promise<number>;
  /** Milliseconds until the next retry delay or lease ends; null if there is none. Neither sends a notification. */
  nextEndMs(): Promise<number | null>;
  /** Calls `wake` when there may be jobs to claim. Returns a function that stops listening. */
  listen(wake: () => void): Promise<() => Promise<void>>;
}
