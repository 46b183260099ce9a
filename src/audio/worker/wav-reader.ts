/** Reads a WAV file of floating-point samples piece by piece, as ffmpeg writes it to a pipe: without its true length. */
import type { SoundBlock } from "../sound/sound-meter.ts";

const bytesPerSample = 4;

export class WavReader {
  #rest: Buffer = Buffer.alloc(0);
  #layout: Omit<SoundBlock, "samples"> | undefined;

  /** The samples of the piece, in whole frames. @throws Error if the file is no such WAV file */
  *read(piece: Buffer): Generator<SoundBlock> {
    this.#rest = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    this.#layout ??= this.#readHeader();
    if (!this.#layout) return;
    const { channels } = this.#layout;
    const frames = Math.floor(this.#rest.length / (bytesPerSample * channels));
    const bytes = frames * bytesPerSample * channels;
    if (frames === 0) return;
    // Copied, because an array of floats begins at a multiple of 4 bytes.
    const samples = new Float32Array(Uint8Array.from(this.#rest.subarray(0, bytes)).buffer);
    this.#rest = this.#rest.subarray(bytes);
    yield { samples, ...this.#layout };
  }

  /** Removes the header from the bytes that were read; undefined if it is not complete yet. */
  #readHeader(): Omit<SoundBlock, "samples"> | undefined {
    const bytes = this.#rest;
    let format: Omit<SoundBlock, "samples"> | undefined;
    if (bytes.length >= 4 && bytes.toString("latin1", 0, 4) !== "RIFF") throw new Error("The samples are no WAV file.");
    for (let at = 12; at + 8 <= bytes.length; ) {
      const [name, size] = [bytes.toString("latin1", at, at + 4), bytes.readUInt32LE(at + 4)];
      if (name === "data") {
        if (!format) throw new Error("The WAV file has no format.");
        this.#rest = bytes.subarray(at + 8);
        return format;
      }
      if (name === "fmt " && at + 24 <= bytes.length) {
        format = { channels: bytes.readUInt16LE(at + 10), sampleRate: bytes.readUInt32LE(at + 12) };
      }
      // Chunks begin at even offsets.
      at += 8 + size + (size % 2);
    }
    return undefined;
  }
}
