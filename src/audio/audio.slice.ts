/** Audio: uploaded, decoded by workers, played under addresses of its own. */
import { createReadStream } from "node:fs";
import { isAbsolute, join } from "node:path";
import { z } from "zod";
import { tables } from "../database/generated/tables.ts";
import { workQueue } from "../processing/work-queue.ts";
import { whole } from "../settings.ts";
import type { Sample, Slice } from "../slice.ts";
import { audioDownload, coverDownload, waveformDownload } from "./audio.downloads.ts";
import { type AudioRepository, audioRepository } from "./audio.repository.ts";
import { AudioService } from "./audio.service.ts";
import { audioTabs } from "./audio.tabs.ts";
import { ThreadedTagReader } from "./sound/tag-reader.ts";
import { audioQueue } from "./worker/audio-queue.ts";

declare module "../settings.ts" {
  interface SliceSettings {
    MAX_AUDIO_BYTES: number;
    MAX_AUDIO_HOURS: number;
    AUDIO_TIMEOUT_MS: number;
    FFMPEG_PATH?: string | undefined;
  }
}
declare module "../unit-of-work/unit-of-work.ts" {
  interface Repositories {
    audio: AudioRepository;
  }
}
declare module "../graphql/context.ts" {
  interface Services {
    audio: AudioService;
  }
}

export const audioSlice: Slice = {
  settings: {
    MAX_AUDIO_BYTES: whole(1, 2_000_000_000).default(50_000_000).describe("size of an audio"),
    MAX_AUDIO_HOURS: whole(1, 100).default(6).describe("length of an audio; a longer one is FAILED"),
    AUDIO_TIMEOUT_MS: whole(1_000, 86_400_000).default(1_800_000).describe("timeout of the processing of an audio"),
    FFMPEG_PATH: z
      .string()
      .refine(isAbsolute, "must be an absolute path")
      .optional()
      .describe("absolute path of an ffmpeg that decodes audio; unset: the libraries"),
  },
  types: () =>
    Promise.all([import("./audio.schema.ts"), import("./audio.mutations.ts"), import("./audio.subscriptions.ts")]),
  repositories: (uow) => ({ audio: audioRepository(uow) }),
  open({ config, files, uploads, logger }) {
    const tags = new ThreadedTagReader({ memoryMb: config.WORKER_MEMORY_MB, logger });
    const maxBytes = config.MAX_AUDIO_BYTES;
    return {
      services: (uow, viewer) => ({ audio: new AudioService({ uow, viewer, files, uploads, tags, maxBytes }) }),
      warmUp: () => tags.warmUp(),
      close: () => tags.close(),
    };
  },
  files: [
    { table: tables.Audio, key: "storageKey", topic: "audio", size: "sizeBytes", sha256: "sha256" },
    {
      table: tables.Audio,
      noun: "cover",
      key: "coverKey",
      topic: "audio",
      size: "coverSizeBytes",
      sha256: "coverSha256",
    },
  ],
  uploads({ MAX_AUDIO_BYTES: maxBytes }) {
    const rule = { maxBytes, role: "EDITOR" } as const;
    return { uploadAudio: rule, replaceAudioFile: rule };
  },
  downloads: [audioDownload, coverDownload, waveformDownload],
  // The decoders are imported by workers only.
  queue: workQueue(audioQueue, async ({ config, files, slots, logger }) => {
    const { openSoundProcessor } = await import("./worker/processor.ts");
    const limits = {
      timeoutMs: config.AUDIO_TIMEOUT_MS,
      memoryMb: config.WORKER_MEMORY_MB,
      maxDurationMs: config.MAX_AUDIO_HOURS * 3_600_000,
    };
    return openSoundProcessor({ files, slots, limits, ffmpegPath: config.FFMPEG_PATH ?? null, logger });
  }),
  seed: addSounds,
  tabs: audioTabs,
};

const samples = join(import.meta.dirname, "../../prisma/sample-library");

/** Made by scripts/make-sample-sounds.ts. Their titles are in their tags. */
const sounds = [
  { name: "broken-chords.mp3", category: "Music" },
  // Is converted.
  { name: "slow-bells.m4a", category: "Music" },
  { name: "welcome.mp3", category: "Speech" },
];

/** Sounds of the category and the event that the samples of the labels' slices have added before. */
async function addSounds({ files, servicesOf }: Sample): Promise<void> {
  const { audio, categories, events } = servicesOf("editor");
  const event = await events.findByName("Opening");
  for (const { name, category } of sounds) {
    const label = await categories.findByName(category);
    const file = await files.stage(createReadStream(join(samples, name)), { name, maxBytes: 1_000_000 });
    await audio.upload({ source: { file }, categoryId: label?.id ?? null, eventId: event?.id ?? null });
    await files.discard(file);
  }
}
