/** The programs of bench/ still run, and what they measure is what they say. How fast it is, is not tested. */
import { describe, expect, inject, it } from "vitest";
import { pipeline } from "../bench/pipeline.ts";
import { hasPython } from "../bench/stage.ts";
import { startTime } from "../bench/start-time.ts";
import { textOf } from "../bench/texts.ts";
import { turns } from "../bench/turns.ts";

const stage = () => ({ serverUrl: inject("serverUrl"), templateName: inject("templateName") });

describe("the figures of bench/", { timeout: 180_000 }, () => {
  it("of the pipeline count every document, of both workers", async () => {
    const load = { name: "tiny", count: 4, bytes: 2_000 };
    for (const kind of ["ours", ...(hasPython() ? (["python"] as const) : [])] as const) {
      const { seconds, documentsPerSecond, chunks } = await pipeline(stage(), { kind, processes: 1 }, load);
      expect([kind, chunks]).toEqual([kind, expect.toSatisfy((count: number) => count >= 8)]);
      expect(documentsPerSecond).toBeCloseTo(4 / seconds);
    }
  });

  it("of the start are in order", async () => {
    const { medianMs, p99Ms, worstMs } = await startTime(stage(), "worker in the server", 3);
    expect([medianMs, p99Ms, worstMs]).toEqual([medianMs, p99Ms, worstMs].toSorted((one, other) => one - other));
    expect(medianMs).toBeGreaterThanOrEqual(0);
  });

  it("of turns count what is answered", async () => {
    const { smallMedianMs, smallP99Ms, largePerSecond } = await turns(stage(), {}, 2, 1);
    expect(smallMedianMs).toBeGreaterThan(0);
    expect(smallP99Ms).toBeGreaterThanOrEqual(smallMedianMs);
    expect(largePerSecond).toBeGreaterThan(0);
  });

  it("are of texts that are as long as is said, and the same each time", () => {
    for (const language of ["english", "vietnamese"] as const) {
      const text = textOf(10_000, language, 7);
      expect(Buffer.byteLength(text)).toSatisfy((bytes: number) => bytes <= 10_000 && bytes > 9_900);
      expect(textOf(10_000, language, 7)).toBe(text);
      expect(textOf(10_000, language, 8)).not.toBe(text);
    }
  });
});
