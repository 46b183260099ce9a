/** Threads of two kinds of work, quick and endless. Hostile files are in test/documents/hostile-files.test.ts. */
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { BoundedThreads, type WorkLimits } from "../../src/processing/bounded-work.ts";
import { silent as logger } from "../support/logs.ts";

let threads: BoundedThreads<{ code: string }, unknown>;

const start = (limits: Partial<WorkLimits> = {}) => {
  threads = new BoundedThreads({
    filename: new URL("../support/any-work.ts", import.meta.url).pathname,
    threads: 1,
    idleMs: 60_000,
    limits: { waitMs: 10_000, timeoutMs: 60_000, memoryMb: 1_000, ...limits },
    subject: "The work",
    logger,
  });
};
const run = (code: string, signal?: AbortSignal) => threads.run({ code }, { signal });

beforeEach(() => start());
afterEach(() => threads.close());

describe("a thread", () => {
  it("is free again after work that fails or is aborted", async () => {
    await threads.close();
    start({ waitMs: 100 });
    await expect(run("throw new Error('No.')")).rejects.toThrow("No.");
    await expect(run("for (;;);", AbortSignal.timeout(20))).rejects.toMatchObject({ name: "AbortError" });
    expect(await run("return 1")).toBe(1);
  });

  it("is watched from its turn on, and no longer than it works", async () => {
    const [begin, end] = [vi.spyOn(globalThis, "setInterval"), vi.spyOn(globalThis, "clearInterval")];
    onTestFinished(() => void vi.restoreAllMocks());
    const watches = () =>
      begin.mock.calls.flatMap(([, ms], index) => (ms === 100 ? [begin.mock.results[index]?.value] : []));
    const abort = new AbortController();
    const [first, second] = [run("for (;;);", abort.signal), run("throw new Error('No.')")];
    await turn();
    expect(watches()).toHaveLength(1);
    abort.abort();
    await expect(first).rejects.toMatchObject({ name: "AbortError" });
    await expect(second).rejects.toThrow("No.");
    expect(watches()).toHaveLength(2);
    const ended = end.mock.calls.map(([timer]) => timer);
    expect(watches().filter((timer) => !ended.includes(timer))).toEqual([]);
  });

  it("names the limit that ended its work", async () => {
    await threads.close();
    start({ timeoutMs: 200 });
    await expect(run("for (;;);")).rejects.toMatchObject({
      name: "LimitExceededError",
      limit: "timeoutMs",
      message: "The work took longer than 0.2 s.",
    });
  });

  it("that cannot begin fails its work with the reason", async () => {
    await threads.close();
    threads = new BoundedThreads({
      filename: new URL("../support/no-such-file.ts", import.meta.url).pathname,
      threads: 1,
      idleMs: 60_000,
      limits: { waitMs: 10_000, timeoutMs: 60_000, memoryMb: 1_000 },
      subject: "The work",
      logger,
    });
    await expect(run("return 1")).rejects.toThrow(/no-such-file/);
  });
});
