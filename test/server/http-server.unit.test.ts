/** The HTTP server around GraphQL, which the test itself plays: bodies, shutdown, and failures outside GraphQL. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Server } from "node:http";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { GraphQLServer } from "../../src/server/graphql-server.ts";
import { type HttpServer, type HttpServerOptions, startHttpServer } from "../../src/server/http-server.ts";
import { collectedLog, silent } from "../support/logs.ts";
import { until } from "../support/until.ts";

const maxBodyBytes = { json: 100, upload: 200 };
const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** Answers with the length of the body. */
async function count(req: IncomingMessage, res: ServerResponse): Promise<void> {
  let bytes = 0;
  for await (const piece of req) bytes += (piece as Buffer).length;
  const text = String(bytes);
  res.writeHead(200, { "content-length": text.length }).end(text);
}

type Parts = Partial<GraphQLServer> & Partial<HttpServerOptions>;

async function serve({ handle = count, upgrade, closeWebSockets, ...options }: Parts = {}): Promise<HttpServer> {
  const graphql: GraphQLServer = {
    handle: async (req, res, id) => handle(req, res, id),
    upgrade: upgrade ?? ((_req, socket) => socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n")),
    closeWebSockets: closeWebSockets ?? (async () => {}),
  };
  const server = await startHttpServer({
    graphql,
    serveFile: () => Promise.reject(new Error("No file is asked for.")),
    uploads: { handle: async (req, res, id) => handle(req, res, id) },
    host: "127.0.0.1",
    port: 0,
    mayMovePort: false,
    maxBodyBytes,
    load: { refusesNext: () => false },
    ready: async () => ({ isReady: true }),
    endSubscriptions: async () => {},
    logger: silent,
    ...options,
  });
  cleanUps.push(() => server.stop());
  return server;
}

/** A connection that is written by hand. A half-open one goes on sending when the server has ended its side. */
async function converse({ port }: HttpServer, allowHalfOpen = false) {
  const socket: Socket = connect({ port, host: "127.0.0.1", allowHalfOpen });
  cleanUps.push(() => socket.destroy());
  let text = "";
  socket.setEncoding("utf8").on("data", (piece) => {
    text += piece;
  });
  socket.on("error", () => {});
  const closed = new Promise<void>((done) => socket.once("close", () => done()));
  await new Promise((connected) => socket.once("connect", connected));
  const statuses = () => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
  return {
    socket,
    closed,
    received: () => text,
    statuses,
    answers: (number: number) => until(() => statuses().length >= number, `${number} answers came`),
  };
}

/** Goes on sending until that fails, which is how a client learns of the connection's end. */
async function brokenOff(socket: Socket): Promise<void> {
  while (!socket.closed) {
    socket.write("x");
    await new Promise((resume) => setImmediate(resume));
  }
}

const head = (headers: Record<string, string | number>, path = "/graphql", method = "POST") =>
  [
    `${method} ${path} HTTP/1.1`,
    "host: lectern",
    ...Object.entries(headers).map((pair) => pair.join(": ")),
    "",
    "",
  ].join("\r\n");
const get = (path: string) => head({}, path, "GET");

describe("a body", () => {
  const send = async (server: HttpServer, bytes: number, headers: Record<string, string>, isAnnounced: boolean) => {
    const { socket, answers, statuses } = await converse(server);
    const length: Record<string, string> = isAnnounced
      ? { "content-length": String(bytes) }
      : { "transfer-encoding": "chunked" };
    socket.write(head({ ...headers, ...length }));
    // In two pieces, each of which is small enough.
    for (const piece of [Math.floor(bytes / 2), Math.ceil(bytes / 2)]) {
      const text = "x".repeat(piece);
      socket.write(isAnnounced ? text : `${piece.toString(16)}\r\n${text}\r\n`);
      await new Promise((resume) => setTimeout(resume, 5));
    }
    if (!isAnnounced) socket.write("0\r\n\r\n");
    await answers(1);
    return statuses()[0];
  };

  it.each([
    ["of JSON", { "content-type": "application/json" }, maxBodyBytes.json],
    ["with files", { "content-type": "multipart/form-data; boundary=x" }, maxBodyBytes.upload],
  ])("%s has as many bytes as may be, announced or counted, and not one more", async (_case, headers, limit) => {
    const server = await serve();
    for (const isAnnounced of [true, false]) {
      expect(await send(server, limit, headers, isAnnounced)).toBe(200);
      expect(await send(server, limit + 1, headers, isAnnounced)).toBe(413);
    }
  });

  it("that is too large is refused before the client is told to send it", async () => {
    const server = await serve();
    const { socket, answers, received } = await converse(server);
    socket.write(head({ "content-length": 101, expect: "100-continue" }));
    await answers(1);
    expect(received()).toMatch(/^HTTP\/1\.1 413/);
    const asked = await converse(server);
    asked.socket.write(head({ "content-length": 3, expect: "100-continue" }));
    await asked.answers(1);
    expect(asked.received()).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    asked.socket.write("abc");
    await asked.answers(2);
    expect(asked.statuses()).toEqual([100, 200]);
  });

  it("that nobody reads does not hold up the next request", { timeout: 10_000 }, async () => {
    const { socket, answers, statuses } = await converse(await serve());
    socket.write(`${head({ "content-length": 50_000 }, "/nothing")}${"x".repeat(20_000)}`);
    await answers(1);
    socket.write(`${"x".repeat(30_000)}${get("/health")}`);
    await answers(2);
    expect(statuses()).toEqual([404, 200]);
  });

  it("that is long is read to its end, though its reader left it paused", { timeout: 5_000 }, async () => {
    const server = await serve({
      maxBodyBytes: { json: 1_000_000, upload: 1 },
      handle: async (req, res) => {
        req.once("data", () => {
          req.pause();
          res.writeHead(400, { "content-length": 0 }).end();
        });
      },
    });
    const { socket, statuses } = await converse(server, true);
    // The connection ends with the body, and not only when time is up.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    cleanUps.push(() => vi.useRealTimers());
    socket.write(`${head({ "content-length": 1_000_000 })}${"x".repeat(1_000_000)}`);
    await brokenOff(socket);
    expect(statuses()).toEqual([400]);
  });

  it("that was refused is followed by no other request", { timeout: 10_000 }, async () => {
    const handled: string[] = [];
    const server = await serve({
      handle: async (req, res, id) => {
        handled.push(id);
        await count(req, res);
      },
    });
    const { socket, answers, statuses, received } = await converse(server, true);
    socket.write(`${head({ "content-length": 100_000 })}${"x".repeat(99_999)}`);
    await answers(1);
    socket.write(`x${get("/graphql")}`);
    await brokenOff(socket);
    expect(received()).toMatch(/\r\nconnection: close\r\n/i);
    expect([statuses(), handled]).toEqual([[413], []]);
  });

  it("that was refused and does not end is given up after 5 seconds", { timeout: 10_000 }, async () => {
    const { socket, statuses } = await converse(await serve(), true);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    cleanUps.push(() => vi.useRealTimers());
    socket.write(head({ "content-length": 1_000_000_000 }));
    while (statuses().length === 0) await new Promise((resume) => setImmediate(resume));
    await vi.advanceTimersByTimeAsync(5_000);
    await brokenOff(socket);
    expect(statuses()).toEqual([413]);
  });
});

describe("a request", () => {
  it("has the id that its client gave it, of 1 to 100 harmless characters, or one of ours", async () => {
    const ids: string[] = [];
    const { port } = await serve({
      handle: async (req, res, id) => {
        ids.push(id);
        await count(req, res);
      },
    });
    const ask = async (id: string) => {
      const response = await fetch(`http://127.0.0.1:${port}/graphql`, { headers: { "x-request-id": id } });
      expect(response.headers.get("x-request-id")).toBe(ids.at(-1));
      return ids.at(-1);
    };
    for (const id of ["a", "client-1.A_b", "x".repeat(100)]) expect(await ask(id)).toBe(id);
    for (const id of ["", "a b", "x".repeat(101), "a;b"]) expect(await ask(id)).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("that fails outside GraphQL is answered without the reason, which is logged", async () => {
    const { logger, lines } = collectedLog();
    const { port } = await serve({ logger, handle: () => Promise.reject(new Error("secret")) });
    const response = await fetch(`http://127.0.0.1:${port}/graphql`);
    expect([response.status, await response.text()]).toEqual([500, '{"status":"error"}']);
    expect(lines).toMatchObject([{ level: 50, err: { message: "secret" }, url: "/graphql" }]);
  });

  it("that fails amid its answer ends with its connection", { timeout: 10_000 }, async () => {
    const { port } = await serve({
      async handle(_req, res) {
        res.writeHead(200, { "content-length": 10 }).write("half");
        throw new Error("Broken.");
      },
    });
    const response = await fetch(`http://127.0.0.1:${port}/graphql`);
    await expect(response.text()).rejects.toThrow();
  });

  it("is refused with the time to come back while there is too much load", async () => {
    const { port } = await serve({ load: { refusesNext: () => true } });
    for (const path of ["graphql", "uploads", "uploads/x"]) {
      const response = await fetch(`http://127.0.0.1:${port}/${path}`);
      expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
      expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: "OVERLOADED" } }] });
    }
    expect((await fetch(`http://127.0.0.1:${port}/ready`)).status).toBe(200);
  });

  it("says why the server is not ready", async () => {
    const { port } = await serve({ ready: async () => ({ isReady: false, files: "INSUFFICIENT_STORAGE" }) });
    const response = await fetch(`http://127.0.0.1:${port}/ready`);
    expect([response.status, await response.json()]).toEqual([
      503,
      { status: "not ready", files: "INSUFFICIENT_STORAGE" },
    ]);
  });
});

