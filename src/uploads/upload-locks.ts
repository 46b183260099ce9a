/**
 * One request at a time works on an upload. A second one waits a moment for the first, and is then refused; but if the
 * first has received nothing for a while, its client has probably lost the connection, and the second takes over.
 *
 * The locks hold within one server. Two servers that append to the same upload would write at the same offsets, so the
 * client would only mix its own bytes.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Lock, Locker } from "@tus/server";
import { ApplicationError } from "../errors.ts";

export type UploadLockTimes = {
  /** Time for which a request waits for another one. */
  waitMs: number;
  /** Time without a byte after which a request gives way to the next. */
  silentMs: number;
};

type Holder = { activeAt: number; giveWay: () => unknown; ended: PromiseWithResolvers<void> };

export class UploadLocks implements Locker {
  readonly #times: UploadLockTimes;
  readonly #holders = new Map<string, Holder>();

  constructor(times: UploadLockTimes = { waitMs: 1_000, silentMs: 10_000 }) {
    this.#times = times;
  }

  isHeld(id: string): boolean {
    return this.#holders.has(id);
  }

  /** The request that works on the upload has received bytes. */
  noteBytes(id: string): void {
    const holder = this.#holders.get(id);
    if (holder) holder.activeAt = performance.now();
  }

  newLock(id: string): Lock {
    let mine: Holder | undefined;
    return {
      lock: async (_signal, giveWay) => {
        await this.#untilFree(id);
        mine = { activeAt: performance.now(), giveWay, ended: Promise.withResolvers() };
        this.#holders.set(id, mine);
      },
      unlock: async () => {
        if (!mine || this.#holders.get(id) !== mine) return;
        this.#holders.delete(id);
        mine.ended.resolve();
      },
    };
  }

  async #untilFree(id: string): Promise<void> {
    const { waitMs, silentMs } = this.#times;
    const until = performance.now() + waitMs;
    for (let holder = this.#holders.get(id); holder; holder = this.#holders.get(id)) {
      const leftMs = until - performance.now();
      if (leftMs <= 0) {
        const message = "Another request is sending this upload: wait until it has ended, and ask for the offset.";
        throw new ApplicationError("CONFLICT", message, { http: { status: 423 } });
      }
      if (performance.now() - holder.activeAt > silentMs) holder.giveWay();
      const timeout = new AbortController();
      await Promise.race([holder.ended.promise, delay(leftMs, undefined, { signal: timeout.signal }).catch(() => {})]);
      timeout.abort();
    }
  }
}
