/** Measures decoded sound in one pass and constant memory: its duration, peaks, and silence at both ends. */
import { PeakMeter } from "./peaks.ts";

/** Interleaved samples from -1 to 1. Each frame has one sample per channel. */
export type SoundBlock = { samples: Float64Array | Float32Array; channels: number; sampleRate: number };

export type Measures = {
  durationMs: number;
  /** `peakCount` bytes, see peaks.ts. */
  peaks: Uint8Array<ArrayBuffer>;
  /** Loudest absolute sample; 1 is full scale. */
  samplePeak: number;
  /** Time before the first frame that is not silent. The whole duration if there is none. */
  leadingSilenceMs: number;
  /** Time after the last frame that is not silent. 0 if there is none, so the two never overlap. */
  trailingSilenceMs: number;
};

/** The file cannot be processed, now or later. The message is for the user. */
export class ImpossibleSoundError extends Error {
  override name = "ImpossibleSoundError";
}

/** Beyond them a file is far from any music, and its decoding could take all memory. */
const limits = { sampleRate: 192_000, channels: 8 };

/** Loudest sample of silence: -60 dBFS. Dithered silence and the noise of codecs are below it. */
const silenceLevel = 0.001;

export class SoundMeter {
  readonly #maxDurationMs: number;
  readonly #peaks = new PeakMeter();
  #sampleRate = 0;
  #frames = 0;
  /** Index of the first frame that is not silent, and of the frame after the last one; -1 if there is none. */
  #soundFrom = -1;
  #soundTo = -1;
  #samplePeak = 0;

  constructor({ maxDurationMs }: { maxDurationMs: number }) {
    this.#maxDurationMs = maxDurationMs;
  }

  /**
   * @param block has the sample rate of the blocks before
   * @throws ImpossibleSoundError if the sound is longer than `maxDurationMs`
   */
  add({ samples, channels, sampleRate }: SoundBlock): void {
    this.#sampleRate = sampleRate;
    for (let at = 0; at + channels <= samples.length; at += channels) {
      let level = 0;
      for (let channel = 0; channel < channels; channel++) {
        const sample = Math.abs(samples[at + channel] as number);
        // Also false for NaN, which damaged floating-point data may decode to.
        if (sample > level) level = sample;
      }
      this.#peaks.add(level);
      if (level > this.#samplePeak) this.#samplePeak = level;
      if (level > silenceLevel) {
        if (this.#soundFrom < 0) this.#soundFrom = this.#frames;
        this.#soundTo = this.#frames + 1;
      }
      this.#frames++;
    }
    if (this.durationMs > this.#maxDurationMs) {
      throw new ImpossibleSoundError(
        `The sound is longer than ${this.#maxDurationMs / 3_600_000} hours: cut it into parts.`,
      );
    }
  }

  /** Duration of the blocks so far. */
  get durationMs(): number {
    return this.#frames === 0 ? 0 : (this.#frames * 1_000) / this.#sampleRate;
  }

  /** @throws ImpossibleSoundError if there is no sound */
  measures(): Measures {
    if (this.#frames === 0) throw new ImpossibleSoundError("No sound could be decoded: the file is damaged or empty.");
    const msOf = (frames: number) => Math.round((frames * 1_000) / this.#sampleRate);
    const isSilent = this.#soundFrom < 0;
    return {
      durationMs: Math.max(1, msOf(this.#frames)),
      peaks: this.#peaks.peaks(),
      samplePeak: this.#samplePeak,
      leadingSilenceMs: msOf(isSilent ? this.#frames : this.#soundFrom),
      trailingSilenceMs: isSilent ? 0 : msOf(this.#frames - this.#soundTo),
    };
  }
}

/** @throws ImpossibleSoundError if a header claims more than any music has */
export function requirePlausible({ sampleRate, channels }: Pick<SoundBlock, "sampleRate" | "channels">): void {
  if (sampleRate < 1 || sampleRate > limits.sampleRate) {
    throw new ImpossibleSoundError(`Sample rates up to ${limits.sampleRate} Hz are supported, not ${sampleRate}.`);
  }
  if (channels < 1 || channels > limits.channels) {
    throw new ImpossibleSoundError(`1 to ${limits.channels} channels are supported, not ${channels}.`);
  }
}
