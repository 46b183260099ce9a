/** Multipart requests without a server, a disk and a database: the store holds its files in memory. */
import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type FileStore, FileTooLargeError, StagedFile } from "../../src/storage/file-store.ts";
import { receiveMultipart } from "../../src/uploads/multipart.ts";
import { boundary, field } from "../support/multipart-by-hand.ts";

const limits = { maxFieldBytes: 1_000, maxFileBytes: 100, maxVariableValues: 10 };
const end = `--${boundary}--\r\n`;
const file = (name: string, contents: string, filename = `${name}.txt`) =>
  `--${boundary}\r\ncontent-disposition: form-data; name="${name}"; filename="${filename}"\r\n\r\n${contents}\r\n`;
const operations = (variables: object) => field("operations", JSON.stringify({ query: "mutation", variables }));
const map = (paths: object) => field("map", JSON.stringify(paths));
const whole = operations({ file: null }) + map({ 0: ["variables.file"] }) + file("0", "Text.") + end;

/** A store whose writes wait for `gate`. */
function storeOf(gate: Promise<void> = Promise.resolve()) {
  const open = new Set<string>();
  const stage: FileStore["stage"] = async (source, { name, maxBytes }) => {
    open.add(name);
    try {
      let sizeBytes = 0;
      for await (const piece of source) {
        sizeBytes += piece.length;
        if (sizeBytes > maxBytes) throw new FileTooLargeError(maxBytes);
      }
      return new StagedFile({ id: name, name, sizeBytes, sha256: "", head: new Uint8Array() });
    } finally {
      await gate;
      open.delete(name);
    }
  };
  return { store: { stage } as FileStore, open };
}

function requestOf(body: string) {
  const headers = { "content-type": `multipart/form-data; boundary=${boundary}` };
  const req = Object.assign(new PassThrough(), { headers, complete: false });
  req.write(body);
  return {
    req: req as unknown as IncomingMessage,
    finish() {
      req.complete = true;
      req.end();
    },
    breakOff: () => req.destroy(),
  };
}

async function receive(body: string) {
  const staged: StagedFile[] = [];
  const { req, finish } = requestOf(body);
  finish();
  const parameters = await receiveMultipart(req, storeOf().store, limits, staged);
  return { parameters, names: staged.map(({ name }) => name) };
}

describe("a whole request", () => {
  it("has each file at all of its paths, in objects and lists", async () => {
    const body =
      operations({ a: null, b: { c: [1, null] }, d: null }) +
      map({ x: ["variables.a", "variables.b.c.1"], y: ["variables.d"] }) +
      file("x", "X") +
      file("y", "Y") +
      end;
    const { parameters, names } = await receive(body);
    expect(names).toEqual(["x.txt", "y.txt"]);
    const { a, b, d } = parameters.variables as { a: unknown; b: { c: unknown[] }; d: unknown };
    expect([a, b, d]).toMatchObject([{ name: "x.txt" }, { c: [1, { name: "x.txt" }] }, { name: "y.txt" }]);
    expect(b.c[1]).toBe(a);
    expect(a).toBeInstanceOf(StagedFile);
  });

  it("has a file of the largest size, and none that is larger by a byte", async () => {
    const sized = (bytes: number) =>
      operations({ input: { file: null } }) + map({ 0: ["variables.input.file"] }) + file("0", "x".repeat(bytes)) + end;
    expect((await receive(sized(100))).names).toEqual(["0.txt"]);
    await expect(receive(sized(101))).rejects.toMatchObject({
      code: "PAYLOAD_TOO_LARGE",
      message: "A file has at most 100 bytes.",
      details: { inputPath: ["input", "file"], http: { status: 413 } },
    });
  });
});

