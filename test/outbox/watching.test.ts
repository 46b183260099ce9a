/** What watchers of documents are told: after commit, in commit order, of what they may see, and nothing else. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { type Subscribing, until, type Watch, watchBySse } from "../support/watching.ts";

let lectern: Lectern;
let ada: Person;
const open: { close(): void }[] = [];

beforeAll(async () => {
  lectern = await startLectern();
  ada = await lectern.person("Ada");
});
afterEach(async () => {
  for (const watch of open.splice(0)) watch.close();
  await until(() => lectern.application.changes.places === 0, "all subscriptions had ended");
});
afterAll(() => lectern.stop());

async function watch(person: Person | null, subscribing: Subscribing = {}) {
  const opened = await watchBySse(lectern.url, { ...(person && { accessToken: person.accessToken }), ...subscribing });
  open.push(opened);
  return opened;
}

async function nextChange(watching: Watch<{ documentChanged: unknown }>) {
  const { data, errors } = await watching.next();
  expect(errors).toBeUndefined();
  return data?.documentChanged as {
    cursor: string;
    deletedId: string | null;
    document: Record<string, unknown> | null;
  };
}

describe("a watcher", () => {
  it("is told of a new document", async () => {
    const watching = await watch(ada);
    const { id } = await ada.document({ title: "One" });
    expect(await nextChange(watching)).toMatchObject({
      deletedId: null,
      document: { id, title: "One", status: "PENDING", version: 1 },
    });
  });
});
