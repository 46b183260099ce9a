import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ApplicationError } from "../../src/errors.ts";
import { type FileStore, FileTooLargeError, StagedFile } from "../../src/storage/file-store.ts";
import { receiveMultipart, refusal } from "../../src/uploads/multipart.ts";
import { boundary, field } from "../support/multipart-by-hand.ts";

const limits = { maxFieldBytes: 1_000, maxFileBytes: 10, maxVariableValues: 20 };
const end = `--${boundary}--\r\n`;
const operations = (value: unknown) => field("operations", JSON.stringify(value));
const map = (value: unknown) => field("map", JSON.stringify(value));
const file = (name: string, content: string, filename = "emma.txt") =>
  `--${boundary}\r\ncontent-disposition: form-data; name="${name}"; filename="${filename}"\r\ncontent-type: text/plain\r\n\r\n${content}\r\n`;
const oneFile = { query: "mutation", variables: { file: null } };

/** A store in memory, which reads a file to its end or to its limit. */
function memoryStore() {
  const contents: string[] = [];
  let writing = 0;
  const stage: FileStore["stage"] = async (source, { name, maxBytes }) => {
    writing++;
    try {
      const parts: Uint8Array[] = [];
      let sizeBytes = 0;
      for await (const part of source) {
        sizeBytes += part.length;
        if (sizeBytes > maxBytes) throw new FileTooLargeError(maxBytes);
        parts.push(part);
      }
      // A store takes a while to finish a file.
      await turn();
      contents.push(Buffer.concat(parts).toString());
      return new StagedFile({ id: String(contents.length), name, sizeBytes, sha256: "", head: new Uint8Array() });
    } finally {
      writing--;
    }
  };
  return { store: { stage } as FileStore, contents, writing: () => writing };
}

async function received(
  body: string | Readable,
  { type = `multipart/form-data; boundary=${boundary}`, isComplete = true, store = memoryStore() } = {},
) {
  const stream = typeof body === "string" ? Readable.from([Buffer.from(body)]) : body;
  const headers = type === "" ? {} : { "content-type": type };
  const request = Object.assign(stream, { headers, complete: isComplete }) as unknown as IncomingMessage;
  const staged: StagedFile[] = [];
  const outcome = await receiveMultipart(request, store.store, limits, staged).then(
    (parameters) => ({ parameters }),
    (error) => {
      if (!(error instanceof ApplicationError)) return { error };
      return { code: error.code, message: error.message, ...error.details };
    },
  );
  return { outcome, staged, contents: store.contents, writing: store.writing() };
}
const malformed = (message: string) => ({ code: "BAD_USER_INPUT", message, http: { status: 400 } });

describe("a multipart request", () => {
  it("has its files in the variables, where the map says", async () => {
    const variables = { input: { files: [null, null] }, file: null };
    const { outcome, staged, contents } = await received(
      operations({ query: "mutation", variables }) +
        map({ a: ["variables.input.files.0", "variables.file"], b: ["variables.input.files.1"] }) +
        file("b", "Emma") +
        file("a", "Persuasion", "persuasion.txt") +
        end,
    );
    expect(contents).toEqual(["Emma", "Persuasion"]);
    expect(staged.map(({ name, sizeBytes }) => [name, sizeBytes])).toEqual([
      ["emma.txt", 4],
      ["persuasion.txt", 10],
    ]);
    const [emma, persuasion] = staged;
    expect(outcome).toEqual({
      parameters: { query: "mutation", variables: { input: { files: [persuasion, emma] }, file: persuasion } },
    });
  });

  it("may hold a batch of operations, and files without a name", async () => {
    const { outcome, staged } = await received(
      operations([oneFile]) + map({ a: ["0.variables.file"] }) + file("a", "Emma", "") + end,
    );
    expect(outcome).toEqual({ parameters: [{ query: "mutation", variables: { file: staged[0] } }] });
    expect(staged[0]?.name).toBe("");
  });

  it("may hold no files at all", async () => {
    const { outcome } = await received(operations({ query: "{ a }" }) + map({}) + end);
    expect(outcome).toEqual({ parameters: { query: "{ a }" } });
  });
});

