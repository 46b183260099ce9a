/** The worker on a queue of the test's own and a clock that the test moves: its slots, heartbeats, polls and end. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Claim, ImpossibleJobError, type Queue } from "../../src/processing/queue.ts";
import { Worker, type WorkerOptions } from "../../src/processing/worker.ts";
import { collectedLog } from "../support/logs.ts";

/** The jobs that are due. */
let pending: string[];
/** The calls of the queue that change something, with their values. */
let calls: unknown[][];
let queue: Queue<string, string>;
let wake: () => void;
let worker: Worker<string, string>;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"] });
  [pending, calls] = [[], []];
  const note =
    (name: string) =>
    async ({ id }: Claim<string>, ...values: unknown[]) => {
      calls.push([name, id, ...values]);
      return { stands: true };
    };
  queue = {
    name: "jobs",
    async claim(_worker, count) {
      calls.push(["claim", count]);
      return pending.splice(0, count).map((job) => ({ id: job, token: `claim of ${job}`, attempt: 1, job }));
    },
    extend: note("extend"),
    complete: note("complete"),
    fail: note("fail"),
    release: note("release"),
    releaseExpired: async () => 0,
    nextEndMs: async () => null,
    async listen(listener) {
      wake = listener;
      return async () => {};
    },
  };
});
afterEach(async () => {
  const stopped = worker.stop();
  await pass(60_000);
  await stopped;
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const callsOf = (...names: string[]) => calls.filter(([name]) => names.includes(name as string));

async function start(
  work: WorkerOptions<string, string>["work"],
  options: Partial<WorkerOptions<string, string>> = {},
) {
  const { logger, lines } = collectedLog();
  worker = new Worker({ queue, work, slots: 2, leaseMs: 30_000, pollMs: 600_000, logger, ...options });
  await worker.start();
  await pass(0);
  return lines;
}

/** Work that lasts until the test ends it, or its signal does. */
function longWork() {
  const jobs = new Map<string, { finish(): void; signal: AbortSignal; report(progress: number): void }>();
  const work: WorkerOptions<string, string>["work"] = (job, signal, report) =>
    new Promise((resolve, reject) => {
      jobs.set(job, { finish: () => resolve(`result of ${job}`), signal, report });
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  return { work, job: (name: string) => jobs.get(name) ?? expect.unreachable(`${name} has not begun`) };
}

describe("a worker", () => {
  it("claims as many jobs as it has free slots, and again when one is free", async () => {
    pending = ["one", "two", "three", "four"];
    const { work, job } = longWork();
    await start(work);
    expect(calls).toEqual([["claim", 2]]);
    job("one").finish();
    await pass(0);
    expect(calls.slice(1)).toEqual([
      ["complete", "one", "result of one"],
      ["claim", 1],
    ]);
    wake();
    await pass(0);
    expect(callsOf("claim")).toHaveLength(2);
    for (const name of ["two", "three"]) job(name).finish();
    await pass(0);
    job("four").finish();
    await pass(0);
    expect(callsOf("complete").map(([, id]) => id)).toEqual(["one", "two", "three", "four"]);
  });

  it("looks again when it is woken during a claim", async () => {
    const { claim } = queue;
    const claimed = Promise.withResolvers<void>();
    queue.claim = async (...values) => {
      const claims = await claim(...values);
      await claimed.promise;
      return claims;
    };
    const { work } = longWork();
    await start(work);
    pending = ["one"];
    wake();
    claimed.resolve();
    await pass(0);
    expect(callsOf("claim")).toEqual([
      ["claim", 2],
      ["claim", 2],
    ]);
    expect(pending).toEqual([]);
  });

  it("ends an attempt that fails with its reason, for good if the job is impossible", async () => {
    pending = ["one", "two"];
    await start(async (job) => {
      throw job === "one" ? new Error("The disk is full.") : new ImpossibleJobError("The file is damaged.");
    });
    expect(callsOf("fail", "release", "complete")).toEqual([
      ["fail", "one", "The disk is full.", false],
      ["fail", "two", "The file is damaged.", true],
    ]);
  });

  it("stops the work of a claim that is lost, and does no more about it", async () => {
    pending = ["one"];
    const { work, job } = longWork();
    const lines = await start(work, { leaseMs: 3_000 });
    queue.extend = async () => ({ stands: false, holder: "another worker" });
    await pass(1_000);
    expect(job("one").signal.reason).toMatchObject({ message: "The claim is lost." });
    await pass(10_000);
    expect(callsOf("fail", "release", "complete")).toEqual([]);
    expect(lines).toMatchObject([{ msg: "the claim is lost: stopping the work", id: "one", holder: "another worker" }]);
  });

  it("does not take a claim for lost that ends while its heartbeat is under way", async () => {
    pending = ["one"];
    const { work, job } = longWork();
    // The completion has been committed, but its answer is late.
    const answer = Promise.withResolvers<{ stands: boolean }>();
    queue.complete = () => answer.promise;
    queue.extend = async () => ({ stands: false, holder: "this worker, COMPLETED" });
    const discard = vi.fn(async () => {});
    const lines = await start(work, { leaseMs: 3_000, discard });
    job("one").finish();
    await pass(2_000);
    answer.resolve({ stands: true });
    await pass(0);
    expect(lines.map(({ msg }) => msg)).toEqual(["processed"]);
    expect(discard).not.toHaveBeenCalled();
  });
});

describe("a result", () => {
  it("is discarded if the claim is lost when it is reported, and only then", async () => {
    const discarded: string[] = [];
    const discard = async (result: string) => void discarded.push(result);
    queue.complete = async ({ id }) => ({ stands: id !== "lost", holder: "another worker" });
    pending = ["kept", "lost"];
    const lines = await start(async (job) => `result of ${job}`, { discard });
    await pass(0);
    expect(discarded).toEqual(["result of lost"]);
    expect(lines.map(({ msg, id }) => [msg, id])).toEqual(
      expect.arrayContaining([
        ["processed", "kept"],
        ["the claim was lost: the result is discarded", "lost"],
      ]),
    );
  });

  it("is not discarded if its completion fails, because it may have been committed", async () => {
    const discarded: string[] = [];
    queue.complete = () => Promise.reject(new Error("The connection broke."));
    pending = ["one"];
    await start(async () => "result", { discard: async (result) => void discarded.push(result) });
    await pass(0);
    expect(callsOf("fail")).toEqual([["fail", "one", "The connection broke.", false]]);
    expect(discarded).toEqual([]);
  });
});

describe("a worker that waits", () => {
  it("polls after a claim that failed", async () => {
    const { claim } = queue;
    queue.claim = () => Promise.reject(new Error("The database is away."));
    const { work } = longWork();
    const lines = await start(work, { pollMs: 5_000 });
    expect(lines).toMatchObject([{ msg: "claiming failed; the next poll will retry" }]);
    [queue.claim, pending] = [claim, ["one"]];
    await pass(4_999);
    expect(pending).toEqual(["one"]);
    await pass(1);
    expect(pending).toEqual([]);
  });

  it.each([
    [null, 5_000],
    [60_000, 5_000],
    [700, 700],
    // Two servers whose clocks differ a little would poll again and again.
    [0, 500],
    [-20, 500],
  ])("and whose next job is due in %j ms polls after %i ms", async (nextEndMs, pollsAfterMs) => {
    queue.nextEndMs = async () => nextEndMs;
    await start(longWork().work, { pollMs: 5_000 });
    await pass(pollsAfterMs - 1);
    expect(callsOf("claim")).toHaveLength(1);
    await pass(1);
    expect(callsOf("claim")).toHaveLength(2);
  });

  it("ends expired leases before it claims, at most twice a second", async () => {
    let sweeps = 0;
    queue.releaseExpired = async () => {
      pending.push(`expired ${++sweeps}`);
      return 1;
    };
    const lines = await start(async () => "done", { slots: 1 });
    expect(callsOf("complete")).toEqual([["complete", "expired 1", "done"]]);
    expect(lines[0]).toMatchObject({ msg: "leases expired", expired: 1 });
    await pass(499);
    wake();
    await pass(0);
    expect(sweeps).toBe(1);
    await pass(1);
    wake();
    await pass(0);
    expect(sweeps).toBe(2);
  });
});

describe("the heartbeat", () => {
  it("extends the lease after each third of it, until the work ends", async () => {
    pending = ["one"];
    const { work, job } = longWork();
    await start(work, { leaseMs: 3_000 });
    await pass(3_000);
    expect(callsOf("extend")).toEqual(Array(3).fill(["extend", "one", 3_000, undefined]));
    job("one").finish();
    await pass(60_000);
    expect(callsOf("extend")).toHaveLength(3);
  });

  it("waits for its last call, and goes on after one that failed", async () => {
    pending = ["one"];
    const { work, job } = longWork();
    await start(work, { leaseMs: 3_000 });
    const { extend } = queue;
    const answered = Promise.withResolvers<never>();
    let hanging = 0;
    queue.extend = () => {
      hanging++;
      return answered.promise;
    };
    await pass(10_000);
    expect(hanging).toBe(1);
    queue.extend = extend;
    answered.reject(new Error("The connection broke."));
    await pass(1_000);
    expect(callsOf("extend")).toHaveLength(1);
    job("one").finish();
  });

  it("tells progress of a twentieth or more within half a second, and once", async () => {
    pending = ["one"];
    const { work, job } = longWork();
    await start(work);
    job("one").report(0.04);
    await pass(2_000);
    expect(callsOf("extend")).toEqual([]);
    job("one").report(0.05);
    await pass(500);
    expect(callsOf("extend")).toEqual([["extend", "one", 30_000, 0.05]]);
    await pass(5_000);
    expect(callsOf("extend")).toHaveLength(1);
    job("one").finish();
  });
});

describe("a worker that stops", () => {
  it("gives back the jobs that do not finish in time, and does not use up their attempts", async () => {
    pending = ["one", "two", "three"];
    const { work, job } = longWork();
    await start(work, { graceMs: 2_000 });
    let isStopped = false;
    const stopped = worker.stop().then(() => {
      isStopped = true;
    });
    await pass(1_000);
    job("one").finish();
    await pass(999);
    expect([isStopped, job("two").signal.aborted]).toEqual([false, false]);
    await pass(1);
    await stopped;
    expect(calls.slice(1)).toEqual([
      ["complete", "one", "result of one"],
      ["release", "two"],
    ]);
    wake();
    await pass(600_000);
    expect(pending).toEqual(["three"]);
  });

  it("waits for a claim that is under way, and gives back its jobs", async () => {
    const claims = Promise.withResolvers<Claim<string>[]>();
    queue.claim = () => claims.promise;
    await start(longWork().work);
    let isStopped = false;
    const stopped = worker.stop().then(() => {
      isStopped = true;
    });
    await pass(60_000);
    expect(isStopped).toBe(false);
    claims.resolve([{ id: "late", token: "token", attempt: 1, job: "late" }]);
    await stopped;
    expect(calls).toEqual([["release", "late"]]);
  });
});
