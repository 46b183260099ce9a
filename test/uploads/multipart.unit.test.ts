import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ApplicationError } from "../../src/errors.ts";
import { type FileStore, FileTooLargeError, StagedFile } from "../../src/storage/file-store.ts";
import { type MultipartOptions, receiveMultipart } from "../../src/uploads/multipart.ts";
import { refusal } from "../../src/uploads/upload-rules.ts";
import { boundary, field } from "../support/multipart-by-hand.ts";

const limits = { maxFieldBytes: 1_000, maxVariableValues: 20, limitsOf: () => () => 10, requireRoom: async () => {} };
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
  {
    type = `multipart/form-data; boundary=${boundary}`,
    length = undefined as number | undefined,
    isComplete = true,
    store = memoryStore(),
    ...rules
  }: { type?: string; length?: number; isComplete?: boolean; store?: ReturnType<typeof memoryStore> } & Partial<
    Pick<MultipartOptions, "limitsOf" | "requireRoom">
  > = {},
) {
  const stream = typeof body === "string" ? Readable.from([Buffer.from(body)]) : body;
  const headers = { ...(type && { "content-type": type }), ...(length && { "content-length": String(length) }) };
  const request = Object.assign(stream, { headers, complete: isComplete }) as unknown as IncomingMessage;
  const staged: StagedFile[] = [];
  const outcome = await receiveMultipart(request, { store: store.store, ...limits, ...rules }, staged).then(
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

  it("may hold files without a name; others have one without invisible characters", async () => {
    const nameOf = async (name: string) =>
      (await received(operations(oneFile) + map({ a: ["variables.file"] }) + file("a", "Emma", name) + end)).staged[0]
        ?.name;
    expect(await nameOf("")).toBe("");
    expect(await nameOf("a\u202Etxt.\u0001exe")).toBe("atxt.exe");
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
    const batch = operations([oneFile]) + map({ a: ["0.variables.file"] }) + file("a", "Emma");
    expect(await refused(batch)).toEqual(malformed("Batching is not supported."));
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
    for (const value of [{ a: [] }, { a: "variables.files.0" }, { a: pathsTo(11) }]) {
      expect(await refused(body(value))).toEqual(paths);
    }
    for (const value of [{}, { b: ["variables.files.0"] }]) {
      const unnamed = malformed("Each file is sent once, under its name in map.");
      expect(await refused(body(value))).toEqual(unnamed);
      expect(await refused(body(value, "constructor"))).toEqual(unnamed);
    }
    expect(await refused(body({ a: pathsTo(10) }))).toHaveProperty("parameters");
  });

  it("if a path leads elsewhere than to a null", async () => {
    const variables = { file: null, text: "x", list: [null], none: undefined };
    const body = (path: unknown) =>
      operations({ query: "mutation", none: null, variables }) + map({ a: [path] }) + file("a", "Emma");
    const elsewhere = malformed("A path in map leads to a null in operations, such as variables.file.");
    const paths = [
      "",
      "file",
      "none",
      "variables",
      "variables.text",
      "variables.text.length",
      "variables.none",
      "query.file",
    ];
    const inherited = ["variables.__proto__", "variables.__proto__.__proto__", "constructor.name"];
    for (const path of [...paths, "variables.list.1", ...inherited, 1, null]) {
      expect(await refused(body(path))).toEqual(elsewhere);
    }
    const twice = map({ a: ["variables.file", "variables.file"] });
    expect(await refused(operations(oneFile) + twice + file("a", "Emma"))).toEqual(elsewhere);
  });

  it("if a file is too large, by the field in which it stands", async () => {
    const tooLarge = { code: "PAYLOAD_TOO_LARGE", message: "A file has at most 10 bytes.", http: { status: 413 } };
    const two = { query: "mutation", variables: { input: { file: null }, other: null } };
    const start = operations(two) + map({ a: ["variables.input.file", "variables.other"] });
    expect(await refused(start + file("a", "x".repeat(11)))).toEqual({ ...tooLarge, inputPath: ["input", "file"] });
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

describe("a file of a multipart request", () => {
  const start = operations(oneFile) + map({ a: ["variables.file"] });

  it("is not read if the operation is refused, even if it came with it", async () => {
    const no = refusal("FORBIDDEN", 403, "No.");
    const limitsOf = () => {
      throw no;
    };
    const asked: number[] = [];
    const requireRoom = async (bytes: number) => void asked.push(bytes);
    const { outcome, contents } = await received(start + file("a", "Emma") + end, { limitsOf, requireRoom });
    expect(outcome).toEqual({ code: "FORBIDDEN", message: "No.", http: { status: 403 } });
    expect([contents, asked]).toEqual([[], []]);
  });

  it("has the largest limit of the variables that hold it", async () => {
    const seen: unknown[] = [];
    const limitsOf = (parts: object) => {
      seen.push(parts);
      return (variable: string) => ({ small: 3, large: 4 })[variable] ?? 0;
    };
    const variables = { small: null, large: { list: [null] } };
    const send = (paths: string[]) =>
      received(operations({ query: "mutation", variables }) + map({ a: paths }) + file("a", "Emma") + end, {
        limitsOf,
      });
    expect((await send(["variables.small", "variables.large.list.0"])).contents).toEqual(["Emma"]);
    expect(seen).toMatchObject([{ query: "mutation" }]);
    expect((await send(["variables.small"])).outcome).toMatchObject({ message: "A file has at most 3 bytes." });
  });

  it("is refused by the announced length of the body before it is read", async () => {
    const body = start + file("a", "Emma") + end;
    const fields = JSON.stringify(oneFile).length + JSON.stringify({ a: ["variables.file"] }).length;
    const most = 10 + fields + 3 * 8_292;
    const { outcome, contents } = await received(body, { length: most + 1 });
    expect(outcome).toEqual({
      code: "PAYLOAD_TOO_LARGE",
      message: "A file has at most 10 bytes.",
      inputPath: ["file"],
      http: { status: 413 },
    });
    expect(contents).toEqual([]);
    expect((await received(body, { length: most })).contents).toEqual(["Emma"]);
  });

  it("waits until there is room for the bytes that it has at least", async () => {
    const asked: number[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const requireRoom = (bytes: number) => {
      asked.push(bytes);
      return promise;
    };
    const store = memoryStore();
    const wide = { requireRoom, store, limitsOf: () => () => 100_000 };
    const receiving = received(start + file("a", "Emma") + end, { ...wide, length: 100_000 });
    for (let turns = 0; turns < 20; turns++) await turn();
    expect([asked, store.contents, store.writing()]).toEqual([[expect.any(Number)], [], 0]);
    expect(asked[0]).toBeGreaterThan(70_000);
    expect(asked[0]).toBeLessThan(100_000);
    resolve();
    expect((await receiving).contents).toEqual(["Emma"]);
    await received(start + file("a", "Emma") + end, wide);
    expect(asked[1]).toBe(0);
    await received(operations({ query: "{ a }" }) + map({}) + end, wide);
    expect(asked).toHaveLength(2);
  });

  it("is not read if there is no room", async () => {
    const { outcome, contents, staged, writing } = await received(start + file("a", "Emma") + end, {
      requireRoom: () => Promise.reject(refusal("INSUFFICIENT_STORAGE", 413, "Full.")),
    });
    expect(outcome).toEqual({ code: "INSUFFICIENT_STORAGE", message: "Full.", http: { status: 413 } });
    expect({ contents, staged, writing }).toEqual({ contents: [], staged: [], writing: 0 });
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
