/** Reads tags on a thread, so that no file blocks the server. Tags only suggest texts, so unreadable ones are none. */
import { join } from "node:path";
import type { Logger } from "pino";
import { BoundedThreads } from "../../processing/bounded-work.ts";
import type { AudioFormat } from "./format.ts";
import { noTags, type Tags } from "./tags.ts";

export interface TagReader {
  /** The tags of a local file; all are null if they cannot be read in time. Never throws. */
  read(path: string, mimeType: AudioFormat): Promise<Tags>;
}

export type TagReaderOptions = {
  /** Memory limit for the tags of one file. */
  memoryMb: number;
  /** Time limit for the tags of one file, and for the wait for the thread. */
  timeoutMs?: number;
  logger: Logger;
};

const threads = 1;
/** Starting a thread takes 0.2 s, a hundred times as long as reading typical tags. */
const idleMs = Number.POSITIVE_INFINITY;
/** Reading typical tags takes 2 ms, and a tag of 50 MB 0.6 s of processor time. */
const patienceMs = 2_000;

export class ThreadedTagReader implements TagReader {
  readonly #threads: BoundedThreads<{ path: string; mimeType: AudioFormat }, Tags>;
  readonly #logger: Logger;

  constructor({ memoryMb, timeoutMs = patienceMs, logger }: TagReaderOptions) {
    this.#logger = logger;
    this.#threads = new BoundedThreads({
      filename: join(import.meta.dirname, "tag-thread.ts"),
      threads,
      idleMs,
      limits: { waitMs: timeoutMs, timeoutMs, memoryMb },
      subject: "Reading the tags",
      logger,
    });
  }

  /** Starts the thread, so that the first file need not wait for it. */
  async warmUp(): Promise<void> {
    await this.#threads.run({ path: import.meta.filename, mimeType: "audio/mpeg" }).catch(() => {});
  }

  async read(path: string, mimeType: AudioFormat): Promise<Tags> {
    try {
      return await this.#threads.run({ path, mimeType });
    } catch (error) {
      this.#logger.debug({ err: error, mimeType }, "tags were not read");
      return noTags;
    }
  }

  close(): Promise<void> {
    return this.#threads.close();
  }
}