describe("a WebSocket", () => {
  const upgrade = { connection: "Upgrade", upgrade: "websocket" };
  const open = async (server: HttpServer, path: string) => {
    const { socket, answers, statuses } = await converse(server);
    socket.write(head(upgrade, path, "GET"));
    await answers(1);
    return statuses()[0];
  };

  it("begins at the address of GraphQL, while there is not too much load", async () => {
    let isBusy = false;
    const server = await serve({ load: { refusesNext: () => isBusy } });
    expect([await open(server, "/graphql?a"), await open(server, "/"), await open(server, "/graphql/")]).toEqual([
      ...[101, 404, 404],
    ]);
    isBusy = true;
    expect(await open(server, "/graphql")).toBe(503);
  });
});

describe("a connection", () => {
  it("has 10 s for its headers, and 65 s between two requests", async () => {
    const listen = vi.spyOn(Server.prototype, "listen");
    onTestFinished(() => listen.mockRestore());
    await serve();
    const [server] = listen.mock.contexts as unknown as Server[];
    expect([server?.headersTimeout, server?.requestTimeout, server?.keepAliveTimeout]).toEqual([
      ...[10_000, 0, 65_000],
    ]);
  });
});

describe("a body that stops coming", () => {
  it.each([
    ["of JSON", "/graphql", "application/json"],
    ["with files", "/graphql", "multipart/form-data; boundary=x"],
    ["of a resumable upload", "/uploads/x", "application/offset+octet-stream"],
  ])("%s is not waited for", async (_name, path, type) => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const reading = Promise.withResolvers<void>();
    const handle = async (req: IncomingMessage) => {
      reading.resolve();
      for await (const _piece of req);
    };
    const { socket, statuses, closed } = await converse(await serve({ handle }));
    socket.write(`${head({ "content-type": type, "content-length": 100 }, path)}x`);
    await reading.promise;
    vi.advanceTimersByTime(60_000);
    await closed;
    expect(statuses()).toEqual([408]);
  });

  it.each([
    ["of files", "/graphql", "multipart/form-data; boundary=x", 1],
    ["of a resumable upload", "/uploads/x", "application/offset+octet-stream", 1],
    ["of JSON", "/graphql", "application/json", 0],
  ])("%s may take minutes only if it has files", async (_name, path, type, minutes) => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    let received = 0;
    const reading = Promise.withResolvers<void>();
    const handle = async (req: IncomingMessage, res: ServerResponse) => {
      reading.resolve();
      for await (const piece of req) received += piece.length;
      res.end();
    };
    const maxBodyBytes = { json: 100_000, upload: 100_000 };
    const { socket, statuses, closed } = await converse(await serve({ handle, maxBodyBytes }));
    socket.write(head({ "content-type": type, "content-length": 100_000, connection: "close" }, path));
    await reading.promise;
    socket.write("x".repeat(70_000));
    await until(() => received === 70_000, "most of the body was read");
    vi.advanceTimersByTime(60_000);
    socket.write("x".repeat(30_000));
    await closed;
    expect(statuses()).toEqual([minutes === 1 ? 200 : 408]);
  });
});

