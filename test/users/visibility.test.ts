/** A PRIVATE document exists for its owner and for admins only, whichever way somebody comes to it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphql } from "../support/client/generated/gql.ts";
import { dump } from "../support/dump.ts";
import { missingDocument } from "../support/global-ids.ts";
import { errorsOf, type Lectern, type Person, startLectern } from "../support/lectern.ts";

let lectern: Lectern;
let ada: Person;
let bob: Person;
let editor: Person;
let admin: Person;
/** Ada's, and the chunks of each. */
let hidden: { id: string; chunks: string[] };
let shared: { id: string; chunks: string[] };

const ChunksOf = graphql(`
  query ChunksForVisibility($id: ID!) {
    document(id: $id) { chunks(first: 100) { nodes { id } } }
  }
`);

/** Every edge that leads to a document or its chunks. */
const Everywhere = graphql(`
  query Everywhere($hidden: ID!, $chunk: ID!, $sharedChunk: ID!, $ids: [ID!]!, $owner: ID!) {
    document(id: $hidden) { title text owner { name } chunks(first: 5) { totalCount } }
    documents(first: 100, orderBy: { field: TITLE, direction: ASC }) { totalCount nodes { title text } edges { node { title } } }
    onlyPrivate: documents(filter: { visibility: PRIVATE, ownerId: $owner }) { totalCount nodes { title } }
    byTitle: documents(filter: { search: "diary" }) { totalCount nodes { title } }
    fromTheEnd: documents(last: 1, orderBy: { field: TITLE, direction: DESC }) { nodes { title } pageInfo { hasPreviousPage } }
    node(id: $hidden) { ... on Document { title text chunks { totalCount } } }
    chunk: node(id: $chunk) { ... on Chunk { text document { title } neighbours(before: 10, after: 10) { text } } }
    sharedChunk: node(id: $sharedChunk) { ... on Chunk { text document { title } } }
    nodes(ids: $ids) { id }
    user(id: $owner) {
      documents(orderBy: { field: TITLE, direction: ASC }) { totalCount nodes { title chunks(first: 5) { totalCount nodes { text } } } }
    }
    users(search: "Ada") { nodes { documents { totalCount nodes { title text } } } }
    searchChunks(query: "zebras") { totalCount nodes { snippet chunk { document { title } } } }
    searchInIt: searchChunks(query: "zebras", documentIds: [$hidden]) { totalCount nodes { snippet } }
  }
`);

const Update = graphql(`
  mutation UpdateForVisibility($input: UpdateDocumentInput!) {
    updateDocument(input: $input) { document { title version } }
  }
`);

const Delete = graphql(`
  mutation DeleteForVisibility($input: DeleteDocumentInput!) {
    deleteDocument(input: $input) { deletedId }
  }
`);

const Reprocess = graphql(`
  mutation ReprocessForVisibility($input: ReprocessDocumentInput!) {
    reprocessDocument(input: $input) { document { status } }
  }
`);

beforeAll(async () => {
  lectern = await startLectern({ worker: true, settings: { PUBLIC_READ: "true" } });
  ada = await lectern.person("Ada");
  bob = await lectern.person("Bob");
  editor = await lectern.person("Edith", "EDITOR");
  admin = await lectern.person("Root", "ADMIN");
  const secret = `Zebras in secret.\n\n${"A long secret line. ".repeat(100)}`;
  const { id: hiddenId } = await ada.document({ title: "A diary", text: secret });
  const { id: sharedId } = await ada.document({
    title: "Notes",
    text: "Zebras wherever people read.",
    visibility: "SHARED",
  });
  await lectern.settled();
  hidden = { id: hiddenId, chunks: await chunksOf(hiddenId) };
  shared = { id: sharedId, chunks: await chunksOf(sharedId) };
  expect(hidden.chunks.length).toBeGreaterThan(1);
  expect(shared.chunks).toHaveLength(1);
});
afterAll(() => lectern.stop());

