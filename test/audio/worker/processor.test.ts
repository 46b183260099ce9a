/** Sounds from the store, and the files and measures that come of them. Hostile ones are in hostile-sounds.test.ts. */
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { readTagsOf } from "../../../src/audio/sound/tags.ts";
import { discardResult } from "../../../src/audio/worker/processor.ts";
import type { Sound } from "../../../src/audio/worker/sound-job.ts";
import { longestTurn } from "../../support/event-loop.ts";
import { decodedBy, findFfmpeg } from "../../support/ffmpeg.ts";
import { collectedLog } from "../../support/logs.ts";
import { sharedData } from "../../support/shared-data.ts";
import { id3Tag, makeM4a, makeMp3, png, type SoundOptions, withCover } from "../../support/sounds.ts";
import { until } from "../../support/until.ts";
import { type Processing, startProcessing } from "./processing.ts";

const ffmpeg = findFfmpeg();
let processing: Processing;
beforeAll(async () => {
  processing = await startProcessing();
});
afterAll(() => processing.stop());

/** Lossless, so that the measures are exact. */
const soundOf = async (options: SoundOptions): Promise<Sound> =>
  (await processing.work(makeM4a({ codec: "alac", ...options }), "audio/mp4")).sound;
const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe("an MP3 file", () => {
  it("stays as it is, and is measured", async () => {
    const before = await processing.stored();
    const tags = id3Tag({ texts: { TIT2: "Title", TPE1: " Artist\u0000", TALB: "Album" } });
    const mp3 = Buffer.concat([tags, makeMp3({ seconds: 2 })]);
    const result = await processing.work(mp3);
    expect({ ...result, sound: { ...result.sound, peaks: null } }).toEqual({
      file: null,
      cover: null,
      sound: {
        durationMs: 2_000,
        peaks: null,
        loudnessLufs: expect.closeTo(-6.7, 0),
        truePeakDb: expect.closeTo(-6, 0),
        leadingSilenceMs: 0,
        trailingSilenceMs: 0,
        artist: "Artist",
        album: "Album",
      },
    });
    expect(result.sound.peaks).toHaveLength(1_000);
    for (const peak of result.sound.peaks) expect(Math.abs(peak - 128)).toBeLessThan(10);
    expect(await processing.stored()).toHaveLength(before.length + 1);
  });

  it("has its cover kept as a file", async () => {
    const { cover, file } = await processing.work(Buffer.concat([id3Tag({ cover: png }), makeMp3({ seconds: 1 })]));
    expect(file).toBeNull();
    expect(cover).toEqual({
      storageKey: expect.any(String),
      mimeType: "image/png",
      sizeBytes: png.length,
      sha256: hashOf(png),
    });
    expect(await processing.files.read(cover?.storageKey ?? "")).toEqual(png);
  });

  it("that joins sounds of several sample rates and channels has the duration of all", async () => {
    const parts = [
      makeMp3({ seconds: 1 }),
      makeMp3({ seconds: 1, sampleRate: 22_050, channels: 1 }),
      makeMp3({ seconds: 1 }),
    ];
    const { sound } = await processing.work(Buffer.concat(parts));
    // Between the parts the decoder does not know what was added by the encoder: 50 ms each.
    expect(sound.durationMs).toBeGreaterThan(2_900);
    expect(sound.durationMs).toBeLessThan(3_250);
  });
});