describe("a multipart request is refused", () => {
  const refused = async (body: string) => {
    const { outcome, writing } = await received(body + end);
    expect(writing).toBe(0);
    return outcome;
  };
  const inOrder = malformed("The parts are operations, map, and the files, in this order.");

  it("if its parts come in another order", async () => {
    expect(await refused(map({}) + operations({}))).toEqual(inOrder);
    expect(await refused(operations(oneFile) + operations(oneFile))).toEqual(inOrder);
    expect(await refused(operations(oneFile) + file("a", "Emma") + map({ a: ["variables.file"] }))).toEqual(inOrder);
    expect(await refused(file("a", "Emma"))).toEqual(inOrder);
  });

  it("if a field is not JSON, too long or holds too many values", async () => {
    expect(await refused(field("operations", "{"))).toEqual(malformed("The field operations is not JSON."));
    expect(await refused(operations({}) + field("map", "x"))).toEqual(malformed("The field map is not JSON."));
    expect(await refused(operations("x".repeat(998)) + map({}))).toEqual(malformed("The field operations is missing."));
    expect(await refused(operations("x".repeat(999)))).toEqual({
      code: "PAYLOAD_TOO_LARGE",
      message: "The field operations has at most 1000 bytes.",
      http: { status: 413 },
    });
    expect(await refused(field("operations", "[".repeat(200)))).toEqual(
      malformed("A request holds at most 140 values."),
    );
  });

  it("if a field is missing or of another kind", async () => {
    expect(await refused("")).toEqual(malformed("The field operations is missing."));
    for (const value of [null, 1, "x"]) {
      expect(await refused(operations(value) + map({}))).toEqual(malformed("The field operations is missing."));
    }
    expect(await refused(operations({}))).toEqual(malformed("The field map is missing."));
    for (const value of [null, [], "x"]) {
      expect(await refused(operations({}) + map(value))).toEqual(malformed("The field map is missing."));
    }
  });

  it("if a file of the map is missing, or sent twice", async () => {
    const known = operations(oneFile) + map({ 'a"': ["variables.file"] });
    expect(await refused(known)).toEqual(malformed('The file "a\\"" of map is missing.'));
    const twice = operations(oneFile) + map({ a: ["variables.file"] }) + file("a", "Emma") + file("a", "Emma");
    expect(await refused(twice)).toEqual(malformed("Each file is sent once, under its name in map."));
  });

  it("if a file has no paths or too many", async () => {
    const paths = malformed("Each file has 1 to 10 paths in map.");
    const files = { query: "mutation", variables: { files: Array(11).fill(null) } };
    const pathsTo = (count: number) => Array.from({ length: count }, (_, index) => `variables.files.${index}`);
    const body = (value: unknown, name = "a") => operations(files) + map(value) + file(name, "Emma");
    for (const value of [{ a: [] }, { a: "variables.files.0" }, { a: pathsTo(11) }, {}]) {
      expect(await refused(body(value))).toEqual(paths);
    }
    expect(await refused(body({}, "constructor"))).toEqual(paths);
    expect(await refused(body({ a: pathsTo(10) }))).toHaveProperty("parameters");
  });

  it("if a path leads elsewhere than to a null", async () => {
    const variables = { file: null, text: "x", list: [null], none: undefined };
    const body = (path: unknown) =>
      operations({ query: "mutation", variables }) + map({ a: [path] }) + file("a", "Emma");
    const elsewhere = malformed("A path in map leads to a null in operations, such as variables.file.");
    const paths = ["", "file", "variables", "variables.text", "variables.text.length", "variables.none", "query.file"];
    const inherited = ["variables.__proto__", "variables.__proto__.__proto__", "constructor.name"];
    for (const path of [...paths, "variables.list.1", ...inherited, 1, null]) {
      expect(await refused(body(path))).toEqual(elsewhere);
    }
    const twice = map({ a: ["variables.file", "variables.file"] });
    expect(await refused(operations(oneFile) + twice + file("a", "Emma"))).toEqual(elsewhere);
  });

  it("if a file is too large, by the field in which it stands", async () => {
    const tooLarge = { code: "PAYLOAD_TOO_LARGE", message: "A file has at most 10 bytes.", http: { status: 413 } };
    const body = (value: unknown) => operations(oneFile) + map(value) + file("a", "x".repeat(11));
    expect(await refused(body({ a: ["variables.input.file", "variables.other"] }))).toEqual({
      ...tooLarge,
      inputPath: ["input", "file"],
    });
    for (const value of [{ a: [1] }, { a: "variables.file" }, {}, []])
      expect(await refused(body(value))).toEqual(tooLarge);
  });

  it("if there are too many files or fields", async () => {
    const files = (count: number) =>
      operations({ variables: Array(count).fill(null) }) +
      map(Object.fromEntries(Array.from({ length: count }, (_, index) => [index, [`variables.${index}`]]))) +
      Array.from({ length: count }, (_, index) => file(String(index), "Emma")).join("");
    expect(await refused(files(10))).toHaveProperty("parameters");
    const tooMany = malformed("A request has at most 10 files.");
    expect(await refused(files(11))).toEqual(tooMany);
    expect(await refused(operations(oneFile) + map({}) + field("more", "1"))).toEqual(tooMany);
  });

  it("if it is malformed or has no boundary", async () => {
    const broken = malformed("The multipart body is malformed or incomplete.");
    expect((await received(operations(oneFile))).outcome).toEqual(broken);
    const without = malformed("The content type has no boundary.");
    expect((await received(end, { type: "multipart/form-data" })).outcome).toEqual(without);
    expect((await received(end, { type: "" })).outcome).toEqual(without);
  });
});

