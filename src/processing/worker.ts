/**
 * A worker claims jobs of a queue and processes each until it is completed, has failed, or its claim is lost. Any
 * number of workers may run, in any number of processes.
 *
 * States: idle (waits for a wake-up, for the end of a retry delay or lease, or for the poll) → busy (fills its slots
 * until no job is left) → stopping (claims no jobs, and releases those that do not finish in time) → stopped.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Logger } from "pino";
import { type Claim, ImpossibleJobError, type Queue } from "./queue.ts";

export type WorkerOptions<Job, Result> = {
  queue: Queue<Job, Result>;
  /**
   * Processes a job. `signal` is aborted when the claim is lost or the worker stops. `report` takes the progress from
   * 0 to 1, at any rate.
   */
  work: (job: Job, signal: AbortSignal, report: (progress: number) => void) => Promise<Result>;
  /**
   * Removes what a result has made outside the database, such as files. Called when the claim was lost, so that no row
   * names it. Not called when the completion failed, because it may have been committed.
   */
  discard?: (result: Result) => Promise<void>;
  /** Maximum number of concurrent jobs. */
  slots: number;
  leaseMs: number;
  /** Interval of polling. */
  pollMs?: number;
  /** Time for which jobs may continue after `stop`. */
  graceMs?: number;
  logger: Logger;
};

/** Minimum interval between sweeps of expired leases, and between polls without a wake-up. */
const sweepMs = 500;
/** Minimum increase of progress that is reported before the next heartbeat is due. */
const progressStep = 0.05;
const beatMs = 500;

