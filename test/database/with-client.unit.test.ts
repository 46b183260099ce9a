import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DatabaseClient } from "../../src/database/client.ts";
import { streamOf } from "../../src/database/pg-internals.ts";
import { endClient, withClient } from "../../src/database/with-client.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  vi.spyOn(DatabaseClient.prototype, "connect").mockImplementation(async () => {});
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const mockEnd = (end: () => Promise<void>) => vi.spyOn(DatabaseClient.prototype, "end").mockImplementation(end);

describe("a client", () => {
  it("is closed after its use, and after one that fails", async () => {
    const end = mockEnd(async () => {});
    expect(await withClient("postgresql://nowhere/", async () => "a result")).toBe("a result");
    expect(end).toHaveBeenCalledTimes(1);
    await expect(withClient("postgresql://nowhere/", () => Promise.reject(new Error("It failed.")))).rejects.toThrow(
      "It failed.",
    );
    expect([end.mock.calls.length, vi.getTimerCount()]).toEqual([2, 0]);
  });

  it("that the database does not close is broken after a timeout", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    mockEnd(() => promise);
    const client = new DatabaseClient("postgresql://nowhere/");
    const ending = endClient(client, 500);
    await vi.advanceTimersByTimeAsync(499);
    expect(streamOf(client).destroyed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(streamOf(client).destroyed).toBe(true);
    resolve();
    await ending;
  });
});
