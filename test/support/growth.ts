/**
 * How the time of some work grows with its input: linear work takes twice as long for twice as much; work that
 * backtracks, or begins again at each step, takes four times as long or worse.
 */
import { expect } from "vitest";

export type Growth = {
  name: string;
  /** The size at which it was measured, in the unit of `make`. */
  n: number;
  /** The least CPU time for an input of size n, and for one of twice that size. */
  ms: number;
  twiceMs: number;
  /** The median of all tries: the least times may be those of different moments, of which one was lucky. */
  ratio: number;
};

/** Of linear work the ratio is 2, of quadratic work 4. */
export const linearRatio = 2.5;

/** At this time the part of the work that grows outweighs what is the same for each call. */
const leastMs = 5;
/** Work is repeated for so long, because CPU time is counted in steps of up to 4 ms. */
const measuredMs = 80;
/** More tries while the ratio is above the limit: other programs slow the caches down, or do so no more. */
const [tries, maxTries] = [3, 15];

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
  sizes: readonly number[] = [10, 100, 1_000, 10_000, 100_000, 1_000_000],
): Promise<Growth> {
  const n = await measurableSize((size) => {
    const input = make(size);
    return () => work(input);
  }, sizes);
  const [once, twice] = [make(n), make(2 * n)];
  const pairs: { ms: number; twiceMs: number }[] = [];
  const ratio = () => median(pairs.map((pair) => pair.twiceMs / pair.ms));
  while (pairs.length < tries || (pairs.length < maxTries && ratio() >= linearRatio)) {
    pairs.push({ ms: await cpuMs(() => work(once)), twiceMs: await cpuMs(() => work(twice)) });
  }
  return {
    name,
    n,
    ms: Math.min(...pairs.map(({ ms }) => ms)),
    twiceMs: Math.min(...pairs.map(({ twiceMs }) => twiceMs)),
    ratio: ratio(),
  };
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;

async function measurableSize(prepare: (size: number) => () => unknown, sizes: readonly number[]): Promise<number> {
  for (const size of sizes) {
    const work = prepare(size);
    // Twice, because the first call also compiles.
    if ((await wallMs(work)) >= leastMs && (await wallMs(work)) >= leastMs) return size;
  }
  return sizes.at(-1) as number;
}

async function wallMs(work: () => unknown): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** CPU time of one call. */
async function cpuMs(work: () => unknown): Promise<number> {
  const before = process.threadCpuUsage();
  for (let calls = 1; ; calls++) {
    await work();
    const { user, system } = process.threadCpuUsage(before);
    const ms = (user + system) / 1_000;
    if (ms >= measuredMs) return ms / calls;
  }
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
