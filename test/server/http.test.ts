/** The server as HTTP sees it: what it serves, what it refuses and how, and what it never shows. */
import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders, request } from "node:http";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { dump } from "../support/dump.ts";
import { type Lectern, type Person, type ShownError, startLectern } from "../support/lectern.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const json = { "content-type": "application/json" };
const preflighted = { "graphql-require-preflight": "1" };
const signOut = "mutation { signOut { ok } }";

let lectern: Lectern;
let ada: Person;

beforeAll(async () => {
  lectern = await startLectern({
    settings: { MAX_DOCUMENT_BYTES: "1", MAX_AUDIO_BYTES: "1", MAX_JSON_BYTES: "1000000" },
  });
  ada = await lectern.person("Ada");
});
afterAll(() => lectern.stop());

type Answer = {
  status: number;
  headers: Headers;
  text: string;
  data?: unknown;
  errors: ShownError[];
  extensions?: Record<string, unknown>;
};

async function call(path: string, init: RequestInit = {}, at: Lectern = lectern): Promise<Answer> {
  const response = await fetch(new URL(path, at.url), { redirect: "manual", ...init });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json");
  const { data, errors = [], extensions } = isJson ? JSON.parse(text) : {};
  return { status: response.status, headers: response.headers, text, data, errors, extensions };
}

const post = (body: BodyInit, headers: Record<string, string> = json) => ({ method: "POST", body, headers });
const ask = (query: string, variables: object = {}, headers: Record<string, string> = {}, at: Lectern = lectern) =>
  call("/graphql", post(JSON.stringify({ query, variables }), { ...json, ...headers }), at);
const signedIn = (person: Person) => ({ authorization: `Bearer ${person.accessToken}` });
const codes = ({ errors }: Answer) => errors.map(({ extensions }) => extensions.code);

describe("beside GraphQL", () => {
  it("says that it is healthy and ready", async () => {
    const health = await call("/health");
    expect([health.status, health.text]).toEqual([200, '{"status":"ok"}']);
    const ready = await call("/ready?from=a-load-balancer");
    expect([ready.status, ready.text]).toEqual([200, '{"status":"ok"}']);
    expect(ready.headers.get("cache-control")).toBe("no-store");
  });

  it("leads from / to GraphQL, and answers 404 elsewhere", async () => {
    const root = await call("/");
    expect([root.status, root.headers.get("location")]).toEqual([302, "/graphql"]);
    for (const path of ["/nothing", "/graphql/nothing", "/health/nothing", "/.env", "/%00", "//graphql"]) {
      const { status, headers, errors } = await call(`${new URL(lectern.url).origin}${path}`);
      expect([path, status]).toEqual([path, 404]);
      expect(errors).toEqual([
        {
          message: "Not found: GraphQL is at /graphql.",
          extensions: { code: "NOT_FOUND", requestId: headers.get("x-request-id") },
        },
      ]);
    }
  });

  it("names every request, by the client's own id where it is harmless", async () => {
    const idOf = async (id: string, path = "/health") =>
      (await call(path, { headers: { "x-request-id": id } })).headers.get("x-request-id");
    expect(await idOf("client-1.A_b")).toBe("client-1.A_b");
    expect(await idOf("x".repeat(100))).toBe("x".repeat(100));
    expect(await idOf("client-2", "/nothing")).toBe("client-2");
    for (const harmful of ["", "a b", "<script>", "x".repeat(101), "é"]) expect(await idOf(harmful)).toMatch(uuid);
    expect(await idOf("")).not.toBe(await idOf(""));
  });

  it("puts the id of the request into every error", async () => {
    for (const body of [
      "{",
      "[]",
      '{"query":"{"}',
      '{"query":"{ nothing }"}',
      '{"query":"{ documents { totalCount } }"}',
    ]) {
      const { headers, errors } = await call("/graphql", post(body, { ...json, "x-request-id": "mine" }));
      expect(headers.get("x-request-id")).toBe("mine");
      expect(errors.map(({ extensions }) => extensions.requestId)).toEqual(["mine"]);
    }
  });
});

