/** A document's life as its owner sees it, through the public API. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphql } from "../support/client/generated/gql.ts";
import { type Lectern, startLectern } from "../support/lectern.ts";
import { sharedData } from "../support/shared-data.ts";

let lectern: Lectern;

beforeAll(async () => {
  lectern = await startLectern({ worker: true });
});
afterAll(() => lectern.stop());

const Read = graphql(`
  query ReadDocument($id: ID!, $first: Int, $after: String) {
    document(id: $id) {
      title
      status
      version
      progress
      attempts
      mimeType
      sizeBytes
      processedAt
      text
      chunks(first: $first, after: $after) {
        totalCount
        nodes { index text startOffset endOffset tokenCount }
        pageInfo { hasNextPage hasPreviousPage endCursor }
      }
    }
  }
`);

const Search = graphql(`
  query Search($query: String!, $first: Int, $after: String, $documentIds: [ID!]) {
    searchChunks(query: $query, first: $first, after: $after, documentIds: $documentIds) {
      totalCount
      nodes { score snippet chunk { id index text document { id title } } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const Rename = graphql(`
  mutation Rename($input: UpdateDocumentInput!) {
    updateDocument(input: $input) { document { title version updatedAt } }
  }
`);

const Delete = graphql(`
  mutation Delete($input: DeleteDocumentInput!) {
    deleteDocument(input: $input) { deletedId }
  }
`);

const Create = graphql(`
  mutation CreateFromSource($input: CreateDocumentInput!) {
    createDocument(input: $input) {
      isDuplicate
      document { id title status version mimeType sizeBytes sha256 visibility owner { id email } }
    }
  }
`);

describe("a document", () => {
  it("comes in PENDING, is cut into chunks, found, renamed and deleted", async () => {
    const ada = await lectern.person("Ada");
    const paragraphs = Array.from(
      { length: 120 },
      (_, index) => `Paragraph ${index} speaks of zebras and of lecterns.`,
    );
    const text = `# On zebras\n\n${paragraphs.join("\n\n")}`;

    const { createDocument } = await ada.client.request(Create, { input: { source: { text } } });
    const { id } = createDocument.document;
    expect(createDocument).toMatchObject({
      isDuplicate: false,
      document: {
        title: "On zebras",
        status: "PENDING",
        version: 1,
        mimeType: "text/plain",
        sizeBytes: text.length,
        visibility: "PRIVATE",
        owner: { id: ada.id, email: ada.email },
      },
    });

    await lectern.settled();
    const first = await ada.client.request(Read, { id, first: 2 });
    expect(first.document).toMatchObject({ status: "COMPLETED", progress: 1, attempts: 1, text });
    expect(first.document?.processedAt).not.toBeNull();
    const { totalCount, nodes, pageInfo } = first.document?.chunks ?? { totalCount: 0, nodes: [], pageInfo: undefined };
    expect(totalCount).toBeGreaterThan(3);
    expect(nodes.map(({ index }) => index)).toEqual([0, 1]);
    expect(pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    for (const chunk of nodes) {
      expect(text.slice(chunk.startOffset, chunk.endOffset)).toBe(chunk.text);
      expect(chunk.tokenCount).toBeGreaterThan(0);
    }
    const second = await ada.client.request(Read, { id, first: 2, after: pageInfo?.endCursor });
    expect(second.document?.chunks.nodes.map(({ index }) => index)).toEqual([2, 3]);
    expect(second.document?.chunks.pageInfo.hasPreviousPage).toBe(true);

    const found = await ada.client.request(Search, { query: "zebras" });
    expect(found.searchChunks.totalCount).toBe(totalCount);
    expect(found.searchChunks.nodes[0]?.snippet).toContain("<mark>zebras</mark>");
    expect(found.searchChunks.nodes[0]?.chunk.document.id).toBe(id);

    const version = first.document?.version ?? 0;
    const renamed = await ada.client.request(Rename, { input: { id, expectedVersion: version, title: "  Stripes " } });
    expect(renamed.updateDocument.document).toMatchObject({ title: "Stripes", version: version + 1 });

    const { deleteDocument } = await ada.client.request(Delete, { input: { id, expectedVersion: version + 1 } });
    expect(deleteDocument.deletedId).toBe(id);
    expect((await ada.client.request(Read, { id })).document).toBeNull();
    expect((await ada.client.request(Search, { query: "zebras" })).searchChunks.totalCount).toBe(0);
    expect(await lectern.database.query("select count(*)::int from chunks")).toEqual([{ count: 0 }]);
  });

  it("is the same document when the same bytes come again from the same owner only", async () => {
    const [ada, bob] = [await lectern.person("Ada"), await lectern.person("Bob")];
    const input = { source: { text: "The same text twice." } };
    const first = await ada.client.request(Create, { input });
    const again = await ada.client.request(Create, { input: { ...input, title: "Another title" } });
    const others = await bob.client.request(Create, { input });
    expect(again.createDocument.isDuplicate).toBe(true);
    expect(again.createDocument.document.id).toBe(first.createDocument.document.id);
    expect(again.createDocument.document.title).toBe("The same text twice.");
    expect(others.createDocument.isDuplicate).toBe(false);
  });

  it("comes in as a file, with the file's title and kind", async () => {
    const ada = await lectern.person("Ada");
    const upload = async (file: File) => {
      const form = new FormData();
      const query = `mutation($input: CreateDocumentInput!) {
        createDocument(input: $input) { document { id title mimeType text } }
      }`;
      const variables = { input: { source: { file: null } } };
      form.set("operations", JSON.stringify({ query, variables }));
      form.set("map", JSON.stringify({ 0: ["variables.input.source.file"] }));
      form.set("0", file);
      const headers = { authorization: `Bearer ${ada.accessToken}`, "graphql-require-preflight": "1" };
      const response = await fetch(lectern.url, { method: "POST", body: form, headers });
      return (await response.json()) as { data: { createDocument: { document: Record<string, string> } } };
    };
    const plain = await upload(new File(["Một hai ba, người ơi."], "ghi chú.txt"));
    expect(plain.data.createDocument.document).toMatchObject({
      title: "ghi chú",
      mimeType: "text/plain",
      text: "Một hai ba, người ơi.",
    });
    const markdown = await upload(new File(["\uFEFF# Heading\n\nWords."], "notes.md"));
    expect(markdown.data.createDocument.document).toMatchObject({
      title: "Heading",
      mimeType: "text/markdown",
      text: "# Heading\n\nWords.",
    });
  });

  it("keeps exact offsets for any Unicode", async () => {
    const ada = await lectern.person("Ada");
    const text = `a${"🌱".repeat(400)}\n\n${"é".normalize("NFD").repeat(900)}\n\n${"漢字".repeat(300)}\r\n\t${"👩‍👩‍👧".repeat(60)}`;
    const { id } = await ada.document({ text });
    await lectern.settled();
    const { document } = await ada.client.request(Read, { id, first: 100 });
    const chunks = document?.chunks.nodes ?? [];
    expect(chunks.length).toBeGreaterThan(2);
    expectToCover(text, chunks);
  });
});

describe("the Tale of Kiều", () => {
  const poem = sharedData("documents/truyen-kieu.txt")?.toString("utf8");

  it.skipIf(!poem)(
    "is completed within 5 s of processor time, covered by its chunks, and found without accents",
    async () => {
      const text = poem as string;
      const ada = await lectern.person("Ada");
      const before = process.cpuUsage();
      const { id } = await ada.document({ text });
      await lectern.settled();
      // Of this process, in which the worker's threads are: whatever else the machine does.
      const { user, system } = process.cpuUsage(before);
      expect((user + system) / 1_000_000).toBeLessThan(5);

      const chunks = [];
      let after: string | null | undefined;
      do {
        const { document } = await ada.client.request(Read, { id, first: 100, after });
        chunks.push(...(document?.chunks.nodes ?? []));
        after = document?.chunks.pageInfo.hasNextPage ? document.chunks.pageInfo.endCursor : null;
      } while (after);
      expectToCover(text, chunks);

      const query = "tram nam trong coi nguoi ta";
      const { searchChunks } = await ada.client.request(Search, { query, documentIds: [id] });
      expect(searchChunks.nodes[0]?.chunk.index).toBe(0);
      expect(searchChunks.nodes[0]?.snippet.normalize("NFC")).toMatch(/<mark>người<\/mark>/);
    },
  );
});

type ChunkShape = { index: number; text: string; startOffset: number; endOffset: number };

/** In order, exact, and without holes beyond white space. */
function expectToCover(text: string, chunks: readonly ChunkShape[]): void {
  let end = 0;
  for (const [place, chunk] of chunks.entries()) {
    expect(chunk.index).toBe(place);
    expect(text.slice(chunk.startOffset, chunk.endOffset)).toBe(chunk.text);
    expect(chunk.text.isWellFormed()).toBe(true);
    expect(text.slice(end, chunk.startOffset).trim()).toBe("");
    end = chunk.endOffset;
  }
  expect(text.slice(end).trim()).toBe("");
}
