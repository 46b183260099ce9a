/** What cannot be: each refusal has its code and the path of the wrong input, and has changed nothing. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphql } from "../support/client/generated/gql.ts";
import type { CreateDocumentInput, DocumentsOfBadInputQueryVariables } from "../support/client/generated/graphql.ts";
import { dump } from "../support/dump.ts";
import { globalIdOf } from "../support/global-ids.ts";
import { errorsOf, type Lectern, type Person, type ShownError, startLectern } from "../support/lectern.ts";
import { upload } from "../support/upload.ts";

const maxBytes = 1_000;

let lectern: Lectern;
let ada: Person;
/** A document of Ada's, PENDING at version 1. */
let document: { id: string; version: number };

beforeAll(async () => {
  lectern = await startLectern({ settings: { MAX_DOCUMENT_BYTES: String(maxBytes) } });
  ada = await lectern.person("Ada");
  document = await ada.document({ title: "First", text: "The first text." });
  await ada.document({ title: "Second", text: "The second text." });
});
afterAll(() => lectern.stop());

const Create = graphql(`
  mutation CreateBadInput($input: CreateDocumentInput!) {
    createDocument(input: $input) { isDuplicate document { id title text sizeBytes } }
  }
`);

const Update = graphql(`
  mutation UpdateBadInput($input: UpdateDocumentInput!) {
    updateDocument(input: $input) { document { version } }
  }
`);

const Delete = graphql(`
  mutation DeleteBadInput($input: DeleteDocumentInput!) {
    deleteDocument(input: $input) { deletedId }
  }
`);

const Reprocess = graphql(`
  mutation ReprocessBadInput($input: ReprocessDocumentInput!) {
    reprocessDocument(input: $input) { document { status version } }
  }
`);

const SignUp = graphql(`
  mutation SignUpBadInput($input: SignUpInput!) {
    signUp(input: $input) { user { id } }
  }
`);

const SignIn = graphql(`
  mutation SignInBadInput($input: SignInInput!) {
    signIn(input: $input) { user { id } }
  }
`);

const Documents = graphql(`
  query DocumentsOfBadInput(
    $first: Int
    $after: String
    $last: Int
    $before: String
    $orderBy: DocumentOrder
    $filter: DocumentFilter
  ) {
    documents(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy, filter: $filter) {
      edges { cursor node { title } }
    }
  }
`);

const Users = graphql(`
  query UsersOfBadInput($first: Int, $after: String, $search: String) {
    users(first: $first, after: $after, search: $search) { nodes { id } }
  }
`);

const OneDocument = graphql(`
  query DocumentOfBadInput($id: ID!) {
    document(id: $id) { id }
  }
`);

const Chunks = graphql(`
  query ChunksOfBadInput($id: ID!, $first: Int) {
    document(id: $id) { chunks(first: $first) { totalCount } }
  }
`);

const AnyNode = graphql(`
  query NodeOfBadInput($id: ID!) {
    node(id: $id) { id }
  }
`);

const AnyNodes = graphql(`
  query NodesOfBadInput($ids: [ID!]!) {
    nodes(ids: $ids) { id }
  }
`);

const Search = graphql(`
  query SearchOfBadInput($query: String!, $documentIds: [ID!]) {
    searchChunks(query: $query, documentIds: $documentIds) { totalCount }
  }
`);

const unknownUuid = "01890000-0000-7000-8000-000000000000";
const unknownId = globalIdOf("Document", unknownUuid);

/** The one error of a request that must fail, after a look at whether anything was written. */
async function refusal(request: () => Promise<unknown>, at: Lectern = lectern): Promise<Record<string, unknown>> {
  const before = await dump(at.database);
  const errors = await errorsOf(request());
  expect(await dump(at.database)).toEqual(before);
  return only(errors);
}

async function uploadRefusal(file: File, at: Lectern = lectern, by: Person = ada): Promise<Record<string, unknown>> {
  const before = await dump(at.database);
  const { data, errors } = await upload(at, by, file);
  expect(await dump(at.database)).toEqual(before);
  // Absent where the request was refused before it was executed.
  expect(data ?? null).toBeNull();
  return only(errors ?? []);
}