describe("a body that is too large", () => {
  const limit = 1_000_000;

  /** A request whose body is sent by hand; `answered` settles with the answer. */
  function begin(headers: OutgoingHttpHeaders): { sending: ClientRequest; answered: Promise<Answer> } {
    const sending = request(lectern.url, { method: "POST", headers: { ...json, ...headers }, agent: false });
    const answered = once(sending, "response").then(async ([response]: IncomingMessage[]) => {
      const message = response as IncomingMessage;
      let text = "";
      for await (const piece of message.setEncoding("utf8")) text += piece;
      const given = Object.entries(message.headers).map(([name, value]) => [name, String(value)] as [string, string]);
      return { status: message.statusCode ?? 0, headers: new Headers(given), text, errors: JSON.parse(text).errors };
    });
    sending.on("error", () => {});
    return { sending, answered };
  }

  function expectRefusal({ status, headers, errors }: Answer): void {
    expect(status).toBe(413);
    expect(headers.get("connection")).toBe("close");
    expect(errors).toEqual([
      {
        message: `A request has at most ${limit} bytes. Send a longer text as a file, in a multipart request.`,
        extensions: { code: "PAYLOAD_TOO_LARGE", requestId: headers.get("x-request-id") },
      },
    ]);
  }

  it("is refused by its announced length, before a byte of it was sent", async () => {
    for (const length of [limit + 1, 26_000_000, 1e15]) {
      const { sending, answered } = begin({ "content-length": length });
      sending.flushHeaders();
      expectRefusal(await answered);
      sending.destroy();
    }
    expect((await call("/health")).status).toBe(200);
  });

  it("is refused when more arrives than may, if nothing was announced", async () => {
    const { sending, answered } = begin({ "transfer-encoding": "chunked" });
    const piece = Buffer.alloc(100_000, 0x20);
    let sent = 0;
    // Never ended: only counting what arrives can end this.
    while (sent <= limit) {
      sending.write(piece);
      sent += piece.length;
    }
    expectRefusal(await answered);
    sending.destroy();
    expect((await call("/health")).status).toBe(200);
  });

  it("is taken up to the limit, announced or not", async () => {
    const query = JSON.stringify({ query: "{ __typename }" });
    const body = query + " ".repeat(limit - query.length);
    for (const headers of [{ "content-length": limit }, { "transfer-encoding": "chunked" }]) {
      const { sending, answered } = begin(headers);
      sending.end(body);
      expect(await answered).toMatchObject({ status: 200, text: '{"data":{"__typename":"Query"}}' });
    }
  });

  it("is refused in an upload as well, and leaves nothing", async () => {
    const before = await dump(lectern.database);
    const form = new FormData();
    form.set("operations", JSON.stringify({ query: signOut }));
    form.set("map", "{}");
    form.set("0", new File([new Uint8Array(limit + 1)], "large.txt"));
    const outcome = await call("/graphql", {
      method: "POST",
      body: form,
      headers: { ...preflighted, ...signedIn(ada) },
    }).catch(() => null);
    // A client that writes on while the answer comes may find the connection closed.
    expect(outcome?.status ?? 413).toBe(413);
    expect(await dump(lectern.database)).toEqual(before);
  });
});

