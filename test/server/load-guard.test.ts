/** Load is shed before it is felt: what is refused, how, and when it ends. */
import { setImmediate as turn } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LoadGuard, ownDelayMs, shareToRefuse } from "../../src/server/load-guard.ts";
import { type Lectern, startLectern } from "../support/lectern.ts";
import { collectedLog } from "../support/logs.ts";
import { post } from "../support/post.ts";
import { until } from "../support/until.ts";

/** Keeps the event loop busy for so long at a stretch, until it is told to stop. */
function keepBusy(stretchMs: number): { stop(): Promise<void> } {
  let isOver = false;
  const running = (async () => {
    while (!isOver) {
      const until = performance.now() + stretchMs;
      while (performance.now() < until);
      await turn();
    }
  })();
  return {
    async stop() {
      isOver = true;
      await running;
    },
  };
}

describe("a delay", () => {
  it("counts when the event loop was at work, and not when the machine was", () => {
    expect(ownDelayMs({ passedMs: 250, cpuMs: 240 })).toBe(200);
    expect(ownDelayMs({ passedMs: 250, cpuMs: 75 })).toBe(200);
    expect(ownDelayMs({ passedMs: 250, cpuMs: 70 })).toBe(0);
    expect(ownDelayMs({ passedMs: 49, cpuMs: 49 })).toBe(0);
  });
});

describe("the share of operations that is refused", () => {
  it("grows from none at the limit to all at twice the limit", () => {
    const shares = [0, 99, 100, 125, 150, 200, 5_000].map((delayMs) => shareToRefuse({ delayMs, heapShare: 0.5 }, 100));
    expect(shares).toEqual([0, 0, 0, 0.25, 0.5, 1, 1]);
  });

  it("is all of them when the heap is nearly full", () => {
    expect([0.84, 0.86, 0.99].map((heapShare) => shareToRefuse({ delayMs: 0, heapShare }, 100))).toEqual([0, 1, 1]);
  });
});

describe("the guard", () => {
  const { logger, lines } = collectedLog("info");
  const refusals = (guard: LoadGuard) => Array.from({ length: 20 }, () => guard.refusesNext()).filter(Boolean).length;

  it("refuses nothing after one long task, which is over when it is noticed", async () => {
    // A limit that no machine reaches by being busy, and less than half of what the task takes.
    const guard = new LoadGuard({ maxDelayMs: 1_200, logger });
    const block = keepBusy(3_000);
    await block.stop();
    await new Promise((resume) => setTimeout(resume, 500));
    expect(refusals(guard)).toBe(0);
    guard.stop();
    expect(lines).toEqual([]);
  });

  it("refuses while the loop is late again and again, says so once, and ends", { timeout: 120_000 }, async () => {
    const guard = new LoadGuard({ maxDelayMs: 100, logger });
    const load = keepBusy(300);
    await expect.poll(() => refusals(guard), { timeout: 60_000 }).toBe(20);
    await load.stop();
    await expect.poll(() => refusals(guard), { timeout: 60_000 }).toBe(0);
    guard.stop();
    expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
      [40, "overload: operations are refused"],
      [30, "the overload has ended"],
    ]);
  });
});

describe("a server under too much load", () => {
  let lectern: Lectern;

  beforeAll(async () => {
    lectern = await startLectern({ settings: { MAX_EVENT_LOOP_DELAY_MS: "100" } });
  });
  afterAll(() => lectern.stop());

  const ask = () => post(lectern.url, { query: "{ __typename }" });
  const openSocket = () =>
    new Promise<string>((resolve) => {
      const socket = new WebSocket(lectern.url.replace("http:", "ws:"), "graphql-transport-ws");
      socket.onopen = () => {
        socket.close();
        resolve("open");
      };
      socket.onerror = () => resolve("refused");
    });

  it("answers 503 with the time to come back, stays healthy, and takes all again", { timeout: 180_000 }, async () => {
    const load = keepBusy(300);
    // Between the limit and twice the limit only a part is refused, so that it may take more than one.
    let response = await ask();
    await until(async () => {
      response = await ask();
      return response.status !== 200;
    }, "an operation is refused");
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await response.json()).toEqual({
      errors: [
        {
          message: "The server is overloaded: retry in a moment.",
          extensions: { code: "OVERLOADED", requestId: response.headers.get("x-request-id") },
        },
      ],
    });
    await until(async () => (await openSocket()) === "refused", "a socket is refused");
    expect((await fetch(new URL("/health", lectern.url))).status).toBe(200);
    await load.stop();
    await expect.poll(async () => (await ask()).status, { timeout: 60_000 }).toBe(200);
    expect(await openSocket()).toBe("open");
  });
});
