/** Documents as their readers download them: by an address alone, until it expires or they may no longer read it. */
import { createHash, hkdfSync } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { FileAddresses } from "../../src/downloads/file-addresses.ts";
import { graphql } from "../support/client/generated/gql.ts";
import { pdf } from "../support/documents.ts";
import { uuidOf } from "../support/global-ids.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { secret } from "../support/secret.ts";
import { upload } from "../support/upload.ts";
import { watchBySse } from "../support/watching.ts";

/** Addresses follow the server to its port. */
const publicUrl = "http://127.0.0.1:0";

let lectern: Lectern;
let ada: Person;
let bob: Person;
let alan: Person;

beforeAll(async () => {
  lectern = await startLectern({ publicUrl });
  ada = await lectern.person("Ada");
  bob = await lectern.person("Bob");
  alan = await lectern.person("Alan", "ADMIN");
});
afterAll(() => lectern.stop());

const Address = graphql(`
  query OriginalUrl($id: ID!) {
    document(id: $id) { originalUrl }
  }
`);

const Share = graphql(`
  mutation ShareOriginal($id: ID!, $visibility: Visibility!) {
    updateDocument(input: { id: $id, expectedVersion: 1, visibility: $visibility }) {
      document { originalUrl }
    }
  }
`);

const Delete = graphql(`
  mutation DeleteOriginal($id: ID!) {
    deleteDocument(input: { id: $id }) { deletedId }
  }
`);

async function addressOf({ client }: Pick<Person, "client">, id: string): Promise<string> {
  const { document } = await client.request(Address, { id });
  return document?.originalUrl as string;
}

const statusOf = async (address: string) => (await fetch(address)).status;

async function uploaded(person: Person, file: File): Promise<string> {
  const { data } = await upload(lectern, person, file);
  return data?.createDocument.document.id as string;
}

/** A second server of the same database. Tokens are valid on both. */
async function another(settings: Record<string, string>): Promise<Lectern> {
  const other = await startLectern({ database: lectern.database, publicUrl, settings });
  onTestFinished(() => other.stop());
  return other;
}

const moved = (address: string, { url }: Lectern) => address.replace(new URL(address).origin, new URL(url).origin);

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe("the original of a document", () => {
  it("is the file that was sent, byte for byte", async () => {
    const bytes = new Uint8Array(pdf(["A page of a report."]));
    const id = await uploaded(ada, new File([bytes], "report.pdf"));
    const address = await addressOf(ada, id);
    expect(address).toContain(`/files/document/${uuidOf(id)}/report.pdf?viewer=`);
    const response = await fetch(address);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "application/pdf",
      "content-length": String(bytes.length),
      "content-disposition": "attachment; filename=report.pdf",
      etag: `"${sha256(bytes)}"`,
    });
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
    const [, seconds] = /^private, max-age=(\d+)$/.exec(response.headers.get("cache-control") ?? "") ?? [];
    expect(Number(seconds)).toBeGreaterThan(43_100);
    expect(Number(seconds)).toBeLessThanOrEqual(54_000);
  });

  it("is the text where no file was sent", async () => {
    const text = "# Über die Pulte\n\nĐi — 🎵";
    const { id } = await ada.document({ text });
    const address = await addressOf(ada, id);
    const response = await fetch(address);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/plain; charset=utf-8",
      "content-length": String(Buffer.byteLength(text)),
      "content-disposition":
        "attachment; filename=\"?ber die Pulte.txt\"; filename*=UTF-8''%C3%9Cber%20die%20Pulte.txt",
    });
    expect(await response.text()).toBe(text);
    // Positions are those of bytes, also amid a character.
    const part = await fetch(address, { headers: { range: "bytes=3-" } });
    expect(Buffer.from(await part.arrayBuffer())).toEqual(Buffer.from(text).subarray(3));
  });

  it("is a long text in all its pieces, and in Unicode if it was not", async () => {
    const text = `# A café\n\n${"Là où l’on lit à voix haute. ".repeat(40_000)}`;
    const utf8 = Buffer.from(text);
    expect(utf8.length).toBeGreaterThan(2 * 524_288);
    const sent = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, "utf16le")]);
    const id = await uploaded(ada, new File([sent], "café.md"));
    const address = await addressOf(ada, id);
    const response = await fetch(address);
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/markdown; charset=utf-8"]);
    expect(sha256(new Uint8Array(await response.arrayBuffer()))).toBe(sha256(utf8));
    // From one piece into the next.
    const part = await fetch(address, { headers: { range: "bytes=524287-524300" } });
    expect(Buffer.from(await part.arrayBuffer())).toEqual(utf8.subarray(524_287, 524_301));
  });

  it("has one address in queries, planned or not, in mutations and in subscriptions", async () => {
    const { id } = await ada.document();
    const address = await addressOf(ada, id);
    const watch = await watchBySse<{ documentChanged: { document: { originalUrl: string } } }>(lectern.url, {
      query: `subscription { documentChanged(id: "${id}") { document { originalUrl } } }`,
      accessToken: ada.accessToken,
    });
    const { updateDocument } = await ada.client.request(Share, { id, visibility: "SHARED" });
    expect(updateDocument.document.originalUrl).toBe(address);
    expect((await watch.next()).data?.documentChanged.document.originalUrl).toBe(address);
    watch.close();

    const unplanned = await another({ EAGER_PLAN: "off" });
    const client = unplanned.client({ authorization: `Bearer ${ada.accessToken}` });
    expect(await addressOf({ client }, id)).toBe(moved(address, unplanned));
    // Any server of the database takes it.
    expect(await statusOf(moved(address, unplanned))).toBe(200);
  });

  it("costs no statement", async () => {
    const query = "{ documents(first: 5) { nodes { originalUrl } } }";
    const { extensions } = await ada.with({ "Lectern-Trace": "1" }).rawRequest(query);
    expect(extensions).toMatchObject({ lectern: { roundTrips: 1, statements: 1 } });
  });
});

