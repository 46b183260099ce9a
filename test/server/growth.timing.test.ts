/**
 * The cost of a request grows with its size and no faster: for every limit and every parser of the server, twice the
 * size takes at most two and a half times the processor time of the event loop. The sizes lie below the limits, so that
 * the work is done and not refused.
 */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { leastOf } from "../support/growth.ts";
import * as hostile from "../support/hostile-requests.ts";
import { canMeasureCpu, type ProductionServer, startProductionServer } from "../support/production-server.ts";

type Family = [name: string, size: number, make: (size: number) => hostile.HostileRequest];

/** Less is the cost of any request. */
const noiseMs = 4;
const restMs = 3;

describe.skipIf(!canMeasureCpu)("twice the size", () => {
  let server: ProductionServer;
  const table: string[] = [];

  beforeAll(async () => {
    // The price of a query has tests of its own.
    server = await startProductionServer({ MAX_QUERY_COST: "10000000" });
  });
  afterAll(async () => {
    console.log(["       n   ms of n  ms of 2n   ratio", ...table].join("\n"));
    await server.stop();
  });

  const signedIn = () => ({ authorization: `Bearer ${server.accessToken}` });
  const anonymous = (query: string, variables: unknown = {}) => hostile.operation(query, variables);
  const ofAda = (query: string, variables: unknown = {}) => hostile.operation(query, variables, signedIn());
  const withHeader = (name: string, value: string) => hostile.operation("{ __typename }", {}, { [name]: value });
  const form = (parts: Record<string, string>): hostile.HostileRequest => {
    const body = new FormData();
    for (const [name, value] of Object.entries(parts)) body.set(name, value);
    return { headers: { ...signedIn(), "graphql-require-preflight": "1" }, body };
  };

  async function cpuOf({ method = "POST", headers, body }: hostile.HostileRequest): Promise<number> {
    // A collection amid a request takes 20 ms, and an upload of 3 MB is likelier to meet one than its half.
    await server.collectGarbage();
    const before = server.cpuMs();
    await (await fetch(server.url, { method, headers, body })).text();
    // A thread's time is written down when it comes to rest.
    await pause(restMs);
    return server.cpuMs() - before;
  }

  const conditions = (levels: number) =>
    Object.fromEntries(Array.from({ length: levels }, (_, n) => [`v${n}`, n % 2 === 0]));

  let serial = 0;
  /** No text comes twice, so that no cache answers. */
  const fresh = (query: string) => `${query} # ${serial++}`;

  const families: Family[] = [
    ["levels of doubling fragments", 40, (n) => anonymous(fresh(hostile.doublingFragments(n)))],
    ["levels of conditional fragments", 15, (n) => anonymous(fresh(hostile.conditionalFragments(n)), conditions(n))],
    ["levels of branching fragments", 4, (n) => ofAda(fresh(hostile.branchingFragments(n)))],
    // Each of √n fragments spreads all that follow it, so n is in proportion to the text.
    [
      "spreads of all following fragments",
      338,
      (n) => anonymous(fresh(hostile.fragmentsOfAll(Math.round(Math.sqrt(n))))),
    ],
    ["equal fields", 60, (n) => ofAda(fresh(hostile.sameFields(n)))],
    ["conflicting fields", 45, (n) => ofAda(fresh(hostile.conflictingFields(n)))],
    ["unknown fields", 450, (n) => anonymous(fresh(hostile.unknownFields(n)))],
    ["lines before unknown fields", 900, (n) => anonymous(fresh("\n".repeat(n) + hostile.unknownFields(50)))],
    ["aliases of introspection", 20, (n) => ofAda(fresh(hostile.wideIntrospection(n)))],
    ["letters of a name", 110_000, (n) => anonymous(fresh(`{ ${"x".repeat(n)} }`))],
    ["letters of a literal", 110_000, (n) => anonymous(fresh(`{ users(first: "${"x".repeat(n)}") { totalCount } }`))],
    [
      "lines of a block text",
      900,
      (n) => anonymous(fresh(`{ users(first: """${"x\n".repeat(n)}""") { totalCount } }`)),
    ],
    ["digits of a number", 110_000, (n) => anonymous(fresh(`{ users(first: ${"9".repeat(n)}) { totalCount } }`))],
    ["letters of a comment", 110_000, (n) => anonymous(fresh(`{ __typename } # ${"x".repeat(n)}`))],
    ["suggestions", 8_000, (n) => anonymous(fresh(`{ users(first: "${" Did you mean ".repeat(n)}") { totalCount } }`))],
    ["unknown input fields", 4_900, (n) => anonymous(hostile.createDocument, hostile.unknownInputFields(n))],
    ["wrong values", 4_900, (n) => anonymous(hostile.nodes, { ids: Array(n).fill({}) })],
    ["right values", 4_900, (n) => ofAda(hostile.nodes, { ids: Array(n).fill("x") })],
    ["letters of a wrong value", 400_000, (n) => anonymous(hostile.nodes, { ids: [{ x: "y".repeat(n) }] })],
    ["letters of an id", 400_000, (n) => ofAda(hostile.nodes, { ids: ["y".repeat(n)] })],
    [
      "letters of a cursor",
      400_000,
      (n) => ofAda("query($after: String) { users(after: $after) { nodes { id } } }", { after: "y".repeat(n) }),
    ],
    ["nested lists", 200_000, (n) => hostile.nestedLists(n)],
    ["empty lists", 150_000, (n) => hostile.emptyLists(n)],
    ["escapes in JSON", 100_000, (n) => anonymous(hostile.nodes, { ids: ['\\"'.repeat(n)] })],
    ["backslashes in JSON", 200_000, (n) => anonymous(hostile.nodes, { ids: ["\\".repeat(n)] })],
    [
      "letters of JSON that is cut",
      400_000,
      (n) => ({ headers: { "content-type": "application/json" }, body: `{"query":"${"x".repeat(n)}` }),
    ],
    [
      "bytes of a text",
      400_000,
      (n) => ofAda(hostile.createDocument, { input: { source: { text: `${serial++} ${"a b ".repeat(n / 4)}` } } }),
    ],
    [
      "spaces of a heading",
      4_900,
      (n) => ofAda(hostile.createDocument, { input: { source: { text: `# ${serial++}${" ".repeat(n)}y` } } }),
    ],
    [
      "letters of a title",
      400_000,
      (n) => ofAda(hostile.createDocument, { input: { title: " x".repeat(n / 2), source: { text: "x" } } }),
    ],
    [
      "letters of an e-mail",
      400_000,
      (n) =>
        anonymous("mutation($input: SignInInput!) { signIn(input: $input) { expiresAt } }", {
          input: { email: "a@".repeat(n / 2), password: "x" },
        }),
    ],
    [
      "letters of a search",
      300_000,
      (n) =>
        ofAda("query($query: String!) { searchChunks(query: $query) { totalCount } }", { query: '"a '.repeat(n / 3) }),
    ],
    ["cookies", 1_400, (n) => withHeader("cookie", "a=b; ".repeat(n))],
    ["separators of cookies", 7_000, (n) => withHeader("cookie", ";".repeat(n))],
    ["accepted media types", 1_800, (n) => withHeader("accept", "a/b,".repeat(n))],
    ["parameters of a media type", 1_800, (n) => withHeader("accept", `application/json${";a=b".repeat(n)}`)],
    ["parameters of the content type", 1_800, (n) => withHeader("content-type", `application/json${";a=b".repeat(n)}`)],
    [
      "spaces before the content type",
      7_000,
      (n) => withHeader("content-type", `a${" ".repeat(n)}multipart/form-data`),
    ],
    ["dots of a token", 7_000, (n) => withHeader("authorization", `Bearer ${".".repeat(n)}`)],
    ["letters of a token", 7_000, (n) => withHeader("authorization", `Bearer ${"a".repeat(n)}`)],
    ["spaces of a token", 7_000, (n) => withHeader("authorization", `Bearer a${" ".repeat(n)}a`)],
    [
      "pairs of a form",
      100_000,
      (n) => ({
        headers: { ...signedIn(), "content-type": "application/x-www-form-urlencoded" },
        body: "a=b&".repeat(n),
      }),
    ],
    [
      "letters of a query in a form",
      100_000,
      (n) => ({
        headers: { ...signedIn(), "content-type": "application/x-www-form-urlencoded" },
        body: `query=${"%7B".repeat(n)}`,
      }),
    ],
    [
      "files named in map",
      4_000,
      (n) =>
        form({
          operations: "{}",
          map: JSON.stringify(Object.fromEntries(Array.from({ length: n }, (_, index) => [index, ["variables.file"]]))),
          0: "x",
        }),
    ],
    ["steps of a path in map", 200_000, (n) => form({ operations: "{}", map: JSON.stringify({ 0: [".".repeat(n)] }) })],
    ["hyphens of a file", 1_500_000, (n) => hostile.upload(`${serial++}${"-".repeat(n)}`, "a.txt", server.accessToken)],
    [
      "near boundaries of a file",
      60_000,
      (n) => hostile.upload(`${serial++}${"\r\n------formdata-undici-0".repeat(n)}x`, "a.txt", server.accessToken),
    ],
    [
      "line ends of a file",
      750_000,
      (n) => hostile.upload(`${serial++}${"\r\n".repeat(n)}x`, "a.txt", server.accessToken),
    ],
    [
      "letters of a file's name",
      3_000,
      (n) => hostile.upload(`${serial++}`, `${"a.".repeat(n / 2)}txt`, server.accessToken),
    ],
    [
      "bytes of a text file",
      1_500_000,
      (n) => hostile.upload(`${serial++} ${"a b ".repeat(n / 4)}`, "a.txt", server.accessToken),
    ],
  ];

  it.each(families)("takes at most 2.5 times as long: %s", async (name, size, make) => {
    const { ms, twiceMs, isTooMuch } = await leastOf(
      () => cpuOf(make(size)),
      () => cpuOf(make(2 * size)),
      noiseMs,
    );
    const ratio = twiceMs / ms;
    table.push(
      `${String(size).padStart(8)}  ${ms.toFixed(2).padStart(8)}  ${twiceMs.toFixed(2).padStart(8)}  ${ratio.toFixed(2).padStart(6)}  ${name}`,
    );
    expect([isTooMuch, ms, twiceMs]).toEqual([false, expect.any(Number), expect.any(Number)]);
    expect(server.isRunning()).toBe(true);
  });
});
