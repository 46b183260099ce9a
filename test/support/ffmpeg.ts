/** The ffmpeg of this machine, an independent decoder: FFMPEG_PATH, or the one in the search path. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

/** Null, with a line that says so, where there is none. */
export function findFfmpeg(): string | null {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const paths = [process.env.FFMPEG_PATH, ...folders.map((folder) => join(folder, "ffmpeg"))];
  const found = paths.find((path) => path !== undefined && existsSync(path));
  if (!found) console.warn("Skipped: this machine has no ffmpeg to compare with.");
  return found ?? null;
}

const run = promisify(execFile);

/** What ffmpeg decodes: the duration of all samples, and its measures of loudness, to 0.1. */
export async function decodedBy(ffmpeg: string, path: string) {
  const samples = [
    "-map",
    "0:a:0",
    "-af",
    "ebur128=peak=true:framelog=verbose",
    "-f",
    "s16le",
    "-ac",
    "1",
    "-ar",
    "8000",
    "-",
  ];
  const { stdout, stderr } = await run(ffmpeg, ["-nostdin", "-nostats", "-i", path, ...samples], {
    encoding: "buffer",
    maxBuffer: 100_000_000,
  });
  const log = stderr.toString();
  const last = (pattern: RegExp) => Number.parseFloat([...log.matchAll(pattern)].at(-1)?.[1] ?? "");
  return {
    durationMs: stdout.length / 2 / 8,
    loudnessLufs: last(/I:\s+(-?[\d.]+) LUFS/g),
    truePeakDb: last(/Peak:\s+(-?[\d.]+|-inf) dBFS/g),
  };
}