describe("an address", () => {
  it("is no longer good for others when the document becomes private", async () => {
    const { id } = await ada.document({ visibility: "SHARED" });
    const addresses = { ada: await addressOf(ada, id), bob: await addressOf(bob, id), alan: await addressOf(alan, id) };
    expect(new Set(Object.values(addresses)).size).toBe(3);
    for (const address of Object.values(addresses)) expect(await statusOf(address)).toBe(200);
    await ada.client.request(Share, { id, visibility: "PRIVATE" });
    const after = Object.entries(addresses).map(async ([name, address]) => [name, await statusOf(address)]);
    expect(Object.fromEntries(await Promise.all(after))).toEqual({ ada: 200, bob: 404, alan: 200 });
  });

  it("of an admin is no longer good for others' documents when the role is gone", async () => {
    const grace = await lectern.person("Grace", "ADMIN");
    const { id } = await ada.document();
    const address = await addressOf(grace, id);
    expect(await statusOf(address)).toBe(200);
    await lectern.database.query("update users set role = 'EDITOR' where id = $1", [uuidOf(grace.id)]);
    expect(await statusOf(address)).toBe(404);
  });

  it("of a user who is deleted is gone, also for what everybody may read", async () => {
    const carl = await lectern.person("Carl");
    const { id } = await ada.document({ visibility: "SHARED" });
    const address = await addressOf(carl, id);
    expect(await statusOf(address)).toBe(200);
    await lectern.database.query("delete from users where id = $1", [uuidOf(carl.id)]);
    expect(await statusOf(address)).toBe(404);
  });

  it("outlives a session, since a player goes on", async () => {
    const dora = await lectern.person("Dora");
    const address = await addressOf(dora, (await dora.document()).id);
    await dora.client.request("mutation { signOut { ok } }");
    expect(await statusOf(address)).toBe(200);
  });

  it("of a stranger is good where the library is public, for what is shared", async () => {
    const open = await another({ PUBLIC_READ: "true" });
    const { id } = await ada.document({ visibility: "SHARED" });
    const address = await addressOf({ client: open.client() }, id);
    expect(address).not.toContain("viewer");
    expect(await statusOf(address)).toBe(200);
    // The same address on a server that is not public.
    expect(await statusOf(moved(address, lectern))).toBe(404);
    await ada.client.request(Share, { id, visibility: "PRIVATE" });
    expect(await statusOf(address)).toBe(404);
  });

  it("that is expired, edited, another's or of nothing is refused with the same response", async () => {
    const { id } = await ada.document();
    const address = await addressOf(ada, id);
    const { id: gone } = await ada.document();
    const ofGone = await addressOf(ada, gone);
    await ada.client.request(Delete, { id: gone });
    const key = Buffer.from(hkdfSync("sha256", secret, "", "lectern file address", 32)).toString("hex");
    const signed = (lifetimeSeconds: number) => {
      const addresses = new FileAddresses({ publicUrl: new URL(lectern.url).origin, secret: key, lifetimeSeconds });
      return addresses.of({ kind: "document", id: uuidOf(id), viewerId: uuidOf(ada.id), name: "a" });
    };
    expect(await statusOf(signed(60))).toBe(200);
    const path = (value: string) => new URL(value).pathname;
    const refused = {
      expired: signed(-4),
      deleted: ofGone,
      "with another signature": address.replace(/.{22}$/, "x".repeat(22)),
      "with another end": address.replace(/expires=\d+/, "expires=99999999999"),
      "for another viewer": address.replace(/viewer=[\w-]+/, `viewer=${"A".repeat(22)}`),
      "for no viewer": address.replace(/viewer=[\w-]+&/, ""),
      "of another document": address.replace(path(address), path(await addressOf(ada, (await ada.document()).id))),
      "of another kind": address.replace("/document/", "/audio/"),
      unsigned: address.replace(/\?.*/, ""),
      "of a folder": `${new URL(lectern.url).origin}/files/`,
      "of the disk": `${new URL(lectern.url).origin}/files/..%2f..%2fetc/passwd/x?signature=1`,
    };
    const answers = new Set<string>();
    for (const [name, url] of Object.entries(refused)) {
      const response = await fetch(url, { headers: { "x-request-id": "mine" } });
      expect(response.status, name).toBe(404);
      const headers = [...response.headers].filter(([header]) => header !== "date");
      answers.add(JSON.stringify([headers, await response.json()]));
    }
    expect([...answers].map((text) => JSON.parse(text))).toEqual([
      [
        expect.arrayContaining([["cache-control", "no-store"]]),
        {
          errors: [
            {
              message: "There is no such file, or its address has expired: query a new address.",
              extensions: { code: "NOT_FOUND", requestId: "mine" },
            },
          ],
        },
      ],
    ]);
  });
});