async function chunksOf(id: string): Promise<string[]> {
  const { document } = await ada.client.request(ChunksOf, { id });
  return document?.chunks.nodes.map((chunk) => chunk.id) ?? [];
}

const lookEverywhere = (client: Person["client"]) =>
  client.request(Everywhere, {
    hidden: hidden.id,
    chunk: hidden.chunks[0] as string,
    sharedChunk: shared.chunks[0] as string,
    ids: [hidden.id, shared.id, ...hidden.chunks, ...shared.chunks],
    owner: ada.id,
  });

describe("somebody's PRIVATE document", () => {
  it.each([
    ["another viewer", () => bob.client],
    ["an editor", () => editor.client],
    ["a stranger to a public library", () => lectern.client()],
  ])("does not exist for %s", async (_who, client) => {
    const seen = await lookEverywhere(client());
    const notes = { title: "Notes" };
    expect(seen).toEqual({
      document: null,
      documents: {
        totalCount: 1,
        nodes: [{ ...notes, text: "Zebras wherever people read." }],
        edges: [{ node: notes }],
      },
      onlyPrivate: { totalCount: 0, nodes: [] },
      byTitle: { totalCount: 0, nodes: [] },
      fromTheEnd: { nodes: [notes], pageInfo: { hasPreviousPage: false } },
      node: null,
      chunk: null,
      sharedChunk: { text: "Zebras wherever people read.", document: notes },
      nodes: [null, { id: shared.id }, ...hidden.chunks.map(() => null), { id: shared.chunks[0] }],
      user: {
        documents: {
          totalCount: 1,
          nodes: [{ ...notes, chunks: { totalCount: 1, nodes: [{ text: "Zebras wherever people read." }] } }],
        },
      },
      users: { nodes: [{ documents: { totalCount: 1, nodes: [{ ...notes, text: "Zebras wherever people read." }] } }] },
      searchChunks: {
        totalCount: 1,
        nodes: [{ snippet: "<mark>Zebras</mark> wherever people read", chunk: { document: notes } }],
      },
      searchInIt: { totalCount: 0, nodes: [] },
    });
    expect(JSON.stringify(seen)).not.toMatch(/secret|diary/i);
  });

  it.each([
    ["its owner", () => ada.client],
    ["an admin", () => admin.client],
  ])("is there for %s, through the same edges", async (_who, client) => {
    const seen = await lookEverywhere(client());
    const diary = { title: "A diary" };
    expect(seen).toMatchObject({
      document: { ...diary, owner: { name: "Ada" }, chunks: { totalCount: hidden.chunks.length } },
      documents: { totalCount: 2, edges: [{ node: diary }, { node: { title: "Notes" } }] },
      onlyPrivate: { totalCount: 1, nodes: [diary] },
      byTitle: { totalCount: 1, nodes: [diary] },
      fromTheEnd: { nodes: [diary], pageInfo: { hasPreviousPage: true } },
      node: { ...diary, chunks: { totalCount: hidden.chunks.length } },
      chunk: { document: diary },
      nodes: [hidden.id, shared.id, ...hidden.chunks, ...shared.chunks].map((id) => ({ id })),
      user: { documents: { totalCount: 2, nodes: [diary, { title: "Notes" }] } },
      users: { nodes: [{ documents: { totalCount: 2 } }] },
      searchChunks: { totalCount: 2 },
      searchInIt: { totalCount: 1, nodes: [{ snippet: expect.stringContaining("<mark>Zebras</mark> in secret") }] },
    });
    expect(seen.document?.text).toContain("A long secret line.");
    expect(seen.chunk).toMatchObject({
      neighbours: Array(hidden.chunks.length - 1).fill({ text: expect.any(String) }),
    });
  });

  it("is NOT_FOUND for a mutation of somebody else, exactly as one that does not exist", async () => {
    const before = await dump(lectern.database);
    for (const { client } of [bob, editor]) {
      for (const expectedVersion of [1, 99]) {
        const attempts = (id: string) => [
          client.request(Update, { input: { id, expectedVersion, title: "Taken" } }),
          client.request(Update, { input: { id, expectedVersion } }),
          client.request(Delete, { input: { id, expectedVersion } }),
          client.request(Reprocess, { input: { id, expectedVersion } }),
        ];
        const shown = async (id: string) =>
          (await Promise.all(attempts(id).map(errorsOf))).map((errors) =>
            errors.map(({ message, path, extensions: { requestId, ...extensions } }) => ({
              message,
              path,
              ...extensions,
            })),
          );
        const foreign = await shown(hidden.id);
        const code = { code: "NOT_FOUND", inputPath: ["input", "id"], message: "The document does not exist." };
        expect(foreign).toEqual([
          [{ ...code, path: ["updateDocument"] }],
          [{ ...code, path: ["updateDocument"] }],
          [{ ...code, path: ["deleteDocument"] }],
          [{ ...code, path: ["reprocessDocument"] }],
        ]);
        expect(await shown(missingDocument)).toEqual(foreign);
      }
    }
    expect(await dump(lectern.database)).toEqual(before);
  });
});