function only(errors: readonly ShownError[]): Record<string, unknown> {
  expect(errors).toHaveLength(1);
  const { requestId, ...extensions } = (errors[0] as ShownError).extensions;
  expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
  return extensions;
}

const create = (input: CreateDocumentInput) => () => ada.client.request(Create, { input });
const text = (value: string) => create({ source: { text: value } });
const badInput = (...inputPath: string[]) => ({ code: "BAD_USER_INPUT", inputPath });

describe("a text", () => {
  const path = ["input", "source", "text"];

  it("is not empty, and more than white space", async () => {
    expect(await refusal(text(""))).toEqual(badInput(...path));
    expect(await refusal(text(" \n\t\u00A0\u3000"))).toEqual(badInput(...path));
  });

  it("has at most MAX_DOCUMENT_BYTES bytes, counted in UTF-8", async () => {
    const tooLarge = { code: "PAYLOAD_TOO_LARGE", inputPath: path };
    expect(await refusal(text("x".repeat(maxBytes + 1)))).toEqual(tooLarge);
    expect(await refusal(text(`${"é".repeat(maxBytes / 2)}x`))).toEqual(tooLarge);

    const longest = await ada.client.request(Create, { input: { source: { text: "é".repeat(maxBytes / 2) } } });
    expect(longest.createDocument.document.sizeBytes).toBe(maxBytes);
  });

  it("and a file have at most 1,000,000 and 20,000,000 bytes by default", async () => {
    const roomy = await startLectern();
    try {
      const bob = await roomy.person("Bob");
      const send = (length: number) => bob.client.request(Create, { input: { source: { text: "x".repeat(length) } } });
      const refused = await errorsOf(send(1_000_001));
      expect(refused[0]).toMatchObject({
        message: "A request has at most 1000000 bytes. Send a longer text as a file, in a multipart request.",
        extensions: { code: "PAYLOAD_TOO_LARGE" },
      });
      const tooLargeFile = new File(["x".repeat(20_000_001)], "large.txt");
      expect(await uploadRefusal(tooLargeFile, roomy, bob)).toEqual({
        code: "PAYLOAD_TOO_LARGE",
        inputPath: ["input", "source", "file"],
      });
      expect((await send(999_000)).createDocument.document.sizeBytes).toBe(999_000);
      const { data } = await upload(roomy, bob, new File(["x".repeat(20_000_000)], "large.txt"));
      expect(data?.createDocument.document.title).toBe("large");
    } finally {
      await roomy.stop();
    }
  });

  it("holds no NUL characters", async () => {
    expect(await refusal(text("A text\0 with a NUL."))).toEqual(badInput(...path));
  });

  it("holds no half surrogates", async () => {
    const query = "mutation($text: String!) { createDocument(input: { source: { text: $text } }) { isDuplicate } }";
    for (const half of ["\\ud800", "\\udc00\\ud800", "an end \\udbff"]) {
      const body = `{"query": ${JSON.stringify(query)}, "variables": {"text": "A text ${half}"}}`;
      const headers = { "content-type": "application/json", authorization: `Bearer ${ada.accessToken}` };
      const before = await dump(lectern.database);
      const response = await fetch(lectern.url, { method: "POST", headers, body });
      const { data, errors } = (await response.json()) as { data: unknown; errors: ShownError[] };
      expect(await dump(lectern.database)).toEqual(before);
      expect(data).toBeNull();
      expect(only(errors)).toEqual(badInput(...path));
    }
  });

  it("keeps control characters, which are its own business, but not in its title", async () => {
    const input = { source: { text: "One\u0001two\u0007three\u202E\nand more." } };
    const { createDocument } = await ada.client.request(Create, { input });
    expect(createDocument.document).toMatchObject({ title: "One two three", text: input.source.text });
  });

  it("comes as a text or as a file, never both, never neither", async () => {
    const source = (value: object) => create({ source: value as CreateDocumentInput["source"] });
    const before = await dump(lectern.database);
    const inputPath = ["input", "source"];
    for (const [value, path] of [
      [{}, inputPath],
      [{ text: null }, [...inputPath, "text"]],
      [{ text: "Both.", file: null }, inputPath],
    ] as const) {
      const errors = await errorsOf(source(value)());
      expect(errors.map(({ extensions }) => extensions)).toEqual([
        { code: "BAD_USER_INPUT", inputPath: path, requestId: expect.any(String) },
      ]);
    }
    expect(await dump(lectern.database)).toEqual(before);
  });
});

