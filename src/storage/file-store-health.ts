/**
 * Whether the store takes files, however often that is asked: one trial at a time, and none while the last one's result
 * is fresh. A trial that hangs, as on a disk in the network that is away, is trouble until it ends; nobody waits for it.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "pino";
import { type FileStore, FileStoreError } from "./file-store.ts";

export type FileStoreHealthOptions = {
  store: Pick<FileStore, "requireUsable">;
  logger: Logger;
  /** How long a result holds. */
  freshMs?: number;
  /** How long a trial may take. */
  limitMs?: number;
};

export class FileStoreHealth {
  readonly #options: Required<FileStoreHealthOptions>;
  #trial: { deadline: number; ended: Promise<FileStoreError | null> } | undefined;
  #trouble: FileStoreError | null = null;
  #endedAt = Number.NEGATIVE_INFINITY;

  constructor({ freshMs = 1_000, limitMs = 2_000, ...options }: FileStoreHealthOptions) {
    this.#options = { ...options, freshMs, limitMs };
  }

  /** Why the store takes no files, or null when it does. */
  async findTrouble(): Promise<FileStoreError | null> {
    const { freshMs, limitMs } = this.#options;
    const now = performance.now();
    if (!this.#trial && now - this.#endedAt < freshMs) return this.#trouble;
    this.#trial ??= { deadline: now + limitMs, ended: this.#try() };
    const trial = this.#trial;
    const late = pause(Math.max(0, trial.deadline - now), undefined, { ref: false });
    await Promise.race([trial.ended, late]);
    return this.#trial === trial ? this.#note(new FileStoreError("", silence(limitMs))) : this.#trouble;
  }

  async #try(): Promise<FileStoreError | null> {
    try {
      await this.#options.store.requireUsable();
      return this.#note(null);
    } catch (error) {
      if (!(error instanceof FileStoreError)) throw error;
      return this.#note(error);
    } finally {
      this.#trial = undefined;
      this.#endedAt = performance.now();
    }
  }

  /** A change is told once, to the log. */
  #note(trouble: FileStoreError | null): FileStoreError | null {
    const { logger } = this.#options;
    if (trouble && trouble.code !== this.#trouble?.code)
      logger.error({ err: trouble }, "the file store takes no files");
    if (!trouble && this.#trouble) logger.info("the file store takes files again");
    this.#trouble = trouble;
    return trouble;
  }
}

const silence = (ms: number) => Object.assign(new Error(`No answer for ${ms / 1000} s.`), { code: "ETIMEDOUT" });
