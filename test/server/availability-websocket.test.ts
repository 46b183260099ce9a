/** Hostile messages on a WebSocket, as availability.test.ts sends requests: each is answered, within bounded time. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as hostile from "../support/hostile-requests.ts";
import { canMeasureCpu, type ProductionServer, startProductionServer } from "../support/production-server.ts";

/** Of processor time, in milliseconds, since a machine that is busy with something else makes everybody wait. */
const longestMs = 100;

describe.skipIf(!canMeasureCpu)("a hostile message on a WebSocket", () => {
  let server: ProductionServer;

  beforeAll(async () => {
    server = await startProductionServer();
  });
  afterAll(() => server.stop());

  /** The answer to one message after the introduction: a message, or the code with which the socket is closed. */
  async function answerTo(message: string): Promise<unknown> {
    const socket = new WebSocket(server.url.replace("http:", "ws:"), "graphql-transport-ws");
    const events: unknown[] = [];
    let resume = () => {};
    const note = (event: unknown) => {
      events.push(event);
      resume();
    };
    socket.onopen = () => socket.send(JSON.stringify({ type: "connection_init", payload: {} }));
    socket.onmessage = ({ data }) => note(JSON.parse(data));
    socket.onclose = ({ code }) => note(code);
    const next = async () => {
      while (events.length === 0) await new Promise<void>((resolve) => (resume = resolve));
      return events.shift();
    };
    expect(await next()).toEqual({ type: "connection_ack" });
    socket.send(message);
    const answer = await next();
    socket.close();
    return answer;
  }

  const subscribe = (payload: object) => JSON.stringify({ id: "1", type: "subscribe", payload });
  const refused = (text: RegExp) => ({
    id: "1",
    type: "error",
    payload: [expect.objectContaining({ message: expect.stringMatching(text) })],
  });
  const messages: [string, () => string, unknown][] = [
    [
      "25 doubling fragments",
      () =>
        subscribe({
          query: hostile.doublingFragments(25, "subscription", "Subscription", "documentChanged { cursor }"),
        }),
      {
        id: "1",
        type: "next",
        payload: { errors: [expect.objectContaining({ message: "Sign in first.", path: ["documentChanged"] })] },
      },
    ],
    [
      "25 branching fragments",
      () => subscribe({ query: hostile.branchingFragments(25) }),
      refused(/^With all fragments expanded/),
    ],
    [
      "9,000 unknown input fields",
      () =>
        subscribe({
          query: hostile.createDocument.replace("mutation", "query"),
          variables: hostile.unknownInputFields(9_000),
        }),
      refused(/^Cannot query field/),
    ],
    [
      "40,000 values",
      () => subscribe({ query: "{ __typename }", variables: { list: Array(40_000).fill(1) } }),
      refused(/^The variables hold at most 10000 values/),
    ],
    [
      "300,000 empty lists",
      () =>
        `{"id":"1","type":"subscribe","payload":{"query":"{ __typename }","variables":{"a":[${"[],".repeat(300_000)}1]}}}`,
      refused(/^The variables hold at most 10000 values/),
    ],
    [
      "200,000 lines",
      () => subscribe({ query: "\n".repeat(200_000) + hostile.unknownFields(900) }),
      refused(/^A query has at most 2000 lines/),
    ],
    ["no JSON", () => "[".repeat(900_000), 4400],
    ["more than a message may hold", () => `"${"x".repeat(1_100_000)}"`, 1009],
  ];

  it.each(messages)("is answered: %s", async (_name, message, expected) => {
    // The first compiles what answers them.
    await answerTo(message());
    const before = server.cpuMs();
    expect(await answerTo(message())).toEqual(expected);
    expect(server.cpuMs() - before).toBeLessThan(longestMs);
    expect(server.isRunning()).toBe(true);
  });
});
