/** Uploads beside the parsing of their body: who may send which files, and what is discarded. */
import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import type { GraphQLParams } from "graphql-yoga";
import { describe, expect, it } from "vitest";
import type { Role } from "../../src/database/generated/prisma/enums.ts";
import { ApplicationError } from "../../src/errors.ts";
import { type FileStore, FileTooLargeError, StagedFile } from "../../src/storage/file-store.ts";
import { isMultipart, useUploads } from "../../src/uploads/upload-plugin.ts";
import { collectedLog } from "../support/logs.ts";
import { boundary, field } from "../support/multipart-by-hand.ts";

const maxBytes = 100;
const noLimit = (_viewerId: string, _bytes: number): void => {};

/** A server with a viewer of this role; `fails` names the files that cannot be removed. */
function serverOf({ role = "VIEWER" as Role | null, fails = "", query = "mutation { keep }", room = noLimit } = {}) {
  const { logger, lines } = collectedLog();
  const discarded: string[] = [];
  const stage: FileStore["stage"] = async (source, { name, maxBytes }) => {
    let sizeBytes = 0;
    for await (const piece of source) {
      sizeBytes += piece.length;
      if (sizeBytes > maxBytes) throw new FileTooLargeError(maxBytes);
    }
    return new StagedFile({ id: name, name, sizeBytes, sha256: "", head: new Uint8Array() });
  };
  const discard = async ({ name }: StagedFile) => {
    if (name === fails) throw new Error("It cannot be removed.");
    discarded.push(name);
  };
  const { onRequestParse } = useUploads({
    store: { stage, discard } as FileStore,
    rules: new Map([
      ["keep", { maxBytes, role: "VIEWER" }],
      ["publish", { maxBytes: 2 * maxBytes, role: "EDITOR" }],
    ]),
    limits: { maxFieldBytes: 1_000, maxVariableValues: 10, maxTokens: 100, maxQueryCharacters: 1_000 },
    viewerOf: async () => role && { id: "ada", role, sessionId: "s" },
    requireRoom: async ({ id }, bytes) => room(id, bytes),
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
    const body =
      field("operations", JSON.stringify({ query, variables })) + field("map", JSON.stringify(paths)) + files;
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
    await expect(serverOf({ role: null }).begin([1])).rejects.toMatchObject({
      code: "UNAUTHENTICATED",
      details: { http: { status: 401 } },
    });
  });

  it("of another content type is left to the server", async () => {
    const { received } = await serverOf({ role: null }).begin([1], "application/json");
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
    const { begin, discarded } = serverOf();
    const { received, end } = await begin([1, 101]);
    await expect(received).rejects.toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
    await end();
    expect(discarded).toEqual(["f0"]);
  });
});

describe("files", () => {
  it("are refused if the viewer's role is too low for a field of the operation", async () => {
    const query = "mutation { keep publish }";
    const { received } = await serverOf({ query }).begin([1]);
    await expect(received).rejects.toMatchObject({ code: "FORBIDDEN", details: { http: { status: 403 } } });
    await (await serverOf({ query, role: "EDITOR" }).begin([2 * maxBytes])).received;
  });

  it("are refused if there is no room for them", async () => {
    const asked: [string, number][] = [];
    const room = (viewerId: string, bytes: number) => {
      asked.push([viewerId, bytes]);
      throw new ApplicationError("INSUFFICIENT_STORAGE", "There is no room.");
    };
    const { received } = await serverOf({ room }).begin([1]);
    await expect(received).rejects.toMatchObject({ message: "There is no room." });
    expect(asked).toEqual([["ada", 0]]);
  });
});
