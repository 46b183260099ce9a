/** The viewer of each event of a subscription, without a database: the events are the test's. */
import { buildSchema, type ExecutionArgs, type ExecutionResult, parse } from "graphql";
import { describe, expect, it } from "vitest";
import type { OperationContext } from "../../src/graphql/context.ts";
import { answerFor } from "../../src/operations/error-answers.ts";
import { type SubscriptionOptions, useSubscriptions } from "../../src/operations/subscription-plugin.ts";
import type { SubscribeOptions } from "../../src/outbox/change-feed.ts";
import type { OutboxEvent } from "../../src/outbox/outbox-event.ts";
import type { Viewer } from "../../src/viewer.ts";
import { silent } from "../support/logs.ts";

const schema = buildSchema("type Query { a: Int } type Subscription { changed: String }");
const request = new Request("http://lectern.test");
const ada = (role: string) => ({ id: "ada", role }) as Viewer;

/** Subscribes as a viewer who is, at each of the events, the next of `viewers`. */
async function watch(beginsAs: Viewer, viewers: Viewer[]) {
  let options: SubscribeOptions<unknown> | undefined;
  const asked: Viewer[] = [];
  const told: Viewer[] = [];
  async function* events({ deliver }: SubscribeOptions<unknown>) {
    for (let position = 1; position <= 2; position++) {
      const delivered = await deliver({ payload: position } as unknown as OutboxEvent, `cursor ${position}`);
      if (delivered) yield delivered;
    }
  }
  const plugin = useSubscriptions({
    subscribe: (async (given: SubscribeOptions<unknown>) => {
      options = given;
      return events(given);
    }) as unknown as SubscriptionOptions["subscribe"],
    async currentViewer(viewer) {
      asked.push(viewer);
      return viewers.shift() ?? null;
    },
    contextFor: (operation, viewer) => ({ ...operation, viewer, trace: {} }) as OperationContext,
    maxCost: 10,
    maxDepth: 10,
    together: { maxCost: 10, waitMs: 10 },
    mayTrace: () => false,
    show: (error, requestId) => answerFor(error, requestId, silent),
  });
  const toChange = (_event: OutboxEvent, viewer: Viewer) => {
    told.push(viewer);
    return { shown: { changed: (_args: object, context: OperationContext) => context.viewer?.role ?? "nobody" } };
  };
  const rootValue = {
    changed: (_args: object, { subscription }: OperationContext) => subscription?.watch({ topic: "t", toChange }),
  };
  const contextValue = { viewer: beginsAs, request, requestId: "mine", setHeader: () => {} };
  const args = { schema, document: parse("subscription { changed }"), rootValue, contextValue };
  let subscribe: ((args: ExecutionArgs) => Promise<AsyncIterable<ExecutionResult>>) | undefined;
  const setSubscribeFn = (given: typeof subscribe) => {
    subscribe = given;
  };
  await plugin.onSubscribe?.({ args, setSubscribeFn } as never);
  const results: unknown[] = [];
  for await (const { data, errors } of (await subscribe?.(args as never)) ?? []) {
    results.push(data?.changed ?? errors?.[0]?.toJSON());
  }
  return { results, asked, told, options };
}

const ended = {
  message: "The session has ended: sign in again.",
  extensions: { code: "UNAUTHENTICATED", requestId: "mine" },
};

describe("an event", () => {
  it("is filtered and read with the rights that its viewer has by then", async () => {
    const viewers = [ada("EDITOR"), ada("ADMIN")];
    const { results, asked, told } = await watch(ada("VIEWER"), [...viewers]);
    expect(results).toEqual(["EDITOR", "ADMIN"]);
    expect(told).toEqual(viewers);
    expect(asked).toEqual([ada("VIEWER"), ada("VIEWER")]);
  });

  it("that comes after the session's end is its end", async () => {
    const { results, told } = await watch(ada("VIEWER"), [ada("VIEWER")]);
    expect(results).toEqual(["VIEWER", ended]);
    expect(told).toEqual([ada("VIEWER")]);
  });

  it("of a stranger asks for no session", async () => {
    const { results, asked, told } = await watch(null, []);
    expect([results, asked, told]).toEqual([["nobody", "nobody"], [], [null, null]]);
  });
});

describe("a subscription", () => {
  it("is its viewer's, and is checked for the session's end also without events", async () => {
    const { options } = await watch(ada("VIEWER"), [ada("VIEWER"), ada("VIEWER"), ada("VIEWER")]);
    expect(options).toMatchObject({ subscriber: "ada", of: { topic: "t", rowId: null } });
    await expect(options?.check()).resolves.toBeUndefined();
    await expect(options?.check()).rejects.toThrow("The session has ended: sign in again.");
  });
});
