/** Runs in a process of its own: measures the sound of one file, and converts M4A to MP3. */
import { answerTask } from "../../processing/process-task.ts";
import type { AudioFormat } from "../sound/format.ts";
import { ImpossibleSoundError, SoundMeter } from "../sound/sound-meter.ts";
import { type Cover, noTags, readTagsAndCoverOf } from "../sound/tags.ts";
import type { Decoding } from "./decoding.ts";
import type { Sound } from "./sound-job.ts";

export type SoundTask = {
  path: string;
  mimeType: AudioFormat;
  /** The path of the MP3 file to write; null for none. */
  mp3Path: string | null;
  maxDurationMs: number;
  /** An ffmpeg program; null for the libraries. */
  ffmpegPath: string | null;
};
export type SoundAnswer = { sound: Sound; cover: Cover | null } | { impossible: string };

async function processSound(task: SoundTask, report: (progress: number) => void): Promise<SoundAnswer> {
  const { path, mimeType, mp3Path, maxDurationMs, ffmpegPath } = task;
  const { tags, cover } = await readTagsAndCoverOf(path, mimeType).catch(() => ({ tags: noTags, cover: null }));
  const meter = new SoundMeter({ maxDurationMs });
  const decoding: Decoding = { path, mimeType, meter, mp3: mp3Path === null ? null : { path: mp3Path, tags }, report };
  try {
    const loudness = await decode(decoding, ffmpegPath);
    const { samplePeak, ...measures } = meter.measures();
    const { artist, album } = tags;
    return { sound: { ...measures, ...loudness, artist, album }, cover };
  } catch (error) {
    if (error instanceof ImpossibleSoundError) return { impossible: error.message };
    throw error;
  }
}

/** Each way is loaded only if it is used: the libraries take 0.1 s and 40 MB. */
async function decode(decoding: Decoding, ffmpegPath: string | null) {
  if (ffmpegPath !== null) return (await import("./program-decoding.ts")).decodeByProgram(ffmpegPath, decoding);
  return (await import("./native-decoding.ts")).decodeNatively(decoding);
}

await answerTask(processSound);
