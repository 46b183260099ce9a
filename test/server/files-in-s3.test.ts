/** A server and a worker whose files are in S3: the life of a file, and S3 that is away for a while. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { uuidOf } from "../support/global-ids.ts";
import { type HttpFaults, startHttpFaults } from "../support/http-faults.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { type S3Server, startS3Server } from "../support/s3-server.ts";
import { postFile } from "../support/upload.ts";

let s3: S3Server;
let front: HttpFaults;
let lectern: Lectern;
let ada: Person;

beforeAll(async () => {
  s3 = await startS3Server();
  front = await startHttpFaults(s3.port);
  lectern = await startLectern({
    worker: true,
    settings: {
      STORAGE_URL: s3.url.replace(String(s3.port), String(front.port)),
      AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
    },
  });
  ada = await lectern.person("Ada");
});
afterEach(() => front.reset());
afterAll(async () => {
  await lectern.stop();
  await front.stop();
  await s3.stop();
});

let pages = 0;
const create = "createDocument(input: { source: { file: $file } }) { document { id } }";
async function send() {
  const file = new File([`<!doctype html><title>Page ${++pages}</title><p>The words of page ${pages}.`], "page.html");
  const query = `mutation($file: File!) { ${create} }`;
  const response = await postFile(lectern.url, { query, file, accessToken: ada.accessToken });
  const body = (await response.json()) as {
    data?: { createDocument: { document: { id: string } } };
    errors?: { extensions: { code: string } }[];
  };
  return {
    response,
    id: body.data?.createDocument.document.id ?? "",
    codes: body.errors?.map((e) => e.extensions.code),
  };
}
const objects = async () => (await s3.contents()).objects;
const keysInRows = async () =>
  (await lectern.database.query("select storage_key as key from documents order by storage_key")).map(
    ({ key }) => `files/${key}`,
  );
const status = async (id: string) =>
  (await lectern.database.query("select status from documents where id = $1", [uuidOf(id)]))[0]?.status;

describe("a document from a file", () => {
  it("has its original in S3, from which a worker reads it, until it is deleted", async () => {
    const { id, codes } = await send();
    expect(codes).toBeUndefined();
    expect(await objects()).toEqual(await keysInRows());
    await lectern.settled();
    expect(await status(id)).toBe("COMPLETED");
    const { document } = await ada.client.request<{ document: { text: string } }>(`{ document(id: "${id}") { text } }`);
    expect(document.text).toContain("The words of page");
    await ada.client.request(`mutation { deleteDocument(input: { id: "${id}" }) { deletedId } }`);
    await expect.poll(objects).toEqual([]);
  });
});

describe("S3 that is away", () => {
  it("costs the operations with files only, and nothing is left of them; it goes on when S3 is back", async () => {
    const before = await keysInRows();
    front.next(/./, { status: 503 }, 1_000);
    const { response, codes } = await send();
    expect([response.status, codes, response.headers.get("retry-after")]).toEqual([503, ["STORAGE_UNAVAILABLE"], "1"]);
    await ada.document();
    await ada.client.request("{ documents { totalCount } }");
    front.reset();
    const { id } = await send();
    await lectern.settled();
    expect(await status(id)).toBe("COMPLETED");
    expect(await objects()).toEqual((await keysInRows()).filter((key) => key !== "files/null"));
    expect(await keysInRows()).toHaveLength(before.length + 2);
  });

  it("while a document is deleted leaves the file to the sweep, which does not hold up later ones", async () => {
    const [first, second] = [await send(), await send()];
    await lectern.settled();
    const count = (await objects()).length;
    front.next(/^DELETE/, { status: 503 }, 4);
    for (const { id } of [first, second]) {
      await ada.client.request(`mutation { deleteDocument(input: { id: "${id}" }) { deletedId } }`);
    }
    await expect.poll(async () => (await objects()).length, { timeout: 30_000 }).toBe(count - 1);
    expect(front.pending).toBe(0);
  });
});
