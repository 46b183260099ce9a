/** GraphQL over HTTP and over WebSocket on a small schema, without a database: which requests reach it, and in what form. */
import { buildSchema } from "graphql";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { Trace } from "../../src/eager-loading/trace.ts";
import type { OperationContext } from "../../src/graphql/context.ts";
import type { RequestContext } from "../../src/operations/contexts.ts";
import { createGraphQLServer, type GraphQLServerOptions } from "../../src/server/graphql-server.ts";
import { startHttpServer } from "../../src/server/http-server.ts";
import { type FileStore, StagedFile } from "../../src/storage/file-store.ts";
import { collectedLog } from "../support/logs.ts";
import { until } from "../support/until.ts";
import { watchByWebSocket } from "../support/watching.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function schemaOf() {
  const schema = buildSchema(`
    scalar File
    type Query { me: String, fails: Int, echo(text: String): String }
    type Mutation { write: Int!, send(file: File): Int! }
    type Subscription { changed: Int }
  `);
  const resolve = (
    type: "Query" | "Mutation",
    name: string,
    resolver: (args: never, context: OperationContext) => unknown,
  ) => {
    const field = (type === "Query" ? schema.getQueryType() : schema.getMutationType())?.getFields()[name];
    if (field) field.resolve = (_root, args, context) => resolver(args as never, context as OperationContext);
  };
  resolve("Query", "me", (_args, { viewer }) => viewer?.id ?? null);
  resolve("Query", "echo", ({ text }: { text?: string }) => text);
  resolve("Query", "fails", () => {
    throw new Error("secret");
  });
  resolve("Mutation", "write", () => 1);
  resolve("Mutation", "send", () => 1);
  return schema;
}

/** The viewer is called by the token, or else by the cookie; `wrong` is a token of nobody. */
function viewerOf({ headers }: Request): OperationContext["viewer"] {
  const token = headers.get("authorization");
  const id = token === null || token === "wrong" ? headers.get("cookie") : token;
  return id === null ? null : { id, role: "VIEWER", sessionId: "s" };
}

async function serve(options: Partial<GraphQLServerOptions> = {}) {
  const { logger, lines } = collectedLog();
  const discarded: string[] = [];
  const store = {
    async stage(source: AsyncIterable<Uint8Array>, { name }: { name: string }) {
      for await (const _piece of source);
      return new StagedFile({ id: name, name, sizeBytes: 1, sha256: "", head: new Uint8Array() });
    },
    discard: async ({ name }: StagedFile) => void discarded.push(name),
  } as unknown as FileStore;
  const mutation = { progress: { begun: [], hasFailed: () => false }, services: {}, become: () => {} };
  const graphql = createGraphQLServer({
    schema: schemaOf(),
    context: async (request: RequestContext) => {
      const setHeader = (name: string, value: string) => void request.res?.setHeader(name, value);
      return Object.assign(request, { viewer: viewerOf(request.request), trace: new Trace(), setHeader }) as never;
    },
    mutations: {
      run: (_unit, attempt) => attempt({} as never),
      contextFor: (operation) => ({ ...operation, mutation }) as never,
      retentionHours: 1,
    },
    queries: { maxCost: 100, maxDepth: 5, together: { maxCost: 100, waitMs: 1_000 } },
    subscriptions: {
      subscribe: () => Promise.reject(new Error("none")),
      currentViewer: async () => null,
      contextFor: (operation) => operation,
    },
    publicUrl: "https://lectern.test",
    load: { refusesNext: () => false },
    maxWebSockets: 10,
    uploads: {
      store,
      rules: new Map([["send", { maxBytes: 1_000, role: "VIEWER" }]]),
      limits: { maxFieldBytes: 1_000, maxVariableValues: 10, maxTokens: 50, maxQueryCharacters: 1_000 },
      viewerOf: async (request) => viewerOf(request),
      requireRoom: async () => {},
      logger,
    },
    limits: { maxTokens: 50, maxQueryCharacters: 1_000, maxVariableValues: 10 },
    tabs: [],
    isOpen: true,
    mayTrace: () => false,
    logger,
    ...options,
  });
  const server = await startHttpServer({
    graphql,
    serveFile: async () => {},
    uploads: { handle: async () => {} },
    host: "127.0.0.1",
    port: 0,
    mayMovePort: false,
    maxBodyBytes: { json: 10_000, upload: 10_000 },
    load: { refusesNext: () => false },
    ready: async () => ({ isReady: true }),
    endSubscriptions: async () => {},
    logger,
  });
  cleanUps.push(() => server.stop());
  const url = `http://127.0.0.1:${server.port}/graphql`;

  type Answer = { status: number; data?: unknown; messages: string[]; codes: string[] };
  async function call(init: RequestInit, path = ""): Promise<Answer> {
    const response = await fetch(url + path, init);
    const text = await response.text();
    const { data, errors = [] } = text.startsWith("{") ? JSON.parse(text) : {};
    return {
      status: response.status,
      data,
      messages: errors.map(({ message }: { message: string }) => message),
      codes: errors.map(({ extensions }: { extensions: { code: string } }) => extensions.code),
    };
  }
  const ask = (query: string, headers: Record<string, string> = {}) =>
    call({
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ query }),
    });
  return { url, call, ask, discarded, lines };
}

