/** What watchers of documents are told: after commit, in commit order, of what they may see, and nothing else. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { isDocumentVisible } from "../../src/documents/document.visibility.ts";
import type { Viewer } from "../../src/viewer.ts";
import type { Cost } from "../support/budget.ts";
import { connectTo } from "../support/database.ts";
import { uuidOf } from "../support/global-ids.ts";
import { errorsOf, type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { until } from "../support/until.ts";
import { changesOf, type DocumentChange, type Subscribing, type Watch, watchBySse } from "../support/watching.ts";

let lectern: Lectern;
let ada: Person;
let bob: Person;
let admin: Person;
const opened: { close(): void }[] = [];

beforeAll(async () => {
  lectern = await startLectern();
  ada = await lectern.person("Ada");
  bob = await lectern.person("Bob");
  admin = await lectern.person("Admin", "ADMIN");
});
afterEach(async () => {
  for (const watching of opened.splice(0)) watching.close();
  await until(() => lectern.application.changes.subscriptions === 0, "all subscriptions had ended");
});
afterAll(() => lectern.stop());

type Documents = { documentChanged: DocumentChange };

async function watch<Data = Documents>(person: Person | null, subscribing: Subscribing = {}, of = lectern) {
  const watching = await watchBySse<Data>(of.url, {
    ...(person && { accessToken: person.accessToken }),
    ...subscribing,
  });
  opened.push(watching);
  return watching;
}

async function nextChange(watching: Watch<Documents>): Promise<DocumentChange> {
  return changesOf([await watching.next()])[0] as DocumentChange;
}

const sql = (text: string, values?: unknown[]) => lectern.database.query(text, values);

const change = (person: Person, id: string, changes: object) =>
  person.client.request<{ updateDocument: { document: { version: number } } }>(
    "mutation ($input: UpdateDocumentInput!) { updateDocument(input: $input) { document { version } } }",
    { input: { id, ...changes } },
  );
const remove = (person: Person, id: string) =>
  person.client.request("mutation ($id: ID!) { deleteDocument(input: { id: $id }) { deletedId } }", { id });

/** A document that everybody sees, after whose event nothing of a test before it is still under way. */
async function last(watching: Watch<Documents>): Promise<DocumentChange[]> {
  const { id } = await admin.document({ visibility: "SHARED", title: "The last" });
  const before: DocumentChange[] = [];
  for (;;) {
    const next = await nextChange(watching);
    if (next.document?.id === id) return before;
    before.push(next);
  }
}

