/** Sounds, made by code. */

const rate = 22_050;

/** PCM of 8 bits, mono, 22,050 bytes a second: a tone of 440 Hz. */
export function wav(seconds: number): Buffer<ArrayBuffer> {
  const samples = Buffer.alloc(seconds * rate);
  for (let index = 0; index < samples.length; index++) {
    samples[index] = 128 + Math.round(100 * Math.sin((index * 440 * 2 * Math.PI) / rate));
  }
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + samples.length, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  // PCM, one channel.
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write("data", 36);
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}

/** Silence: frames of MPEG 1 layer 3, 128 kbit/s, 44,100 Hz, mono, without any data. */
export function silentMp3(seconds: number): Buffer<ArrayBuffer> {
  const frame = Buffer.alloc(417);
  frame.set([0xff, 0xfb, 0x90, 0xc4]);
  return Buffer.concat(Array.from({ length: Math.ceil((seconds * 44_100) / 1_152) }, () => frame));
}