describe("a request that a page of another site may make a browser send", () => {
  const path = `?query=${encodeURIComponent("{ me }")}`;

  it("is refused, unless the browser says that the page is of this origin or the request was asked for first", async () => {
    const { call } = await serve();
    const cookie = "ada";
    const sites: [string, string][][] = [[], [["sec-fetch-site", "same-site"]], [["sec-fetch-site", "none"]]];
    for (const headers of sites.map((site): [string, string][] => [["cookie", cookie], ...site])) {
      expect(await call({ headers }, path)).toMatchObject({ status: 403, codes: ["FORBIDDEN"] });
      const form = new URLSearchParams({ query: "mutation { write }" });
      expect(await call({ method: "POST", headers, body: form })).toMatchObject({ status: 403, codes: ["FORBIDDEN"] });
    }
    for (const [name, value] of [
      ["sec-fetch-site", "same-origin"],
      ["graphql-require-preflight", "1"],
    ] as const) {
      expect(await call({ headers: { cookie, [name]: value } }, path)).toMatchObject({
        status: 200,
        data: { me: "ada" },
      });
    }
  });
});

describe("the schema", () => {
  const introspection = "{ me __schema { queryType { name } } }";

  it("is shown to strangers only where it is open", async () => {
    expect(await (await serve()).ask(introspection)).toMatchObject({ status: 200, codes: [] });
    const closed = await serve({ isOpen: false });
    const hidden = '{ ...Hidden } fragment Hidden on Query { again: __type(name: "Query") { name } }';
    for (const query of [introspection, hidden]) {
      expect(await closed.ask(query)).toMatchObject({ codes: ["UNAUTHENTICATED"] });
      expect(await closed.ask(query, { authorization: "ada" })).toMatchObject({ status: 200, codes: [] });
    }
    expect(await closed.ask("{ __typename }")).toMatchObject({ data: { __typename: "Query" } });
  });

  it("is not told by suggestions where it is closed", async () => {
    const unknown = 'Cannot query field "mee" on type "Query".';
    expect((await (await serve()).ask("{ mee }")).messages).toEqual([`${unknown} Did you mean "me"?`]);
    expect((await (await serve({ isOpen: false })).ask("{ mee }")).messages).toEqual([unknown]);
  });
});

describe("an operation", () => {
  it("has as many tokens as may be", async () => {
    const { ask } = await serve();
    const query = (tokens: number) => `{ ${"me ".repeat(tokens - 2)}}`;
    expect(await ask(query(49))).toMatchObject({ status: 200 });
    expect(await ask(query(51))).toMatchObject({ status: 400, messages: ["A query has at most 50 tokens."] });
  });

  it("that fails unexpectedly shows no reason, and logs it under the id of the request", async () => {
    const { ask, lines } = await serve();
    expect(await ask("{ fails }", { "x-request-id": "mine" })).toMatchObject({
      data: { fails: null },
      messages: ["Internal server error."],
      codes: ["INTERNAL_SERVER_ERROR"],
    });
    expect(lines).toMatchObject([{ requestId: "mine", err: { message: "secret" }, path: ["fails"] }]);
  });

  it("comes alone, and not in a batch", async () => {
    const { call } = await serve();
    const headers = { "content-type": "application/json" };
    const answer = await call({ method: "POST", headers, body: JSON.stringify([{ query: "{ me }" }]) });
    expect(answer).toMatchObject({ status: 400, messages: ["Batching is not supported."] });
  });

  it("leaves no file behind, answered or refused", async () => {
    const { call, discarded } = await serve();
    const upload = (query: string) => {
      const body = new FormData();
      body.set("operations", JSON.stringify({ query, variables: { file: null } }));
      body.set("map", JSON.stringify({ 0: ["variables.file"] }));
      body.set("0", new File(["x"], `${discarded.length}.txt`));
      return call({ method: "POST", headers: { authorization: "ada" }, body });
    };
    expect((await upload("mutation($file: File) { send(file: $file) }")).codes).toEqual([]);
    await until(() => discarded.length === 1, "the first was discarded");
    expect((await upload("mutation($file: File) { send(file: $file) { nothing } }")).codes).toEqual(["BAD_USER_INPUT"]);
    await until(() => discarded.length === 2, "the second was discarded");
    expect(discarded).toEqual(["0.txt", "1.txt"]);
  });
});

