import type { Fault } from "./fault.ts";

const stop = ["test/server/stop.test.ts"];
const http = ["test/server/http-server.unit.test.ts"];
const graphql = ["test/server/graphql-server.unit.test.ts"];
const readiness = ["test/server/readiness.unit.test.ts"];
const loadGuard = ["test/server/load-guard.unit.test.ts"];

export const faults: Fault[] = [
  {
    name: "a stop waits for connections that clients keep open",
    file: "src/server/http-server.ts",
    replace: { "for (const res of pending) res.shouldKeepAlive = false;": "", "if (isStopping) req.socket.end();": "" },
    tests: stop,
  },
  {
    name: "a stop does not wait for a mutation under way",
    file: "src/server/http-server.ts",
    replace: { "await closed; clearTimeout(timer);": "void closed.then(() => clearTimeout(timer));" },
    tests: stop,
  },
  {
    name: "a stop breaks all connections at once",
    file: "src/server/http-server.ts",
    replace: { "server.closeIdleConnections(); //": "server.closeAllConnections(); //" },
    tests: stop,
  },
  {
    name: "a stop gives answers no time",
    file: "src/server/http-server.ts",
    replace: { "const graceMs = 10_000": "const graceMs = 100" },
    tests: stop,
  },
  {
    name: "a body may be announced as one byte too large",
    file: "src/server/http-server.ts",
    replace: { "if (Number(declared) <= maxBytes) return true;": "if (Number(declared) <= maxBytes + 1) return true;" },
    tests: http,
  },
  {
    name: "each piece of a body may have as many bytes as a body",
    file: "src/server/http-server.ts",
    replace: { "received += chunk?.length ?? 0;": "received = chunk?.length ?? 0;" },
    tests: http,
  },
  {
    name: "a request with files has the limit of one without",
    file: "src/server/http-server.ts",
    replace: { "const maxBytes = isUpload ? upload : json;": "const maxBytes = json;" },
    tests: http,
  },
  {
    name: "a client is told to send a body that is too large",
    file: "src/server/http-server.ts",
    replace: { 'server.on("checkContinue", serve);': "" },
    tests: http,
  },
  {
    name: "a refusal for load does not say when to come back",
    file: "src/server/http-server.ts",
    replace: { 'res.setHeader("retry-after", secondsToWait);': "" },
    tests: http,
  },
  {
    name: "a server that stops says that it is ready",
    file: "src/server/http-server.ts",
    replace: { "isStopping() ? { isReady: false } : await ready()": "await ready()" },
    tests: http,
  },
  {
    name: "a server that stops opens WebSockets",
    file: "src/server/http-server.ts",
    replace: { "else if (isStopping || options.load.refusesNext())": "else if (options.load.refusesNext())" },
    tests: http,
  },
  {
    name: "subscriptions are ended while WebSockets are still closing",
    file: "src/server/http-server.ts",
    replace: { "await options.graphql.closeWebSockets();": "void options.graphql.closeWebSockets();" },
    tests: http,
  },
  {
    name: "connections on which nothing was asked hold up a stop",
    file: "src/server/http-server.ts",
    replace: { "for (const socket of silent) socket.destroy();": "" },
    tests: http,
  },
  {
    name: "a stop waits for a request for ever",
    file: "src/server/http-server.ts",
    replace: { "setTimeout(() => server.closeAllConnections(), graceMs)": "setTimeout(() => {}, graceMs)" },
    tests: http,
  },
  {
    name: "an answer that breaks off leaves its client waiting",
    file: "src/server/http-server.ts",
    replace: { "else if (!res.writableEnded) res.destroy();": "" },
    tests: http,
  },
  {
    name: "a client may take a minute for its headers",
    file: "src/server/http-server.ts",
    replace: { "server.headersTimeout = 10_000;": "" },
    tests: http,
  },
  {
    name: "the rest of a refused body is not read where its reader paused",
    file: "src/server/unread-body.ts",
    replace: { 'res.once("finish", () => req.resume());': "" },
    tests: http,
  },
  {
    name: "a request behind a refused body runs",
    file: "src/server/unread-body.ts",
    replace: { "=> socket.writableEnded;": "=> socket.destroyed;" },
    tests: http,
  },
  {
    name: "a client that never ends its refused body keeps the connection",
    file: "src/server/unread-body.ts",
    replace: { "setTimeout(() => socket.destroy(), lingerMs)": "setTimeout(() => {}, lingerMs)" },
    tests: http,
  },
  {
    name: "a server without connections for writes is ready",
    file: "src/server/readiness.ts",
    replace: { '[reads.read(sql`select 1`), database.pool.query("select 1")]': "[reads.read(sql`select 1`)]" },
    tests: readiness,
  },
  {
    name: "a server whose store takes no files is ready",
    file: "src/server/readiness.ts",
    replace: { "isReady: isThere && !trouble": "isReady: isThere" },
    tests: readiness,
  },
  {
    name: "the latest delay alone tells of load",
    file: "src/server/load-guard.ts",
    replace: {
      "values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] as number":
        "values.at(-1) as number",
    },
    tests: loadGuard,
  },
  {
    name: "half the load refuses everything",
    file: "src/server/load-guard.ts",
    replace: { "this.#owed -= 1;": "" },
    tests: loadGuard,
  },
  {
    name: "old delays tell of load for ever",
    file: "src/server/load-guard.ts",
    replace: { "if (this.#delays.length > samples) this.#delays.shift();": "" },
    tests: loadGuard,
  },
  {
    name: "a page of a neighbouring site may use the cookie",
    file: "src/operations/preflight.ts",
    replace: { '.get("sec-fetch-site") === "same-origin"': '.get("sec-fetch-site")?.startsWith("same-")' },
    tests: graphql,
  },
  {
    name: "strangers read the schema in production",
    file: "src/server/graphql-server.ts",
    replace: { "if (contextValue.viewer !== null) return;": "if (contextValue.viewer === null) return;" },
    tests: graphql,
  },
  {
    name: "suggestions tell the schema in production",
    file: "src/server/graphql-server.ts",
    replace: { "hideSuggestions: !isOpen": "hideSuggestions: false" },
    tests: graphql,
  },
  {
    name: "a WebSocket of an origin that begins like ours may use the cookie",
    file: "src/server/websocket-server.ts",
    replace: { "headers.origin === new URL(publicUrl).origin": "headers.origin.startsWith(new URL(publicUrl).origin)" },
    tests: graphql,
  },
  {
    name: "a WebSocket with a wrong token falls back to the cookie",
    file: "src/server/websocket-server.ts",
    replace: { 'request.headers.delete("cookie");': "" },
    tests: graphql,
  },
  {
    name: "there may be one WebSocket too many",
    file: "src/server/websocket-server.ts",
    replace: { "if (sockets.clients.size >= maxConnections)": "if (sockets.clients.size > maxConnections)" },
    tests: graphql,
  },
  {
    name: "operations on a WebSocket have no limits of their parts",
    file: "src/server/websocket-server.ts",
    replace: { "requireSmall({ query, variables, operationName, extensions }, limits);": "" },
    tests: graphql,
  },
  {
    name: "operations on a WebSocket are not shed",
    file: "src/server/websocket-server.ts",
    replace: { 'if (load.refusesNext()) throw new ApplicationError("OVERLOADED", tooBusy);': "" },
    tests: graphql,
  },
  {
    name: "files have a minute, however many bytes come",
    file: "src/server/slow-body.ts",
    replace: { "if (isUpload && bytes >= leastBytes) return;": "" },
    tests: ["test/server/slow-body.unit.test.ts"],
  },
  {
    name: "one fast minute allows for all slow ones after it",
    file: "src/server/slow-body.ts",
    replace: { "before = socket.bytesRead; if (req.complete)": "if (req.complete)" },
    tests: ["test/server/slow-body.unit.test.ts"],
  },
];
