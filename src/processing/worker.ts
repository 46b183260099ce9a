/**
 * A worker: claims jobs of a queue, a few at a time, and works on each until it is done, has failed, or its claim is
 * lost. Any number may run, in any number of processes.
 *
 * States: idle (waits for a wake or the poll) → busy (fills its places until nothing can be claimed) → stopping (takes
 * nothing new, gives the claims back that are not finished in time) → stopped.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Logger } from "pino";
import { type Claim, ImpossibleJobError, type Queue } from "./queue.ts";

export type WorkerOptions<Job, Result> = {
  queue: Queue<Job, Result>;
  /** The work itself. `signal` is aborted when the claim is lost or the worker stops. */
  work: (job: Job, signal: AbortSignal) => Promise<Result>;
  /** Jobs at once. */
  places: number;
  leaseMs: number;
  /** How often it looks without being woken. */
  pollMs?: number;
  /** How long jobs may still run after `stop`. */
  graceMs?: number;
  logger: Logger;
};

export class Worker<Job, Result> {
  readonly name = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`;
  readonly #options: WorkerOptions<Job, Result>;
  readonly #running = new Map<Claim<Job>, { abort: AbortController; done: Promise<void> }>();
  #stopListening: (() => Promise<void>) | undefined;
  #poll: NodeJS.Timeout | undefined;
  #filling: Promise<void> | undefined;
  #isWoken = false;
  #isStopping = false;

  constructor(options: WorkerOptions<Job, Result>) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { queue, pollMs = 5_000 } = this.#options;
    this.#stopListening = await queue.listen(() => this.#wake());
    this.#poll = setInterval(() => this.#wake(), pollMs);
    this.#wake();
  }

  async stop(): Promise<void> {
    const { graceMs = 5_000 } = this.#options;
    this.#isStopping = true;
    clearInterval(this.#poll);
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
    this.#filling ??= this.#fill().finally(() => {
      this.#filling = undefined;
      if (this.#isWoken && !this.#isStopping && this.#running.size < this.#options.places) this.#wake();
    });
  }

  /** Claims until nothing is left or all places are taken. */
  async #fill(): Promise<void> {
    const { queue, places, leaseMs, logger } = this.#options;
    try {
      while (this.#isWoken && !this.#isStopping) {
        this.#isWoken = false;
        const expired = await queue.releaseExpired();
        if (expired > 0) logger.warn({ queue: queue.name, expired }, "leases ended without a result");
        const free = places - this.#running.size;
        if (free <= 0 || this.#isStopping) return;
        const claims = await queue.claim(this.name, free, leaseMs);
        for (const claim of claims) {
          // It may have stopped while the claim was under way.
          if (this.#isStopping) await queue.release(claim);
          else this.#begin(claim);
        }
      }
    } catch (error) {
      logger.error({ err: error, queue: queue.name }, "claiming failed; the next poll tries again");
    }
  }

  #begin(claim: Claim<Job>): void {
    const abort = new AbortController();
    const done = this.#run(claim, abort).finally(() => {
      this.#running.delete(claim);
      if (!this.#isStopping) this.#wake();
    });
    this.#running.set(claim, { abort, done });
  }

  async #run(claim: Claim<Job>, abort: AbortController): Promise<void> {
    const { queue, work, leaseMs, logger } = this.#options;
    const log = { queue: queue.name, id: claim.id, claim: claim.token, attempt: claim.attempt, worker: this.name };
    const heartbeat = setInterval(async () => {
      const isOurs = await queue.extend(claim, leaseMs).catch(() => true);
      if (!isOurs) abort.abort(new Error("The claim is lost."));
    }, leaseMs / 3);
    const started = performance.now();
    try {
      const result = await work(claim.job, abort.signal);
      const isOurs = await queue.complete(claim, result);
      const ms = Math.round(performance.now() - started);
      if (isOurs) logger.info({ ...log, ms }, "processed");
      else logger.warn({ ...log, ms }, "the claim was lost: the result is dropped");
    } catch (error) {
      await this.#end(claim, abort.signal, error, log);
    } finally {
      clearInterval(heartbeat);
    }
  }

  async #end(claim: Claim<Job>, signal: AbortSignal, error: unknown, log: object): Promise<void> {
    const { queue, logger } = this.#options;
    try {
      if (signal.aborted) {
        await queue.release(claim);
        logger.info(log, "given back");
      } else {
        const reason = error instanceof Error ? error.message : String(error);
        await queue.fail(claim, reason, error instanceof ImpossibleJobError);
        logger.warn({ ...log, err: error }, "an attempt failed");
      }
    } catch (failure) {
      logger.error({ ...log, err: failure }, "the end of an attempt could not be told; its lease will end");
    }
  }
}
