/**
 * Decodes a file by an ffmpeg program, which gets its parameters without a shell and belongs to this process's group. Its
 * samples arrive as a WAV file without end on its output, and the loudness at the end of its log.
 */
import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type { AudioFormat } from "../sound/format.ts";
import { ImpossibleSoundError, requirePlausible } from "../sound/sound-meter.ts";
import {
  codecNames,
  type Decoding,
  type Loudness,
  loudnessOf,
  mp3BitRate,
  mp3Layout,
  writtenTags,
} from "./decoding.ts";
import { WavReader } from "./wav-reader.ts";

const demuxers: Record<AudioFormat, string> = { "audio/mpeg": "mp3", "audio/mp4": "mov" };
/** Limit of one allocation of the program. */
const maxAllocation = 256 * 1_048_576;
/** The end of the log that is kept. The loudness is in its last 1,000 characters. */
const logCharacters = 10_000;

/** @throws ImpossibleSoundError if the file is the cause */
export async function decodeByProgram(
  program: string,
  { path, mimeType, meter, mp3, report }: Decoding,
): Promise<Loudness> {
  const child = spawn(program, parametersFor(path, mimeType, mp3), { stdio: ["ignore", "pipe", "pipe"], env: {} });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
    child.on("close", (code, signal) => resolve({ code, signal }));
    child.on("error", (error) => reject(new Error(`The program of FFMPEG_PATH cannot be started: ${error.message}`)));
  });
  // Awaited below; until then its failure is no unhandled one.
  ended.catch(() => {});
  try {
    const log = readLog(child.stderr);
    const reader = new WavReader();
    for await (const piece of child.stdout as Readable) {
      for (const block of reader.read(piece)) {
        requirePlausible(block);
        meter.add(block);
      }
      const claimedMs = log.claimedMs();
      if (claimedMs > 0) report(Math.min(0.99, meter.durationMs / claimedMs));
    }
    const { code, signal } = await ended;
    if (signal !== null) throw new Error(`ffmpeg ended unexpectedly (${signal}).`);
    if (code !== 0 && meter.durationMs > 0) throw new Error(`ffmpeg ended with exit code ${code}.`);
    if (code !== 0) throw new ImpossibleSoundError("The file cannot be decoded: it is damaged, or has no sound track.");
    return log.loudness();
  } finally {
    child.kill("SIGKILL");
  }
}

function parametersFor(path: string, mimeType: AudioFormat, mp3: Decoding["mp3"]): string[] {
  const allowed = ["-protocol_whitelist", "file,pipe", "-codec_whitelist", codecNames];
  const input = [...allowed, "-f", demuxers[mimeType], "-i", `file:${path}`];
  const track = ["-map", "0:a:0", "-map_metadata", "-1", "-map_chapters", "-1"];
  // The log has the level info; only the summary is wanted there.
  const samples = ["-af", "ebur128=peak=true:framelog=verbose", "-c:a", "pcm_f32le", "-f", "wav", "pipe:1"];
  const parameters = ["-nostdin", "-hide_banner", "-nostats", "-loglevel", "info", "-max_alloc", `${maxAllocation}`];
  parameters.push(...input, ...track, ...samples);
  if (mp3 === null) return parameters;
  const tags = Object.entries(writtenTags(mp3.tags)).flatMap(([name, text]) => ["-metadata", `${name}=${text}`]);
  const encoding = [
    "-af",
    `aformat=${mp3Layout}`,
    "-c:a",
    "libmp3lame",
    "-b:a",
    `${mp3BitRate}`,
    "-id3v2_version",
    "3",
  ];
  return [...parameters, ...track, ...tags, ...encoding, "-f", "mp3", `file:${mp3.path}`];
}

/** Keeps the end of the log, and the duration of its beginning. */
function readLog(stderr: Readable) {
  let beginning = "";
  let end = "";
  stderr.setEncoding("utf8");
  stderr.on("data", (text: string) => {
    if (beginning.length < logCharacters) beginning += text;
    end = (end + text).slice(-logCharacters);
  });
  return {
    /** The duration in the headers, which may lie; 0 if unknown. */
    claimedMs(): number {
      const [, hours = 0, minutes = 0, seconds = 0] = /Duration: (\d+):(\d+):([\d.]+),/.exec(beginning) ?? [];
      return (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)) * 1_000;
    },
    loudness(): Loudness {
      const summary = end.slice(end.lastIndexOf("Integrated loudness:"));
      const valueAfter = (label: string) => {
        const text = summary.slice(summary.indexOf(label) + label.length);
        return Number.parseFloat(text.trimStart());
      };
      return loudnessOf({ integrated: valueAfter("I:"), truePeak: valueAfter("Peak:") });
    },
  };
}