describe("a file", () => {
  const path = ["input", "source", "file"];

  const unsupported = { code: "UNSUPPORTED_MEDIA_TYPE", inputPath: path };

  it("is UTF-8, or in an encoding that can be told", async () => {
    for (const bytes of [
      [0xc3, 0x28],
      [0xff, 0xfe, 0x41, 0xd8, 0x42],
      [0x41, 0xed, 0xa0, 0x80],
      [0xc0, 0xaf],
      [0xe2, 0x82],
    ]) {
      expect(await uploadRefusal(new File([Uint8Array.from(bytes)], "text.txt"))).toEqual(unsupported);
    }
  });

  it("holds a text, and not only a byte order mark", async () => {
    expect(await uploadRefusal(new File([], "empty.txt"))).toEqual(badInput(...path));
    expect(await uploadRefusal(new File([], "empty.pdf"))).toEqual(badInput(...path));
    expect(await uploadRefusal(new File(["\uFEFF \n"], "blank.md"))).toEqual(badInput(...path));
    expect(await uploadRefusal(new File(["A\0B"], "nul.txt"))).toEqual(unsupported);
  });

  it("is no larger than MAX_DOCUMENT_BYTES", async () => {
    expect(await uploadRefusal(new File(["x".repeat(maxBytes + 1)], "large.txt"))).toEqual({
      code: "PAYLOAD_TOO_LARGE",
      inputPath: path,
    });
  });

  it("is what its bytes say, whatever its name", async () => {
    const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52);
    const elf = Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0);
    for (const bytes of [png, elf, "{\\rtf1\\ansi Text.}", "PK\u0003\u0004 a broken archive"]) {
      for (const name of ["notes.txt", "notes.md", "page.html", "paper.pdf"]) {
        expect(await uploadRefusal(new File([bytes], name))).toEqual(unsupported);
      }
    }
    for (const name of ["picture.png", "BMW.bmp", "text.txt.exe", "archive.tar.gz"]) {
      const { data } = await upload(lectern, ada, new File([`BM is how a text may begin, too: ${name}`], name));
      expect(data?.createDocument.document.title).toBe(name.slice(0, name.lastIndexOf(".")));
    }
  });

  it("is called by its name without folders and control characters", async () => {
    const names = { "../../etc/passwd.txt": "passwd", "a\\b\u0007c.txt": /^[^\p{Cc}]*c$/u, "-rf.txt": "-rf" };
    for (const [name, title] of Object.entries(names)) {
      const { data, errors } = await upload(lectern, ada, new File([`A text called ${title}.`], name));
      expect(errors).toBeUndefined();
      expect(data?.createDocument.document.title).toEqual(
        typeof title === "string" ? title : expect.stringMatching(title),
      );
    }
  });
});

describe("a title", () => {
  const titles = ["", "   ", "\n\t", "x".repeat(501), "a\0b", "a\u0001b", "a\nb", "a\u009Fb", "half \ud800"];

  it("of a new document is 1 to 500 characters without control characters", async () => {
    for (const title of titles) {
      const request = create({ source: { text: `Text for ${JSON.stringify(title).slice(0, 50)}` }, title });
      expect(await refusal(request)).toEqual(badInput("input", "title"));
    }
  });

  it("of an old one likewise, and is not taken away", async () => {
    const { id, version } = document;
    for (const title of [...titles, null]) {
      const input = { id, expectedVersion: version, title };
      expect(await refusal(() => ada.client.request(Update, { input }))).toEqual(badInput("input", "title"));
    }
    const input = { id, expectedVersion: version, visibility: null };
    expect(await refusal(() => ada.client.request(Update, { input }))).toEqual(badInput("input", "visibility"));
  });

  it("of 500 characters is taken", async () => {
    const input = { source: { text: "The text below a long title." }, title: ` ${"x".repeat(500)} ` };
    const { createDocument } = await ada.client.request(Create, { input });
    expect(createDocument.document.title).toBe("x".repeat(500));
  });
});