describe("a request that is not GraphQL over HTTP", () => {
  it("is refused when it is no JSON, without its body being repeated", async () => {
    const bodies = ["CANARY", '{"query": CANARY', '{"query":"{ __typename }"} CANARY', "", '{"CANARY', "\u0000CANARY"];
    for (const body of bodies) {
      const answer = await call("/graphql", post(body));
      expect([body, answer.status]).toEqual([body, 400]);
      expect(codes(answer)).toEqual(["BAD_USER_INPUT"]);
      expect(answer.text).not.toContain("CANARY");
      expect(answer.text).not.toContain("SyntaxError");
    }
  });

  it("is refused when it is JSON of another shape", async () => {
    for (const body of ["null", "1", '"{ __typename }"', "true"]) {
      const answer = await call("/graphql", post(body));
      expect([body, answer.status, codes(answer)]).toEqual([body, 400, ["BAD_USER_INPUT"]]);
    }
    for (const body of ["{}", '{"query":null}', '{"query":7}', '{"query":"{ __typename }","variables":[]}']) {
      const answer = await call("/graphql", post(body, { ...json, accept: "application/graphql-response+json" }));
      expect([body, answer.status, codes(answer)]).toEqual([body, 400, ["BAD_USER_INPUT"]]);
      expect(answer.data).toBeUndefined();
    }
  });

  it("is refused when its variables in a URL or a form are no JSON", async () => {
    const query = encodeURIComponent("{ __typename }");
    for (const part of ["variables", "extensions"]) {
      const parameters = `query=${query}&${part}=CANARY`;
      const form = post(parameters, { ...preflighted, "content-type": "application/x-www-form-urlencoded" });
      for (const answer of [
        await call(`/graphql?${parameters}`, { headers: preflighted }),
        await call("/graphql", form),
      ]) {
        expect([answer.status, codes(answer), answer.data]).toEqual([400, ["BAD_USER_INPUT"], undefined]);
        expect(answer.text).not.toContain("CANARY");
      }
    }
  });

  it("is refused when it is a batch", async () => {
    const operation = { query: "{ __typename }" };
    for (const count of [1, 2, 1_000]) {
      const answer = await call("/graphql", post(JSON.stringify(Array(count).fill(operation))));
      expect([answer.status, codes(answer)]).toEqual([400, ["BAD_USER_INPUT"]]);
      expect(answer.errors[0]?.message).toBe("Batching is not supported.");
    }
  });

  it("is refused when GraphQL finds it wrong, with 400 where the client speaks the newer media type", async () => {
    const accept = { accept: "application/graphql-response+json" };
    for (const query of ["{", "{ nothing }", "query A { __typename } query B { __typename }"]) {
      const answer = await ask(query, {}, accept);
      expect([query, answer.status]).toEqual([query, 400]);
      expect(codes(answer)).toEqual(["BAD_USER_INPUT"]);
      expect(answer.data).toBeUndefined();
    }
  });

  it("is refused in a method or a media type that is not GraphQL's", async () => {
    for (const method of ["PUT", "DELETE", "PATCH"]) {
      const { status, headers } = await call("/graphql", { method, headers: json, body: "{}" });
      expect([method, status, headers.get("allow")]).toEqual([method, 405, "GET, POST"]);
    }
    expect((await ask("{ __typename }", {}, { accept: "image/png" })).status).toBe(406);
    expect((await call("/graphql", post(signOut, { "content-type": "application/xml" }))).status).toBe(415);
  });
});

describe("a mutation from another site", () => {
  /** Ada's session, as her browser would send it along. */
  async function cookiesOfAda(): Promise<string> {
    const query = `mutation { signIn(input: { email: "${ada.email}", password: "a good password" }) { expiresAt } }`;
    const { headers } = await ask(query);
    return headers
      .getSetCookie()
      .map((cookie) => cookie.split(";", 1)[0])
      .join("; ");
  }

  it("is refused by GET, however it is sent", async () => {
    const cookie = await cookiesOfAda();
    const before = await dump(lectern.database);
    const path = `/graphql?query=${encodeURIComponent(signOut)}`;
    const withHeader = await call(path, { headers: { ...preflighted, cookie } });
    expect([withHeader.status, withHeader.headers.get("allow")]).toEqual([405, "POST"]);
    expect(withHeader.data).toBeUndefined();
    const plain = await call(path, { headers: { cookie } });
    expect([plain.status, codes(plain)]).toEqual([403, ["FORBIDDEN"]]);
    expect(await dump(lectern.database)).toEqual(before);
  });

  it("is refused in every form that a browser sends without asking first", async () => {
    const cookie = await cookiesOfAda();
    const before = await dump(lectern.database);
    const form = new FormData();
    form.set("operations", JSON.stringify({ query: signOut }));
    form.set("map", "{}");
    const text = JSON.stringify({ query: signOut });
    const requests: [string, RequestInit][] = [
      ["urlencoded", post(new URLSearchParams({ query: signOut }), { cookie })],
      ["multipart", post(form, { cookie })],
      ["text/plain", post(text, { cookie, "content-type": "text/plain" })],
      ["text/plain;charset", post(text, { cookie, "content-type": "text/plain; charset=utf-8, application/json" })],
      ["no type", post(new Blob([text]), { cookie })],
    ];
    for (const [name, init] of requests) {
      const answer = await call("/graphql", init);
      expect([name, answer.status, codes(answer)]).toEqual([name, 403, ["FORBIDDEN"]]);
      expect(answer.data).toBeUndefined();
    }
    expect(await dump(lectern.database)).toEqual(before);
  });

  it("is not invited by CORS headers", async () => {
    const origin = "https://evil.example";
    const answer = await ask("{ __typename }", {}, { origin });
    const preflight = await call("/graphql", {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "content-type" },
    });
    for (const { headers } of [answer, preflight]) {
      expect([...headers.keys()].filter((name) => name.startsWith("access-control-"))).toEqual([]);
    }
  });
});

