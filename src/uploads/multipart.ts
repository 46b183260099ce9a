/**
 * Receives a request of the GraphQL multipart request specification: `operations`, then `map`, then the files, which
 * are streamed into the file store. The operation runs only after the whole request is received and valid.
 */
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { Busboy, type BusboyInstance } from "@fastify/busboy";
import type { GraphQLParams } from "graphql-yoga";
import { ApplicationError, type ErrorCode } from "../errors.ts";
import { requireSparseJson } from "../operations/request-limits.ts";
import { type FileStore, FileTooLargeError, type StagedFile } from "../storage/file-store.ts";

export type UploadLimits = {
  /** Bytes of `operations` and of `map`. */
  maxFieldBytes: number;
  /** Bytes of one file. */
  maxFileBytes: number;
  /** Number of list items and object fields in the variables. */
  maxVariableValues: number;
};

const maxFiles = 10;
/** Headers of one part, which needs two or three. Further ones are ignored. */
const maxHeaders = 20;
const maxHeaderBytes = 8_192;

/**
 * @param staged receives every complete file, even if the request fails later
 * @throws ApplicationError, but not before all writes have ended
 */
export async function receiveMultipart(
  req: IncomingMessage,
  store: FileStore,
  { maxFieldBytes, maxFileBytes, maxVariableValues }: UploadLimits,
  staged: StagedFile[],
): Promise<GraphQLParams> {
  const parser = parserFor(req, maxFieldBytes);
  const files = new Map<string, Promise<StagedFile>>();
  const fields = new Map<string, unknown>();
  const { promise: received, resolve, reject } = Promise.withResolvers<void>();
  let current: Readable | undefined;
  const fail = (error: unknown) => {
    req.unpipe(parser);
    // Ends the write of the file that is being received.
    current?.destroy();
    reject(error);
  };

  parser.on("field", (name, value, _isNameCut, isValueCut) => {
    if (isValueCut) return fail(tooLarge(`The field ${name} has at most ${maxFieldBytes} bytes.`));
    const expected = ["operations", "map"][fields.size];
    if (name !== expected) return fail(malformed(`The parts are operations, map, and the files, in this order.`));
    try {
      requireSparseJson(value, maxVariableValues);
      fields.set(name, JSON.parse(value));
    } catch (error) {
      fail(error instanceof ApplicationError ? error : malformed(`The field ${name} is not JSON.`));
    }
  });
  parser.on("file", (name, stream, filename) => {
    current = stream;
    // An error after the reader has stopped must not end the process.
    stream.on("error", () => {});
    if (fields.size < 2) return fail(malformed("The parts are operations, map, and the files, in this order."));
    if (name === undefined || files.has(name)) return fail(malformed("Each file is sent once, under its name in map."));
    const file = store.stage(stream, { name: filename ?? "", maxBytes: maxFileBytes });
    files.set(name, file);
    file
      .then((whole) => void staged.push(whole))
      .catch((error) => {
        fail(
          error instanceof FileTooLargeError ? tooLarge(error.message, inputPathOf(fields.get("map"), name)) : error,
        );
      });
  });
  for (const limit of ["partsLimit", "filesLimit", "fieldsLimit"] as const) {
    parser.on(limit, () => fail(malformed(`A request has at most ${maxFiles} files.`)));
  }
  parser.on("error", () => fail(malformed("The multipart body is malformed or incomplete.")));
  parser.on("finish", resolve);
  req.on("error", () => fail(malformed("The request is incomplete.")));
  req.on("close", () => req.complete || fail(malformed("The request is incomplete.")));
  req.pipe(parser);

  try {
    await received;
    return insertFiles(fields, new Map(await settle(files)));
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

async function settle(files: ReadonlyMap<string, Promise<StagedFile>>): Promise<[string, StagedFile][]> {
  return Promise.all([...files].map(async ([name, file]): Promise<[string, StagedFile]> => [name, await file]));
}

/** Inserts each file into the variables at its paths in `map`, each of which must lead to a null. */
function insertFiles(fields: ReadonlyMap<string, unknown>, files: ReadonlyMap<string, StagedFile>): GraphQLParams {
  const operations = fields.get("operations");
  const map = fields.get("map");
  if (!isRecord(operations) && !Array.isArray(operations)) throw malformed("The field operations is missing.");
  if (!isRecord(map)) throw malformed("The field map is missing.");
  const names = Object.keys(map);
  const missing = names.find((name) => !files.has(name));
  if (missing !== undefined) throw malformed(`The file ${JSON.stringify(missing)} of map is missing.`);
  for (const [name, file] of files) {
    const paths = Object.hasOwn(map, name) ? map[name] : undefined;
    if (!Array.isArray(paths) || paths.length === 0 || paths.length > maxFiles) {
      throw malformed(`Each file has 1 to ${maxFiles} paths in map.`);
    }
    for (const path of paths) insertFile(operations, path, file);
  }
  return operations as GraphQLParams;
}

function insertFile(operations: object, path: unknown, file: StagedFile): void {
  const keys = typeof path === "string" ? path.split(".") : [];
  const last = keys.pop() ?? "";
  let parent: unknown = operations;
  for (const key of keys) parent = isContainer(parent) && Object.hasOwn(parent, key) ? parent[key] : undefined;
  if (!isContainer(parent) || !Object.hasOwn(parent, last) || parent[last] !== null) {
    throw malformed("A path in map leads to a null in operations, such as variables.file.");
  }
  parent[last] = file;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isContainer = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** The file's first path in `map`, relative to the operation's arguments. */
function inputPathOf(map: unknown, name: string): readonly string[] | undefined {
  const [path] = isRecord(map) && Array.isArray(map[name]) ? (map[name] as unknown[]) : [];
  return typeof path === "string" ? path.split(".").slice(1) : undefined;
}

const malformed = (message: string) => refusal("BAD_USER_INPUT", 400, message);
const tooLarge = (message: string, inputPath?: readonly string[]) =>
  refusal("PAYLOAD_TOO_LARGE", 413, message, inputPath);

/** unread-body.ts handles the rest of the body. */
export function refusal(
  code: ErrorCode,
  status: number,
  message: string,
  inputPath?: readonly string[],
): ApplicationError {
  return new ApplicationError(code, message, { ...(inputPath ? { inputPath } : {}), http: { status } });
}
