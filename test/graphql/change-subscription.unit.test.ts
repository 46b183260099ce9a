/** Which viewers a change is shown to, and how much of it, decided by the event alone. */
import { createSourceEventStream, parse } from "graphql";
import { describe, expect, it } from "vitest";
import type { OperationContext, WatchOptions } from "../../src/graphql/context.ts";
import { encodeGlobalId } from "../../src/graphql/global-id.ts";
import { buildSchema } from "../../src/graphql/schema.ts";
import type { OutboxEvent } from "../../src/outbox/outbox-event.ts";
import { slices } from "../../src/slices.ts";
import type { Viewer } from "../../src/viewer.ts";

const schema = await buildSchema(slices);
const rowId = "01890000-0000-7000-8000-00000000abcd";
const id = encodeGlobalId("Document", rowId);
const [ada, bob] = ["ada", "bob"].map((name) => ({ id: name, role: "VIEWER" }) as Viewer);

const ofDocuments = "subscription($id: ID, $after: String) { documentChanged(id: $id, after: $after) { cursor } }";

async function subscribe(variableValues: Record<string, unknown>, canRead = true, operation = ofDocuments) {
  const asked: WatchOptions[] = [];
  async function* nothing() {}
  const watch = async (options: WatchOptions) => {
    asked.push(options);
    return nothing();
  };
  const contextValue = { viewer: canRead ? ada : null, canRead, hasBadToken: false, subscription: { watch } };
  const document = parse(operation);
  const source = await createSourceEventStream({
    schema,
    document,
    variableValues,
    contextValue: contextValue as unknown as OperationContext,
  });
  return { asked, errors: "errors" in source ? source.errors : undefined };
}

describe("a subscription to changes", () => {
  it("is of all rows or of one, from now on or from a cursor", async () => {
    const [all] = (await subscribe({})).asked;
    expect(all).toMatchObject({ topic: "document", rowId: null, after: undefined });
    const [one] = (await subscribe({ id, after: "a cursor" })).asked;
    expect(one).toMatchObject({ topic: "document", rowId, after: "a cursor" });
  });

  it("is refused for the id of another type, and to viewers who may not read, before it watches", async () => {
    const wrong = await subscribe({ id: encodeGlobalId("User", rowId) });
    expect(wrong.errors?.map(({ message }) => message)).toEqual([
      "This is an id of the type User: send one of the type Document.",
    ]);
    const stranger = await subscribe({}, false);
    expect(stranger.errors?.map(({ message }) => message)).toEqual(["Sign in first."]);
    expect([...wrong.asked, ...stranger.asked]).toEqual([]);
  });
});

describe("a change", async () => {
  const [options] = (await subscribe({})).asked;
  const told = (viewer: Viewer, payload: object) =>
    options?.toChange({ rowId, payload } as unknown as OutboxEvent, viewer) ?? null;
  const shown = expect.objectContaining({ shown: { rowId, deletedId: null } });
  const gone = { shown: { rowId: null, deletedId: id } };
  const shared = { ownerId: "ada", visibility: "SHARED" };
  const hidden = { ownerId: "ada", visibility: "PRIVATE" };

  it.each([
    ["a new row", { change: "created", ...shared }, shown, shown],
    ["a new row of somebody else's", { change: "created", ...hidden }, shown, null],
    ["another value", { change: "updated", ...shared, before: shared }, shown, shown],
    ["another value of a hidden row", { change: "updated", ...hidden, before: hidden }, shown, null],
    ["a row that is shared", { change: "updated", ...shared, before: hidden }, shown, shown],
    ["a row that is hidden", { change: "updated", ...hidden, before: shared }, shown, gone],
    ["a hidden row without its old values", { change: "updated", ...hidden }, shown, null],
    ["a deleted row", { change: "deleted", ...shared }, gone, gone],
    ["a deleted hidden row", { change: "deleted", ...hidden }, gone, null],
  ])("by %s is told to its owner and to others as each may see it", (_case, payload, toOwner, toOthers) => {
    expect([told(ada ?? null, payload), told(bob ?? null, payload)]).toEqual([toOwner, toOthers]);
  });

  it("is read as the row is now, with the viewer's rights", () => {
    expect(told(ada ?? null, { change: "created", ...shared })?.row).toMatchObject({
      relation: { name: "DocumentById" },
      key: rowId,
    });
    expect(told(ada ?? null, { change: "deleted", ...shared })).not.toHaveProperty("row");
  });
});

describe("a change of a value that the subscription selects by", () => {
  const ofSchedules = "subscription($channel: String) { scheduleChanged(channel: $channel) { cursor } }";
  const shown = expect.objectContaining({ shown: { rowId, deletedId: null } });
  const gone = { shown: { rowId: null, deletedId: encodeGlobalId("Schedule", rowId) } };
  const [here, there] = [{ channel: "here" }, { channel: "there" }];

  it.each([
    ["a row that comes", { change: "updated", ...here, before: there }, shown, shown],
    ["a row that goes", { change: "updated", ...there, before: here }, gone, shown],
    ["a row that stays elsewhere", { change: "updated", ...there, before: there }, null, shown],
    ["a new row", { change: "created", ...here }, shown, shown],
    ["a new row elsewhere", { change: "created", ...there }, null, shown],
    ["a deleted row", { change: "deleted", ...here }, gone, gone],
    ["a row deleted elsewhere", { change: "deleted", ...there }, null, gone],
  ])("is told of %s to those whom it concerns", async (_case, payload, toWatcherOfHere, toAll) => {
    const told = async (channel: string | null) => {
      const [options] = (await subscribe({ channel }, true, ofSchedules)).asked;
      return options?.toChange({ rowId, payload } as unknown as OutboxEvent, ada ?? null) ?? null;
    };
    expect([await told("here"), await told(null)]).toEqual([toWatcherOfHere, toAll]);
    expect(await told(" here ")).toEqual(toWatcherOfHere);
  });

  it("is refused before it watches for a value that no row can have", async () => {
    const { asked, errors } = await subscribe({ channel: " " }, true, ofSchedules);
    expect(errors?.map(({ message }) => message)).toEqual([
      "A channel has 1 to 100 characters, none of them control characters.",
    ]);
    expect(asked).toEqual([]);
  });
});
