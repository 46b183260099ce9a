/** Determines the content of a new document: format, size, hash, title, and either text or original. */
import { createHash } from "node:crypto";
import { ApplicationError, badInput } from "../../errors.ts";
import type { FileStore, StagedFile } from "../../storage/file-store.ts";
import type { FileReader } from "./file-reader.ts";
import { type Format, formats } from "./format.ts";
import { cleanTitle, firstHeading, titleCharacters } from "./title.ts";

export type DocumentContent = {
  mimeType: Format;
  sizeBytes: bigint;
  sha256: string;
  title: string;
} & (
  | {
      /** UTF-8, which is sent to the database without conversion; a string would need another copy. */
      text: Buffer;
      storageKey: null;
    }
  | { text: null; storageKey: string }
);

/** Runs on the event loop, because the text has at most MAX_JSON_BYTES: 1 MB takes a few milliseconds. */
export function contentOfText(text: string, maxBytes: number, inputPath: readonly string[]): DocumentContent {
  if (!text.isWellFormed()) throw badInput(inputPath, "The text is not valid Unicode: it contains a lone surrogate.");
  if (text.includes("\0")) throw badInput(inputPath, "The text contains NUL characters.");
  const bytes = Buffer.from(text);
  if (bytes.length > maxBytes) {
    const message = `A document has at most ${maxBytes} bytes, not ${bytes.length}.`;
    throw new ApplicationError("PAYLOAD_TOO_LARGE", message, { inputPath });
  }
  if (text.trim() === "") throw badInput(inputPath, "The text is empty.");
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const title = firstHeading(text.slice(0, titleCharacters)) ?? (text.trimStart().split("\n", 1)[0] as string);
  return {
    mimeType: formats.plain,
    text: bytes,
    storageKey: null,
    sizeBytes: BigInt(bytes.length),
    sha256,
    title: cleanTitle(title),
  };
}

export type FileParts = {
  reader: FileReader;
  files: Pick<FileStore, "keep">;
  maxBytes: number;
  /** Receives a function to be called when the text is not needed any more. */
  hold: (release: () => void) => void;
};

/** Keeps the original of formats that need extraction. */
export async function contentOfFile(
  file: StagedFile,
  { reader, files, maxBytes, hold }: FileParts,
  inputPath: readonly string[],
): Promise<DocumentContent> {
  // An upload may be as large as the largest file of any slice.
  if (file.sizeBytes > maxBytes) {
    const message = `A file has at most ${maxBytes} bytes, not ${file.sizeBytes}.`;
    throw new ApplicationError("PAYLOAD_TOO_LARGE", message, { inputPath });
  }
  if (file.sizeBytes === 0) throw badInput(inputPath, "The file is empty.");
  const reading = await reader.read(file, hold);
  if ("refusal" in reading) throw new ApplicationError(reading.refusal.code, reading.refusal.message, { inputPath });
  const { mimeType, title, text } = reading;
  const known = { mimeType, title, sizeBytes: BigInt(file.sizeBytes), sha256: file.sha256 };
  if (text === null) return { ...known, text, storageKey: await files.keep(file) };
  return { ...known, text: Buffer.from(text.buffer, text.byteOffset, text.byteLength), storageKey: null };
}
