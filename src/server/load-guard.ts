/**
 * Sheds load before it is felt: when the event loop has been late for a while, or the heap is nearly full, part of the
 * new operations is refused, so that the others are answered in time and the process does not run out of memory.
 *
 * States: calm (all operations pass) → loaded (a share of them is refused, growing with the delay) → overloaded (all of
 * them are). The delay is the median of the last few samples: one long task, which is over when it is measured, sheds
 * nothing. Nor does a machine that is busy with other processes: the loop is late there, but not by its own work.
 */
import { getHeapStatistics } from "node:v8";
import type { Logger } from "pino";

export type LoadGuardOptions = {
  /** Milliseconds by which the event loop may be late. From there on load is shed; at twice that, all of it. */
  maxDelayMs: number;
  logger: Logger;
};

/** How often the delay is sampled; a request that comes meanwhile waits about as long as the sample is late. */
const sampleEveryMs = 50;
const samples = 5;
/** Processor time of the event loop, of the time that passed, from which on a delay is its own. */
const leastBusyShare = 0.3;
/** Of V8's limit. Beyond it collections take most of the time, and the next large answer may end the process. */
const maxHeapShare = 0.85;

export class LoadGuard {
  readonly #options: LoadGuardOptions;
  readonly #delays: number[] = [];
  readonly #timer: NodeJS.Timeout;
  #sampledAt = performance.now();
  #cpuBefore = process.threadCpuUsage();
  #share = 0;
  /** Shares of operations that were to be refused so far, less those that were. */
  #owed = 0;

  constructor(options: LoadGuardOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#sample(), sampleEveryMs).unref();
  }

  /** Whether the next operation is refused. To be asked once for each. */
  refusesNext(): boolean {
    this.#owed += this.#share;
    if (this.#owed < 1) return false;
    this.#owed -= 1;
    return true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    const now = performance.now();
    const { user, system } = process.threadCpuUsage(this.#cpuBefore);
    this.#delays.push(ownDelayMs({ passedMs: now - this.#sampledAt, cpuMs: (user + system) / 1_000 }));
    this.#sampledAt = now;
    this.#cpuBefore = process.threadCpuUsage();
    if (this.#delays.length > samples) this.#delays.shift();
    const delayMs = median(this.#delays);
    const { used_heap_size, heap_size_limit } = getHeapStatistics();
    const heapShare = used_heap_size / heap_size_limit;
    const wasShedding = this.#share > 0;
    this.#share = shareToRefuse({ delayMs, heapShare }, this.#options.maxDelayMs);
    if (this.#share === 0) this.#owed = 0;
    const { logger } = this.#options;
    if (!wasShedding && this.#share > 0) logger.warn({ delayMs, heapShare }, "too much load: operations are refused");
    if (wasShedding && this.#share === 0) logger.info({ delayMs, heapShare }, "the load is over");
  }
}

/** By how much a sample is late by the work of the event loop itself. */
export function ownDelayMs({ passedMs, cpuMs }: { passedMs: number; cpuMs: number }): number {
  return cpuMs >= leastBusyShare * passedMs ? Math.max(0, passedMs - sampleEveryMs) : 0;
}

/** @returns from 0, none, to 1, all; `heapShare` is of V8's limit */
export function shareToRefuse(
  { delayMs, heapShare }: { delayMs: number; heapShare: number },
  maxDelayMs: number,
): number {
  return heapShare > maxHeapShare ? 1 : Math.min(1, Math.max(0, delayMs / maxDelayMs - 1));
}

/** Zero until there are enough samples to tell a spike from a load. */
function median(values: readonly number[]): number {
  if (values.length < samples) return 0;
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] as number;
}
