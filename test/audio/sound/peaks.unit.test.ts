/** Peaks of sounds of known levels, their waveforms, and the measures of decoded sound. */
import { describe, expect, it } from "vitest";
import { PeakMeter, peakCount, peaksOf } from "../../../src/audio/sound/peaks.ts";
import { ImpossibleSoundError, requirePlausible, SoundMeter } from "../../../src/audio/sound/sound-meter.ts";
import { waveformSvg } from "../../../src/audio/sound/waveform.ts";

/** The peaks of `frames` frames whose levels are given by their index. */
function measure(frames: number, levelOf: (index: number) => number): Uint8Array {
  const meter = new PeakMeter();
  for (let index = 0; index < frames; index++) meter.add(levelOf(index));
  return meter.peaks();
}

describe("peaks", () => {
  it("are the loudest samples of 1,000 slices", () => {
    const peaks = measure(10_000, (index) => (index % 10 === 3 ? Math.floor(index / 10) / 1_000 : 0));
    expect([...peaks]).toEqual(Array.from({ length: 1_000 }, (_, slice) => Math.round((255 * slice) / 1_000)));
  });

  it.each([1, 7, 999, 1_000, 1_001, 16_384, 16_385, 100_003, 1_234_567])(
    "of %i frames find a single loud one, within an eighth of a slice",
    (frames) => {
      for (const share of [0, 0.25, 0.5, 0.9999]) {
        const loud = Math.floor(share * frames);
        const peaks = measure(frames, (index) => (index === loud ? 1 : 0.25));
        const found = peaks.indexOf(255);
        expect(peaks.every((peak) => peak === 64 || peak === 255)).toBe(true);
        expect(found).toBeLessThanOrEqual(Math.floor((loud * peakCount) / frames));
        expect(peaks.lastIndexOf(255) + 1.125).toBeGreaterThanOrEqual(((loud + 1) * peakCount) / frames);
        // It reaches into a second slice if it lies at their border, and more only if it is longer than a slice.
        const width = peaks.lastIndexOf(255) - found + 1;
        expect(width).toBeLessThanOrEqual(Math.ceil(peakCount / frames) + 1);
      }
    },
  );

  it("are 0 without a frame, and 255 above full scale", () => {
    expect(new Set(measure(0, () => 1))).toEqual(new Set([0]));
    expect(new Set(measure(5_000, () => 1.5))).toEqual(new Set([255]));
  });

  it("of fewer slices are their maxima", () => {
    const peaks = Uint8Array.from({ length: peakCount }, (_, slice) => (slice === 700 ? 255 : slice === 100 ? 51 : 0));
    expect([...peaksOf(peaks, 1)]).toEqual([1]);
    expect([...peaksOf(peaks, 4)]).toEqual([Math.fround(0.2), 0, 1, 0]);
    expect(peaksOf(peaks, 1_000)[700]).toBe(1);
    expect(peaksOf(peaks, 3)).toHaveLength(3);
    for (const count of [0, 1_001, 1.5]) {
      expect(() => peaksOf(peaks, count)).toThrow(`A waveform has 1 to 1000 slices, not ${count}.`);
    }
  });
});

describe("a waveform", () => {
  const peaks = Uint8Array.from({ length: peakCount }, (_, slice) => (slice < 500 ? 0 : 255));

  it("shows a bar for each three pixels", () => {
    expect(waveformSvg(peaks, { width: 5, height: 10 })).toBe(
      '<svg xmlns="http://www.w3.org/2000/svg" width="5" height="10" viewBox="0 0 5 10" role="img" ' +
        'aria-label="Waveform"><path fill="currentColor" d="M0 4h2v1h-2zM3 0h2v10h-2z"/></svg>',
    );
  });

  it("has less than 20 kB, however wide", () => {
    expect(waveformSvg(peaks, { width: 3_000, height: 3_000 }).length).toBeLessThan(20_000);
    expect(waveformSvg(peaks).match(/M/g)).toHaveLength(200);
    expect(waveformSvg(peaks, { width: 3_000 }).match(/M/g)).toHaveLength(1_000);
  });

  it("has a plausible size", () => {
    for (const width of [2, 3_001, 3.5, Number.NaN]) {
      expect(() => waveformSvg(peaks, { width })).toThrow(/The width of a waveform is an integer from 3 to 3000, not/);
    }
    expect(() => waveformSvg(peaks, { height: 1 })).toThrow(/The height/);
  });
});

describe("measures", () => {
  const meterOf = (levels: number[], { channels = 1, maxDurationMs = 1_000_000 } = {}) => {
    const meter = new SoundMeter({ maxDurationMs });
    // In two blocks, which must make no difference.
    const half = channels * Math.floor(levels.length / channels / 2);
    for (const samples of [levels.slice(0, half), levels.slice(half)]) {
      meter.add({ samples: Float64Array.from(samples), channels, sampleRate: 1_000 });
    }
    return meter;
  };

  it("are of the decoded frames, whatever their channels", () => {
    const stereo = meterOf([0, 0, 0, 0.0009, 0, -0.5, 0.25, 0, 0, 0, 0, 0], { channels: 2 }).measures();
    expect(stereo).toMatchObject({ durationMs: 6, samplePeak: 0.5, leadingSilenceMs: 2, trailingSilenceMs: 2 });
    expect(stereo.peaks[500]).toBe(64);
    expect(stereo.peaks[400]).toBe(128);
  });

  it("count a silent file as leading silence only", () => {
    const silent = meterOf([0, 0.001, -0.001, Number.NaN]).measures();
    expect(silent).toMatchObject({ durationMs: 4, leadingSilenceMs: 4, trailingSilenceMs: 0, samplePeak: 0.001 });
  });

  it("need a frame", () => {
    expect(() => meterOf([]).measures()).toThrow(ImpossibleSoundError);
  });

  it("end at the maximum duration", () => {
    expect(meterOf([0, 0, 0], { maxDurationMs: 3 }).durationMs).toBe(3);
    expect(() => meterOf(Array(7_201).fill(0), { maxDurationMs: 7_200 })).toThrow(
      "The sound is longer than 0.002 hours: cut it into parts.",
    );
  });

  it("are refused for headers that no music has", () => {
    requirePlausible({ sampleRate: 192_000, channels: 8 });
    const refusals: [number, number, RegExp][] = [
      [768_000, 2, /up to 192000 Hz are supported, not 768000/],
      [0, 2, /not 0/],
      [48_000, 64, /1 to 8 channels are supported, not 64/],
      [48_000, 0, /not 0/],
    ];
    for (const [sampleRate, channels, message] of refusals) {
      expect(() => requirePlausible({ sampleRate, channels })).toThrow(message);
    }
  });
});
