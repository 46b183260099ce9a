import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { inTime } from "../../src/eager-loading/in-time.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("work in time", () => {
  it("gives its result, and leaves no timer behind", async () => {
    expect(await inTime(100, Promise.resolve("done"))).toBe("done");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("gives nothing if it fails, and leaves no timer behind", async () => {
    expect(await inTime(100, Promise.reject(new Error("failed")))).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("gives nothing after the time, although it goes on", async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const outcome = inTime(100, promise).then((result) => ({ result }));
    await vi.advanceTimersByTimeAsync(99);
    expect(await Promise.race([outcome, Promise.resolve("still waiting")])).toBe("still waiting");
    await vi.advanceTimersByTimeAsync(1);
    expect(await outcome).toEqual({ result: undefined });
    resolve("late");
  });
});