describe("a watcher", () => {
  it("is told of the whole life of a document, whoever changes it", async () => {
    const watching = await watch(ada);
    const { id } = await ada.document({ title: "One" });
    expect(await nextChange(watching)).toEqual({
      cursor: expect.any(String),
      deletedId: null,
      document: { id, title: "One", status: "PENDING", version: 1, progress: 0 },
    });
    await change(ada, id, { expectedVersion: 1, title: "Two" });
    expect((await nextChange(watching)).document).toMatchObject({ title: "Two", version: 2 });
    // A worker in another language, as psql shows it.
    const [claim] = await sql("select * from claim_documents('a worker', 1, '30 seconds')");
    expect((await nextChange(watching)).document).toMatchObject({ status: "PROCESSING", progress: 0 });
    await sql("select extend_document_lease($1, $2, '30 seconds', 0.5)", [claim?.id, claim?.claim]);
    expect((await nextChange(watching)).document).toMatchObject({ status: "PROCESSING", progress: 0.5 });
    // A heartbeat that says nothing new is no event.
    await sql("select extend_document_lease($1, $2, '30 seconds', 0.5)", [claim?.id, claim?.claim]);
    const chunks = [{ text: "The", startOffset: 0, endOffset: 3, tokenCount: 1 }];
    await sql("select complete_document($1, $2, $3::jsonb)", [claim?.id, claim?.claim, JSON.stringify(chunks)]);
    expect((await nextChange(watching)).document).toMatchObject({ status: "COMPLETED", progress: 1 });
    await sql("update documents set title = 'By hand' where id = $1", [uuidOf(id)]);
    expect((await nextChange(watching)).document).toMatchObject({ title: "By hand" });
    await remove(ada, id);
    expect(await nextChange(watching)).toEqual({ cursor: expect.any(String), deletedId: id, document: null });
  });

  it("of one document is told of that one only", async () => {
    const [one, other] = [await ada.document(), await ada.document()];
    const watching = await watch(ada, { variables: { id: other.id } });
    await change(ada, one.id, { expectedVersion: 1, title: "Not watched" });
    await change(ada, other.id, { expectedVersion: 1, title: "Watched" });
    expect((await nextChange(watching)).document).toMatchObject({ id: other.id, title: "Watched" });
  });

  it("is told nothing of what was rolled back or tried dry", async () => {
    const watching = await watch(ada);
    const text = 'mutation { a: createDocument(input: { source: { text: "one" } }) { isDuplicate }';
    await ada.with({ "lectern-dry-run": "true" }).request(`${text} }`);
    await errorsOf(ada.client.request(`${text} b: deleteDocument(input: { id: "nothing" }) { deletedId } }`));
    await sql(
      `insert into documents (owner_id, title, mime_type, size_bytes, sha256, text)
      select $1, '', 'text/plain', 1, 'x', 'x'`,
      [uuidOf(ada.id)],
    ).catch(() => {});
    expect(await last(watching)).toEqual([]);
  });

  it("is told in the order of the commits, not of the writes", async () => {
    const [first, second] = [await ada.document({ title: "first" }), await ada.document({ title: "second" })];
    const watching = await watch(ada);
    const [early, late] = [await connectTo(lectern.database.url), await connectTo(lectern.database.url)];
    const rename = "update documents set title = $2 where id = $1";
    await early.query("begin");
    await early.query(rename, [uuidOf(first.id), "written first"]);
    await late.query("begin");
    await late.query(rename, [uuidOf(second.id), "committed first"]);
    await late.query("commit");
    expect((await nextChange(watching)).document).toMatchObject({ id: second.id, title: "committed first" });
    await early.query("commit");
    expect((await nextChange(watching)).document).toMatchObject({ id: first.id, title: "written first" });
    await Promise.all([early.end(), late.end()]);
  });

  it("reads what it selects in one round trip for each event, with the count of a query", async () => {
    const selection =
      "id owner { name documents(first: 3) { nodes { id } } } chunks(first: 2) { totalCount nodes { text } }";
    const watching = await watch<Documents>(ada, {
      query: `subscription { documentChanged { cursor document { ${selection} } } }`,
      headers: { "lectern-trace": "1" },
    });
    const { id } = await ada.document();
    const { data, extensions } = await watching.next();
    expect(data?.documentChanged.document).toMatchObject({ id, owner: { name: "Ada" }, chunks: { totalCount: 0 } });
    const { statements, roundTrips, batches } = (extensions as { lectern: Cost }).lectern;
    expect({ statements, roundTrips, all: batches.every(({ planned }) => planned) }).toEqual({
      statements: 5,
      roundTrips: 1,
      all: true,
    });
  });
});