describe("a multipart request that fails while a file is received", () => {
  const start = operations(oneFile) + map({ a: ["variables.file"] }) + file("a", "Emma").slice(0, -4);

  it("ends the file's write first, and leaves no part of it", async () => {
    const body = new Readable({ read() {} });
    body.push(start);
    setTimeout(() => body.destroy(new Error("The connection was lost.")), 10);
    const { outcome, staged, writing } = await received(body, { isComplete: false });
    expect(outcome).toEqual(malformed("The request is incomplete."));
    expect({ staged, writing }).toEqual({ staged: [], writing: 0 });
  });

  it("is incomplete if the client closes the connection", async () => {
    const body = new Readable({ read() {} });
    body.push(start);
    setTimeout(() => body.destroy(), 10);
    const { outcome, writing } = await received(body, { isComplete: false });
    expect(outcome).toEqual(malformed("The request is incomplete."));
    expect(writing).toBe(0);
  });

  it("reports a failure of the store as it is, and the files that were complete", async () => {
    const failed = new Error("The disk is full.");
    const { store, writing } = memoryStore();
    const stage: FileStore["stage"] = (source, file) =>
      file.name === "bad.txt" ? Promise.reject(failed) : store.stage(source, file);
    const both = operations({ variables: [null, null] }) + map({ a: ["variables.0"], b: ["variables.1"] });
    const { outcome, staged } = await received(both + file("a", "Emma") + file("b", "x", "bad.txt") + end, {
      store: { store: { stage } as FileStore, contents: [], writing },
    });
    expect(outcome).toEqual({ error: failed });
    expect(staged.map(({ name }) => name)).toEqual(["emma.txt"]);
  });
});

describe("a refusal of a request", () => {
  it("has an HTTP status, and the path of a field if there is one", () => {
    const { code, message, details } = refusal("UNAUTHENTICATED", 401, "Sign in.", ["file"]);
    expect({ code, message, details }).toEqual({
      code: "UNAUTHENTICATED",
      message: "Sign in.",
      details: { inputPath: ["file"], http: { status: 401 } },
    });
    expect(refusal("UNAUTHENTICATED", 401, "Sign in.").details).toStrictEqual({ http: { status: 401 } });
  });
});
