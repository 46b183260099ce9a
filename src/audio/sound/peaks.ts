/**
 * Peaks: the loudest absolute samples of equally long slices of a sound, as bytes from 0 (silence) to 255 (full scale).
 * A waveform of any number of slices up to `peakCount` is derived from them by maximum.
 */

/** Number of slices that are stored. */
export const peakCount = 1_000;

/** Number of finer slices that are held while the length of the sound is unknown. Even, so that pairs can be merged. */
const bucketCount = 16_384;

/**
 * Collects peaks in one pass and constant memory: when all buckets are full, each two are merged, and the bucket becomes
 * twice as long. At the end at least half of the buckets are full, so that a slice is exact to an eighth of its length.
 */
export class PeakMeter {
  readonly #buckets = new Float64Array(bucketCount);
  #framesPerBucket = 1;
  #bucket = 0;
  #framesInBucket = 0;

  /** Adds the next frame by its loudest absolute sample. */
  add(level: number): void {
    if (this.#framesInBucket === this.#framesPerBucket) this.#beginBucket();
    this.#framesInBucket++;
    if (level > (this.#buckets[this.#bucket] as number)) this.#buckets[this.#bucket] = level;
  }

  /** The peaks of the frames so far; all are 0 before the first. */
  peaks(): Uint8Array<ArrayBuffer> {
    const used = this.#framesInBucket === 0 ? 0 : this.#bucket + 1;
    const loudest = loudestOf(this.#buckets.subarray(0, used), peakCount);
    return Uint8Array.from(loudest, (level) => Math.round(255 * Math.min(1, level)));
  }

  #beginBucket(): void {
    this.#bucket++;
    this.#framesInBucket = 0;
    if (this.#bucket < bucketCount) return;
    const buckets = this.#buckets;
    this.#bucket = bucketCount / 2;
    for (let index = 0; index < this.#bucket; index++) {
      buckets[index] = Math.max(buckets[2 * index] as number, buckets[2 * index + 1] as number);
    }
    buckets.fill(0, this.#bucket);
    this.#framesPerBucket *= 2;
  }
}

/**
 * The levels of `count` slices, from 0 to 1.
 *
 * @param count from 1 to `peakCount`
 */
export function peaksOf(peaks: Uint8Array, count: number): Float32Array {
  if (!Number.isInteger(count) || count < 1 || count > peakCount) {
    throw new RangeError(`A waveform has 1 to ${peakCount} slices, not ${count}.`);
  }
  return Float32Array.from(loudestOf(peaks, count), (peak) => peak / 255);
}

/** The maxima of `count` slices. A level that reaches into two slices counts for both. */
function loudestOf(levels: Float64Array | Uint8Array, count: number): Float64Array {
  const loudest = new Float64Array(count);
  for (let slice = 0; slice < count; slice++) {
    const end = Math.ceil(((slice + 1) * levels.length) / count);
    for (let index = Math.floor((slice * levels.length) / count); index < end; index++) {
      loudest[slice] = Math.max(loudest[slice] as number, levels[index] as number);
    }
  }
  return loudest;
}