describe("somebody's SHARED document", () => {
  it("is FORBIDDEN to change, whatever version was seen", async () => {
    const before = await dump(lectern.database);
    const { id } = shared;
    for (const { client } of [bob, editor]) {
      for (const attempt of [
        () => client.request(Update, { input: { id, expectedVersion: 99, title: "Taken" } }),
        () => client.request(Update, { input: { id, expectedVersion: 3, visibility: "PRIVATE" } }),
        () => client.request(Delete, { input: { id } }),
        () => client.request(Reprocess, { input: { id } }),
      ]) {
        const errors = await errorsOf(attempt());
        expect(errors.map(({ extensions }) => extensions.code)).toEqual(["FORBIDDEN"]);
        expect(errors[0]?.extensions).not.toHaveProperty("currentVersion");
      }
    }
    expect(await dump(lectern.database)).toEqual(before);
  });
});

describe("visibility", () => {
  it("changes with the document, for everybody's next question", async () => {
    const { id, version } = await bob.document({ title: "Draft", text: "Bob's own words." });
    const title = async (who: Person) =>
      (await who.client.request<{ document: { title: string } | null }>(`{ document(id: "${id}") { title } }`)).document
        ?.title;
    expect(await title(ada)).toBeUndefined();
    const { updateDocument: out } = await bob.client.request(Update, {
      input: { id, expectedVersion: await currentVersion(id, version), visibility: "SHARED" },
    });
    expect(await title(ada)).toBe("Draft");
    await bob.client.request(Update, {
      input: { id, expectedVersion: out.document.version, visibility: "PRIVATE" },
    });
    expect(await title(ada)).toBeUndefined();
    expect(await title(bob)).toBe("Draft");
  });

  it("lets an admin change what is not theirs", async () => {
    const { id, version } = await bob.document({ title: "Old", text: "Bob's other words." });
    const input = { id, expectedVersion: await currentVersion(id, version), title: "New" };
    const { updateDocument } = await admin.client.request(Update, { input });
    expect(updateDocument.document.title).toBe("New");
  });

  it("does not leak between people who ask at the same time", async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        const who = [ada, bob, admin][index % 3] as Person;
        const { document, searchChunks } = await lookEverywhere(who.client);
        return { who: who.name, sees: document !== null, hits: searchChunks.totalCount };
      }),
    );
    for (const { who, sees, hits } of answers) {
      expect({ who, sees, hits }).toEqual({ who, sees: who !== "Bob", hits: who === "Bob" ? 1 : 2 });
    }
  });
});

/** The worker raises it as well, so it is asked for when all is quiet. */
async function currentVersion(id: string, atLeast: number): Promise<number> {
  await lectern.settled();
  const { document } = await admin.client.request<{ document: { version: number } }>(
    `{ document(id: "${id}") { version } }`,
  );
  expect(document.version).toBeGreaterThanOrEqual(atLeast);
  return document.version;
}
