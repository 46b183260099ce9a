/** Bodies that come slowly, on a clock of the test. */
import { EventEmitter } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { limitSlowness } from "../../src/server/slow-body.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }));
afterEach(() => void vi.useRealTimers());

function receive(isUpload: boolean, headersSent = false) {
  const events: string[] = [];
  const socket = {
    bytesRead: 1_000,
    write: (text: string) => events.push(text.split("\r\n", 1)[0] as string),
    destroy: () => events.push("destroyed"),
  };
  const req = Object.assign(new EventEmitter(), { socket, complete: false });
  limitSlowness(req as never, { headersSent } as never, isUpload);
  const pass = (seconds: number, bytes: number) => {
    socket.bytesRead += bytes;
    vi.advanceTimersByTime(seconds * 1_000);
  };
  return { req, events, pass };
}
const refused = ["HTTP/1.1 408 Request Timeout", "destroyed"];

describe("a body", () => {
  it("without files has a minute", () => {
    const { events, pass } = receive(false);
    pass(59, 1_000_000);
    expect(events).toEqual([]);
    pass(2, 1_000_000);
    expect(events).toEqual(refused);
  });

  it("of files has all the time that its bytes need, but not less than 1 kB/s", () => {
    const { events, pass } = receive(true);
    for (let minutes = 0; minutes < 100; minutes++) pass(60, 60_000);
    expect(events).toEqual([]);
    pass(60, 59_999);
    expect(events).toEqual(refused);
    pass(600, 0);
    expect(events).toEqual(refused);
  });

  it("that was answered already is only cut", () => {
    const { events, pass } = receive(false, true);
    pass(61, 0);
    expect(events).toEqual(["destroyed"]);
  });

  it("that is whole, or whose connection has ended, is not watched any more", () => {
    for (const event of ["end", "close"]) {
      const { req, events, pass } = receive(false);
      req.emit(event);
      pass(600, 0);
      expect(events).toEqual([]);
    }
    const { req, events, pass } = receive(false);
    req.complete = true;
    pass(600, 0);
    expect([events, vi.getTimerCount()]).toEqual([[], 0]);
  });
});
