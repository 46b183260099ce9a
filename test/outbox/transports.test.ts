/** The two ways to subscribe: who is let in, how each refuses, what they bound, and how they end. */
import { Server } from "node:http";
import { connect as connectTcp } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket } from "ws";
import { uuidOf } from "../support/global-ids.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { post } from "../support/post.ts";
import { until } from "../support/until.ts";
import { type SocketOptions, watchBySse, watchByWebSocket, watchDocuments } from "../support/watching.ts";

let lectern: Lectern;
let ada: Person;
const opened: { close(): void }[] = [];

beforeAll(async () => {
  lectern = await startLectern();
  ada = await lectern.person("Ada");
});
afterEach(async () => {
  for (const watching of opened.splice(0)) watching.close();
  await until(() => lectern.application.changes.subscriptions === 0, "all subscriptions had ended");
});
afterAll(() => lectern.stop());

function connect<Data = Record<string, unknown>>(options: SocketOptions, of = lectern) {
  const watching = watchByWebSocket<Data>(of.url, options);
  opened.push(watching);
  return watching;
}
const hasBegun = (of = lectern) => until(() => of.application.changes.open === 1, "the subscription began");
const cookie = () => `lectern-access=${ada.accessToken}`;
const origin = () => new URL(lectern.url).origin;

describe("a WebSocket", () => {
  it("carries subscriptions of whoever sends a token", async () => {
    const watching = connect({ accessToken: ada.accessToken });
    await hasBegun();
    const { id } = await ada.document();
    expect((await watching.next()).data).toMatchObject({ documentChanged: { deletedId: null, document: { id } } });
  });

  it("carries queries", async () => {
    const watching = connect({ accessToken: ada.accessToken, query: "{ viewer { user { name } } }" });
    expect(await watching.next()).toEqual({ data: { viewer: { user: { name: "Ada" } } } });
    expect(await watching.ended).toBe("complete");
  });

  it("refuses mutations, and says where they go", async () => {
    const before = await lectern.database.query("select count(*) from documents");
    const watching = connect({
      accessToken: ada.accessToken,
      query: `mutation { createDocument(input: { source: { text: "x" } }) { isDuplicate } }`,
    });
    expect(await watching.next()).toEqual({
      errors: [
        {
          message: "Mutations need HTTP, whose headers carry idempotency keys, dry runs and cookies.",
          extensions: { code: "BAD_USER_INPUT", requestId: expect.any(String) },
        },
      ],
    });
    expect(await lectern.database.query("select count(*) from documents")).toEqual(before);
  });

  it.each([
    ["that is not GraphQL", "{", "BAD_USER_INPUT", /^Syntax Error/],
    ["that the schema does not know", "{ nothing }", "BAD_USER_INPUT", /^Cannot query field/],
    ["with more tokens than may be", `{ ${"viewer { user { id } } ".repeat(400)} }`, "BAD_USER_INPUT", /tokens/],
    [
      "that costs too much",
      costly("query", "documents(first: 100) { nodes {", "} }"),
      "BAD_USER_INPUT",
      /^The operation may read/,
    ],
    [
      "whose events cost too much",
      costly("subscription", "documentChanged { document {", "} }"),
      "BAD_USER_INPUT",
      /^The operation may/,
    ],
  ])("answers an operation %s as HTTP does", async (_what, query, code, message) => {
    const watching = connect({ accessToken: ada.accessToken, query });
    const { errors } = await watching.next();
    expect(errors).toMatchObject([{ message: expect.stringMatching(message), extensions: { code } }]);
    expect(errors?.[0]?.extensions).toMatchObject({ requestId: expect.any(String) });
    expect(errors?.[0]?.extensions).not.toHaveProperty("http");
  });

  it("answers strangers, and who has a bad token, as HTTP does", async () => {
    expect((await connect({}).next()).errors).toMatchObject([
      { message: "Sign in first.", path: ["documentChanged"], extensions: { code: "UNAUTHENTICATED" } },
    ]);
    expect((await connect({ accessToken: "not good" }).next()).errors).toMatchObject([
      { message: "The access token is not good: sign in again.", extensions: { code: "UNAUTHENTICATED" } },
    ]);
  });

  it("knows the cookie of a page of ours, and of a client that is no browser", async () => {
    const query = "{ viewer { user { name } } }";
    for (const from of [origin(), "http://lectern.test", undefined]) {
      const watching = connect({ query, handshake: { cookie: cookie(), ...(from && { origin: from }) } });
      expect(await watching.next()).toEqual({ data: { viewer: { user: { name: "Ada" } } } });
    }
  });

  it("does not take a cookie that a page of somebody else makes the browser send", async () => {
    const query = "{ viewer { user { name } } }";
    for (const foreign of ["https://evil.test", "null", origin().replace(/\d+$/, "1")]) {
      const handshake = { cookie: cookie(), origin: foreign };
      expect(await connect({ query, handshake }).closed).toMatchObject({ code: 4403 });
      // Not even when it says that it has a token of its own.
      const pretending = connect({ query, handshake, connectionParams: { authorization: "x" } });
      expect(await pretending.next()).toEqual({ data: { viewer: null } });
      // A token is no cookie: whoever has it may come from anywhere.
      const honest = connect({ query, handshake, accessToken: ada.accessToken });
      expect(await honest.next()).toEqual({ data: { viewer: { user: { name: "Ada" } } } });
    }
  });

  it("is closed when it says nothing, too much, or too early", async () => {
    const closeCode = async (speak: (socket: WebSocket) => void) => {
      const socket = new WebSocket(lectern.url.replace("http", "ws"), "graphql-transport-ws");
      socket.on("error", () => {});
      socket.on("open", () => speak(socket));
      return new Promise((closed) => socket.on("close", closed));
    };
    const codes = await Promise.all([
      closeCode(() => {}),
      closeCode((socket) =>
        socket.send(JSON.stringify({ type: "connection_init", payload: { pad: "x".repeat(1_100_000) } })),
      ),
      closeCode((socket) =>
        socket.send(JSON.stringify({ type: "subscribe", id: "1", payload: { query: watchDocuments } })),
      ),
    ]);
    expect(codes).toEqual([4408, 1009, 4401]);
  });

  it("begins at the address of GraphQL only", async () => {
    const socket = new WebSocket(
      lectern.url.replace("http", "ws").replace("graphql", "elsewhere"),
      "graphql-transport-ws",
    );
    const failure = await new Promise<Error>((failed) => socket.on("error", failed));
    expect(failure.message).toBe("Unexpected server response: 404");
  });
});

