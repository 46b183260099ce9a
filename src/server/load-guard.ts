/**
 * Load shedding: if the event loop is late for some time, or the heap is nearly full, a share of the new operations is
 * refused. So the others are answered in time, and the process does not run out of memory.
 *
 * States: normal (all operations pass) → loaded (a share is refused, which grows with the delay) → overloaded (all are
 * refused). The delay is the median of the last samples, so one long task sheds no load. Delays caused by other
 * processes on the machine do not count.
 */
import { getHeapStatistics } from "node:v8";
import type { Logger } from "pino";

export type LoadGuardOptions = {
  /** Delay of the event loop in milliseconds above which load is shed; at twice that, all operations are refused. */
  maxDelayMs: number;
  logger: Logger;
};

/** Interval of samples. A request waits about as long as the sample is late. */
const sampleEveryMs = 50;
const samples = 5;
/** Minimum share of processor time at which the event loop itself is taken for the cause of a delay. */
const leastBusyShare = 0.3;
/**
 * Share of V8's limit. Above it, garbage collection takes most of the time, and a large response may end the process.
 */
const maxHeapShare = 0.85;

export class LoadGuard {
  readonly #options: LoadGuardOptions;
  readonly #delays: number[] = [];
  readonly #timer: NodeJS.Timeout;
  #sampledAt = performance.now();
  #cpuBefore = process.threadCpuUsage();
  #share = 0;
  /** Sum of the shares so far, minus the number of refused operations: a refusal is due when it reaches 1. */
  #owed = 0;

  constructor(options: LoadGuardOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#sample(), sampleEveryMs).unref();
  }

  /** Whether to refuse the next operation. Must be called once for each. */
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
    if (!wasShedding && this.#share > 0) logger.warn({ delayMs, heapShare }, "overload: operations are refused");
    if (wasShedding && this.#share === 0) logger.info({ delayMs, heapShare }, "the overload has ended");
  }
}

/** The delay of a sample; 0 if the event loop itself was not the cause. */
export function ownDelayMs({ passedMs, cpuMs }: { passedMs: number; cpuMs: number }): number {
  return cpuMs >= leastBusyShare * passedMs ? Math.max(0, passedMs - sampleEveryMs) : 0;
}

/** @returns the share of operations to refuse, from 0 to 1 */
export function shareToRefuse(
  { delayMs, heapShare }: { delayMs: number; heapShare: number },
  maxDelayMs: number,
): number {
  return heapShare > maxHeapShare ? 1 : Math.min(1, Math.max(0, delayMs / maxDelayMs - 1));
}

/** Zero until there are enough samples to distinguish a spike from load. */
function median(values: readonly number[]): number {
  if (values.length < samples) return 0;
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] as number;
}