describe("an M4A file", () => {
  it.each(["aac", "alac"] as const)("with %s becomes an MP3 file of the same sound and tags", async (codec) => {
    const tags = { title: '-y /tmp/x; rm "', artist: "Tôi & B", album: "=;\\:'" };
    const expression = "gte(t,0.5)*0.5*sin(2*PI*440*t)";
    const { file, sound } = await processing.work(makeM4a({ seconds: 2, codec, expression, ...tags }), "audio/mp4");
    const bytes = await processing.files.read(file?.storageKey ?? "");
    expect(file).toEqual({
      storageKey: expect.any(String),
      mimeType: "audio/mpeg",
      sizeBytes: bytes.length,
      sha256: hashOf(bytes),
    });
    // 160 kbit/s, with its tags and headers.
    expect(bytes.length).toBeGreaterThan(40_000);
    expect(bytes.length).toBeLessThan(44_000);
    expect(await readTagsOf(await processing.fileOf(bytes), "audio/mpeg")).toEqual(tags);
    const again = (await processing.work(bytes)).sound;
    expect(again.durationMs).toBe(sound.durationMs);
    expect(again.leadingSilenceMs).toBeGreaterThan(450);
    for (const [slice, peak] of sound.peaks.entries()) {
      expect(Math.abs(peak - (again.peaks[slice] ?? 0)), `slice ${slice}`).toBeLessThan(40);
    }
    expect(await processing.stored()).not.toContain(expect.stringMatching(/^staged/));
  });

  it("has its cover kept as a file, beside the new MP3", async () => {
    const before = await processing.stored();
    const { file, cover } = await processing.work(withCover(makeM4a({ seconds: 1 }), png), "audio/mp4");
    expect(cover).toMatchObject({ mimeType: "image/png", sha256: hashOf(png) });
    expect(await processing.stored()).toEqual(
      expect.arrayContaining([...before, file?.storageKey, cover?.storageKey] as string[]),
    );
  });

  it.each([8_000, 16_000, 96_000])("of %i Hz becomes an MP3 file that has its duration", async (sampleRate) => {
    const { file, sound } = await processing.work(
      makeM4a({ seconds: 1, codec: "alac", sampleRate, channels: 1 }),
      "audio/mp4",
    );
    const again = (await processing.work(await processing.files.read(file?.storageKey ?? ""))).sound;
    expect(sound.durationMs).toBe(1_000);
    expect(Math.abs(again.durationMs - 1_000)).toBeLessThanOrEqual(2);
  });
});

describe("loudness", () => {
  it("is that of ITU-R BS.1770 for a tone", async () => {
    expect(await soundOf({ seconds: 3, expression: "0.1*sin(2*PI*997*t)" })).toMatchObject({
      loudnessLufs: expect.closeTo(-20, 1),
      truePeakDb: expect.closeTo(-20, 1),
    });
    const mono = await soundOf({ seconds: 3, channels: 1, expression: "0.9999*sin(2*PI*997*t)" });
    expect(mono.loudnessLufs).toBeCloseTo(-3.01, 1);
  });

  it("leaves out silence", async () => {
    const half = await soundOf({ seconds: 8, expression: "lt(t,4)*0.1*sin(2*PI*997*t)" });
    expect(half.loudnessLufs).toBeCloseTo(-20, 0);
    const silent = await soundOf({ seconds: 1, expression: "0" });
    expect(silent).toMatchObject({
      loudnessLufs: null,
      truePeakDb: null,
      leadingSilenceMs: 1_000,
      trailingSilenceMs: 0,
    });
    expect(new Set(silent.peaks)).toEqual(new Set([0]));
  });

  it("is unknown for sound of less than 0.4 s, which has a peak nevertheless", async () => {
    expect(await soundOf({ seconds: 0.3, expression: "0.5*sin(2*PI*997*t)" })).toMatchObject({
      durationMs: 300,
      loudnessLufs: null,
      truePeakDb: expect.closeTo(-6.02, 1),
    });
  });

  it("has the peak between the samples", async () => {
    // The samples are at 45 degrees: 0.707 of the wave's peak, which is 3 dB less.
    const { truePeakDb, peaks } = await soundOf({
      seconds: 1,
      expression: "min(1,min(t,1-t)*4)*0.9*sin(2*PI*11025*t+PI/4)",
    });
    expect(peaks[500]).toBe(Math.round(255 * 0.9 * Math.SQRT1_2));
    expect(truePeakDb).toBeCloseTo(20 * Math.log10(0.9), 0);
  });

  it("has the peak of the last moment", async () => {
    const { truePeakDb } = await soundOf({ seconds: 1.05, expression: "if(gte(t,1.02),0.5,0.01)*sin(2*PI*997*t)" });
    expect(truePeakDb).toBeCloseTo(-6.02, 0);
  });
});

describe("silence", () => {
  it("is measured at both ends, to the millisecond", async () => {
    const expression = "between(t,1.25,2)*0.9*sin(2*PI*997*t)+0.0005*sin(2*PI*50*t)";
    const { leadingSilenceMs, trailingSilenceMs, durationMs } = await soundOf({ seconds: 3, expression });
    expect(Math.abs(leadingSilenceMs - 1_250)).toBeLessThanOrEqual(1);
    expect(Math.abs(trailingSilenceMs - 1_000)).toBeLessThanOrEqual(1);
    expect(durationMs).toBe(3_000);
  });
});

