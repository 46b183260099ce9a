/**
 * Resumable uploads on a full disk and on a server that is killed: no byte that was acknowledged is lost, and the client
 * goes on where it was.
 */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { begin, environmentBeside } from "../support/command.ts";
import { filesOf } from "../support/files.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { post } from "../support/post.ts";
import { mountDisk, type SmallDisk, whyNoDisk } from "../support/small-disk.ts";
import { type Tus, tusOf } from "../support/tus.ts";
import { until } from "../support/until.ts";

let lectern: Lectern;
let ada: Person;
let tus: Tus;
beforeAll(async () => {
  lectern = await startLectern();
  ada = await lectern.person("Ada");
  tus = tusOf(lectern, ada);
});
afterAll(() => lectern.stop());

const page = (bytes: number) =>
  Buffer.from(`<!doctype html><p>${randomBytes(8).toString("hex")}`.padEnd(bytes, " Words.")) as Buffer<ArrayBuffer>;
const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const sizeOf = async (path: string) => {
  const found = (await filesOf(lectern)).find((file) => file.endsWith(path.slice("/uploads/".length)));
  return (await stat(join(lectern.config.filesDir, found as string))).size;
};

/** Creates a document from an upload. */
async function create(path: string, url = lectern.url) {
  const query = "mutation($id: ID!) { createDocument(input: { source: { uploadId: $id } }) { document { sha256 } } }";
  const variables = { id: path.slice("/uploads/".length) };
  const response = await post(url, { query, variables, accessToken: ada.accessToken });
  const { data, errors = [] } = (await response.json()) as {
    data: { createDocument: { document: { sha256: string } } } | null;
    errors?: { extensions: { code: string } }[];
  };
  return [response.status, data?.createDocument.document.sha256 ?? errors[0]?.extensions.code];
}

describe("a server that is killed amid an upload", () => {
  it("is followed by one that knows the bytes of the disk, and takes the rest", async () => {
    const server = begin(["start"], { environment: environmentBeside(lectern) });
    const [, url = ""] = await server.printed(/Lectern is ready: (http\S+)/);
    const killed = tusOf({ url }, ada);
    const bytes = page(2_000_000);
    const path = await killed.create(bytes.length, "Emma.html");
    expect((await killed.patch(path, 0, bytes.subarray(0, 500_000))).status).toBe(204);
    const { write, socket } = await killed.begin(path, 500_000, 1_500_000);
    write(bytes.subarray(500_000, 1_200_000));
    await until(async () => (await sizeOf(path)) > 600_000, "a part of the file is on the disk");
    const exit = once(server.process, "exit");
    server.process.kill("SIGKILL");
    await exit;
    socket.destroy();

    const offset = await tus.offsetOf(path);
    expect(offset).toBe(await sizeOf(path));
    expect(offset).toBeGreaterThan(600_000);
    expect((await tus.patch(path, offset, bytes.subarray(offset))).status).toBe(204);
    expect(await create(path)).toEqual([200, hashOf(bytes)]);
  });
});

describe.skipIf(whyNoDisk)("a disk that is full", () => {
  let disk: SmallDisk;
  beforeAll(async () => {
    await until(
      async () => (await filesOf(lectern)).every((path) => path.startsWith("kept/")),
      "nothing is left of the uploads before",
    );
    disk = mountDisk(lectern.config.filesDir, 4_000_000);
  });
  afterAll(() => disk.unmount());

  it("answers 507 amid an upload, which goes on when there is room again", async () => {
    const bytes = page(1_000_000);
    const path = await tus.create(bytes.length, "Emma.html");
    await disk.fill(300_000);
    const refused = await tus.patch(path, 0, bytes);
    expect([refused.status, refused.code]).toEqual([507, "INSUFFICIENT_STORAGE"]);
    const offset = await tus.offsetOf(path);
    expect(offset).toBe(await sizeOf(path));
    expect(offset).toBeGreaterThan(200_000);
    expect(offset).toBeLessThan(bytes.length);
    await disk.empty();
    expect((await tus.patch(path, offset, bytes.subarray(offset))).status).toBe(204);

    // The operation that uses it finds no room, and leaves it for the next attempt.
    await disk.fill();
    expect(await create(path)).toEqual([507, "INSUFFICIENT_STORAGE"]);
    expect((await filesOf(lectern)).filter((file) => !/^uploads|^ballast/.test(file))).toEqual([]);
    await disk.empty();
    expect(await create(path)).toEqual([200, hashOf(bytes)]);
    await until(async () => !(await filesOf(lectern)).some((file) => file.startsWith("uploads/")), "it is removed");
  });

  it("creates no upload, and leaves nothing of it", async () => {
    await disk.fill();
    const headers = { "upload-length": "100000" };
    const before = await filesOf(lectern);
    const refused = await tus.send("POST", "/uploads", { headers });
    expect([refused.status, refused.code]).toEqual([507, "INSUFFICIENT_STORAGE"]);
    expect(await filesOf(lectern)).toEqual(before);
    await disk.empty();
    expect(await tus.offsetOf(await tus.create(10))).toBe(0);
  });
});
