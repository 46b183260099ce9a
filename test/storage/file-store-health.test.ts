/** Whether the store takes files: asked by many, tried seldom, answered in time, and told to the log when it changes. */
import { pino } from "pino";
import { beforeEach, expect, it, vi } from "vitest";
import { FileStoreError } from "../../src/storage/file-store.ts";
import { FileStoreHealth } from "../../src/storage/file-store-health.ts";
import { systemError } from "../support/failing-files.ts";

let trials = 0;
let outcome: () => Promise<void>;
let lines: Record<string, unknown>[];
const logger = pino({ level: "debug" }, { write: (line) => void lines.push(JSON.parse(line)) });
const store = {
  requireUsable() {
    trials++;
    return outcome();
  },
};
const full = new FileStoreError("/data/staged/x", systemError("ENOSPC", "write"));
const broken = new FileStoreError("/data/staged/x", systemError("EIO", "fsync"));

beforeEach(() => {
  [trials, lines, outcome] = [0, [], async () => {}];
});

const pause = (ms: number) => new Promise((resume) => setTimeout(resume, ms));
const told = () => lines.map(({ level, msg, err }) => [level, msg, (err as { reason?: string } | undefined)?.reason]);

it("is tried once for all who ask at once, and not again while the result is fresh", async () => {
  const health = new FileStoreHealth({ store, logger, freshMs: 60_000 });
  const { promise, resolve } = Promise.withResolvers<void>();
  outcome = () => promise;
  const asked = Array.from({ length: 100 }, () => health.findTrouble());
  resolve();
  expect(await Promise.all(asked)).toEqual(Array(100).fill(null));
  for (let count = 0; count < 100; count++) expect(await health.findTrouble()).toBeNull();
  expect([trials, lines]).toEqual([1, []]);
});

it("keeps its result for as long as the store says, or for a second", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  try {
    for (const [usableMs, ms] of [
      [undefined, 1_000],
      [10_000, 10_000],
    ] as const) {
      trials = 0;
      const health = new FileStoreHealth({ store: usableMs ? { ...store, usableMs } : store, logger });
      for (const wait of [0, ms - 1, 1]) {
        vi.advanceTimersByTime(wait);
        await health.findTrouble();
      }
      expect(trials).toBe(2);
    }
  } finally {
    vi.useRealTimers();
  }
});

it("says why not, until it does again; each change is one line of the log", async () => {
  const health = new FileStoreHealth({ store, logger, freshMs: 0 });
  const found = async (fate: () => Promise<void>) => {
    outcome = fate;
    return health.findTrouble();
  };
  expect(await found(async () => {})).toBeNull();
  for (let count = 0; count < 3; count++) expect(await found(() => Promise.reject(full))).toBe(full);
  for (let count = 0; count < 3; count++) expect(await found(() => Promise.reject(broken))).toBe(broken);
  for (let count = 0; count < 3; count++) expect(await found(async () => {})).toBeNull();
  expect(told()).toEqual([
    [50, "the file store accepts no files", "ENOSPC"],
    [50, "the file store accepts no files", "EIO"],
    [30, "the file store accepts files again", undefined],
  ]);
  expect(trials).toBe(10);
});

it("answers in time while a trial hangs, begins no other, and recovers when it ends", async () => {
  const health = new FileStoreHealth({ store, logger, freshMs: 0, limitMs: 50 });
  const { promise, resolve } = Promise.withResolvers<void>();
  outcome = () => promise;
  const answers = await Promise.all([1, 2, 3].map(() => health.findTrouble()));
  answers.push(await health.findTrouble());
  for (const answer of answers) expect(answer).toMatchObject({ code: "STORAGE_UNAVAILABLE", mayPass: true });
  expect(trials).toBe(1);
  resolve();
  outcome = async () => {};
  await pause(1);
  expect(await health.findTrouble()).toBeNull();
  expect(told()).toEqual([
    [50, "the file store accepts no files", "ETIMEDOUT"],
    [30, "the file store accepts files again", undefined],
  ]);
});
