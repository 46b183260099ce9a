/** Processes a sound: measures it, converts M4A to MP3, and keeps the new files. */
import { join } from "node:path";
import type { Logger } from "pino";
import { BoundedProcesses } from "../../processing/bounded-process.ts";
import type { WorkLimits } from "../../processing/bounded-work.ts";
import { LimitExceededError } from "../../processing/bounded-work.ts";
import { ImpossibleJobError } from "../../processing/queue.ts";
import type { Processor } from "../../processing/work-queue.ts";
import { FileMissingError, type FileStore, FileStoreError, type StagedFile } from "../../storage/file-store.ts";
import { audioFormats } from "../sound/format.ts";
import type { Cover } from "../sound/tags.ts";
import { mp3BitRate } from "./decoding.ts";
import type { AudioJob, AudioResult, NewFile } from "./sound-job.ts";
import type { SoundAnswer, SoundTask } from "./sound-process.ts";

export type SoundProcessorOptions = {
  files: FileStore;
  /** Maximum number of concurrent files. */
  slots: number;
  limits: SoundLimits;
  /** An ffmpeg program to decode with; null for the libraries. */
  ffmpegPath: string | null;
  logger: Logger;
};

export type SoundLimits = Pick<WorkLimits, "timeoutMs" | "memoryMb"> & {
  /** Longer sounds are refused. */
  maxDurationMs: number;
};

/** Bytes of an MP3 file that are not sound: tags and headers. */
const mp3OverheadBytes = 100_000;

type Processes = BoundedProcesses<SoundTask, SoundAnswer>;
type MeasuredSound = Exclude<SoundAnswer, { impossible: string }>;

export function openSoundProcessor(options: SoundProcessorOptions): Processor<AudioJob, AudioResult> {
  const { files, slots, limits, logger } = options;
  const processes: Processes = new BoundedProcesses({
    filename: join(import.meta.dirname, "sound-process.ts"),
    processes: slots,
    // Each slot has its own process, so sounds do not wait.
    limits: { waitMs: limits.timeoutMs, ...limits },
    subject: "Processing the sound",
  });
  return {
    work: (job, signal, report) => processJob(job, signal, report, processes, options),
    discard: (result) => discardResult(files, result, logger),
    close: () => processes.close(),
  };
}

/** Removes the new files of a result that no row names. Files that cannot be removed now are left to the sweep. */
export async function discardResult(
  files: Pick<FileStore, "remove">,
  { file, cover }: Pick<AudioResult, "file" | "cover">,
  logger: Logger,
): Promise<void> {
  for (const { storageKey } of [file, cover].filter((each) => each !== null)) {
    await files.remove(storageKey).catch((error) => logger.warn({ err: error, storageKey }, "a file was not removed"));
  }
}

/** @throws ImpossibleJobError if the file itself is the cause */
async function processJob(
  { storageKey, mimeType }: AudioJob,
  signal: AbortSignal,
  report: (progress: number) => void,
  processes: Processes,
  { files, limits, ffmpegPath, logger }: SoundProcessorOptions,
): Promise<AudioResult> {
  const result: Pick<AudioResult, "file" | "cover"> = { file: null, cover: null };
  const measure = (path: string, mp3Path: string | null) => {
    const { maxDurationMs } = limits;
    return answerOf(processes, { path, mimeType, mp3Path, maxDurationMs, ffmpegPath }, { signal, report });
  };
  try {
    let measured: MeasuredSound;
    if (mimeType === audioFormats.mp3) {
      measured = await readOriginal(files, storageKey, (path) => measure(path, null));
    } else {
      const converted = await readOriginal(files, storageKey, (path) => convert(files, limits, path, measure));
      measured = converted.measured;
      result.file = { ...(await keep(files, converted.staged)), mimeType: audioFormats.mp3 };
    }
    const { sound, cover } = measured;
    if (cover) result.cover = await keepCover(files, cover);
    signal.throwIfAborted();
    return { sound, ...result };
  } catch (error) {
    await discardResult(files, result, logger);
    throw error;
  }
}

async function answerOf(
  processes: Processes,
  task: SoundTask,
  options: { signal: AbortSignal; report: (progress: number) => void },
): Promise<MeasuredSound> {
  try {
    const answer = await processes.run(task, options);
    if ("impossible" in answer) throw new ImpossibleJobError(answer.impossible);
    return answer;
  } catch (error) {
    // Otherwise other work may be the cause, so a retry may succeed.
    if (error instanceof LimitExceededError && error.isCertain) {
      throw new ImpossibleJobError(error.message, { cause: error });
    }
    throw error;
  }
}

/** Stages the MP3 file that is written while the sound is measured. */
async function convert(
  files: FileStore,
  { maxDurationMs }: Pick<SoundLimits, "maxDurationMs">,
  path: string,
  measure: (path: string, mp3Path: string) => Promise<MeasuredSound>,
): Promise<{ measured: MeasuredSound; staged: StagedFile }> {
  const maxBytes = Math.ceil(((maxDurationMs / 1_000) * mp3BitRate) / 8) + mp3OverheadBytes;
  const measured = Promise.withResolvers<MeasuredSound>();
  const staged = await files.stageWritten({ name: "sound.mp3", maxBytes }, async (mp3Path) =>
    measured.resolve(await measure(path, mp3Path)),
  );
  return { measured: await measured.promise, staged };
}

async function keepCover(files: FileStore, { bytes, mimeType }: Cover): Promise<AudioResult["cover"]> {
  const source = async function* () {
    yield bytes;
  };
  const staged = await files.stage(source(), { name: "cover", maxBytes: bytes.length });
  return { ...(await keep(files, staged)), mimeType };
}

/** Keeps a staged file, or removes it. */
async function keep(files: FileStore, staged: StagedFile): Promise<NewFile> {
  const { sizeBytes, sha256 } = staged;
  try {
    return { storageKey: await files.keep(staged), sizeBytes, sha256 };
  } catch (error) {
    await files.discard(staged).catch(() => {});
    throw error;
  }
}

/** Its error becomes the failure of the row, so it contains no path. */
async function readOriginal<Result>(
  files: FileStore,
  storageKey: string,
  use: (path: string) => Promise<Result>,
): Promise<Result> {
  try {
    return await files.withLocalFile(storageKey, use);
  } catch (error) {
    if (error instanceof FileMissingError) {
      throw new Error("The file is not in this worker's file store.", { cause: error });
    }
    if (error instanceof FileStoreError) {
      throw new Error(`The file store of this worker fails (${error.reason}).`, { cause: error });
    }
    throw error;
  }
}