describe("an id", () => {
  it("that nothing has answers null to a query, NOT_FOUND to a mutation", async () => {
    expect(await ada.client.request(OneDocument, { id: unknownId })).toEqual({ document: null });
    expect(await ada.client.request(AnyNode, { id: unknownId })).toEqual({ node: null });
    expect(await ada.client.request(AnyNodes, { ids: [unknownId, document.id] })).toEqual({
      nodes: [null, { id: document.id }],
    });
    const notFound = { code: "NOT_FOUND", inputPath: ["input", "id"] };
    const update = { id: unknownId, expectedVersion: 1, title: "Other" };
    expect(await refusal(() => ada.client.request(Update, { input: update }))).toEqual(notFound);
    expect(await refusal(() => ada.client.request(Delete, { input: { id: unknownId } }))).toEqual(notFound);
    expect(await refusal(() => ada.client.request(Reprocess, { input: { id: unknownId } }))).toEqual(notFound);
  });

  const uuid = unknownUuid;
  it.each([
    ["of another type", globalIdOf("User", uuid)],
    ["of a type that is none", globalIdOf("Nothing", uuid)],
    ["that is a bare uuid", uuid],
    ["that is empty", ""],
    ["that is garbage", "%%% ' or 1=1 --"],
    ["with an upper-case uuid", globalIdOf("Document", uuid.toUpperCase().replace("0189", "ABCD"))],
    ["with more behind it", `${unknownId}AA`],
    ["with padding", Buffer.from(`Document:${uuid}:`).toString("base64")],
    ["with a NUL", globalIdOf("Document", `${uuid}\0`)],
    ["that is long", "x".repeat(10_000)],
  ])("%s is BAD_USER_INPUT, wherever it stands", async (_name, id) => {
    const { client } = ada;
    expect(await refusal(() => client.request(OneDocument, { id }))).toEqual(badInput("id"));
    const update = { id, expectedVersion: 1, title: "Other" };
    expect(await refusal(() => client.request(Update, { input: update }))).toEqual(badInput("input", "id"));
    expect(await refusal(() => client.request(Delete, { input: { id } }))).toEqual(badInput("input", "id"));
    expect(await refusal(() => client.request(Reprocess, { input: { id } }))).toEqual(badInput("input", "id"));
    const search = { query: "text", documentIds: [document.id, id] };
    expect(await refusal(() => client.request(Search, search))).toEqual(badInput("documentIds", "1"));
  });

  it("of no type that there is has no node", async () => {
    const id = globalIdOf("Nothing", uuid);
    expect(await refusal(() => ada.client.request(AnyNode, { id }))).toEqual(badInput("id"));
    expect(await refusal(() => ada.client.request(AnyNodes, { ids: [document.id, id] }))).toEqual(badInput("ids", "1"));
  });

  it("of another type in a filter is BAD_USER_INPUT at its own path", async () => {
    const filter = { ownerId: document.id };
    expect(await refusal(() => ada.client.request(Documents, { filter }))).toEqual(badInput("filter", "ownerId"));
  });

  it("is one of 100 at most", async () => {
    const ids = Array.from({ length: 101 }, () => document.id);
    expect(await refusal(() => ada.client.request(AnyNodes, { ids }))).toEqual(badInput("ids"));
    const search = { query: "text", documentIds: ids };
    expect(await refusal(() => ada.client.request(Search, search))).toEqual(badInput("documentIds"));
    expect((await ada.client.request(AnyNodes, { ids: ids.slice(1) })).nodes).toHaveLength(100);
  });
});

