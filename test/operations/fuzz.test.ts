/**
 * Random documents, variables, headers and files, most of them wrong, sent to a server that runs as in production: no
 * answer takes the event loop longer than 100 ms, none says that something went wrong on our side, and the process is
 * the same at the end. LECTERN_SEED repeats a run, LECTERN_LONG=1 makes it longer.
 */
import { request as httpRequest } from "node:http";
import fc, { type Arbitrary } from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as hostile from "../support/hostile-requests.ts";
import { canMeasureCpu, type ProductionServer, startProductionServer } from "../support/production-server.ts";
import { rounds } from "../support/rounds.ts";

const seed = Number(process.env.LECTERN_SEED ?? Date.now() % 2 ** 31);
const numRuns = rounds(150, 3_000);
const mostMs = 100;

/** A small piece, repeated: what makes slow parsers slow. */
const repeated = (piece: Arbitrary<string>, most: number): Arbitrary<string> =>
  fc.tuple(piece, fc.integer({ min: 0, max: most })).map(([text, count]) => text.repeat(Math.min(count, most)));

const words = fc.constantFrom(
  ...'query mutation subscription fragment on true false null { } ( ) [ ] : = ! | & @ $ ... , # " """ \\ \n'.split(" "),
  ..."A B C a b id __typename __schema viewer user users documents nodes edges totalCount first filter".split(" "),
  ..."User Query Mutation Document @skip(if:true) @include(if:$a) $a:Int ...A ...B 1 -1 1e9 9999999999".split(" "),
);
const soup = fc.array(fc.oneof(words, repeated(words, 60)), { maxLength: 60 }).map((parts) => parts.join(" "));
const field = fc.constantFrom(
  "__typename",
  "viewer { user { id } }",
  "users(first: 2) { totalCount }",
  "a: __typename",
  "documents { nodes { id } }",
);
/** Valid documents: each fragment spreads some of those behind it, so nearly all of them can be executed. */
const structured = fc
  .array(fc.array(fc.oneof(field, fc.nat({ max: 6 })), { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 14 })
  .map((fragments) => {
    const written = fragments.map((parts, index) => {
      const selections = parts.map((part) => {
        if (typeof part === "string") return part;
        const target = index + 1 + part;
        return target < fragments.length ? `...F${target}` : "__typename";
      });
      return `fragment F${index} on Query { ${selections.join(" ")} }`;
    });
    const isUsed = fragments.map((_, index) => `...F${index}`).join(" ");
    return `{ ${isUsed} } ${written.join(" ")}`;
  });
const documents = fc.oneof(
  soup,
  structured,
  structured,
  repeated(fc.oneof(words, fc.string({ maxLength: 5 })), 20_000),
);

const json = fc.jsonValue({ maxDepth: 6 });
const wide = fc.tuple(json, fc.integer({ min: 0, max: 20_000 })).map(([value, count]) => Array(count).fill(value));
const deep = fc.integer({ min: 0, max: 3_000 }).map((depth) => {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = level % 2 ? [value] : { input: value };
  return value;
});
const keyed = fc
  .integer({ min: 0, max: 20_000 })
  .map((count) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, index])));
const long = repeated(fc.string({ minLength: 1, maxLength: 6, unit: "binary" }), 100_000).map((text) =>
  text.slice(0, 300_000),
);
const value = fc.oneof(json, wide, deep, keyed, long);
const variables = fc.oneof(
  fc.record({ input: value, ids: value, first: value, filter: value }, { requiredKeys: [] }),
  fc.record({
    input: fc.record(
      { source: fc.record({ text: value }), title: value, email: value, password: value },
      { requiredKeys: [] },
    ),
  }),
  keyed,
);
const queries = fc.constantFrom(
  hostile.createDocument,
  hostile.nodes,
  "query($first: Int, $filter: DocumentFilter) { documents(first: $first, filter: $filter) { totalCount nodes { id } } }",
  "mutation($input: SignInInput!) { signIn(input: $input) { expiresAt } }",
  "mutation($input: UpdateDocumentInput!) { updateDocument(input: $input) { document { id } } }",
  "query($input: String!) { searchChunks(query: $input) { totalCount } }",
  "query($input: ID!) { node(id: $input) { id } }",
);
/** With values of the right types, so that more than coercion sees them. */
const wellTyped = fc.oneof(
  fc.tuple(fc.constant(hostile.createDocument), fc.record({ input: fc.record({ source: fc.record({ text: long }) }) })),
  fc.tuple(
    fc.constant("query($input: String!) { searchChunks(query: $input) { totalCount } }"),
    fc.record({ input: fc.oneof(long, fc.string({ maxLength: 300, unit: "binary" })) }),
  ),
  fc.tuple(
    fc.constant("query($search: String!) { documents(filter: { search: $search }) { totalCount } }"),
    fc.record({ search: fc.oneof(long, fc.string({ maxLength: 300, unit: "binary" })) }),
  ),
  fc.tuple(fc.constant(hostile.nodes), fc.record({ ids: fc.array(fc.string({ maxLength: 80 }), { maxLength: 110 }) })),
);
const operations = fc.oneof(fc.tuple(queries, variables), wellTyped);

