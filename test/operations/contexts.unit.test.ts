/** The rights of an operation, and of each attempt of a mutation, without a database. */
import { describe, expect, it } from "vitest";
import type { OperationContext } from "../../src/graphql/context.ts";
import { contextsOf, type RequestContext } from "../../src/operations/contexts.ts";
import type { Viewer } from "../../src/viewer.ts";

const ada = { id: "ada", role: "EDITOR", sessionId: "s" } as NonNullable<Viewer>;

type Client = { viewer: Viewer; hasBadToken: boolean };
const stranger: Client = { viewer: null, hasBadToken: false };
const expired: Client = { viewer: null, hasBadToken: true };

async function operationOf(client: Client, isPublic = false) {
  const headers: string[] = [];
  const reads = { read: () => Promise.reject(new Error("Nothing is read.")) };
  const contexts = contextsOf({
    viewers: { ofRequest: async () => client } as never,
    isPublic,
    isSecure: true,
    reads: reads as never,
    cursors: {} as never,
    addresses: { of: ({ kind, id, viewerId, name }) => [kind, id, viewerId, name].join("/") },
    services: (_uow, viewer) => ({ of: viewer }) as never,
  });
  const res = { appendHeader: (name: string, value: string) => headers.push(`${name}: ${value}`) };
  const request = { res, request: new Request("http://lectern.test"), requestId: "mine" };
  return { contexts, headers, operation: await contexts.ofRequest(request as unknown as RequestContext) };
}

describe("reading", () => {
  it.each<[string, Client, boolean, boolean]>([
    ["for a viewer", { viewer: ada, hasBadToken: false }, false, true],
    ["for a stranger where the library is public", stranger, true, true],
    ["not for a stranger elsewhere", stranger, false, false],
    ["not for a client with a bad token, which must learn of it", expired, true, false],
  ])("is %s", async (_case, client, isPublic, canRead) => {
    expect((await operationOf(client, isPublic)).operation.canRead).toBe(canRead);
  });
});

describe("an attempt of a mutation", () => {
  it("goes on as the user who signs in, with services and loaders of that user", async () => {
    const { contexts, operation } = await operationOf(expired);
    const attempt = contexts.ofAttempt(operation, { reader: {}, afterCommit: () => {} } as never);
    const { loaders, mutation } = attempt;
    expect([attempt.viewer, attempt.canRead, mutation?.services]).toEqual([null, false, { of: null }]);
    mutation?.become(ada);
    expect(attempt).toMatchObject({ viewer: ada, canRead: true, hasBadToken: false });
    expect(attempt.mutation?.services).toEqual({ of: ada });
    expect(attempt.loaders).not.toBe(loaders);
    expect(attempt.fileAddress("song", "1", "a")).toBe("song/1/ada/a");
    expect(attempt.mutation?.progress).toBe(mutation?.progress);
    expect(operation.fileAddress("song", "1", "a")).toBe("song/1//a");
    // Another attempt begins as the operation did.
    expect(operation).toMatchObject({ viewer: null, canRead: false, hasBadToken: true });
  });

  it("sets its cookies after its commit", async () => {
    const { contexts, operation, headers } = await operationOf(stranger);
    const effects: (() => unknown)[] = [];
    const uow = { reader: {}, afterCommit: (effect: () => unknown) => void effects.push(effect) };
    const attempt: OperationContext = contexts.ofAttempt(operation, uow as never);
    attempt.setCookie("a=1");
    expect(headers).toEqual([]);
    for (const effect of effects) effect();
    expect(headers).toEqual(["set-cookie: a=1"]);
  });
});

describe("an event of a subscription", () => {
  it("has a trace and loaders of its own, and the viewer as they are now", async () => {
    const { contexts, operation } = await operationOf({ viewer: ada, hasBadToken: false });
    const now = { ...ada, role: "VIEWER" } as NonNullable<Viewer>;
    const event = contexts.ofEvent(operation, now);
    expect(event.viewer).toBe(now);
    expect([event.trace === operation.trace, event.loaders === operation.loaders]).toEqual([false, false]);
  });
});
