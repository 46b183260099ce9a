/**
 * Serves files under `/files/`:
 *
 *   address ──► viewer ──► row ──► 304, 416, redirect, or headers ──► pieces
 *
 * The user of the address must still exist, and may still see the row. All reasons why there is no file have the same
 * response, so an address tells nothing about rows of others.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import type { Reader } from "../eager-loading/reader.ts";
import { ApplicationError } from "../errors.ts";
import { type ByteRange, FileMissingError, type FileStore } from "../storage/file-store.ts";
import type { Viewers } from "../viewer.ts";
import type { Download, ServedFile } from "./download.ts";
import { addressesFor, type FileAddresses, type FileClaim } from "./file-addresses.ts";
import { answerOf, type FileAnswer, headersOfFiles } from "./file-answer.ts";
import { dispositionOf } from "./file-names.ts";
import { sendPieces } from "./send-pieces.ts";

/** `presignedUrl` returns the address of a kept file in the store itself, for clients. */
export type DownloadStore = Pick<FileStore, "pieces" | "size"> & {
  presignedUrl?(
    key: string,
    options: { expiresSeconds: number; mimeType: string; disposition: string },
  ): Promise<string>;
};

export type DownloadHandlerOptions = {
  downloads: readonly Download[];
  addresses: Pick<FileAddresses, "find" | "of">;
  viewers: Pick<Viewers, "ofUser">;
  reader: Reader;
  files: DownloadStore;
  /** True if strangers may read the shared library. */
  isPublic: boolean;
  /** `redirect`: clients get files from the store itself, if it has addresses. */
  delivery: "stream" | "redirect";
  logger: Logger;
  /** Time after which a client that takes nothing is dropped. A paused player then continues with a range. */
  stallMs?: number;
};

/** @throws ApplicationError and other errors before the response has begun; the caller answers them */
export type DownloadHandler = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

/** The store does not ask who may see the row, so its addresses live shorter. */
const redirectSeconds = 3_600;

export function downloadHandler({ stallMs = 60_000, ...options }: DownloadHandlerOptions): DownloadHandler {
  const { files, delivery, logger } = options;
  const downloads = new Map(options.downloads.map((download) => [download.kind, download]));
  if (downloads.size < options.downloads.length) throw new Error("Two kinds of downloads have the same name.");

  async function find({ kind, id, viewerId }: FileClaim): Promise<ServedFile | null> {
    const viewer = viewerId === null ? null : await options.viewers.ofUser(viewerId);
    const mayRead = viewerId === null ? options.isPublic : viewer !== null;
    const fileAddress = addressesFor(options.addresses, viewerId);
    return (mayRead && (await downloads.get(kind)?.find(id, viewer, options.reader, fileAddress))) || null;
  }

  async function redirect(res: ServerResponse, file: StoredFile, secondsLeft: number): Promise<boolean> {
    if (delivery !== "redirect" || !files.presignedUrl) return false;
    const location = await files.presignedUrl(file.storageKey, {
      expiresSeconds: Math.ceil(Math.min(secondsLeft, redirectSeconds)),
      mimeType: file.mimeType,
      disposition: dispositionOf(file),
    });
    res.writeHead(302, { ...headersOfFiles, location, "cache-control": "no-store" }).end();
    return true;
  }

  async function send(req: IncomingMessage, res: ServerResponse, file: ServedFile, answer: FileAnswer): Promise<void> {
    const { status, headers, range } = answer;
    const begin = () => void res.writeHead(status, headers);
    if (req.method === "HEAD" || status === 304) {
      if (status !== 304 && isStored(file)) await requireStored(files, file.storageKey);
      begin();
      res.end();
      return;
    }
    const body = { key: keyOf(file), pieces: piecesOf(file, range, files), sizeBytes: range.end - range.start };
    await sendPieces(res, body, begin, stallMs);
  }

  return async (req, res) => {
    if (req.method !== "GET" && req.method !== "HEAD") throw notAllowed();
    const claim = options.addresses.find(req.url ?? "");
    const file = claim && (await find(claim));
    if (!claim || !file) throw missing();
    const secondsLeft = claim.expiresAt - Date.now() / 1_000;
    const answer = answerOf(req.headers, file, secondsLeft);
    if (answer.status === 416) throw unsatisfiable(file, answer);
    try {
      // The store's address is for GET only.
      const isRedirected =
        req.method === "GET" && answer.status !== 304 && isStored(file) && (await redirect(res, file, secondsLeft));
      if (!isRedirected) await send(req, res, file, answer);
    } catch (error) {
      const { kind, id } = claim;
      if (res.headersSent) {
        logger.error({ err: error, kind, id }, "a file could not be sent to its end");
        res.destroy();
        return;
      }
      if (!(error instanceof FileMissingError)) throw error;
      logger.error({ err: error, kind, id }, "the file of a row is missing");
      throw missing(error);
    }
  };
}

type StoredFile = Extract<ServedFile, { storageKey: string }>;
const isStored = (file: ServedFile): file is StoredFile => "storageKey" in file;
const keyOf = (file: ServedFile) => (isStored(file) ? file.storageKey : file.name);

function piecesOf(file: ServedFile, range: ByteRange, files: DownloadStore): AsyncIterable<Uint8Array> {
  if (isStored(file)) return files.pieces(file.storageKey, range);
  return "bytes" in file ? onePiece(file.bytes.subarray(range.start, range.end)) : file.pieces(range);
}

async function* onePiece(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

async function requireStored(files: DownloadStore, key: string): Promise<void> {
  if ((await files.size(key)) === null) throw new FileMissingError(key);
}

function missing(cause?: unknown): ApplicationError {
  const message = "There is no such file, or its address has expired: query a new address.";
  return new ApplicationError("NOT_FOUND", message, { http: { status: 404 } }, cause);
}

function notAllowed(): ApplicationError {
  const http = { status: 405, headers: { allow: "GET, HEAD" } };
  return new ApplicationError("BAD_USER_INPUT", "A file can be read by GET and HEAD only.", { http });
}

function unsatisfiable({ sizeBytes }: ServedFile, { status, headers }: FileAnswer): ApplicationError {
  const message = `The file has ${sizeBytes} bytes: ask for a range that begins before its end.`;
  return new ApplicationError("BAD_USER_INPUT", message, { http: { status, headers } });
}