describe("what is shown of the schema", () => {
  const html = { headers: { accept: "text/html" } };
  const introspection = "{ __schema { queryType { name } } }";
  let production: Lectern;

  beforeAll(async () => {
    production = await startLectern({
      settings: { NODE_ENV: "production", PUBLIC_URL: "https://lectern.example", PUBLIC_READ: "true" },
    });
  });
  afterAll(() => production.stop());

  it("is all of it in development: GraphiQL, without a request to other machines, and introspection", async () => {
    const development = await startLectern({ settings: { NODE_ENV: "development" }, database: lectern.database });
    try {
      const page = await call("/graphql", html, development);
      expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html"]);
      expect(page.text).toContain("<title>Lectern</title>");
      expect(page.text).toContain("Welcome to Lectern");
      expect(page.text.match(/<(script|link|img|iframe)[^>]*\s(src|href)=["']?(https?:)?\/\//)).toBeNull();
      expect((await ask(introspection, {}, {}, development)).data).toEqual({
        __schema: { queryType: { name: "Query" } },
      });
      expect((await ask("{ vieweer { user { id } } }", {}, {}, development)).errors[0]?.message).toContain("viewer");
    } finally {
      await development.stop();
    }
  });

  it("is no GraphiQL in production", async () => {
    const page = await call("/graphql", html, production);
    expect(page.status).toBe(406);
    expect(page.text).toBe("");
  });

  it("is nothing to strangers in production, and all to who is signed in", async () => {
    for (const query of [
      introspection,
      '{ __type(name: "User") { name } }',
      "query { ...Hidden } fragment Hidden on Query { __schema { types { name } } }",
      "{ viewer { user { id } } hidden: __schema { queryType { name } } }",
    ]) {
      const answer = await ask(query, {}, {}, production);
      expect([query, codes(answer), answer.data ?? null]).toEqual([query, ["UNAUTHENTICATED"], null]);
    }
    expect((await ask("{ __typename }", {}, {}, production)).data).toEqual({ __typename: "Query" });
    const pat = await production.person("Pat");
    const answer = await ask(introspection, {}, signedIn(pat), production);
    expect(answer.data).toEqual({ __schema: { queryType: { name: "Query" } } });
  });

  it("are no statements in production, except to admins", async () => {
    const traced = async (person?: Person) => {
      const headers = { ...(person && signedIn(person)), "lectern-trace": "1" };
      return (await ask("{ documents { totalCount } }", {}, headers, production)).extensions?.lectern;
    };
    expect([await traced(), await traced(await production.person("Pat"))]).toEqual([undefined, undefined]);
    expect(await traced(await production.person("Boss", "ADMIN"))).toMatchObject({ statements: 1 });
  });

  it("is no suggestion in production, wherever a name is wrong", async () => {
    const wrong: [string, object?][] = [
      ["{ vieweer { user { id } } }"],
      ["{ documents { totalCoun } }"],
      ["{ documents(firs: 1) { totalCount } }"],
      ["{ documents(filter: { visibilit: SHARED }) { totalCount } }"],
      ["{ documents(filter: { visibility: SHARE }) { totalCount } }"],
      ["query($filter: DocumentFilte) { documents(filter: $filter) { totalCount } }"],
      ["query($filter: DocumentFilter) { documents(filter: $filter) { totalCount } }", { filter: { visibilit: "X" } }],
      [
        "query($filter: DocumentFilter) { documents(filter: $filter) { totalCount } }",
        { filter: { visibility: "SHARE" } },
      ],
      ["{ node(id: 1) { ... on Documen { title } } }"],
      ["{ __typename @skp(if: true) }"],
    ];
    for (const [query, variables] of wrong) {
      const answer = await ask(query, variables, {}, production);
      expect(answer.errors.length).toBeGreaterThan(0);
      expect(new Set(codes(answer))).toEqual(new Set(["BAD_USER_INPUT"]));
      expect(answer.text).not.toMatch(/did you mean/i);
    }
  });
});

describe("an error that nobody expected", () => {
  const masked = (path: (string | number)[], requestId: string | null) => [
    {
      message: "Internal server error.",
      locations: [expect.any(Object)],
      path,
      extensions: { code: "INTERNAL_SERVER_ERROR", requestId },
    },
  ];

  it("shows no SQL, name or stack, neither of a query nor of a mutation", async () => {
    const broken = await startLectern();
    try {
      const bob = await broken.person("Bob");
      await broken.database.query("alter table documents rename to elsewhere");
      const query = await ask("{ documents { nodes { title } } }", {}, signedIn(bob), broken);
      expect(query.errors).toEqual(masked(["documents", "nodes"], query.headers.get("x-request-id")));
      expect(query.data).toBeNull();
      const create = 'mutation { createDocument(input: { source: { text: "Lost." } }) { isDuplicate } }';
      const mutation = await ask(create, {}, signedIn(bob), broken);
      expect(mutation.errors).toEqual(masked(["createDocument"], mutation.headers.get("x-request-id")));
      expect(mutation.data).toBeNull();
      for (const { text } of [query, mutation]) {
        expect(text).not.toMatch(/select|insert|relation|prisma|42P01|\.ts|node_modules|stack|127\.0\.0\.1/i);
      }

      await broken.database.query("alter table elsewhere rename to documents");
      expect((await ask("{ documents { totalCount } }", {}, signedIn(bob), broken)).data).toEqual({
        documents: { totalCount: 0 },
      });
      expect((await ask(create, {}, signedIn(bob), broken)).data).toEqual({ createDocument: { isDuplicate: false } });
    } finally {
      await broken.stop();
    }
  });
});

describe("with the database's wire in hand", () => {
  let proxy: TcpProxy;
  let wired: Lectern;
  let bob: Person;

  beforeAll(async () => {
    proxy = await startTcpProxy(lectern.database.url);
    wired = await startLectern({
      settings: {
        PUBLIC_READ: "true",
        MAX_QUERY_COST: "100",
        MAX_QUERY_DEPTH: "5",
        MAX_QUERY_TOKENS: "100",
        WRITE_WAIT_MS: "500",
      },
      database: { ...lectern.database, url: proxy.url },
      // Only what the requests ask for is counted.
      housekeeping: false,
    });
    bob = await wired.person("Bob");
  });
  afterAll(async () => {
    await wired.stop();
    await proxy.stop();
  });

  /** The answer, and how many statements went to the database for it. */
  async function counted(query: string, variables: object = {}): Promise<Answer & { statements: number }> {
    proxy.resetCounts();
    const answer = await ask(query, variables, {}, wired);
    return { ...answer, statements: proxy.counts.statements };
  }

  const pages = (first: number) => `{ documents(first: ${first}) { nodes { chunks(first: 1) { nodes { id } } } } }`;
  const typenames = (count: number) => `{ ${Array(count).fill("__typename").join(" ")} }`;

  it("refuses a query that costs too much, without a statement", async () => {
    // Every row counts: each document of the page, and each row that is selected on it.
    for (const [query, cost] of [
      [pages(51), 102],
      [`query { ...All } fragment All on Query ${pages(51)}`, 102],
      [
        "{ documents { nodes { a: owner { id } b: owner { id } c: owner { id } d: owner { id } e: owner { id } } } }",
        120,
      ],
      ["{ users(first: 1) { nodes { documents(first: 1) { nodes { chunks(first: 100) { nodes { id } } } } } } }", 102],
    ] as const) {
      const { status, errors, data, statements } = await counted(query);
      expect([status, statements, data]).toEqual([400, 0, undefined]);
      expect(errors).toHaveLength(1);
      expect(errors[0]?.extensions).toMatchObject({ code: "BAD_USER_INPUT", cost, maxCost: 100 });
    }
    const byVariable = "query($first: Int) { documents(first: $first) { nodes { chunks(first: 1) { totalCount } } } }";
    expect(await counted(byVariable, { first: 51 })).toMatchObject({ status: 400, statements: 0 });
    expect((await counted(byVariable, { first: 50 })).status).toBe(200);
    const dearest = await counted(pages(50));
    expect([dearest.status, dearest.errors]).toEqual([200, []]);
    expect(dearest.statements).toBeGreaterThan(0);
  });

  it("refuses a query that is too deep, without a statement", async () => {
    const deep = "{ documents(first: 1) { nodes { owner { documents(first: 1) { nodes { id } } } } } }";
    const { status, errors, data, statements } = await counted(deep);
    expect([status, statements, data]).toEqual([400, 0, undefined]);
    expect(errors[0]?.extensions).toMatchObject({ code: "BAD_USER_INPUT", depth: 6, maxDepth: 5 });
    const deepest = await counted("{ documents(first: 1) { nodes { owner { documents(first: 1) { totalCount } } } } }");
    expect([deepest.status, deepest.errors]).toEqual([200, []]);
  });

  it("refuses a text of too many tokens, without a statement", async () => {
    for (const count of [99, 2_000, 20_000]) {
      const answer = await counted(typenames(count));
      expect([answer.status, answer.statements, codes(answer)]).toEqual([400, 0, ["BAD_USER_INPUT"]]);
      expect(answer.errors[0]?.message).toBe("A query has at most 100 tokens.");
      expect(answer.data).toBeUndefined();
    }
    const nested = `${"{ a ".repeat(20_000)}${"}".repeat(20_000)}`;
    expect(await counted(nested)).toMatchObject({ status: 400, statements: 0 });
    expect((await counted(typenames(98))).data).toEqual({ __typename: "Query" });
  });

  it("refuses what is wrong in itself, without a statement", async () => {
    for (const query of ["{", "{ nothing }", "{ documents { nodes } }", '{ documents(first: "x") { totalCount } }']) {
      expect(await counted(query)).toMatchObject({
        statements: 0,
        errors: [{ extensions: { code: "BAD_USER_INPUT" } }],
      });
    }
    const { statements, errors } = await counted("{ documents(first: 0) { totalCount nodes { owner { id } } } }");
    expect([statements, errors.length]).toEqual([0, 1]);
    const cyclic = await counted("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }");
    expect([cyclic.statements, codes(cyclic)]).toEqual([0, ["BAD_USER_INPUT"]]);
  });

  it("says that it is not ready, and nothing of the database, while that is away; then recovers", async () => {
    proxy.refuse(true);
    proxy.cut();
    const ready = await call("/ready", {}, wired);
    expect([ready.status, ready.text]).toEqual([503, '{"status":"not ready"}']);
    expect((await call("/health", {}, wired)).status).toBe(200);

    const create = 'mutation { createDocument(input: { source: { text: "Unheard." } }) { isDuplicate } }';
    for (const query of ["{ documents { totalCount } }", create]) {
      const answer = await ask(query, {}, signedIn(bob), wired);
      expect([query, answer.status, codes(answer), answer.data ?? null]).toEqual([query, 503, ["OVERLOADED"], null]);
      expect(answer.headers.get("retry-after")).toBe("1");
      expect(answer.text).not.toMatch(/127\.0\.0\.1|postgres|lectern_test|ECONN|socket|connection/i);
    }

    proxy.refuse(false);
    await vi.waitFor(async () => expect((await call("/ready", {}, wired)).status).toBe(200), { timeout: 10_000 });
    expect((await ask("{ viewer { user { name } } }", {}, signedIn(bob), wired)).data).toEqual({
      viewer: { user: { name: "Bob" } },
    });
    expect(await lectern.database.query("select 1 from documents where text = 'Unheard.'")).toEqual([]);
  });
});