describe("a request", () => {
  const order = "The parts are operations, map, and the files, in this order.";
  const leads = "A path in map leads to a null in operations, such as variables.file.";
  const at = (path: unknown, variables: object = { file: null, text: "x" }) =>
    operations(variables) + map({ 0: [path] }) + file("0", "x") + end;

  it.each<[string, string, string]>([
    ["with map first", map({}) + operations({}) + end, order],
    [
      "with a file before map",
      operations({ file: null }) + file("0", "x") + map({ 0: ["variables.file"] }) + end,
      order,
    ],
    ["with operations twice", operations({}) + operations({}) + end, order],
    ["without map", operations({}) + end, "The field map is missing."],
    ["without any part", end, "The field operations is missing."],
    ["with a list for map", operations({}) + field("map", "[]") + end, "The field map is missing."],
    [
      "with a file twice",
      whole.slice(0, -end.length) + file("0", "y") + end,
      "Each file is sent once, under its name in map.",
    ],
    [
      "with a file that map does not name",
      operations({}) + map({}) + file("0", "x") + end,
      "Each file has 1 to 10 paths in map.",
    ],
    [
      "with a file called like a property of every object",
      operations({}) + map({}) + file("constructor", "x") + end,
      "Each file has 1 to 10 paths in map.",
    ],
    [
      "with a file without a path",
      operations({}) + map({ 0: [] }) + file("0", "x") + end,
      "Each file has 1 to 10 paths in map.",
    ],
    [
      "with a file that does not come",
      operations({ a: null }) + map({ 0: ["variables.a"] }) + end,
      'The file "0" of map is missing.',
    ],
    ["with a file at a value", at("variables.text"), leads],
    ["with a file at no place", at("variables.other"), leads],
    ["with a file below a value", at("variables.text.length"), leads],
    ["with a file at a path that is no text", at(["variables", "file"]), leads],
    ["with a file on the way to every object", at("variables.__proto__.__proto__"), leads],
    ["with JSON that is none", field("operations", "{") + end, "The field operations is not JSON."],
    ["with too many values", operations({ a: Array(200).fill(1) }) + end, "A request holds at most 120 values."],
  ])("%s is refused", async (_case, body, message) => {
    await expect(receive(body)).rejects.toMatchObject({
      code: "BAD_USER_INPUT",
      message,
      details: { http: { status: 400 } },
    });
  });

  it("has fields up to their limit, and none that is longer by a byte", async () => {
    const sized = (bytes: number) => field("operations", `{}${" ".repeat(bytes - 2)}`) + field("map", "{}") + end;
    expect((await receive(sized(999))).parameters).toEqual({});
    await expect(receive(sized(1_001))).rejects.toMatchObject({
      code: "PAYLOAD_TOO_LARGE",
      message: "The field operations has at most 1000 bytes.",
    });
  });

  it("has ten files at most", async () => {
    const many = (count: number) => {
      const names = Array.from({ length: count }, (_, index) => `f${index}`);
      const variables = Object.fromEntries(names.map((name) => [name, null]));
      const paths = Object.fromEntries(names.map((name) => [name, [`variables.${name}`]]));
      return operations(variables) + map(paths) + names.map((name) => file(name, "x")).join("") + end;
    };
    expect((await receive(many(10))).names).toHaveLength(10);
    await expect(receive(many(11))).rejects.toThrow("A request has at most 10 files.");
  });
});

describe("a request that fails", () => {
  it("is refused at once when its connection ends", { timeout: 5_000 }, async () => {
    const staged: StagedFile[] = [];
    const { store, open } = storeOf();
    const { req, breakOff } = requestOf(whole.slice(0, -end.length - 5));
    const outcome = expect(receiveMultipart(req, store, limits, staged)).rejects.toThrow("The request is incomplete.");
    await nextTurn();
    breakOff();
    await outcome;
    expect([staged, open.size]).toEqual([[], 0]);
  });

  it("is answered when all of its files have been written or removed, and names those that are whole", async () => {
    const staged: StagedFile[] = [];
    const { promise, resolve: openGate } = Promise.withResolvers<void>();
    const { store, open } = storeOf(promise);
    const { req, finish } = requestOf(whole.slice(0, -end.length) + file("0", "twice"));
    finish();
    let isSettled = false;
    const settled = receiveMultipart(req, store, limits, staged)
      .catch((error) => error.message)
      .finally(() => {
        isSettled = true;
      });
    for (let turns = 0; turns < 20; turns++) await nextTurn();
    expect([isSettled, [...open]]).toEqual([false, ["0.txt"]]);
    openGate();
    expect(await settled).toBe("Each file is sent once, under its name in map.");
    expect([staged.map(({ name }) => name), open.size]).toEqual([["0.txt"], 0]);
  });
});