describe("a WebSocket", () => {
  const me = "{ me }";
  const connect = (url: string, options: Parameters<typeof watchByWebSocket>[1]) => {
    const watching = watchByWebSocket<Record<string, unknown>>(url, options);
    cleanUps.push(() => watching.close());
    return watching;
  };

  it("takes a cookie of a page of this origin, or of a client that is no browser, and of no other page", async () => {
    const { url } = await serve();
    for (const origin of [undefined, "https://lectern.test", new URL(url).origin]) {
      const handshake = { cookie: "ada", ...(origin && { origin }) };
      expect(await connect(url, { query: me, handshake }).next()).toEqual({ data: { me: "ada" } });
    }
    for (const origin of ["https://evil.test", "https://lectern.test.evil.test", "http://127.0.0.1:1", "null"]) {
      const handshake = { cookie: "ada", origin };
      expect(await connect(url, { query: me, handshake }).closed).toMatchObject({ code: 4403 });
    }
  });

  it("with a token does without the cookie, whatever its page", async () => {
    const { url } = await serve();
    const handshake = { cookie: "ada", origin: "https://evil.test" };
    for (const [authorization, name] of [
      ["bob", "bob"],
      ["wrong", null],
    ] as const) {
      const watching = connect(url, { query: me, handshake, connectionParams: { authorization } });
      expect(await watching.next()).toEqual({ data: { me: name } });
    }
  });

  it.each<[string, string, string, Record<string, unknown>?]>([
    [
      "a mutation",
      "mutation { write }",
      "Mutations need HTTP, whose headers carry idempotency keys, dry runs and cookies.",
    ],
    [
      "too many values",
      "query($text: String) { echo(text: $text) }",
      "The variables hold at most 10 values.",
      { text: Array(11).fill(1) },
    ],
    ["too many tokens", `{ ${"me ".repeat(60)}}`, "A query has at most 50 tokens."],
    ["an unknown field", "{ nothing }", 'Cannot query field "nothing" on type "Query".'],
    [
      "an operation that costs too much",
      `{ ${Array.from({ length: 5 }, (_, at) => `a${at}: me`).join(" ")} }`,
      "The operation may read 5 objects, the maximum is 4: use smaller pages or fewer levels.",
    ],
  ])(
    "refuses %s with a code and the id of its request, and without the HTTP status",
    async (_case, query, message, variables) => {
      const { url } = await serve({ queries: { maxCost: 4, maxDepth: 5, together: { maxCost: 100, waitMs: 1_000 } } });
      const { errors } = await connect(url, { query, variables }).next();
      expect(errors).toMatchObject([{ message }]);
      expect(errors?.[0]?.extensions).toMatchObject({ code: "BAD_USER_INPUT", requestId: expect.any(String) });
      expect(errors?.[0]?.extensions).not.toHaveProperty("http");
    },
  );

  it("shows no reason of an unexpected failure", async () => {
    const { url, lines } = await serve();
    const { data, errors } = await connect(url, { query: "{ fails }" }).next();
    expect([data, errors]).toMatchObject([{ fails: null }, [{ message: "Internal server error.", path: ["fails"] }]]);
    expect(lines).toMatchObject([{ requestId: errors?.[0]?.extensions.requestId, err: { message: "secret" } }]);
  });

  it("is refused its operations, each by itself, while there is too much load", async () => {
    const { url } = await serve({ load: { refusesNext: () => true } });
    const { errors } = await connect(url, { query: me }).next();
    expect(errors).toMatchObject([{ extensions: { code: "OVERLOADED" } }]);
  });

  it("is one of as many as may be, and leaves its place when it ends", async () => {
    const { url } = await serve({ maxWebSockets: 2 });
    const open = () =>
      new Promise<WebSocket | string>((resolve) => {
        const socket = new WebSocket(url.replace("http", "ws"), "graphql-transport-ws");
        cleanUps.push(() => socket.terminate());
        socket.on("open", () => resolve(socket));
        socket.on("error", ({ message }) => resolve(message));
      });
    const [first] = [await open(), await open()];
    expect(await open()).toBe("Unexpected server response: 503");
    if (first instanceof WebSocket) first.close();
    await expect.poll(open).toBeInstanceOf(WebSocket);
  });
});
