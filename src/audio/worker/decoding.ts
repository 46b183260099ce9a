/** The two ways to decode a file: by libraries inside this process, or by an ffmpeg program. */
import type { AudioFormat } from "../sound/format.ts";
import type { SoundMeter } from "../sound/sound-meter.ts";
import type { Tags } from "../sound/tags.ts";

export type Decoding = {
  path: string;
  /** Chooses the demuxer. */
  mimeType: AudioFormat;
  /** Takes the decoded sound. */
  meter: SoundMeter;
  /** The MP3 file to write in the same pass; null for none. */
  mp3: Mp3Target | null;
  /** Takes the progress from 0 to 1. */
  report: (progress: number) => void;
};

export type Mp3Target = { path: string; tags: Tags };

/** The names of the decoders that may be used, in FFmpeg's list form. */
export const codecNames = "mp3,mp3float,aac,alac";

/** After EBU R 128. Null for silence, and for sound that is too short to be measured (0.4 s). */
export type Loudness = { loudnessLufs: number | null; truePeakDb: number | null };

/** Constant bit rate of MP3 files, in bit/s, so that players know the time of each byte. */
export const mp3BitRate = 160_000;

/** The sample rates of MPEG 1, because lower ones allow lower bit rates only. FFmpeg chooses the nearest. */
export const mp3Layout = "sample_rates=44100|48000|32000:channel_layouts=mono|stereo";

/** The loudness filter reports this value or less if all blocks are below its gate. */
const gateLufs = -70;

export function loudnessOf({ integrated, truePeak }: { integrated: number; truePeak: number }): Loudness {
  return {
    loudnessLufs: integrated > gateLufs ? round(integrated) : null,
    truePeakDb: Number.isFinite(truePeak) ? round(truePeak) : null,
  };
}

/** To 0.01, finer than anybody hears. */
const round = (value: number) => Math.round(value * 100) / 100;

/** The tags that are written to an MP3 file. */
export function writtenTags({ title, artist, album }: Tags): Record<string, string> {
  return { ...(title && { title }), ...(artist && { artist }), ...(album && { album }) };
}