describe("a page", () => {
  const documents = (variables: DocumentsOfBadInputQueryVariables) => () => ada.client.request(Documents, variables);

  it.each([0, -1, 101, 2_147_483_647, -2_147_483_648])("of %i rows is refused", async (size) => {
    expect(await refusal(documents({ first: size }))).toEqual(badInput("first"));
    expect(await refusal(documents({ last: size }))).toEqual(badInput("last"));
    expect(await refusal(() => ada.client.request(Users, { first: size }))).toEqual(badInput("first"));
    const chunks = () => ada.client.request(Chunks, { id: document.id, first: size });
    expect(await refusal(chunks)).toEqual(badInput("first"));
  });

  it("has one end: the first rows or the last, not both", async () => {
    expect(await refusal(documents({ first: 1, last: 1 }))).toEqual(badInput("last"));
  });

  it("begins at no forged cursor", async () => {
    const { documents: page } = await documents({ first: 1 })();
    const cursor = page.edges[0]?.cursor as string;
    const bytes = Buffer.from(cursor, "base64url");
    const changed = Buffer.from(bytes);
    changed[bytes.length - 4] = (changed[bytes.length - 4] as number) ^ 1;
    const forged = [
      changed.toString("base64url"),
      bytes.subarray(0, -1).toString("base64url"),
      Buffer.from(JSON.stringify(["2026-01-01T00:00:00.000Z", unknownUuid])).toString("base64url"),
      unknownId,
      "x",
      "",
    ];
    for (const after of forged) expect(await refusal(documents({ first: 1, after }))).toEqual(badInput("after"));
    for (const before of forged) expect(await refusal(documents({ last: 1, before }))).toEqual(badInput("before"));
    expect((await documents({ first: 1, after: cursor })()).documents.edges[0]?.cursor).not.toBe(cursor);
  });

  it("begins at no cursor of another order or list", async () => {
    const byTitle = { orderBy: { field: "TITLE", direction: "ASC" } } as const;
    const { documents: page } = await documents({ first: 1, ...byTitle })();
    const after = page.edges[0]?.cursor as string;
    expect(await refusal(documents({ after }))).toEqual(badInput("after"));
    const otherWay = { field: "TITLE", direction: "DESC" } as const;
    expect(await refusal(documents({ after, orderBy: otherWay }))).toEqual(badInput("after"));
    expect(await refusal(() => ada.client.request(Users, { after }))).toEqual(badInput("after"));
  });
});

describe("a search", () => {
  it("has 1 to 1,000 characters, all of them valid", async () => {
    for (const query of ["", "  ", "x".repeat(1_001), "a\0b", "half \ud800"]) {
      expect(await refusal(() => ada.client.request(Search, { query }))).toEqual(badInput("query"));
    }
    for (const search of ["x".repeat(1_001), "a\0b", "half \ud800"]) {
      const filter = { search };
      expect(await refusal(() => ada.client.request(Documents, { filter }))).toEqual(badInput("filter", "search"));
      expect(await refusal(() => ada.client.request(Users, { search }))).toEqual(badInput("search"));
    }
  });

  it("takes SQL, wildcards and operators as what they are: text", async () => {
    for (const query of ["' or 1=1 --", "%_%", "\\", "a & | ! <-> b", '"', "(((", ":*", "$1"]) {
      expect((await ada.client.request(Search, { query })).searchChunks.totalCount).toBe(0);
      const { documents } = await ada.client.request(Documents, { filter: { search: query } });
      expect(documents.edges).toEqual([]);
    }
  });
});

describe("a version", () => {
  it.each([0, -1, 2, 2_147_483_647])("%i, when it is 1, is a CONFLICT that says so", async (expectedVersion) => {
    const { id } = document;
    const conflict = { code: "CONFLICT", inputPath: ["input", "expectedVersion"], currentVersion: 1 };
    const update = { id, expectedVersion, title: "Other" };
    expect(await refusal(() => ada.client.request(Update, { input: update }))).toMatchObject(conflict);
    expect(await refusal(() => ada.client.request(Delete, { input: { id, expectedVersion } }))).toMatchObject(conflict);
    expect(await refusal(() => ada.client.request(Reprocess, { input: { id, expectedVersion } }))).toMatchObject(
      conflict,
    );
  });
});

