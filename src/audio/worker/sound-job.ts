/** The jobs of the queue of sounds, and their results. */
import type { AudioFormat } from "../sound/format.ts";
import type { Measures } from "../sound/sound-meter.ts";
import type { CoverType, Tags } from "../sound/tags.ts";
import type { Loudness } from "./decoding.ts";

export type AudioJob = { storageKey: string; mimeType: AudioFormat };

export type AudioResult = {
  sound: Sound;
  /** A new MP3 file with the sound of an M4A file; null if the file stays as it is. */
  file: (NewFile & { mimeType: "audio/mpeg" }) | null;
  cover: (NewFile & { mimeType: CoverType }) | null;
};

export type Sound = Omit<Measures, "samplePeak"> & Loudness & Pick<Tags, "artist" | "album">;

/** A kept file, which no row names yet. `sha256` is hexadecimal. */
export type NewFile = { storageKey: string; sizeBytes: number; sha256: string };
