/**
 * How the time of some work grows with its input: linear work takes twice as long for twice as much; work that
 * backtracks, or begins again at each step, takes four times as long or worse.
 */
import { readFileSync } from "node:fs";
import { expect } from "vitest";

export type Growth = {
  name: string;
  /** The size at which it was measured, in the unit of `make`. */
  n: number;
  /** The least CPU time for an input of size n, and for one of twice that size. */
  ms: number;
  twiceMs: number;
  ratio: number;
};

/** Of linear work the ratio is 2, of quadratic work 4. */
export const linearRatio = 2.5;

/** At this time the part of the work that grows outweighs what is the same for each call. */
const leastMs = 2;
/** Work is repeated for so long. */
const measuredMs = 8;
/** More tries while the ratio is above the limit: other programs slow the caches down for a while. */
const [tries, maxTries] = [5, 40];

/**
 * Measures the CPU time of this thread, which depends little on how busy the machine is, several times.
 *
 * @param sizes from small to large. The first that takes `leastMs`, or else the last, is n: work which is not linear is
 *   then noticed at a size at which it still ends.
 */
export async function growthOf<Input>(
  name: string,
  make: (size: number) => Input,
  work: (input: Input) => unknown,
  sizes: readonly number[] = [10, 100, 1_000, 10_000, 30_000, 100_000, 300_000, 1_000_000],
): Promise<Growth> {
  const n = await measurableSize((size) => {
    const input = make(size);
    return () => work(input);
  }, sizes);
  const [once, twice] = [make(n), make(2 * n)];
  const { ms, twiceMs } = await leastOf(
    () => cpuMs(() => work(once)),
    () => cpuMs(() => work(twice)),
  );
  return { name, n, ms, twiceMs, ratio: twiceMs / ms };
}

/**
 * The least of several measurements of the same work for n and for 2n, since everything else only adds to it.
 *
 * @param noiseMs time that says nothing of the work: less for n counts as so much
 */
export async function leastOf(
  measureOnce: () => Promise<number>,
  measureTwice: () => Promise<number>,
  noiseMs = 0,
): Promise<{ ms: number; twiceMs: number; isTooMuch: boolean }> {
  let [ms, twiceMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const isTooMuch = () => twiceMs >= linearRatio * Math.max(ms, noiseMs);
  for (let count = 0; count < tries || (count < maxTries && isTooMuch()); count++) {
    ms = Math.min(ms, await measureOnce());
    twiceMs = Math.min(twiceMs, await measureTwice());
  }
  return { ms, twiceMs, isTooMuch: isTooMuch() };
}

async function measurableSize(prepare: (size: number) => () => unknown, sizes: readonly number[]): Promise<number> {
  for (const size of sizes) {
    const work = prepare(size);
    // Twice, because the first call also compiles.
    if ((await cpuMsOnce(work)) >= leastMs && (await cpuMsOnce(work)) >= leastMs) return size;
  }
  return sizes.at(-1) as number;
}

async function cpuMsOnce(work: () => unknown): Promise<number> {
  const before = threadCpuMs();
  await work();
  return threadCpuMs() - before;
}

/** CPU time of one call of many. */
async function cpuMs(work: () => unknown): Promise<number> {
  const before = threadCpuMs();
  for (let calls = 1; ; calls++) {
    await work();
    const ms = threadCpuMs() - before;
    if (ms >= measuredMs) return ms / calls;
  }
}

/** Of this thread. Linux counts it in nanoseconds here, and in steps of 4 ms for process.threadCpuUsage. */
function threadCpuMs(): number {
  if (process.platform === "linux") {
    return Number(readFileSync("/proc/thread-self/schedstat", "utf8").split(" ")[0]) / 1_000_000;
  }
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** Prints what was measured as a table, and fails with the work that grows faster than its input. */
export function expectLinear(growths: readonly Growth[]): void {
  console.table(
    growths.map(({ name, n, ms, twiceMs, ratio }) => ({
      name,
      n,
      ms: Number(ms.toFixed(1)),
      "2n, ms": Number(twiceMs.toFixed(1)),
      ratio: Number(ratio.toFixed(2)),
    })),
  );
  // Below that, at the largest size, the ratio says more of the processor's caches than of the work.
  expect(growths.filter(({ ratio, twiceMs }) => ratio >= linearRatio && twiceMs >= leastMs)).toEqual([]);
}
