/** A processor of sounds with a store of its own. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AudioFormat } from "../../../src/audio/sound/format.ts";
import { openSoundProcessor, type SoundProcessorOptions } from "../../../src/audio/worker/processor.ts";
import type { AudioResult } from "../../../src/audio/worker/sound-job.ts";
import { LocalFileStore } from "../../../src/storage/local-file-store.ts";
import { silent as logger } from "../../support/logs.ts";

export async function startProcessing(options: Partial<SoundProcessorOptions["limits"] & SoundProcessorOptions> = {}) {
  const { timeoutMs = 120_000, memoryMb = 500, maxDurationMs = 3_600_000, ...others } = options;
  const folder = await mkdtemp(join(tmpdir(), "lectern-sounds-"));
  const files = new LocalFileStore({ folder: join(folder, "store") });
  const limits = { timeoutMs, memoryMb, maxDurationMs };
  const processor = openSoundProcessor({ files, slots: 2, limits, ffmpegPath: null, logger, ...others });

  /** Keeps a file, as an upload does. */
  async function keep(bytes: Uint8Array): Promise<string> {
    const source = async function* () {
      yield bytes;
    };
    return files.keep(await files.stage(source(), { name: "sound", maxBytes: 1_000_000_000 }));
  }

  async function work(
    bytes: Uint8Array,
    mimeType: AudioFormat = "audio/mpeg",
    {
      signal = new AbortController().signal,
      report = () => {},
    }: { signal?: AbortSignal; report?: (progress: number) => void } = {},
  ): Promise<AudioResult> {
    return processor.work({ storageKey: await keep(bytes), mimeType }, signal, report);
  }

  return {
    files,
    processor,
    keep,
    work,
    /** The folder of a kept file. */
    folderOf: (key: string) => join(folder, "store", "kept", key.slice(-2)),
    /** The keys of all files in the store. */
    async stored(): Promise<string[]> {
      const ids: string[] = [];
      for await (const { id, isStaged } of files.list()) ids.push(isStaged ? `staged ${id}` : id);
      return ids.sort();
    },
    /** The path of a file outside the store with these bytes. */
    async fileOf(bytes: Uint8Array): Promise<string> {
      const path = join(folder, `file-${Math.random()}`);
      await writeFile(path, bytes);
      return path;
    },
    async stop(): Promise<void> {
      await processor.close?.();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type Processing = Awaited<ReturnType<typeof startProcessing>>;