const headerNames = fc.constantFrom(
  ..."accept cookie authorization content-type x-request-id idempotency-key lectern-trace lectern-dry-run origin".split(
    " ",
  ),
  ..."accept-encoding content-encoding x-forwarded-for sec-fetch-site range if-none-match graphql-require-preflight".split(
    " ",
  ),
);
const headerPieces = fc.oneof(
  fc.constantFrom(
    ...'a/b, ; = " \\ . Bearer\u0020 application/json multipart/form-data; boundary= a=b; q=0.1 -- * '.split(" "),
  ),
  fc.string({ maxLength: 4, unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) }),
);
const headers = fc.dictionary(
  headerNames,
  fc.array(repeated(headerPieces, 1_500), { maxLength: 4 }).map((parts) => parts.join("").trim().slice(0, 7_000)),
  { maxKeys: 2 },
);

const magic = fc.constantFrom(
  "",
  "%PDF-1.7\n",
  "PK\u0003\u0004",
  "<!doctype html>",
  "<html",
  "<!--",
  "<title>",
  "# ",
  "\ufeff",
  "ID3",
  "{\\rtf",
  "\u00d0\u00cf",
);
const filePieces = fc.oneof(
  fc.constantFrom(
    "<!---->",
    "<!--",
    "-->",
    "<",
    ">",
    "<p>",
    "<title>",
    "</title>",
    " ",
    "\n",
    "\r\n",
    "#",
    "\t",
    "<?xml",
    "&amp;",
    "\u00e9",
    "\u0000",
    "a",
  ),
  fc.string({ maxLength: 4, unit: "binary" }),
);
const files = fc
  .tuple(magic, fc.array(repeated(filePieces, 20_000), { maxLength: 4 }), fc.constantFrom("utf8", "latin1", "utf16le"))
  .map(([start, parts, encoding]) =>
    Buffer.from(`${start}${parts.join("")}`, encoding as BufferEncoding).subarray(0, 400_000),
  );
const fileNames = fc.constantFrom("a.txt", "a.md", "a.html", "a.pdf", "a.docx", "a", ".md", `${"a.".repeat(100)}txt`);

describe.skipIf(!canMeasureCpu)(`random requests (LECTERN_SEED=${seed}, ${numRuns} of each kind)`, () => {
  let server: ProductionServer;
  let slowestMs = 0;
  let [refused, done] = [0, 0];

  beforeAll(async () => {
    server = await startProductionServer();
    for (let count = 0; count < 300; count++) {
      await send(hostile.operation(`query Warm${count} { viewer { user { id } } }`, {}, signedIn()));
      if (count % 10 === 0) await send(hostile.upload(`A small text, number ${count}.`, "a.txt", server.accessToken));
    }
  });
  afterAll(async () => {
    console.log(
      `fuzz: LECTERN_SEED=${seed}, ${done} done, ${refused} refused, at most ${slowestMs.toFixed(1)} ms each`,
    );
    expect(server.log().filter(({ level }) => Number(level) >= 50)).toEqual([]);
    await server.stop();
  });

  const signedIn = () => ({ authorization: `Bearer ${server.accessToken}` });

  async function send({ headers, body }: hostile.HostileRequest): Promise<{ status: number; text: string }> {
    const response = await fetch(server.url, { method: "POST", headers, body });
    return { status: response.status, text: await response.text() };
  }

  /** Fails with what it was that took too long. */
  async function expectCheap(answering: () => Promise<{ status: number; text: string }>): Promise<void> {
    const before = server.cpuMs();
    const { status, text } = await answering();
    const ms = server.cpuMs() - before;
    slowestMs = Math.max(slowestMs, ms);
    if (status === 200 && !text.includes('"errors"')) done++;
    else refused++;
    expect(status).toBeLessThan(500);
    expect(text).not.toContain("INTERNAL_SERVER_ERROR");
    expect(server.isRunning()).toBe(true);
    expect(ms).toBeLessThan(mostMs);
  }

  it("with documents", { timeout: 600_000 }, async () => {
    const property = fc.asyncProperty(documents, fc.boolean(), (query, isSignedIn) =>
      expectCheap(() => send(hostile.operation(query, {}, isSignedIn ? signedIn() : {}))),
    );
    await fc.assert(property, { seed, numRuns });
  });

  it("with variables", { timeout: 600_000 }, async () => {
    const property = fc.asyncProperty(operations, fc.boolean(), ([query, given], isSignedIn) =>
      expectCheap(() => send(hostile.operation(query, given, isSignedIn ? signedIn() : {}))),
    );
    await fc.assert(property, { seed, numRuns });
  });

  it("with headers", { timeout: 600_000 }, async () => {
    const property = fc.asyncProperty(
      headers,
      fc.constantFrom("{ __typename }", "{ viewer { user { id } } }"),
      (given, query) => expectCheap(() => sendByHand(server.url, given, JSON.stringify({ query }))),
    );
    await fc.assert(property, { seed, numRuns });
  });

  it("with files", { timeout: 600_000 }, async () => {
    const property = fc.asyncProperty(files, fileNames, (bytes, called) =>
      expectCheap(() => send(hostile.upload(new Uint8Array(bytes), called, server.accessToken))),
    );
    await fc.assert(property, { seed, numRuns });
  });
});

/** With headers as they are given, where fetch has ideas of its own. */
function sendByHand(
  url: string,
  headers: Record<string, string>,
  body: string,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const all = { "content-type": "application/json", ...headers, "content-length": Buffer.byteLength(body) };
    const sending = httpRequest(
      url,
      { method: "POST", headers: all, agent: false, maxHeaderSize: 1_000_000 },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (piece) => {
          text += piece;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
        response.on("error", reject);
      },
    );
    sending.on("error", reject);
    sending.end(body);
  });
}
