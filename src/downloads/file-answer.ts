/** Status and headers of the response to a request for a file, by RFC 9110: conditions first, then the range. */
import type { IncomingHttpHeaders } from "node:http";
import { parse } from "range-parser";
import type { ByteRange } from "../storage/file-store.ts";
import type { ServedFile } from "./download.ts";
import { dispositionOf } from "./file-names.ts";

export type FileAnswer = {
  status: 200 | 206 | 304 | 416;
  headers: Record<string, string | number>;
  /** The bytes of the body of 200 and 206; empty for the others. */
  range: ByteRange;
};

/**
 * Sent with every file. The address itself is the permission, and cookies are not read, so pages of any origin may play
 * the file, and with CORS also read it (`fetch`, Web Audio): they must have the address. A file that is opened as a page
 * runs no scripts and loads nothing but itself, which is how a browser plays audio in a page of its own.
 */
export const headersOfFiles = {
  "accept-ranges": "bytes",
  "x-content-type-options": "nosniff",
  "content-security-policy": "sandbox; default-src 'none'; media-src 'self'",
  "cross-origin-resource-policy": "cross-origin",
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "accept-ranges, content-disposition, content-length, content-range, etag",
  "referrer-policy": "no-referrer",
};

const nothing: ByteRange = { start: 0, end: 0 };

type Conditions = Pick<IncomingHttpHeaders, "range" | "if-none-match"> & { "if-range"?: string | string[] };

/** @param cacheSeconds time for which the client may keep the file */
export function answerOf(
  request: Conditions,
  file: Pick<ServedFile, "name" | "mimeType" | "disposition" | "sizeBytes" | "sha256" | "isLive">,
  cacheSeconds: number,
): FileAnswer {
  const etag = `"${file.sha256}"`;
  const validity = {
    ...headersOfFiles,
    etag,
    "cache-control": file.isLive ? "no-store" : `private, max-age=${Math.max(0, Math.floor(cacheSeconds))}`,
  };
  if (isKnown(request["if-none-match"], etag)) return { status: 304, headers: validity, range: nothing };
  const range = rangeOf(request, file.sizeBytes, etag);
  if (range === "unsatisfiable") {
    return { status: 416, headers: { "content-range": `bytes */${file.sizeBytes}` }, range: nothing };
  }
  const { start, end } = range ?? { start: 0, end: file.sizeBytes };
  const headers = {
    ...validity,
    "content-type": file.mimeType,
    "content-disposition": dispositionOf(file),
    "content-length": end - start,
  };
  if (!range) return { status: 200, headers, range: { start, end } };
  const contentRange = `bytes ${start}-${end - 1}/${file.sizeBytes}`;
  return { status: 206, headers: { ...headers, "content-range": contentRange }, range };
}

/** Weak comparison, as If-None-Match demands. */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(",").some((tag) => ["*", etag, `W/${etag}`].includes(tag.trim()));
}

/**
 * The range to send; null for the whole file. If-Range is compared strongly; it may also be a date, which never matches,
 * because files have none.
 *
 * Several ranges are answered with the whole file, as RFC 9110 allows. Players ask for one; a response in several parts
 * could be made larger than the file by overlapping ranges. Malformed ranges are ignored.
 */
function rangeOf(
  { range, "if-range": ifRange }: Conditions,
  sizeBytes: number,
  etag: string,
): ByteRange | "unsatisfiable" | null {
  if (range === undefined || (ifRange !== undefined && ifRange !== etag)) return null;
  const { code, type, ranges } = parse(sizeBytes, range);
  const isMalformed = (code & 1) !== 0;
  // An empty file has no bytes to choose from. Some clients send a range with each request, and can do with no bytes.
  if (type !== "bytes" || isMalformed || ranges.length > 1 || sizeBytes === 0) return null;
  const [only] = ranges;
  return only ? { start: only.start, end: only.end + 1 } : "unsatisfiable";
}