/** A list in a list in a list. */
function costly(kind: string, before: string, after: string): string {
  return `${kind} { ${before} owner { documents(first: 100) { nodes { chunks(first: 100) { nodes { id } } } } } ${after} }`;
}

describe("server-sent events", () => {
  it("keep the line alive while nothing happens", async () => {
    const headers = { authorization: `Bearer ${ada.accessToken}`, accept: "text/event-stream" };
    const response = await fetch(`${lectern.url}?query=${encodeURIComponent(watchDocuments)}`, { headers });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(response.headers.get("cache-control")).toBe("no-cache");
    expect(response.headers.get("x-accel-buffering")).toBe("no");
    const reader = response.body?.getReader();
    for (let beats = 0; beats < 2; beats++) {
      expect(new TextDecoder().decode((await reader?.read())?.value)).toMatch(/^(:\n\n)+$/);
    }
    await reader?.cancel();
  });

  it("come to an EventSource of our own pages, and of no other", async () => {
    const begin = async (site: string) => {
      const abort = new AbortController();
      const response = await fetch(`${lectern.url}?query=${encodeURIComponent(watchDocuments)}`, {
        headers: { accept: "text/event-stream", cookie: cookie(), "sec-fetch-site": site },
        signal: abort.signal,
      });
      abort.abort();
      return response.status;
    };
    expect([await begin("same-origin"), await begin("same-site"), await begin("cross-site")]).toEqual([200, 403, 403]);
  });

  it("leave nothing behind when the answer cannot be a stream", async () => {
    const headers = { accept: "application/json" };
    const response = await post(lectern.url, { query: watchDocuments, accessToken: ada.accessToken, headers });
    expect(response.status).toBe(406);
    await response.text();
  });
});