describe("a server that stops", () => {
  it("ends WebSockets, then subscriptions, and says meanwhile that it is not ready", async () => {
    const events: string[] = [];
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const server = await serve({
      async closeWebSockets() {
        events.push("WebSockets");
        await gate;
      },
      endSubscriptions: async () => void events.push("subscriptions"),
    });
    cleanUps.push(open);
    const [asking, upgrading] = [await converse(server), await converse(server)];
    const stopped = server.stop();
    asking.socket.write(get("/ready"));
    upgrading.socket.write(head({ connection: "Upgrade", upgrade: "websocket" }, "/graphql", "GET"));
    await asking.answers(1);
    await upgrading.answers(1);
    expect([asking.statuses(), upgrading.statuses()]).toEqual([[503], [503]]);
    expect(asking.received()).toContain('{"status":"not ready"}');
    expect(events).toEqual(["WebSockets"]);
    open();
    await stopped;
    expect(events).toEqual(["WebSockets", "subscriptions"]);
  });

  it("does not wait for connections on which nothing was asked", async () => {
    const force = vi.spyOn(Server.prototype, "closeAllConnections");
    onTestFinished(() => force.mockRestore());
    const server = await serve();
    const [silentOne, idle] = [await converse(server), await converse(server)];
    idle.socket.write(get("/health"));
    await idle.answers(1);
    await server.stop();
    await silentOne.closed;
    await idle.closed;
    expect(force).not.toHaveBeenCalled();
  });

  it("breaks a request that is still under way after 10 seconds, and not before", { timeout: 10_000 }, async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const server = await serve({
      handle: () => {
        begin();
        return new Promise(() => {});
      },
    });
    const { socket, closed, statuses } = await converse(server);
    socket.write(get("/graphql"));
    await begun;
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    cleanUps.push(() => vi.useRealTimers());
    let isStopped = false;
    const stopped = server.stop().finally(() => {
      isStopped = true;
    });
    await vi.advanceTimersByTimeAsync(9_999);
    await new Promise((resume) => setImmediate(resume));
    expect([isStopped, socket.closed]).toEqual([false, false]);
    await vi.advanceTimersByTimeAsync(1);
    await stopped;
    await closed;
    expect(statuses()).toEqual([]);
  });
});
