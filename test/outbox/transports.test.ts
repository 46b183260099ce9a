/** The two ways to subscribe, and who is let in by each. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { type SocketOptions, until, watchByWebSocket } from "../support/watching.ts";

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

function connect<Data = Record<string, unknown>>(options: SocketOptions) {
  const watch = watchByWebSocket<Data>(lectern.url, options);
  open.push(watch);
  return watch;
}

describe("a WebSocket", () => {
  it("carries subscriptions of whoever sends a token", async () => {
    const watching = connect({ accessToken: ada.accessToken });
    await until(() => lectern.application.changes.open === 1, "the subscription began");
    const { id } = await ada.document({ title: "One" });
    expect((await watching.next()).data).toMatchObject({ documentChanged: { deletedId: null, document: { id } } });
  });

  it("carries queries", async () => {
    const watching = connect({ accessToken: ada.accessToken, query: "{ viewer { user { name } } }" });
    expect(await watching.next()).toEqual({ data: { viewer: { user: { name: "Ada" } } } });
    expect(await watching.ended).toBe("complete");
  });

  it("refuses mutations, and says where they go", async () => {
    const before = await lectern.database.query("select count(*) from documents");
    const watching = connect({
      accessToken: ada.accessToken,
      query: `mutation { createDocument(input: { source: { text: "x" } }) { isDuplicate } }`,
    });
    expect(await watching.next()).toEqual({
      errors: [
        {
          message: "Mutations go over HTTP, where keys, dry runs and cookies have their headers.",
          extensions: { code: "BAD_USER_INPUT", requestId: expect.any(String) },
        },
      ],
    });
    expect(await lectern.database.query("select count(*) from documents")).toEqual(before);
  });

  it("answers strangers like HTTP does", async () => {
    const watching = connect({});
    expect(await watching.next()).toMatchObject({
      errors: [{ message: "Sign in first.", path: ["documentChanged"], extensions: { code: "UNAUTHENTICATED" } }],
    });
  });
});