describe("what is not theirs", () => {
  it("is not told to them, and what is taken from them is told as gone", async () => {
    const [owner, other, all] = [await watch(ada), await watch(bob), await watch(admin)];
    const { id } = await ada.document({ title: "Mine", visibility: "PRIVATE" });
    await change(ada, id, { expectedVersion: 1, visibility: "SHARED" });
    // What a change of visibility shows depends on who looks at it.
    expect((await nextChange(other)).document).toMatchObject({ id, title: "Mine", version: 2 });
    await change(ada, id, { expectedVersion: 2, visibility: "PRIVATE" });
    expect(await nextChange(other)).toMatchObject({ deletedId: id, document: null });
    // Each is told at its own pace, and of a document that is gone by then nothing but that.
    for (const watching of [owner, all]) await until(() => watching.results.length === 3, "both were told all three");
    await change(ada, id, { expectedVersion: 3, title: "Still mine" });
    await remove(ada, id);
    expect(await last(other)).toEqual([]);
    for (const watching of [owner, all]) {
      const gone = [];
      for (
        let next = await nextChange(watching);
        next.document?.title !== "The last";
        next = await nextChange(watching)
      ) {
        gone.push(next.deletedId);
      }
      // What was changed just before the deletion may have been gone when its turn came.
      expect(gone.slice(0, 3)).toEqual([null, null, null]);
      expect(gone.slice(3).filter((each) => each !== null)).toEqual([id]);
    }
  });

  it("is told as gone only, by a replay of changes from before it was hidden or deleted", async () => {
    const watching = await watch(bob);
    await last(watching);
    const after = changesOf(watching.results).at(-1)?.cursor;
    const shown = await ada.document({ title: "Shown and hidden", visibility: "SHARED" });
    await change(ada, shown.id, { expectedVersion: 1, title: "Shown again" });
    await change(ada, shown.id, { expectedVersion: 2, visibility: "PRIVATE" });
    await change(ada, shown.id, { expectedVersion: 3, title: "Hidden" });
    const deleted = await ada.document({ title: "Shown and deleted", visibility: "SHARED" });
    await remove(ada, deleted.id);
    const query =
      "subscription ($after: String) { documentChanged(after: $after) { deletedId document { title owner { name } } } }";
    const replay = await watch<Documents>(bob, { query, variables: { after } });
    await admin.document({ title: "The end", visibility: "SHARED" });
    for (const change of [
      { deletedId: shown.id, document: null },
      { deletedId: deleted.id, document: null },
      { deletedId: null, document: { title: "The end", owner: { name: "Admin" } } },
    ]) {
      expect(await nextChange(replay)).toEqual(change);
    }
  });

  it("does not show below a document of another either", async () => {
    await ada.document({ title: "Ada's secret", visibility: "PRIVATE" });
    const query = "subscription { documentChanged { document { title owner { documents { nodes { title } } } } } }";
    const watching = await watch<Record<string, unknown>>(bob, { query });
    await ada.document({ title: "Ada's gift", visibility: "SHARED" });
    const { data } = await watching.next();
    expect(JSON.stringify(data)).toContain("Ada's gift");
    expect(JSON.stringify(data)).not.toContain("Ada's secret");
  });

  it("is decided as the database decides it", async () => {
    await sql("delete from documents");
    for (const person of [ada, bob]) {
      for (const visibility of ["PRIVATE", "SHARED"] as const) await person.document({ visibility });
    }
    const rows = await sql(`select owner_id as "ownerId", visibility, id from documents`);
    for (const person of [ada, bob, admin]) {
      const { documents } = await person.client.request<{ documents: { nodes: { id: string }[] } }>(
        "{ documents { nodes { id } } }",
      );
      const role = person === admin ? "ADMIN" : "VIEWER";
      const viewer: Viewer = { id: uuidOf(person.id), role, sessionId: "" };
      const seen = rows.filter((row) => isDocumentVisible(viewer, row as never)).map(({ id }) => id);
      expect(documents.nodes.map(({ id }) => uuidOf(id)).sort()).toEqual(seen.sort());
    }
  });
});

describe("a cursor", () => {
  it("leads to all that came after it, and then on, each once", async () => {
    const watching = await watch(ada);
    const made = [];
    for (let number = 0; number < 5; number++) made.push((await ada.document({ title: `Number ${number}` })).id);
    await until(() => watching.results.length === 5, "all had arrived");
    const [first] = changesOf(watching.results);
    watching.close();
    made.push((await ada.document({ title: "While away" })).id);
    const again = await watch(ada, { variables: { after: first?.cursor } });
    made.push((await ada.document({ title: "Back" })).id);
    await until(() => again.results.length >= 6, "the rest had arrived");
    expect(changesOf(again.results).map(({ document }) => document?.id)).toEqual(made.slice(1));
    expect(await last(again)).toHaveLength(6);
  });

  it("of a pruned past is refused, and the newest before it holds", async () => {
    const watching = await watch(ada);
    for (let number = 0; number < 3; number++) await ada.document();
    const cursors = changesOf([await watching.next(), await watching.next(), await watching.next()]).map(
      (c) => c.cursor,
    );
    await sql("update outbox_consumers set position = (select max(position) from outbox)");
    await sql("select prune_outbox('0 seconds')");
    // Another server, which has nothing of it in memory.
    const other = await startLectern({ database: lectern.database });
    const refused = await watch(ada, { variables: { after: cursors[0] } }, other);
    expect(await refused.next()).toEqual({
      errors: [
        {
          message: expect.stringMatching(/^This cursor is out of date/),
          locations: expect.any(Array),
          path: ["documentChanged"],
          extensions: {
            code: "BAD_USER_INPUT",
            inputPath: ["after"],
            reason: "CURSOR_OUT_OF_DATE",
            requestId: expect.any(String),
          },
        },
      ],
    });
    expect(await refused.ended).toBe("complete");
    const good = await watch(ada, { variables: { after: cursors[2] } }, other);
    const { id } = await ada.document();
    expect((await nextChange(good)).document).toMatchObject({ id });
    good.close();
    await other.stop();
  });

  it("that was not made here is refused", async () => {
    for (const after of ["", "1", Buffer.from("[1]").toString("base64url")]) {
      const refused = await watch(ada, { variables: { after } });
      expect((await refused.next()).errors).toMatchObject([
        { extensions: { code: "BAD_USER_INPUT", inputPath: ["after"] }, path: ["documentChanged"] },
      ]);
    }
  });
});