describe("a client that does not read", () => {
  it("is dropped when the changes have gone past what is held in memory, and holds none of them", async () => {
    const settings = { WATCH_EVENTS: "200", MAX_QUERY_TOKENS: "2000" };
    const small = await startLectern({ database: lectern.database, settings });
    const { id } = await ada.document({ title: "x".repeat(500) });
    const uuid = uuidOf(id);
    // An event of 200 kB: a few fill the buffers on the way.
    const titles = Array.from({ length: 400 }, (_, index) => `t${index}: title`).join(" ");
    const body = JSON.stringify({ query: `subscription { documentChanged { document { ${titles} } } }` });
    const socket = connectTcp(Number(new URL(small.url).port), "127.0.0.1");
    socket.on("error", () => {});
    socket.write(
      `POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\naccept: text/event-stream\r\n` +
        `authorization: Bearer ${ada.accessToken}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await hasBegun(small);
    const reader = await watchBySse(small.url, { accessToken: ada.accessToken });
    opened.push(reader);
    const bytesBefore = bytesInUse();
    let written = 0;
    await until(async () => {
      const change = "update documents set title = left($2 || title, 500) where id = $1";
      for (let more = 0; more < 10; more++) await lectern.database.query(change, [uuid, String(written++)]);
      return small.application.changes.open === 1;
    }, "it was dropped");
    expect(written).toBeGreaterThan(200);
    // All that it did not read would be more than 40 MB.
    expect(bytesInUse() - bytesBefore).toBeLessThan(15_000_000);
    // A client that reads again in time finds what it was told before, and why there is no more.
    let text = "";
    socket.setEncoding("utf8").on("data", (data) => {
      text += data;
    });
    await until(() => text.includes("event: complete"), "it was told");
    expect(text).toMatch(/"message":"The client reads more slowly than events arrive: subscribe again with `after`\."/);
    expect(text).toMatch(/"extensions":\{"code":"OVERLOADED","cursor":"[\w-]+","requestId":"[\w-]+"\}/);
    socket.destroy();
    // A client that reads is not held up by one that does not.
    await until(() => reader.results.length >= written, "the other was told of all");
    expect(reader.results.filter(({ errors }) => errors)).toEqual([]);
    reader.close();
    await small.stop();
  });
});

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function bytesInUse(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe("a server that stops", () => {
  it("tells its watchers, who go on at another with what they know", async () => {
    const stopping = await startLectern({ database: lectern.database });
    const [sse, socket] = [
      await watchBySse(stopping.url, { accessToken: ada.accessToken }),
      connect({ accessToken: ada.accessToken }, stopping),
    ];
    await until(() => stopping.application.changes.open === 2, "both had begun");
    const first = await ada.document();
    expect((await sse.next()).data).toMatchObject({ documentChanged: { document: { id: first.id } } });
    await socket.next();
    const force = vi.spyOn(Server.prototype, "closeAllConnections");
    onTestFinished(() => force.mockRestore());
    await stopping.stop();
    // All connections had ended by themselves: it did not wait until it may break what is left.
    expect(force).not.toHaveBeenCalled();
    const { errors } = await sse.next();
    expect(errors).toMatchObject([{ message: "The server is stopping: subscribe again with `after`." }]);
    expect(errors?.[0]?.extensions).toMatchObject({ code: "OVERLOADED", cursor: expect.any(String) });
    expect(await sse.ended).toBe("complete");
    expect(await socket.closed).toMatchObject({ code: 1001 });
    const second = await ada.document();
    const again = await watchBySse(lectern.url, {
      accessToken: ada.accessToken,
      variables: { after: errors?.[0]?.extensions.cursor },
    });
    opened.push(again);
    expect((await again.next()).data).toMatchObject({ documentChanged: { document: { id: second.id } } });
  });
});
