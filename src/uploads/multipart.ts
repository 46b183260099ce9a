/**
 * Receives a request of the GraphQL multipart request specification: `operations`, then `map`, then the files, which
 * are streamed into the file store. The first two decide which files may come, and how large they may be. The operation
 * runs only after the whole request is received and valid.
 */
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { Busboy, type BusboyInstance } from "@fastify/busboy";
import type { GraphQLParams } from "graphql-yoga";
import type { ApplicationError } from "../errors.ts";
import { type RequestParts, requireSparseJson } from "../operations/request-limits.ts";
import { type FileStore, FileTooLargeError, type StagedFile } from "../storage/file-store.ts";
import { displayName } from "./file-name.ts";
import { type FileLimits, refusal } from "./upload-rules.ts";

export type MultipartOptions = {
  store: Pick<FileStore, "stage">;
  /** Bytes of `operations` and of `map`. */
  maxFieldBytes: number;
  /** Number of list items and object fields in the variables. */
  maxVariableValues: number;
  /** Returns the limits of the operation's files. Called before a file is read, if there will be any; throws to refuse. */
  limitsOf(operations: RequestParts): FileLimits;
  /** Called before a file is read, with the least number of bytes that the files have. Rejects to refuse. */
  requireRoom(bytes: number): Promise<void>;
};

/** A file in `map`: its limit, and the nulls in `operations` that it replaces. */
type ExpectedFile = { maxBytes: number; inputPath: readonly string[]; slots: Slot[] };
type Slot = { parent: Record<string, unknown>; key: string };

const maxFiles = 10;
/** Headers of one part, which needs two or three. Further ones are ignored. */
const maxHeaders = 20;
const maxHeaderBytes = 8_192;
/** Bytes of a part besides its content, at most: its headers, a boundary and line breaks. */
const partBytes = maxHeaderBytes + 100;

/**
 * @param staged receives every complete file, even if the request fails later
 * @throws ApplicationError, but not before all writes have ended
 */
export async function receiveMultipart(
  req: IncomingMessage,
  options: MultipartOptions,
  staged: StagedFile[],
): Promise<GraphQLParams> {
  const { store, maxFieldBytes, maxVariableValues } = options;
  const parser = parserFor(req, maxFieldBytes);
  const files = new Map<string, Promise<StagedFile>>();
  const fields = new Map<string, unknown>();
  let expected: ReadonlyMap<string, ExpectedFile> | undefined;
  let fieldBytes = 0;
  let room = Promise.resolve();
  const { promise: received, resolve, reject } = Promise.withResolvers<void>();
  let current: Readable | undefined;
  let hasFailed = false;
  const fail = (error: unknown) => {
    hasFailed = true;
    req.unpipe(parser);
    // Ends the write of the file that is being received.
    current?.destroy();
    reject(error);
  };

  parser.on("field", (name, value, _isNameCut, isValueCut) => {
    if (hasFailed) return;
    if (isValueCut) return fail(tooLarge(`The field ${name} has at most ${maxFieldBytes} bytes.`));
    if (name !== ["operations", "map"][fields.size]) return fail(malformed(order));
    try {
      requireSparseJson(value, maxVariableValues);
      fields.set(name, parseJson(name, value));
      fieldBytes += Buffer.byteLength(value);
      if (fields.size < 2) return;
      expected = expectedFiles(fields, options.limitsOf);
      if (expected.size > 0) room = options.requireRoom(requireShort(req, expected, fieldBytes));
      room.catch(fail);
    } catch (error) {
      fail(error);
    }
  });
  parser.on("file", (name, stream, filename) => {
    // An error after the reader has stopped must not end the process.
    stream.on("error", () => {});
    if (hasFailed) return void stream.resume();
    current = stream;
    if (!expected) return fail(malformed(order));
    const { maxBytes, inputPath } = expected.get(name ?? "") ?? {};
    if (name === undefined || maxBytes === undefined || files.has(name)) {
      return fail(malformed("Each file is sent once, under its name in map."));
    }
    // Until there is room, the file waits in the parser, which stops reading.
    const file = room.then(() => store.stage(stream, { name: displayName(filename ?? ""), maxBytes }));
    files.set(name, file);
    file
      .then((whole) => void staged.push(whole))
      .catch((error) => fail(error instanceof FileTooLargeError ? tooLarge(error.message, inputPath) : error));
  });
  for (const limit of ["partsLimit", "filesLimit", "fieldsLimit"] as const) {
    parser.on(limit, () => fail(malformed(tooManyFiles)));
  }
  parser.on("error", () => fail(malformed("The multipart body is malformed or incomplete.")));
  parser.on("finish", resolve);
  req.on("error", () => fail(malformed("The request is incomplete.")));
  req.on("close", () => req.complete || fail(malformed("The request is incomplete.")));
  req.pipe(parser);

  try {
    await received;
    return insertFiles(fields, expected, new Map(await settle(files)));
  } finally {
    await Promise.allSettled(files.values());
  }
}

