/**
 * Answers that leave before their request's body has come: the client gets the answer, and the connection either goes
 * on or ends, within a bound. Connections are written by hand where it matters what comes when.
 */
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dump } from "../support/dump.ts";
import { filesOf } from "../support/files.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { boundary, field, headOf } from "../support/multipart-by-hand.ts";

const maxBytes = 3_000_000;
let lectern: Lectern;
let ada: Person;

beforeAll(async () => {
  lectern = await startLectern({
    settings: { MAX_DOCUMENT_BYTES: String(maxBytes), MAX_AUDIO_BYTES: String(maxBytes), MAX_JSON_BYTES: "100000" },
  });
  ada = await lectern.person("Ada");
});
afterAll(() => lectern.stop());

const end = `--${boundary}--\r\n`;
const small =
  'POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 26\r\n\r\n{"query":"{ __typename }"}';

const head = (headers: Record<string, string | number>) => headOf(ada.accessToken, headers);

type Conversation = {
  socket: Socket;
  received(): string;
  closed: Promise<void>;
  answers(count: number): Promise<string>;
};

async function converse(): Promise<Conversation> {
  const socket = connect(Number(new URL(lectern.url).port), "127.0.0.1");
  let text = "";
  const watchers = new Set<() => void>();
  const look = () => {
    for (const watcher of watchers) watcher();
  };
  socket.setEncoding("utf8").on("data", (piece) => {
    text += piece;
    look();
  });
  socket.on("error", () => {});
  const closed = new Promise<void>((done) => socket.once("close", () => done()));
  await new Promise((connected) => socket.once("connect", connected));
  return {
    socket,
    received: () => text,
    closed,
    answers: (count) =>
      new Promise((resolve) => {
        const isThere = () => {
          if (wholeAnswers(text) < count) return;
          watchers.delete(isThere);
          resolve(text);
        };
        watchers.add(isThere);
        isThere();
      }),
  };
}

/** How many answers have come whole. */
function wholeAnswers(text: string): number {
  let count = 0;
  for (let at = 0; ; count++) {
    const bodyAt = text.indexOf("\r\n\r\n", at) + 4;
    if (bodyAt < 4) return count;
    at = bodyAt + Number(/content-length: (\d+)/i.exec(text.slice(at, bodyAt))?.[1] ?? 0);
    if (at > text.length) return count;
  }
}

const statuses = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));

describe("an answer before a short body has come", () => {
  it("leaves the connection to the next request, whatever was refused", async () => {
    const wrongOrder = field("map", "{}") + field("operations", "{}") + end;
    const requests: [number, string][] = [
      [400, head({ "content-length": wrongOrder.length + 500 }) + wrongOrder + "x".repeat(500)],
      [401, head({ "content-length": wrongOrder.length, authorization: "Bearer wrong" }) + wrongOrder],
      [404, `POST /nothing HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n${"x".repeat(1_000)}`],
      [405, `PUT /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n123456789`],
    ];
    for (const [status, request] of requests) {
      const { socket, answers } = await converse();
      socket.write(request);
      await answers(1);
      socket.write(small);
      const text = await answers(2);
      expect(statuses(text)).toEqual([status, 200]);
      expect(text).not.toMatch(/connection: close/i);
      expect(text.endsWith('{"data":{"__typename":"Query"}}')).toBe(true);
      socket.destroy();
    }
  });

  it("waits for what is still to come of it", async () => {
    const { socket, answers } = await converse();
    const wrongOrder = field("map", "{}") + field("operations", "{}");
    socket.write(head({ "content-length": wrongOrder.length + 10_000 }) + wrongOrder);
    await answers(1);
    // The rest comes slowly, and the next request right behind it.
    socket.write("x".repeat(5_000));
    await pause(50);
    socket.write("x".repeat(5_000) + small);
    expect(statuses(await answers(2))).toEqual([400, 200]);
    socket.destroy();
  });

  it("reaches a client that sends all and reads afterwards", async () => {
    for (let round = 0; round < 20; round++) {
      const form = new FormData();
      form.set("map", '{"0":["variables.f"]}');
      form.set("operations", "{}");
      form.set("0", new File(["x"], "x.txt"));
      const headers = { authorization: `Bearer ${ada.accessToken}` };
      const response = await fetch(lectern.url, { method: "POST", headers, body: form });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: "BAD_USER_INPUT" } }] });
    }
  });
});