describe("a session", () => {
  it("that ends takes its subscriptions along, and nobody else's", async () => {
    const carl = await lectern.person("Carl");
    const [his, hers] = [await watch(carl), await watch(ada)];
    await carl.client.request("mutation { signOut { ok } }");
    expect(await his.next()).toMatchObject({
      errors: [{ message: "The session has ended: sign in again.", extensions: { code: "UNAUTHENTICATED" } }],
    });
    expect(await his.ended).toBe("complete");
    expect(await last(hers)).toEqual([]);
  });

  it("that is ended in the database takes them along within seconds", async () => {
    const carl = await lectern.person("Carl");
    const watching = await watch(carl);
    await sql("update sessions set revoked_at = now() where user_id = $1", [uuidOf(carl.id)]);
    expect(await watching.next()).toMatchObject({ errors: [{ extensions: { code: "UNAUTHENTICATED" } }] });
  });

  it("sees by the role that its user has now", async () => {
    const carl = await lectern.person("Carl");
    const watching = await watch(carl);
    const setRole = (role: string) =>
      admin.client.request("mutation ($input: SetUserRoleInput!) { setUserRole(input: $input) { user { role } } }", {
        input: { userId: carl.id, role },
      });
    await ada.document({ title: "Before" });
    // When his own arrives, hers has been passed over.
    const { id } = await carl.document();
    expect((await nextChange(watching)).document).toMatchObject({ id });
    await setRole("ADMIN");
    await ada.document({ title: "As an admin" });
    expect((await nextChange(watching)).document?.title).toBe("As an admin");
    await setRole("VIEWER");
    await ada.document({ title: "After" });
    expect(await last(watching)).toEqual([]);
  });
});

describe("strangers", () => {
  it("watch nothing", async () => {
    const refused = await watch(null);
    expect(await refused.next()).toMatchObject({
      errors: [{ message: "Sign in first.", path: ["documentChanged"], extensions: { code: "UNAUTHENTICATED" } }],
    });
    expect(lectern.application.changes.subscriptions).toBe(0);
  });

  it("watch the shared library where that is public", async () => {
    const library = await startLectern({ database: lectern.database, settings: { PUBLIC_READ: "true" } });
    const watching = await watch(null, {}, library);
    await ada.document({ visibility: "PRIVATE" });
    const { id } = await ada.document({ visibility: "SHARED" });
    expect((await nextChange(watching)).document).toMatchObject({ id });
    watching.close();
    await library.stop();
  });
});

describe("places", () => {
  it("are bounded for each user and for all, and free again at once", async () => {
    const settings = { WATCHES: "3", WATCHES_PER_USER: "2" };
    const small = await startLectern({ database: lectern.database, settings });
    const [one] = [await watch(ada, {}, small), await watch(ada, {}, small)];
    const codeOf = async (watching: Watch<Documents>) => (await watching.next()).errors?.[0];
    expect(await codeOf(await watch(ada, {}, small))).toMatchObject({
      message: "You already have 2 subscriptions, the maximum: end one first.",
      extensions: { code: "OVERLOADED" },
    });
    await watch(bob, {}, small);
    expect(await codeOf(await watch(admin, {}, small))).toMatchObject({ extensions: { code: "OVERLOADED" } });
    one?.close();
    await until(() => small.application.changes.subscriptions === 2, "the place was free");
    await watch(ada, {}, small);
    expect(small.application.changes.open).toBe(3);
    await small.stop();
  });
});
