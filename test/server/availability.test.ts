/**
 * Small requests that stopped or ended the server once, and their relatives, sent to a server that runs as in
 * production: each is answered, a small request beside it does not wait for it, and the process is the same afterwards.
 *
 * Waiting is counted in processor time of the server's event loop, since a machine that is busy with something else
 * makes everybody wait.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as hostile from "../support/hostile-requests.ts";
import { canMeasureCpu, type ProductionServer, startProductionServer } from "../support/production-server.ts";

/** The longest wait of a small request, in milliseconds. */
const longestWaitMs = 100;
/** Enough for what is sent often to be compiled. */
const warmUps = 200;

type Answer = { status: number; codes: string[]; messages: string[]; bytes: number };
type Attack = [name: string, request: () => hostile.HostileRequest, status: number, code: string | null];

describe.skipIf(!canMeasureCpu)("a request beside a hostile one", () => {
  let server: ProductionServer;
  const table: string[] = [];

  beforeAll(async () => {
    server = await startProductionServer();
    for (let count = 0; count < warmUps; count++) {
      await send(hostile.operation(`query Warm${count} { viewer { user { id } } }`, {}, signedIn()));
    }
  });
  afterAll(async () => {
    console.log(["wait in ms of processor time, bytes of the answer", ...table].join("\n"));
    expect(server.log().filter(({ level }) => Number(level) >= 50)).toEqual([]);
    await server.stop();
  });

  const signedIn = () => ({ authorization: `Bearer ${server.accessToken}` });

  async function send({ method = "POST", headers, body }: hostile.HostileRequest): Promise<Answer> {
    const response = await fetch(server.url, { method, headers, body });
    const text = await response.text();
    const { errors = [] } = text.startsWith("{") ? JSON.parse(text) : {};
    return {
      status: response.status,
      codes: errors.map((error: { extensions: { code: string } }) => error.extensions.code),
      messages: errors.map(({ message }: { message: string }) => message),
      bytes: text.length,
    };
  }

  /** The answer, and the longest that small requests waited which were sent until it came. */
  async function beside(request: hostile.HostileRequest): Promise<{ answer: Answer; waitMs: number }> {
    let [isAnswered, waitMs] = [false, 0];
    const answered = send(request).finally(() => {
      isAnswered = true;
    });
    do {
      const before = server.cpuMs();
      const { status } = await send(hostile.operation("{ __typename }"));
      waitMs = Math.max(waitMs, server.cpuMs() - before);
      expect(status).toBe(200);
    } while (!isAnswered);
    return { answer: await answered, waitMs };
  }

  const deep = 8_000;
  const long = 240_000;
  const attacks: Attack[] = [
    // Fragments.
    [
      "25 doubling fragments of a mutation",
      () => hostile.operation(hostile.doublingFragments(25)),
      200,
      "UNAUTHENTICATED",
    ],
    ["80 of them", () => hostile.operation(hostile.doublingFragments(80)), 200, "UNAUTHENTICATED"],
    [
      "25 that have a price",
      () => hostile.operation(hostile.doublingFragments(25, "query", "Query", "users { totalCount }")),
      400,
      "BAD_USER_INPUT",
    ],
    [
      "7 of a query that reads",
      () => hostile.operation(hostile.doublingFragments(7, "query", "Query", "users { totalCount }"), {}, signedIn()),
      200,
      null,
    ],
    [
      "20 doubling with conditions",
      () => hostile.operation(hostile.conditionalFragments(20), conditions(20)),
      200,
      "UNAUTHENTICATED",
    ],
    [
      "25 branching fragments",
      () => hostile.operation(hostile.branchingFragments(25), {}, signedIn()),
      400,
      "BAD_USER_INPUT",
    ],
    ["6 of them", () => hostile.operation(hostile.branchingFragments(6), {}, signedIn()), 200, null],
    ["25 that spread all others", () => hostile.operation(hostile.fragmentsOfAll(25)), 200, "UNAUTHENTICATED"],
    // Validation.
    ["140 equal fields", () => hostile.operation(hostile.sameFields(140), {}, signedIn()), 200, null],
    [
      "60 fields in conflict",
      () => hostile.operation(hostile.conflictingFields(60), {}, signedIn()),
      200,
      "BAD_USER_INPUT",
    ],
    ["900 unknown fields", () => hostile.operation(hostile.unknownFields(900)), 200, "BAD_USER_INPUT"],
    [
      "them after 1,900 lines",
      () => hostile.operation("\n".repeat(1_900) + hostile.unknownFields(900)),
      200,
      "BAD_USER_INPUT",
    ],
    [
      "them after 200,000 lines",
      () => hostile.operation("\n".repeat(200_000) + hostile.unknownFields(900)),
      400,
      "BAD_USER_INPUT",
    ],
    ["a name of 240,000 letters", () => hostile.operation(`{ ${"x".repeat(long)} }`), 200, "BAD_USER_INPUT"],
    [
      "a number of 240,000 digits",
      () => hostile.operation(`{ users(first: ${"9".repeat(long)}) { totalCount } }`),
      200,
      "BAD_USER_INPUT",
    ],
    [
      "a wrong text of 240,000 letters",
      () => hostile.operation(`{ users(first: "${"x".repeat(long)}") { totalCount } }`),
      200,
      "BAD_USER_INPUT",
    ],
    [
      "112 kB that look like a suggestion",
      () => hostile.operation(`{ users(first: "${" Did you mean ".repeat(8_000)}") { totalCount } }`),
      200,
      "BAD_USER_INPUT",
    ],
    [
      "introspection 110 times",
      () => hostile.operation(hostile.wideIntrospection(110), {}, signedIn()),
      400,
      "BAD_USER_INPUT",
    ],
    ["introspection 40 times", () => hostile.operation(hostile.wideIntrospection(40), {}, signedIn()), 200, null],
    // Variables.
    ...[2_000, 4_000, 9_900, 30_000].map(
      (count): Attack => [
        `${count} unknown input fields`,
        () => hostile.operation(hostile.createDocument, hostile.unknownInputFields(count)),
        count > 10_000 ? 400 : 200,
        "BAD_USER_INPUT",
      ],
    ),
    [
      "9,900 wrong values",
      () => hostile.operation(hostile.nodes, { ids: Array(9_900).fill({}) }),
      200,
      "BAD_USER_INPUT",
    ],
    [
      "20,000 wrong values",
      () => hostile.operation(hostile.nodes, { ids: Array(20_000).fill({}) }),
      400,
      "BAD_USER_INPUT",
    ],
    [
      "9,900 right values",
      () => hostile.operation(hostile.nodes, { ids: Array(9_900).fill("x") }, signedIn()),
      400,
      "BAD_USER_INPUT",
    ],
    [
      "a wrong value of 900 kB",
      () => hostile.operation(hostile.nodes, { ids: [{ x: "y".repeat(900_000) }] }),
      200,
      "BAD_USER_INPUT",
    ],
    [
      "a field's name of 900 kB",
      () => hostile.operation(hostile.createDocument, { input: { source: { text: "x" }, ["k".repeat(900_000)]: 1 } }),
      200,
      "BAD_USER_INPUT",
    ],
    [
      "an id of colons",
      () =>
        hostile.operation(
          "query($id: ID!) { node(id: $id) { id } }",
          { id: Buffer.from(":".repeat(700_000)).toString("base64url") },
          signedIn(),
        ),
      200,
      "BAD_USER_INPUT",
    ],
    ["8,000 nested lists", () => hostile.nestedLists(deep), 400, "BAD_USER_INPUT"],
    ["400,000 nested lists", () => hostile.nestedLists(400_000), 400, "BAD_USER_INPUT"],
    ["300,000 empty lists", () => hostile.emptyLists(300_000), 400, "BAD_USER_INPUT"],
    // Texts.
    [
      "a title of 900 kB",
      () =>
        hostile.operation(
          hostile.createDocument,
          { input: { title: " x".repeat(450_000), source: { text: "x" } } },
          signedIn(),
        ),
      200,
      "BAD_USER_INPUT",
    ],
    [
      "a name of 900 kB of spaces",
      () =>
        hostile.operation("mutation($input: SignUpInput!) { signUp(input: $input) { expiresAt } }", {
          input: { email: "a@b.c", name: " ".repeat(900_000), password: "a good password" },
        }),
      200,
      "BAD_USER_INPUT",
    ],
    [
      "a text of 900 kB",
      () =>
        hostile.operation(hostile.createDocument, { input: { source: { text: "a b ".repeat(225_000) } } }, signedIn()),
      200,
      null,
    ],
    [
      "a heading of 10,000 spaces",
      () =>
        hostile.operation(
          hostile.createDocument,
          { input: { source: { text: `# x${" ".repeat(9_990)}y` } } },
          signedIn(),
        ),
      200,
      null,
    ],
    // Files.
    [
      "a file of 180 bytes of comments",
      () => hostile.upload("<!---->".repeat(25), "a.html", server.accessToken),
      200,
      null,
    ],
    ["one of 280", () => hostile.upload("<!---->".repeat(40), "b.html", server.accessToken), 200, null],
    ["one of 60 kB", () => hostile.upload("<!---->".repeat(8_500), "c.html", server.accessToken), 200, null],
    [
      "a file of 10,000 spaces in its heading",
      () => hostile.upload(`# x${" ".repeat(10_000)}y`, "d.md", server.accessToken),
      200,
      null,
    ],
    ["8 MB that are not UTF-8", () => hostile.upload(notUtf8(8_000_000), "e.txt", server.accessToken), 200, null],
  ];

  it.each(attacks)("is answered: %s", async (name, request, status, code) => {
    const { answer, waitMs } = await beside(request());
    table.push(`${waitMs.toFixed(1).padStart(8)} ${String(answer.bytes).padStart(8)}  ${name}`);
    expect([answer.status, new Set(answer.codes)]).toEqual([status, new Set(code ? [code] : [])]);
    expect(answer.codes.length).toBeLessThanOrEqual(11);
    for (const message of answer.messages) expect(message.length).toBeLessThanOrEqual(1_001);
    expect(waitMs).toBeLessThan(longestWaitMs);
    expect(server.isRunning()).toBe(true);
  });
});

/** For `conditionalFragments`. */
const conditions = (levels: number) =>
  Object.fromEntries(Array.from({ length: levels }, (_, n) => [`v${n}`, n % 2 === 0]));

/** Latin-1 text, whose letters with accents are no UTF-8. */
function notUtf8(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(
    Buffer.from("Déjà vu à la fenêtre, où l'été s'achève. ".repeat(bytes / 40), "latin1").subarray(0, bytes),
  );
}