describe("an answer before a long body has come", () => {
  it("says that the connection ends, arrives whole, and is followed by no other", async () => {
    const before = await dump(lectern.database);
    const length = 2_000_000;
    const wrongOrder = field("map", "{}") + field("operations", "{}");
    const requests: [number, string, number][] = [
      [400, head({ "content-length": length }) + wrongOrder, length - wrongOrder.length],
      [401, head({ "content-length": length, authorization: "Bearer wrong" }), length],
      [413, head({ "content-length": 50_000_000 }), length],
      [413, head({ "content-length": length, "content-type": "application/json" }), length],
    ];
    for (const [status, begin, rest] of requests) {
      const { socket, received, closed } = await converse();
      socket.write(begin);
      // The client goes on, as if it had not been answered, and sends a mutation behind it.
      for (let sent = 0; sent < rest; sent += 100_000) {
        socket.write(Buffer.alloc(Math.min(100_000, rest - sent), 0x20));
        await pause(1);
      }
      const query = JSON.stringify({
        query: 'mutation { createDocument(input: { source: { text: "x" } }) { isDuplicate } }',
      });
      socket.write(head({ "content-type": "application/json", "content-length": query.length }) + query);
      socket.end();
      await closed;
      expect(statuses(received())).toEqual([status]);
      expect(received()).toMatch(/connection: close/i);
      expect(received().endsWith("}")).toBe(true);
    }
    expect(await dump(lectern.database)).toEqual(before);
    expect(await filesOf(lectern)).toEqual([]);
  });

  it("reaches Node's fetch, which is still sending", async () => {
    for (let round = 0; round < 10; round++) {
      const form = new FormData();
      form.set("operations", "{}");
      form.set("map", "{}");
      form.set("0", new File([new Uint8Array(maxBytes + 200_000)], "large.txt"));
      const headers = { authorization: `Bearer ${ada.accessToken}` };
      const response = await fetch(lectern.url, { method: "POST", headers, body: form });
      expect([response.status, response.headers.get("connection")]).toEqual([413, "close"]);
      expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: "PAYLOAD_TOO_LARGE" } }] });
    }
  });

  it("is the last, also for a client that never stops sending", async () => {
    const { socket, answers, closed } = await converse();
    socket.write(head({ "transfer-encoding": "chunked" }));
    const piece = `186a0\r\n${"x".repeat(100_000)}\r\n`;
    const sending = setInterval(() => socket.writable && socket.write(piece), 20);
    try {
      expect(statuses(await answers(1))).toEqual([413]);
      await closed;
    } finally {
      clearInterval(sending);
      socket.destroy();
    }
    await expect.poll(() => filesOf(lectern)).toEqual([]);
  });

  it("is given before the body is sent, to a client that asks whether it should", async () => {
    const { socket, answers, received } = await converse();
    socket.write(head({ "content-length": 50_000_000, expect: "100-continue" }));
    expect(statuses(await answers(1))).toEqual([413]);
    socket.destroy();
    expect(received()).not.toContain("100 Continue");

    const asked = await converse();
    const smallHead = small.split("\r\n\r\n")[0];
    asked.socket.write(`${smallHead}\r\nexpect: 100-continue\r\n\r\n`);
    await expect.poll(asked.received).toContain("HTTP/1.1 100 Continue\r\n\r\n");
    asked.socket.write('{"query":"{ __typename }"}');
    expect(statuses(await asked.answers(2))).toEqual([100, 200]);
    asked.socket.destroy();
  });
});
