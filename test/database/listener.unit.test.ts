/** A listening connection that breaks when the test says so: when it wakes, and when it is opened again. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DatabaseClient } from "../../src/database/client.ts";
import { listen } from "../../src/database/listener.ts";
import { collectedLog } from "../support/logs.ts";

let clients: DatabaseClient[];
let statements: string[];
/** The error of the next connection. */
let refusal: Error | undefined;
let wakes: number;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  [clients, statements, refusal, wakes] = [[], [], undefined, 0];
  vi.spyOn(DatabaseClient.prototype, "connect").mockImplementation(async function (this: DatabaseClient) {
    clients.push(this);
    if (!refusal) return;
    this.emit("end");
    throw refusal;
  });
  vi.spyOn(DatabaseClient.prototype, "query").mockImplementation((async (text: string) =>
    statements.push(text)) as never);
  vi.spyOn(DatabaseClient.prototype, "end").mockImplementation(async function (this: DatabaseClient) {
    this.emit("end");
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function open() {
  const { logger, lines } = collectedLog();
  const options = { url: "postgresql://nowhere/", applicationName: "test", logger };
  return { stopping: listen("jobs", () => wakes++, options), lines };
}
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe("a listener", () => {
  it("wakes when it begins to listen, and at each notification", async () => {
    const { stopping } = open();
    const stop = await stopping;
    expect([statements, wakes]).toEqual([["listen jobs"], 1]);
    clients[0]?.emit("notification", { channel: "jobs" });
    expect(wakes).toBe(2);
    await stop();
  });

  it("listens again a second after its connection broke, and wakes, since it may have missed something", async () => {
    const { stopping, lines } = open();
    const stop = await stopping;
    clients[0]?.emit("error", new Error("It broke."));
    clients[0]?.emit("end");
    await pass(999);
    expect(clients).toHaveLength(1);
    await pass(1);
    expect([clients.length, statements, wakes]).toEqual([2, ["listen jobs", "listen jobs"], 2]);
    expect(lines).toMatchObject([{ msg: "the listening connection broke", channel: "jobs" }]);
    await stop();
  });

  it("tries until the database is there again", async () => {
    const { stopping, lines } = open();
    const stop = await stopping;
    refusal = new Error("The database is starting.");
    clients[0]?.emit("end");
    await pass(3_000);
    expect([clients.length, wakes]).toEqual([4, 1]);
    expect(lines.map(({ msg }) => msg)).toEqual(Array(3).fill("listening failed; it will be retried"));
    refusal = undefined;
    await pass(1_000);
    expect([clients.length, wakes]).toEqual([5, 2]);
    await stop();
  });

  it("that has stopped, or could not begin, opens no connection any more", async () => {
    const stop = await open().stopping;
    await stop();
    await pass(60_000);
    expect(clients).toHaveLength(1);
    refusal = new Error("The database is away.");
    await expect(open().stopping).rejects.toBe(refusal);
    await pass(60_000);
    expect(clients).toHaveLength(2);
  });
});
