import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LoadGuard, ownDelayMs, shareToRefuse } from "../../src/server/load-guard.ts";

describe("the delay of a sample, which is due after 50 ms", () => {
  it("counts if the event loop was at work for three tenths of the time", () => {
    expect(ownDelayMs({ passedMs: 250, cpuMs: 250 })).toBe(200);
    expect(ownDelayMs({ passedMs: 250, cpuMs: 75 })).toBe(200);
    expect(ownDelayMs({ passedMs: 250, cpuMs: 74.9 })).toBe(0);
  });

  it("is never negative", () => {
    expect(ownDelayMs({ passedMs: 50, cpuMs: 50 })).toBe(0);
    expect(ownDelayMs({ passedMs: 40, cpuMs: 40 })).toBe(0);
  });
});

describe("the share of operations that is refused", () => {
  it("grows from none at the limit to all at twice the limit", () => {
    const share = (delayMs: number) => shareToRefuse({ delayMs, heapShare: 0.5 }, 100);
    expect([0, 100, 125, 150, 200, 300].map(share)).toEqual([0, 0, 0.25, 0.5, 1, 1]);
  });

  it("is all of them while the heap is nearly full", () => {
    const share = (heapShare: number) => shareToRefuse({ delayMs: 0, heapShare }, 100);
    expect([0.85, 0.851].map(share)).toEqual([0, 1]);
  });
});

describe("the guard", () => {
  let now = 0;
  let cpuMs = 0;
  let logged: [level: string, message: string, delayMs: number][] = [];
  let guard: LoadGuard;
  const logger = pino(
    { level: "info" },
    {
      write: (line: string) => {
        const { level, msg, delayMs } = JSON.parse(line);
        logged.push([pino.levels.labels[level] as string, msg, delayMs]);
      },
    },
  );

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    [now, cpuMs, logged] = [0, 0, []];
    vi.spyOn(performance, "now").mockImplementation(() => now);
    vi.spyOn(process, "threadCpuUsage").mockImplementation((before) => {
      // Half of the time was used by the program, the other half by the system for it.
      const used = { user: (cpuMs * 1_000) / 2, system: (cpuMs * 1_000) / 2 };
      return before ? { user: used.user - before.user, system: used.system - before.system } : used;
    });
    guard = new LoadGuard({ maxDelayMs: 100, logger });
  });
  afterEach(() => {
    guard.stop();
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  /** A number of samples, each late by the delay, with the event loop at work for a share of the time. */
  function samples(count: number, delayMs: number, busyShare = 1): void {
    for (let sample = 0; sample < count; sample++) {
      now += 50 + delayMs;
      cpuMs += busyShare * (50 + delayMs);
      vi.advanceTimersByTime(50);
    }
  }
  const refusals = (operations: number) =>
    Array.from({ length: operations }, () => guard.refusesNext()).filter(Boolean).length;

  it("refuses nothing at first, and nothing while the loop is in time", () => {
    expect(refusals(10)).toBe(0);
    samples(10, 100);
    expect(refusals(10)).toBe(0);
    expect(logged).toEqual([]);
  });

  it("refuses by the median of the last five samples, so one long task changes nothing", () => {
    samples(4, 0);
    samples(2, 5_000);
    expect(refusals(10)).toBe(0);
    samples(1, 5_000);
    expect(refusals(10)).toBe(10);
    samples(2, 0);
    expect(refusals(10)).toBe(10);
    samples(1, 0);
    expect(refusals(10)).toBe(0);
  });

  it("waits for five samples before it refuses", () => {
    samples(4, 5_000);
    expect(refusals(10)).toBe(0);
    samples(1, 5_000);
    expect(refusals(10)).toBe(10);
  });

  it("spreads the refusals over the operations, according to their share", () => {
    samples(5, 125);
    const turns = Array.from({ length: 9 }, () => guard.refusesNext());
    expect(turns).toEqual([false, false, false, true, false, false, false, true, false]);
  });

  it("counts on over the samples while the load lasts", () => {
    samples(5, 125);
    const turns = Array.from({ length: 4 }, () => {
      samples(1, 125);
      return guard.refusesNext();
    });
    expect(turns).toEqual([false, false, false, true]);
  });

  it("owes no refusals after the load has ended", () => {
    samples(5, 175);
    expect(guard.refusesNext()).toBe(false);
    samples(5, 0);
    samples(5, 125);
    expect([1, 2, 3, 4].map(() => guard.refusesNext())).toEqual([false, false, false, true]);
  });

  it("ignores delays that other processes of the machine cause", () => {
    samples(10, 5_000, 0.2);
    expect(refusals(10)).toBe(0);
  });

  it("logs once that operations are refused, and once that this has ended", () => {
    samples(10, 150);
    samples(10, 0);
    expect(logged).toEqual([
      ["warn", "overload: operations are refused", 150],
      ["info", "the overload has ended", 0],
    ]);
  });

  it("does not keep the process alive, and takes no more samples once it is stopped", () => {
    guard.stop();
    expect(vi.getTimerCount()).toBe(0);
    samples(10, 5_000);
    expect(refusals(10)).toBe(0);
  });
});
