/** Uploads beside the parsing of their body: who may send, what is discarded, and the memory that they share. */
import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import type { GraphQLParams } from "graphql-yoga";
import { describe, expect, it } from "vitest";
import { type FileStore, StagedFile } from "../../src/storage/file-store.ts";
import { isMultipart, useUploads } from "../../src/uploads/upload-plugin.ts";
import { collectedLog } from "../support/logs.ts";
import { boundary, field } from "../support/multipart-by-hand.ts";

const maxFileBytes = 100;

/** A server that lets in who is signed in; `fails` names the files that cannot be removed. */
function serverOf({ isSignedIn = true, waitMs = 5_000, fails = "" } = {}) {
  const { logger, lines } = collectedLog();
  const discarded: string[] = [];
  const stage: FileStore["stage"] = async (source, { name }) => {
    let sizeBytes = 0;
    for await (const piece of source) sizeBytes += piece.length;
    return new StagedFile({ id: name, name, sizeBytes, sha256: "", head: new Uint8Array() });
  };
  const discard = async ({ name }: StagedFile) => {
    if (name === fails) throw new Error("It cannot be removed.");
    discarded.push(name);
  };
  const { onRequestParse } = useUploads({
    store: { stage, discard } as FileStore,
    limits: { maxFieldBytes: 1_000, maxFileBytes, maxVariableValues: 10 },
    waitMs,
    isSignedIn: async () => isSignedIn,
    logger,
  });

  /** Begins a request with files of these sizes; `received` settles when its operation may begin. */
  async function begin(sizes: number[], contentType = `multipart/form-data; boundary=${boundary}`) {
    const names = sizes.map((_, index) => `f${index}`);
    const variables = Object.fromEntries(names.map((name) => [name, null]));
    const paths = Object.fromEntries(names.map((name) => [name, [`variables.${name}`]]));
    const head = (name: string) =>
      `--${boundary}\r\ncontent-disposition: form-data; name="${name}"; filename="${name}"\r\n\r\n`;
    const files = sizes.map((size, index) => `${head(`f${index}`)}${"x".repeat(size)}\r\n`).join("");
    const body = field("operations", JSON.stringify({ variables })) + field("map", JSON.stringify(paths)) + files;
    const req = Object.assign(new PassThrough(), { headers: { "content-type": contentType }, complete: true });
    req.end(`${body}--${boundary}--\r\n`);
    const atEnd: (() => unknown)[] = [];
    let parse: (() => Promise<GraphQLParams>) | undefined;
    const setRequestParser = (given: typeof parse) => {
      parse = given;
    };
    const request = new Request("http://lectern.test", { method: "POST", headers: { "content-type": contentType } });
    const serverContext = { req: req as unknown as IncomingMessage, atEnd };
    await onRequestParse?.({ request, serverContext, setRequestParser } as never);
    return {
      received: parse?.(),
      async end() {
        for (const end of atEnd) await end();
      },
    };
  }
  return { begin, discarded, lines };
}

describe("a request with files", () => {
  it("is told by its content type, in any case", () => {
    const types = ["multipart/form-data; boundary=x", "Multipart/Form-Data", " multipart/form-data"];
    expect([...types, "application/json", "text/multipart/form-data", "", null, undefined].map(isMultipart)).toEqual([
      ...[true, true, true],
      ...[false, false, false, false, false],
    ]);
  });

  it("of a stranger is refused before its body is read", async () => {
    await expect(serverOf({ isSignedIn: false }).begin([1])).rejects.toMatchObject({
      code: "UNAUTHENTICATED",
      details: { http: { status: 401 } },
    });
  });

  it("of another content type is left to the server", async () => {
    const { received } = await serverOf({ isSignedIn: false }).begin([1], "application/json");
    expect(received).toBeUndefined();
  });
});

describe("the end of a request", () => {
  it("discards all files, also those after one that cannot be removed, which is logged", async () => {
    const { begin, discarded, lines } = serverOf({ fails: "f1" });
    const { received, end } = await begin([1, 2, 3]);
    await received;
    expect(discarded).toEqual([]);
    await end();
    expect(discarded).toEqual(["f0", "f2"]);
    expect(lines).toMatchObject([{ level: 40, err: { message: "It cannot be removed." } }]);
  });

  it("discards the files of a request that was refused", async () => {
    const { begin, discarded } = serverOf({ waitMs: 1 });
    const holder = await begin([100, 100]);
    await holder.received;
    const { received, end } = await begin([1]);
    await expect(received).rejects.toMatchObject({ code: "OVERLOADED" });
    await end();
    expect(discarded).toEqual(["f0"]);
    await holder.end();
  });
});

describe("the memory for files", () => {
  it("is that of two of the largest: a request waits for all of its own until another ends", async () => {
    const { begin } = serverOf();
    const first = await begin([60, 41]);
    await first.received;
    const second = await begin([99]);
    await second.received;
    const third = await begin([1]);
    let hasBegun = false;
    const begun = third.received?.then(() => {
      hasBegun = true;
    });
    await new Promise((resume) => setTimeout(resume, 20));
    expect(hasBegun).toBe(false);
    await second.end();
    await begun;
    await first.end();
    await third.end();
    await (await begin([100, 100])).received;
  });

  it("is given back by a request that ended while it waited", { timeout: 10_000 }, async () => {
    const { begin } = serverOf();
    const first = await begin([100, 100]);
    await first.received;
    const gone = await begin([1]);
    await new Promise((resume) => setTimeout(resume, 20));
    await gone.end();
    await first.end();
    await gone.received;
    await (await begin([100, 100])).received;
  });
});