describe("real files", () => {
  const folder = join(import.meta.dirname, "../../../../shared/data/audio");
  const names = sharedData("audio/si.mp3") ? readdirSync(folder) : [];

  it.runIf(ffmpeg !== null && names.length > 0)("have the duration and loudness that ffmpeg finds", async () => {
    for (const name of names) {
      const mimeType = name.endsWith(".m4a") ? "audio/mp4" : "audio/mpeg";
      const { sound } = await processing.work(await readFile(join(folder, name)), mimeType);
      const expected = await decodedBy(ffmpeg as string, join(folder, name));
      expect(Math.abs(sound.durationMs - expected.durationMs), name).toBeLessThan(50);
      if (sound.loudnessLufs === null) expect(expected.loudnessLufs, name).toBe(-70);
      else expect(Math.abs(sound.loudnessLufs - expected.loudnessLufs), name).toBeLessThan(0.3);
      expect(Math.abs((sound.truePeakDb ?? 0) - expected.truePeakDb), name).toBeLessThan(0.3);
    }
  });
});

describe("the server meanwhile", () => {
  /** Five minutes, of which the decoded samples have 210 MB. */
  const long = () => makeMp3({ seconds: 300, expression: "0", bitRate: 32_000 });

  it("has short turns only", async () => {
    const cover = Buffer.concat([png, Buffer.alloc(4_999_000)]);
    const mp3 = Buffer.concat([id3Tag({ cover }), makeMp3({ seconds: 20 })]);
    const m4a = makeM4a({ seconds: 20 });
    const keys = [await processing.keep(mp3), await processing.keep(m4a)];
    const { result, turnMs } = await longestTurn(async () => {
      const { signal } = new AbortController();
      const jobs = keys.map((storageKey, index) =>
        processing.processor.work({ storageKey, mimeType: index === 0 ? "audio/mpeg" : "audio/mp4" }, signal, () => {}),
      );
      return Promise.all(jobs);
    });
    expect(result.map(({ cover, file }) => [cover?.sizeBytes, file?.mimeType])).toEqual([
      [cover.length, undefined],
      [undefined, "audio/mpeg"],
    ]);
    expect(turnMs).toBeLessThan(50);
  });

  it("learns the progress, while the decoded sound is nowhere held as a whole", async () => {
    const small = await startProcessing({ memoryMb: 150, timeoutMs: 300_000 });
    const reports: number[] = [];
    try {
      const { sound } = await small.work(long(), "audio/mpeg", { report: (progress) => reports.push(progress) });
      expect(sound.durationMs).toBe(300_000);
    } finally {
      await small.stop();
    }
    expect(reports.length).toBeGreaterThan(3);
    expect(reports).toEqual(reports.toSorted((one, other) => one - other));
    for (const progress of reports) expect(progress).toBeGreaterThanOrEqual(0);
    expect(reports.at(-1)).toBeLessThan(1);
  });

  describe("stops", () => {
    let own: Processing;
    afterEach(() => own.stop());

    /** The processes of sounds that this process has started. */
    async function soundProcesses(): Promise<number[]> {
      const tasks = await readdir("/proc/self/task");
      const lists = await Promise.all(tasks.map((task) => readFile(`/proc/self/task/${task}/children`, "utf8")));
      const pids = lists.flatMap((list) => list.split(" ").filter(Boolean).map(Number));
      const names = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
      return pids.filter((_, index) => names[index]?.includes("sound-process"));
    }

    it("an attempt whose signal is aborted, and keeps none of its files", async () => {
      own = await startProcessing();
      const abort = new AbortController();
      const m4a = makeM4a({ seconds: 30 });
      const storageKey = await own.keep(m4a);
      const working = own.processor.work({ storageKey, mimeType: "audio/mp4" }, abort.signal, () =>
        abort.abort(new Error("The worker is stopping.")),
      );
      await expect(working).rejects.toThrow("The worker is stopping.");
      expect(await own.stored()).toEqual([storageKey]);
      expect(await soundProcesses()).toEqual([]);
    });

    it("an attempt whose process crashes, which may be retried", async () => {
      own = await startProcessing();
      const storageKey = await own.keep(makeM4a({ seconds: 30 }));
      const job = { storageKey, mimeType: "audio/mp4" } as const;
      const { signal } = new AbortController();
      let crashed = false;
      const working = own.processor.work(job, signal, () => {
        if (crashed) return;
        crashed = true;
        void soundProcesses().then((pids) => pids.forEach((pid) => void process.kill(pid, "SIGSEGV")));
      });
      await expect(working).rejects.toMatchObject({
        name: "Error",
        message: "Processing the sound ended unexpectedly (SIGSEGV).",
      });
      expect(await own.stored()).toEqual([storageKey]);
      expect((await own.processor.work(job, signal, () => {})).file).not.toBeNull();
    });

    it("an attempt that takes too long, which may be retried", async () => {
      own = await startProcessing({ timeoutMs: 700 });
      const storageKey = await own.keep(long());
      const working = own.processor.work(
        { storageKey, mimeType: "audio/mpeg" },
        new AbortController().signal,
        () => {},
      );
      await expect(working).rejects.toMatchObject({
        name: "LimitExceededError",
        message: "Processing the sound took longer than 0.7 s.",
      });
      await until(async () => (await soundProcesses()).length === 0, "no process is left");
      expect(await own.stored()).toEqual([storageKey]);
    });
  });
});