function parserFor(req: IncomingMessage, maxFieldBytes: number): BusboyInstance {
  try {
    return new Busboy({
      headers: { ...req.headers, "content-type": req.headers["content-type"] ?? "" },
      limits: {
        fieldSize: maxFieldBytes,
        fields: 2,
        files: maxFiles,
        parts: maxFiles + 2,
        headerPairs: maxHeaders,
        headerSize: maxHeaderBytes,
      },
    });
  } catch {
    throw malformed("The content type has no boundary.");
  }
}

function parseJson(name: string, value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    throw malformed(`The field ${name} is not JSON.`);
  }
}

/** The files of `map` by their names. Each of their paths must lead to a null, and none of them twice. */
function expectedFiles(
  fields: ReadonlyMap<string, unknown>,
  limitsOf: MultipartOptions["limitsOf"],
): Map<string, ExpectedFile> {
  const operations = fields.get("operations");
  const map = fields.get("map");
  if (Array.isArray(operations)) throw malformed("Batching is not supported.");
  if (!isRecord(operations)) throw malformed("The field operations is missing.");
  if (!isRecord(map)) throw malformed("The field map is missing.");
  const names = Object.keys(map);
  if (names.length > maxFiles) throw malformed(tooManyFiles);
  const found = new Map<string, ExpectedFile>();
  if (names.length === 0) return found;
  const limits = limitsOf(operations);
  const taken = new Set<unknown>();
  for (const name of names) {
    const paths = map[name];
    if (!Array.isArray(paths) || paths.length === 0 || paths.length > maxFiles) {
      throw malformed(`Each file has 1 to ${maxFiles} paths in map.`);
    }
    const slots = paths.map((path) => {
      if (taken.has(path)) throw malformed(toNull);
      taken.add(path);
      return slotAt(operations, path);
    });
    const variables = paths.map((path: string) => path.split(".")[1] as string);
    const maxBytes = Math.max(...variables.map(limits));
    // A path relative to the operation's arguments.
    found.set(name, { maxBytes, slots, inputPath: paths[0].split(".").slice(1) });
  }
  return found;
}

function slotAt(operations: Record<string, unknown>, path: unknown): Slot {
  const keys = typeof path === "string" ? path.split(".") : [];
  const key = keys.pop() ?? "";
  let parent: unknown = operations;
  for (const step of keys) parent = isContainer(parent) && Object.hasOwn(parent, step) ? parent[step] : undefined;
  if (keys[0] !== "variables" || !isContainer(parent) || !Object.hasOwn(parent, key) || parent[key] !== null) {
    throw malformed(toNull);
  }
  return { parent, key };
}

/**
 * Compares the announced length of the body with the limits of all its files.
 *
 * @returns the least number of bytes that the files have; 0 if no length was announced
 */
function requireShort(req: IncomingMessage, files: ReadonlyMap<string, ExpectedFile>, fieldBytes: number): number {
  const announced = req.headers["content-length"];
  if (announced === undefined) return 0;
  const overhead = fieldBytes + (files.size + 2) * partBytes;
  const limits = [...files.values()].map(({ maxBytes }) => maxBytes);
  if (Number(announced) > overhead + limits.reduce((sum, limit) => sum + limit, 0)) {
    const [{ inputPath } = {}] = files.size === 1 ? [...files.values()] : [];
    throw tooLarge(new FileTooLargeError(Math.max(...limits)).message, inputPath);
  }
  return Math.max(0, Number(announced) - overhead);
}

async function settle(files: ReadonlyMap<string, Promise<StagedFile>>): Promise<[string, StagedFile][]> {
  return Promise.all([...files].map(async ([name, file]): Promise<[string, StagedFile]> => [name, await file]));
}

function insertFiles(
  fields: ReadonlyMap<string, unknown>,
  expected: ReadonlyMap<string, ExpectedFile> | undefined,
  files: ReadonlyMap<string, StagedFile>,
): GraphQLParams {
  if (!expected) throw malformed(`The field ${fields.has("operations") ? "map" : "operations"} is missing.`);
  for (const [name, { slots }] of expected) {
    const file = files.get(name);
    if (!file) throw malformed(`The file ${JSON.stringify(name)} of map is missing.`);
    for (const { parent, key } of slots) parent[key] = file;
  }
  return fields.get("operations") as GraphQLParams;
}

const isRecord = (value: unknown): value is Record<string, unknown> => isContainer(value) && !Array.isArray(value);
const isContainer = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const order = "The parts are operations, map, and the files, in this order.";
const tooManyFiles = `A request has at most ${maxFiles} files.`;
const toNull = "A path in map leads to a null in operations, such as variables.file.";
const malformed = (message: string) => refusal("BAD_USER_INPUT", 400, message);
const tooLarge = (message: string, inputPath?: readonly string[]): ApplicationError =>
  refusal("PAYLOAD_TOO_LARGE", 413, message, inputPath);
