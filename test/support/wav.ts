/** Samples, and bytes, of a second. */
export const wavRate = 22_050;

/** A WAV file: PCM of 8 bits, mono, a tone of 440 Hz. Longer ones are quickly made, and as large as their time. */
export function wav(seconds: number): Buffer<ArrayBuffer> {
  const samples = Buffer.alloc(seconds * wavRate);
  for (let index = 0; index < samples.length; index++) {
    samples[index] = 128 + Math.round(100 * Math.sin((index * 440 * 2 * Math.PI) / wavRate));
  }
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + samples.length, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  // PCM, one channel.
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(wavRate, 24);
  head.writeUInt32LE(wavRate, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write("data", 36);
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}
