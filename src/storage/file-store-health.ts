/**
 * Checks whether the store accepts files, with one trial at a time, and caches the result briefly. A trial that hangs,
 * such as on an unreachable network disk, counts as a failure until it ends.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { type FileStore, FileStoreError } from "./file-store.ts";

export type FileStoreHealthOptions = {
  store: Pick<FileStore, "requireUsable" | "usableMs">;
  logger: Logger;
  /** Lifetime of a cached result; default: that of the store, or a second. */
  freshMs?: number;
  /** Timeout of a trial. */
  limitMs?: number;
};

export class FileStoreHealth {
  readonly #options: Required<FileStoreHealthOptions>;
  #trial: { deadline: number; ended: Promise<FileStoreError | null> } | undefined;
  #trouble: FileStoreError | null = null;
  #endedAt = Number.NEGATIVE_INFINITY;

  constructor({ freshMs, limitMs = 2_000, ...options }: FileStoreHealthOptions) {
    this.#options = { ...options, freshMs: freshMs ?? options.store.usableMs ?? 1_000, limitMs };
  }

  /** Why the store accepts no files; null if it does. */
  async findTrouble(): Promise<FileStoreError | null> {
    const { freshMs, limitMs } = this.#options;
    const now = performance.now();
    if (!this.#trial && now - this.#endedAt < freshMs) return this.#trouble;
    this.#trial ??= { deadline: now + limitMs, ended: this.#try() };
    const trial = this.#trial;
    const timeout = delay(Math.max(0, trial.deadline - now), undefined, { ref: false });
    await Promise.race([trial.ended, timeout]);
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

  /** Logs changes only, not every result. */
  #note(trouble: FileStoreError | null): FileStoreError | null {
    const { logger } = this.#options;
    if (trouble && trouble.code !== this.#trouble?.code)
      logger.error({ err: trouble }, "the file store accepts no files");
    if (!trouble && this.#trouble) logger.info("the file store accepts files again");
    this.#trouble = trouble;
    return trouble;
  }
}

const silence = (ms: number) => Object.assign(new Error(`No response for ${ms / 1000} s.`), { code: "ETIMEDOUT" });