export class Worker<Job, Result> {
  readonly name = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`;
  readonly #options: WorkerOptions<Job, Result>;
  readonly #running = new Map<Claim<Job>, { abort: AbortController; done: Promise<void> }>();
  #stopListening: (() => Promise<void>) | undefined;
  #nextPoll: NodeJS.Timeout | undefined;
  #filling: Promise<void> | undefined;
  #sweptAt = Number.NEGATIVE_INFINITY;
  #isWoken = false;
  #isStopping = false;

  constructor(options: WorkerOptions<Job, Result>) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#stopListening = await this.#options.queue.listen(() => this.#wake());
    this.#wake();
  }

  async stop(): Promise<void> {
    const { graceMs = 5_000 } = this.#options;
    this.#isStopping = true;
    clearTimeout(this.#nextPoll);
    await this.#stopListening?.();
    await this.#filling;
    const timer = setTimeout(() => {
      for (const { abort } of this.#running.values()) abort.abort(new Error("The worker is stopping."));
    }, graceMs);
    await Promise.all([...this.#running.values()].map(({ done }) => done));
    clearTimeout(timer);
  }

  #wake(): void {
    this.#isWoken = true;
    if (this.#isStopping) return;
    this.#filling ??= this.#fill().finally(() => {
      this.#filling = undefined;
      if (this.#isWoken && this.#running.size < this.#options.slots) this.#wake();
    });
  }

  /** Claims jobs until none is left or all slots are in use, and then schedules the next poll. */
  async #fill(): Promise<void> {
    const { queue, slots, leaseMs, pollMs = 5_000, logger } = this.#options;
    let waitMs = pollMs;
    clearTimeout(this.#nextPoll);
    try {
      while (this.#isWoken && !this.#isStopping) {
        this.#isWoken = false;
        await this.#sweep();
        const free = slots - this.#running.size;
        if (free <= 0 || this.#isStopping) break;
        const claims = await queue.claim(this.name, free, leaseMs);
        for (const claim of claims) {
          // `stop` may have been called during the claim.
          if (this.#isStopping) await queue.release(claim);
          else this.#begin(claim);
        }
        // Delays and expired leases send no notification, so poll for them.
        if (claims.length < free && !this.#isWoken && !this.#isStopping) {
          waitMs = Math.min(pollMs, Math.max(sweepMs, (await queue.nextEndMs()) ?? pollMs));
        }
      }
    } catch (error) {
      logger.error({ err: error, queue: queue.name }, "claiming failed; the next poll will retry");
    }
    if (!this.#isStopping) this.#nextPoll = setTimeout(() => this.#wake(), waitMs);
  }

  async #sweep(): Promise<void> {
    const { queue, logger } = this.#options;
    if (performance.now() - this.#sweptAt < sweepMs) return;
    this.#sweptAt = performance.now();
    const expired = await queue.releaseExpired();
    if (expired > 0) logger.warn({ queue: queue.name, expired }, "leases expired");
  }

  #begin(claim: Claim<Job>): void {
    const abort = new AbortController();
    const done = this.#run(claim, abort).finally(() => {
      this.#running.delete(claim);
      this.#wake();
    });
    this.#running.set(claim, { abort, done });
  }

  async #run(claim: Claim<Job>, abort: AbortController): Promise<void> {
    const { queue, work, discard, logger } = this.#options;
    const log = { queue: queue.name, id: claim.id, worker: this.name, claim: claim.token, attempt: claim.attempt };
    let isCompleting = false;
    const heartbeat = new Heartbeat(this.#options, claim, (holder) => {
      // The completion says itself whether the claim stood. A heartbeat after it finds the claim ended, but not lost.
      if (isCompleting) return;
      logger.warn({ ...log, holder }, "the claim is lost: stopping the work");
      abort.abort(new ClaimLostError("The claim is lost."));
    });
    const started = performance.now();
    try {
      const result = await work(claim.job, abort.signal, (progress) => heartbeat.report(progress));
      isCompleting = true;
      const { stands, holder } = await queue.complete(claim, result);
      const ms = Math.round(performance.now() - started);
      if (stands) logger.info({ ...log, ms }, "processed");
      else {
        logger.warn({ ...log, ms, holder }, "the claim was lost: the result is discarded");
        await discard?.(result);
      }
    } catch (error) {
      await this.#end(claim, abort.signal, error, log);
    } finally {
      heartbeat.stop();
    }
  }

  async #end(claim: Claim<Job>, signal: AbortSignal, error: unknown, log: object): Promise<void> {
    const { queue, logger } = this.#options;
    if (signal.reason instanceof ClaimLostError) return;
    try {
      const reason = error instanceof Error ? error.message : String(error);
      const { stands, holder } = signal.aborted
        ? await queue.release(claim)
        : await queue.fail(claim, reason, error instanceof ImpossibleJobError);
      if (!stands) logger.warn({ ...log, holder, err: error }, "the claim was lost before the attempt ended");
      else if (signal.aborted) logger.info(log, "released");
      else logger.warn({ ...log, err: error }, "an attempt failed");
    } catch (failure) {
      logger.error({ ...log, err: failure }, "reporting the end of an attempt failed; its lease will expire");
    }
  }
}

class ClaimLostError extends Error {
  override name = "ClaimLostError";
}

/** Extends the lease of a claim after a third of it, and earlier to report progress. */
class Heartbeat {
  readonly #extend: () => Promise<void>;
  readonly #timer: NodeJS.Timeout;
  #progress: number | undefined;
  #reported = 0;
  #extendedAt = performance.now();
  #isExtending = false;

  constructor(
    {
      queue,
      leaseMs,
    }: Pick<WorkerOptions<unknown, unknown>, "leaseMs"> & { queue: Pick<Queue<never, never>, "extend"> },
    claim: Claim<unknown>,
    lose: (holder: string | undefined) => void,
  ) {
    this.#extend = async () => {
      const progress = this.#progress;
      const { stands, holder } = await queue.extend(claim as Claim<never>, leaseMs, progress);
      this.#extendedAt = performance.now();
      this.#reported = progress ?? this.#reported;
      if (stands) return;
      this.stop();
      lose(holder);
    };
    const everyMs = leaseMs / 3;
    this.#timer = setInterval(
      () => {
        const isDue = performance.now() - this.#extendedAt >= everyMs - beatMs / 2;
        if (isDue || (this.#progress ?? 0) - this.#reported >= progressStep) void this.#beat();
      },
      Math.min(everyMs, beatMs),
    );
  }

  report(progress: number): void {
    this.#progress = progress;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The next beat retries a failed call. If the lease has expired by then, that call reports it. */
  async #beat(): Promise<void> {
    if (this.#isExtending) return;
    this.#isExtending = true;
    await this.#extend().catch(() => {});
    this.#isExtending = false;
  }
}
