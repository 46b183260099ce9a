/** The resident memory of a server with a small heap while many large files come at once, in both ways. */
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { boundary, field } from "../support/multipart-by-hand.ts";
import { post } from "../support/post.ts";
import {
  canMeasureCpu as isLinux,
  type ProductionServer,
  startProductionServer,
} from "../support/production-server.ts";
import { rounds } from "../support/rounds.ts";
import { type Tus, tusOf } from "../support/tus.ts";

const count = rounds(8, 20);
const megabytes = rounds(20, 50);
const fileBytes = megabytes * 1_000_000;
/** V8 collects buffers of 64 kB only when tens of megabytes of them are garbage. */
const mostRiseMb = 120;

describe.skipIf(!isLinux)(`${count} files of ${megabytes} MB at once`, { timeout: 600_000 }, () => {
  let server: ProductionServer;
  let tus: Tus;
  let beforeMb: number;
  beforeAll(async () => {
    server = await startProductionServer({
      NODE_OPTIONS: "--max-old-space-size=128",
      MAX_DOCUMENT_BYTES: "60000000",
      // Processors are shared by the test that sends and the server that receives.
      TRANSACTION_TIMEOUT_MS: "600000",
      STATEMENT_TIMEOUT_MS: "600000",
      WRITE_WAIT_MS: "600000",
    });
    tus = tusOf(server, server);
    beforeMb = memoryMb("VmRSS");
  });
  afterAll(() => server.stop());

  const memoryMb = (name: "VmRSS" | "VmHWM") => {
    const status = readFileSync(`/proc/${server.processId}/status`, "utf8");
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) / 1_000;
  };
  const expectSmallRise = () => {
    const peakMb = memoryMb("VmHWM");
    console.log(`server: ${Math.round(beforeMb)} MB before any file, ${Math.round(peakMb)} MB at most`);
    expect(peakMb - beforeMb).toBeGreaterThan(0);
    expect(peakMb - beforeMb).toBeLessThan(mostRiseMb);
  };
  const indices = Array.from({ length: count }, (_, index) => index);
  const countDocuments = async () => (await server.database.query("select from documents")).length;

  it("are received in multipart requests", async () => {
    const query = "mutation($file: File!) { createDocument(input: { source: { file: $file } }) { isDuplicate } }";
    const answers = await Promise.all(
      indices.map((index) => {
        const head =
          field("operations", JSON.stringify({ query, variables: { file: null } })) +
          field("map", JSON.stringify({ 0: ["variables.file"] })) +
          `--${boundary}\r\ncontent-disposition: form-data; name="0"; filename="a.pdf"\r\n\r\n`;
        const body = [head, ...pdf(`multipart ${index}`), `\r\n--${boundary}--\r\n`];
        const type = { "content-type": `multipart/form-data; boundary=${boundary}` };
        return send(`${server.url}`, "POST", { ...type, authorization: `Bearer ${server.accessToken}` }, body);
      }),
    );
    const created = { data: { createDocument: { isDuplicate: false } } };
    expect(answers.map(({ text }) => JSON.parse(text))).toEqual(answers.map(() => created));
    expectSmallRise();
  });

  it("are received in resumable uploads, and used by as many operations at once", async () => {
    const known = await countDocuments();
    await Promise.all(
      indices.map(async (index) => {
        const path = await tus.create(fileBytes, "a.pdf");
        const type = {
          "content-type": "application/offset+octet-stream",
          "upload-offset": "0",
          "tus-resumable": "1.0.0",
        };
        const headers = { ...type, authorization: `Bearer ${server.accessToken}` };
        const { status } = await send(new URL(path, server.url).href, "PATCH", headers, [...pdf(`tus ${index}`)]);
        expect(status).toBe(204);
        const query = "mutation($id: ID!) { createDocument(input: { source: { uploadId: $id } }) { isDuplicate } }";
        const variables = { id: path.split("/").at(-1) };
        const answer = await post(server.url, { query, variables, accessToken: server.accessToken });
        expect(await answer.json()).toEqual({ data: { createDocument: { isDuplicate: false } } });
      }),
    );
    expect((await countDocuments()) - known).toBe(count);
    expectSmallRise();
  });
});

const filler = Buffer.alloc(50_000, "x");

/** A file in pieces, most of which are one and the same buffer. */
function* pdf(name: string): Iterable<Uint8Array> {
  const head = Buffer.from(`%PDF-1.4 ${name}`);
  yield head;
  yield filler.subarray(head.length);
  for (let sent = filler.length; sent < fileBytes; sent += filler.length) yield filler;
}

async function send(url: string, method: string, headers: Record<string, string>, body: (string | Uint8Array)[]) {
  const length = body.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0);
  const req = request(url, { method, headers: { ...headers, "content-length": length } });
  const answered = new Promise<{ status: number; text: string }>((done, failed) => {
    req.on("error", failed);
    req.on("response", async (res) => {
      let text = "";
      for await (const piece of res.setEncoding("utf8")) text += piece;
      done({ status: res.statusCode ?? 0, text });
    });
  });
  await pipeline(Readable.from(body), req);
  return answered;
}
