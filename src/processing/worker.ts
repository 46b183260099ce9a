/**
 * A worker: claims jobs of a queue, a few at a time, and works on each until it is done, has failed, or its claim is
 * lost. Any number may run, in any number of processes.
 *
 * States: idle (waits for a wake, for the next pause or lease that ends, or for the poll) → busy (fills its places
 * until nothing can be claimed) → stopping (takes nothing new, gives the claims back that are not finished in time) →
 * stopped.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Logger } from "pino";
import { type Claim, ImpossibleJobError, type Queue } from "./queue.ts";

export type WorkerOptions<Job, Result> = {
  queue: Queue<Job, Result>;
  /**
   * The work itself. `signal` is aborted when the claim is lost or the worker stops; `report` takes how far it is,
   * from 0 to 1, as often as one likes.
   */
  work: (job: Job, signal: AbortSignal, report: (progress: number) => void) => Promise<Result>;
  /** Jobs at once. */
  places: number;
  leaseMs: number;
  /** How often it looks without being woken. */
  pollMs?: number;
  /** How long jobs may still run after `stop`. */
  graceMs?: number;
  logger: Logger;
};

/** Leases that ended are looked for this often at most, and the queue no more often when nothing wakes us. */
const sweepMs = 500;
/** Progress is told when it has grown by so much, a few times a second at most. */
const progressStep = 0.05;
const beatMs = 500;

export class Worker<Job, Result> {
  readonly name = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`;
  readonly #options: WorkerOptions<Job, Result>;
  readonly #running = new Map<Claim<Job>, { abort: AbortController; done: Promise<void> }>();
  #stopListening: (() => Promise<void>) | undefined;
  #nextLook: NodeJS.Timeout | undefined;
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
    clearTimeout(this.#nextLook);
    await this.#stopListening?.();
    await this.#filling;
    const timer = setTimeout(() => {
      for (const { abort } of this.#running.values()) abort.abort(new Error("The worker stops."));
    }, graceMs);
    await Promise.all([...this.#running.values()].map(({ done }) => done));
    clearTimeout(timer);
  }

  #wake(): void {
    this.#isWoken = true;
    if (this.#isStopping) return;
    this.#filling ??= this.#fill().finally(() => {
      this.#filling = undefined;
      if (this.#isWoken && this.#running.size < this.#options.places) this.#wake();
    });
  }

  /** Claims until nothing is left or all places are taken, and then sets the time of the next look. */
  async #fill(): Promise<void> {
    const { queue, places, leaseMs, pollMs = 5_000, logger } = this.#options;
    let waitMs = pollMs;
    clearTimeout(this.#nextLook);
    try {
      while (this.#isWoken && !this.#isStopping) {
        this.#isWoken = false;
        await this.#sweep();
        const free = places - this.#running.size;
        if (free <= 0 || this.#isStopping) break;
        const claims = await queue.claim(this.name, free, leaseMs);
        for (const claim of claims) {
          // It may have stopped while the claim was under way.
          if (this.#isStopping) await queue.release(claim);
          else this.#begin(claim);
        }
        // Nothing is left: what comes back by itself, after a pause or from a dead worker, nobody tells us of.
        if (claims.length < free && !this.#isWoken && !this.#isStopping) {
          waitMs = Math.min(pollMs, Math.max(sweepMs, (await queue.nextEndMs()) ?? pollMs));
        }
      }
    } catch (error) {
      logger.error({ err: error, queue: queue.name }, "claiming failed; the next poll tries again");
    }
    if (!this.#isStopping) this.#nextLook = setTimeout(() => this.#wake(), waitMs);
  }

  async #sweep(): Promise<void> {
    const { queue, logger } = this.#options;
    if (performance.now() - this.#sweptAt < sweepMs) return;
    this.#sweptAt = performance.now();
    const expired = await queue.releaseExpired();
    if (expired > 0) logger.warn({ queue: queue.name, expired }, "leases ended without a result");
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
    const { queue, work, logger } = this.#options;
    const log = { queue: queue.name, id: claim.id, worker: this.name, claim: claim.token, attempt: claim.attempt };
    const heartbeat = new Heartbeat(this.#options, claim, (met) => {
      logger.warn({ ...log, met }, "the claim is lost: the work is stopped");
      abort.abort(new ClaimLostError("The claim is lost."));
    });
    const started = performance.now();
    try {
      const result = await work(claim.job, abort.signal, (progress) => heartbeat.report(progress));
      const { stands, met } = await queue.complete(claim, result);
      const ms = Math.round(performance.now() - started);
      if (stands) logger.info({ ...log, ms }, "processed");
      else logger.warn({ ...log, ms, met }, "the claim was lost: the result is dropped");
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
      const { stands, met } = signal.aborted
        ? await queue.release(claim)
        : await queue.fail(claim, reason, error instanceof ImpossibleJobError);
      if (!stands) logger.warn({ ...log, met, err: error }, "the claim was lost before the attempt ended");
      else if (signal.aborted) logger.info(log, "given back");
      else logger.warn({ ...log, err: error }, "an attempt failed");
    } catch (failure) {
      logger.error({ ...log, err: failure }, "the end of an attempt could not be told; its lease will end");
    }
  }
}

class ClaimLostError extends Error {
  override name = "ClaimLostError";
}

/** Lengthens the lease of a claim three times as often as it must, and tells of progress in between. */
class Heartbeat {
  readonly #extend: () => Promise<void>;
  readonly #timer: NodeJS.Timeout;
  #progress: number | undefined;
  #told = 0;
  #extendedAt = performance.now();
  #isExtending = false;

  constructor(
    {
      queue,
      leaseMs,
    }: Pick<WorkerOptions<unknown, unknown>, "leaseMs"> & { queue: Pick<Queue<never, never>, "extend"> },
    claim: Claim<unknown>,
    lose: (met: string | undefined) => void,
  ) {
    this.#extend = async () => {
      const progress = this.#progress;
      const { stands, met } = await queue.extend(claim as Claim<never>, leaseMs, progress);
      this.#extendedAt = performance.now();
      this.#told = progress ?? this.#told;
      if (stands) return;
      this.stop();
      lose(met);
    };
    const everyMs = leaseMs / 3;
    this.#timer = setInterval(
      () => {
        const isDue = performance.now() - this.#extendedAt >= everyMs - beatMs / 2;
        if (isDue || (this.#progress ?? 0) - this.#told >= progressStep) void this.#beat();
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

  /** One at a time. What fails is tried again at the next beat; should the lease end meanwhile, that will say so. */
  async #beat(): Promise<void> {
    if (this.#isExtending) return;
    this.#isExtending = true;
    await this.#extend().catch(() => {});
    this.#isExtending = false;
  }
}