describe("a status", () => {
  const reprocess = (id: string) => () => ada.client.request(Reprocess, { input: { id } });
  const illegal = { code: "INVALID_STATE", inputPath: ["input", "id"] };

  it("does not go from PENDING or PROCESSING back to PENDING at a user's wish", async () => {
    const { id } = await ada.document({ text: "A text that waits." });
    const [row] = await lectern.database.query("select id from documents where text = 'A text that waits.'");
    expect(await refusal(reprocess(id))).toEqual(illegal);

    // A worker takes it, and nobody else.
    await lectern.database.query("update documents set next_attempt_at = '-infinity' where id = $1", [row?.id]);
    const [claim] = await lectern.database.query("select * from claim_documents('a test', 1, '1 minute')");
    expect(claim?.id).toBe(row?.id);
    expect(await refusal(reprocess(id))).toEqual(illegal);

    await lectern.database.query("select complete_document($1, $2, '[]')", [claim?.id, claim?.claim]);
    const { reprocessDocument } = await reprocess(id)();
    expect(reprocessDocument.document.status).toBe("PENDING");
    expect(await refusal(reprocess(id))).toEqual(illegal);
  });

  it("makes no other move either, whoever tries", async () => {
    const [row] = await lectern.database.query("select id from documents where title = 'First'");
    const before = await dump(lectern.database);
    for (const status of ["COMPLETED", "FAILED"]) {
      const move = lectern.database.query(
        "update documents set status = $2::work_status, failure = 'x' where id = $1",
        [row?.id, status],
      );
      await expect(move).rejects.toMatchObject({ code: "LT001" });
    }
    expect(await dump(lectern.database)).toEqual(before);
  });
});

describe("an account", () => {
  const account = { email: "new@lectern.test", name: "New", password: "a good password" };
  const signUp = (changes: Partial<typeof account>) => () =>
    lectern.client().request(SignUp, { input: { ...account, ...changes } });

  it("has an e-mail that nobody else has, without regard to case and white space", async () => {
    for (const email of [ada.email, ada.email.toUpperCase(), `  ${ada.email}\n`]) {
      expect(await refusal(signUp({ email }))).toEqual({ code: "DUPLICATE", inputPath: ["input", "email"] });
    }
  });

  it("has an e-mail, a name and a password that can be", async () => {
    for (const email of ["", "nobody", "a@", "@b", "a b@c", "a@b@c", "a\0@b", `${"x".repeat(251)}@b.c`]) {
      expect(await refusal(signUp({ email }))).toEqual(badInput("input", "email"));
    }
    for (const name of ["", "  ", "x".repeat(201), "a\0b", "a\u0007b", "half \ud800"]) {
      expect(await refusal(signUp({ name }))).toEqual(badInput("input", "name"));
    }
    for (const password of ["", "1234567", "x".repeat(129), "x".repeat(500_000), "half a character \ud800"]) {
      expect(await refusal(signUp({ password }))).toEqual(badInput("input", "password"));
    }
  });

  it("opens to its password only, and does not tell whether it exists", async () => {
    const signIn = (input: { email: string; password: string }) => () => lectern.client().request(SignIn, { input });
    const wrong = { code: "UNAUTHENTICATED", inputPath: ["input"] };
    expect(await refusal(signIn({ email: ada.email, password: "a good password " }))).toEqual(wrong);
    expect(await refusal(signIn({ email: ada.email, password: "" }))).toEqual(wrong);
    expect(await refusal(signIn({ email: ada.email, password: "x".repeat(500_000) }))).toEqual(wrong);
    expect(await refusal(signIn({ email: "nobody@lectern.test", password: "a good password" }))).toEqual(wrong);
    expect(await refusal(signIn({ email: `${ada.email}\0`, password: "a good password" }))).toEqual(wrong);
    const messages = await Promise.all(
      [ada.email, "nobody@lectern.test"].map(async (email) => {
        const [error] = await errorsOf(signIn({ email, password: "a wrong password" })());
        return error?.message;
      }),
    );
    expect(messages).toEqual(Array(2).fill("The e-mail or the password is wrong."));
  });
});