describe("files", () => {
  it("of a result are removed when it is discarded", async () => {
    const before = await processing.stored();
    const result = await processing.work(makeM4a({ seconds: 1 }), "audio/mp4");
    expect(await processing.stored()).toHaveLength(before.length + 2);
    await processing.processor.discard?.(result);
    expect(await processing.stored()).toHaveLength(before.length + 1);
    expect(await processing.stored()).not.toContain(result.file?.storageKey);
  });

  it("that cannot be removed then are left to the sweep", async () => {
    const { logger, lines } = collectedLog();
    const removed: string[] = [];
    const remove = async (key: string) => {
      removed.push(key);
      throw new Error("The disk is away.");
    };
    const file = { storageKey: "one", mimeType: "audio/mpeg", sizeBytes: 1, sha256: "" } as const;
    await discardResult({ remove }, { file, cover: { ...file, storageKey: "two", mimeType: "image/png" } }, logger);
    expect(removed).toEqual(["one", "two"]);
    expect(lines.map(({ msg, storageKey }) => [msg, storageKey])).toEqual([
      ["a file was not removed", "one"],
      ["a file was not removed", "two"],
    ]);
  });

  it("that were kept are removed when a later step fails", async () => {
    const own = await startProcessing();
    try {
      const storageKey = await own.keep(makeM4a({ seconds: 1 }));
      const keep = own.files.keep.bind(own.files);
      const abort = new AbortController();
      const kept: string[] = [];
      own.files.keep = async (staged) => {
        kept.push(await keep(staged));
        abort.abort(new Error("The claim is lost."));
        return kept.at(-1) as string;
      };
      await expect(own.processor.work({ storageKey, mimeType: "audio/mp4" }, abort.signal, () => {})).rejects.toThrow(
        "The claim is lost.",
      );
      expect(kept).toHaveLength(1);
      expect(await own.stored()).toEqual([storageKey]);
    } finally {
      await own.stop();
    }
  });

  it.each([1, 2])("are removed when number %i cannot be kept", async (number) => {
    const own = await startProcessing();
    try {
      const storageKey = await own.keep(withCover(makeM4a({ seconds: 1 }), png));
      const keep = own.files.keep.bind(own.files);
      let kept = 0;
      own.files.keep = (staged) => (++kept === number ? Promise.reject(new Error("The disk is away.")) : keep(staged));
      const { signal } = new AbortController();
      await expect(own.processor.work({ storageKey, mimeType: "audio/mp4" }, signal, () => {})).rejects.toThrow("away");
      expect(await own.stored()).toEqual([storageKey]);
    } finally {
      await own.stop();
    }
  });

  it("that are missing fail the attempt, which may be retried elsewhere", async () => {
    const storageKey = "00000000-0000-4000-8000-000000000000";
    const job = { storageKey, mimeType: "audio/mpeg" } as const;
    await expect(processing.processor.work(job, new AbortController().signal, () => {})).rejects.toMatchObject({
      name: "Error",
      message: "The file is not in this worker's file store.",
    });
  });
});
