/** Headers of MP3 frames: MPEG 1, 2 and 2.5, Layer III. Free-format frames, whose length is unknown, are no frames here. */

export type MpegFrame = {
  lengthBytes: number;
  /** Bits that are equal in all frames of a file: version, layer and sample rate. */
  kind: number;
};

/** Kbit/s by the index in the header; 0 is free or invalid. */
const bitrates = {
  mpeg1: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0],
  mpeg2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0],
} as const;
/** Samples per second by the index in the header; 0 is invalid. MPEG 2 has half of them, MPEG 2.5 a quarter. */
const sampleRates = [44_100, 48_000, 32_000, 0] as const;
const layer3 = 1;

/** The frame whose header begins at the offset; null if there is none. */
export function frameAt(bytes: Uint8Array, at: number): MpegFrame | null {
  const [sync = 0, second = 0, third = 0, fourth] = bytes.subarray(at, at + 4);
  if (fourth === undefined || sync !== 0xff || second < 0xe0) return null;
  const version = (second >> 3) & 3;
  if (version === 1 || ((second >> 1) & 3) !== layer3) return null;
  const isMpeg1 = version === 3;
  const bitrate = (isMpeg1 ? bitrates.mpeg1 : bitrates.mpeg2)[third >> 4] ?? 0;
  const sampleRate = (sampleRates[(third >> 2) & 3] ?? 0) / (isMpeg1 ? 1 : version === 2 ? 2 : 4);
  if (bitrate === 0 || sampleRate === 0) return null;
  const padding = (third >> 1) & 1;
  const lengthBytes = Math.floor(((isMpeg1 ? 144_000 : 72_000) * bitrate) / sampleRate) + padding;
  return { lengthBytes, kind: ((second & 0x1e) << 8) | (third & 0x0c) };
}

/**
 * The offset from `from` to below `to` at which `count` consecutive frames of one kind begin; null if there is none. Fewer
 * frames at `from` itself count if the file ends with them, perhaps with an ID3v1 tag behind them.
 */
export function findFrames(
  bytes: Uint8Array,
  { from, to, count }: { from: number; to: number; count: number },
): number | null {
  const end = Math.min(to, bytes.length);
  for (let at = bytes.indexOf(0xff, from); at >= 0 && at < end; at = bytes.indexOf(0xff, at + 1)) {
    if (beginsFrames(bytes, at, count, at === from)) return at;
  }
  return null;
}

const id3v1Bytes = 128;

function beginsFrames(bytes: Uint8Array, start: number, count: number, mayEnd: boolean): boolean {
  const first = frameAt(bytes, start);
  if (first === null) return false;
  let at = start + first.lengthBytes;
  for (let frames = 1; frames < count; frames++) {
    if (at === bytes.length || at === bytes.length - id3v1Bytes) return mayEnd;
    const next = frameAt(bytes, at);
    if (next?.kind !== first.kind) return false;
    at += next.lengthBytes;
  }
  return true;
}
