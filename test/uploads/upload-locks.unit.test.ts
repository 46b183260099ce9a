/** One request at a time for an upload. */
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { UploadLocks } from "../../src/uploads/upload-locks.ts";

const { signal } = new AbortController();
const patiently = { waitMs: 60_000, silentMs: 60_000 };

describe("the lock of an upload", () => {
  it("is given to one after the other, and does not concern other uploads", async () => {
    const locks = new UploadLocks(patiently);
    const events: string[] = [];
    const [first, second, other] = [locks.newLock("a"), locks.newLock("a"), locks.newLock("b")];
    await first.lock(signal, () => events.push("first gives way") as never);
    const waiting = second.lock(signal, () => {}).then(() => events.push("second"));
    await other.lock(signal, () => {});
    await turn();
    expect([events, locks.isHeld("a"), locks.isHeld("b"), locks.isHeld("c")]).toEqual([[], true, true, false]);
    await other.unlock();
    await first.unlock();
    await waiting;
    // A lock that has passed on does not end that of the next.
    await first.unlock();
    expect([events, locks.isHeld("a"), locks.isHeld("b")]).toEqual([["second"], true, false]);
    await second.unlock();
    expect(locks.isHeld("a")).toBe(false);
  });

  it("is refused to a request that has waited in vain, while bytes come", async () => {
    const locks = new UploadLocks({ waitMs: 20, silentMs: 60_000 });
    let isAsked = false;
    const first = locks.newLock("a");
    await first.lock(signal, () => {
      isAsked = true;
    });
    locks.noteBytes("a");
    locks.noteBytes("unknown");
    await expect(locks.newLock("a").lock(signal, () => {})).rejects.toMatchObject({
      code: "CONFLICT",
      details: { http: { status: 423 } },
    });
    expect([isAsked, locks.isHeld("a")]).toEqual([false, true]);
    await first.unlock();
    await locks.newLock("a").lock(signal, () => {});
  });

  it("is taken over from a request that has been silent", async () => {
    const locks = new UploadLocks({ waitMs: 60_000, silentMs: -1 });
    const first = locks.newLock("a");
    await first.lock(signal, () => first.unlock());
    await locks.newLock("a").lock(signal, () => {});
    expect(locks.isHeld("a")).toBe(true);
  });
});
