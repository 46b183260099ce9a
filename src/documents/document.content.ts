/** From what somebody sent to the text of a document: size, encoding, kind, and a title if none is given. */
import { createHash } from "node:crypto";
import { extname } from "node:path";
import { ApplicationError, badInput } from "../errors.ts";

export type DocumentContent = { text: string; mimeType: string; sizeBytes: bigint; sha256: string; title: string };

/** Kinds by the ending of a file's name: both are text, which the bytes alone cannot tell apart. */
const kinds: Record<string, string> = {
  "": "text/plain",
  ".txt": "text/plain",
  ".text": "text/plain",
  ".md": "text/markdown",
  ".markdown": "text/markdown",
};

const longestTitle = 200;

export function contentOfText(text: string, maxBytes: number, inputPath: readonly string[]): DocumentContent {
  if (!text.isWellFormed()) throw badInput(inputPath, "The text is not valid Unicode: it holds half a character.");
  const bytes = Buffer.from(text);
  return contentOf(text, bytes, "text/plain", undefined, maxBytes, inputPath);
}

export async function contentOfFile(
  file: File,
  maxBytes: number,
  inputPath: readonly string[],
): Promise<DocumentContent> {
  requireSize(file.size, maxBytes, inputPath);
  const extension = extname(file.name).toLowerCase();
  const mimeType = kinds[extension];
  if (!mimeType) {
    throw new ApplicationError(
      "UNSUPPORTED_MEDIA_TYPE",
      `Files of text are taken (${Object.keys(kinds).filter(Boolean).join(", ")}), not ${extension}.`,
      { inputPath },
    );
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  const base = file.name.slice(0, file.name.length - extension.length);
  return contentOf(decode(bytes, inputPath), bytes, mimeType, base, maxBytes, inputPath);
}

function contentOf(
  text: string,
  bytes: Uint8Array,
  mimeType: string,
  fileTitle: string | undefined,
  maxBytes: number,
  inputPath: readonly string[],
): DocumentContent {
  requireSize(bytes.byteLength, maxBytes, inputPath);
  if (text.trim() === "") throw badInput(inputPath, "The text is empty.");
  if (text.includes("\0")) throw badInput(inputPath, "The text holds NUL characters, which no text does.");
  return {
    text,
    mimeType,
    sizeBytes: BigInt(bytes.byteLength),
    sha256: createHash("sha256").update(bytes).digest("hex"),
    title: titleOf(text, fileTitle),
  };
}

function requireSize(size: number, maxBytes: number, inputPath: readonly string[]): void {
  if (size > maxBytes) {
    throw new ApplicationError("PAYLOAD_TOO_LARGE", `A document has at most ${maxBytes} bytes, not ${size}.`, {
      inputPath,
    });
  }
}

function decode(bytes: Uint8Array, inputPath: readonly string[]): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw badInput(inputPath, "The file is not UTF-8 text.");
  }
}

/** The first heading or line of the text; a file whose text starts with neither is called by its name. */
function titleOf(text: string, fileTitle: string | undefined): string {
  const heading = /^#{1,6}\s+(.+?)\s*#*$/m.exec(text.slice(0, 10_000))?.[1];
  const firstLine = text.trimStart().split("\n", 1)[0] ?? "";
  const title = cleanTitle(heading ?? fileTitle ?? firstLine);
  return title === "" ? "Untitled" : title;
}

function cleanTitle(title: string): string {
  const clean = title.replace(/[\p{Cc}\p{Cf}\p{Co}\s]+/gu, " ").trim();
  return clean.length <= longestTitle ? clean : `${[...clean].slice(0, longestTitle - 1).join("")}…`;
}
