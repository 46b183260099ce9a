/** From what somebody sent to what is known of a document at once: size, kind, text or original, and a title. */
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
      /** In UTF-8: the database takes bytes as they are, where a string would be held and copied once more. */
      text: Buffer;
      storageKey: null;
    }
  | { text: null; storageKey: string }
);

/** At most MAX_JSON_BYTES, so it is read here and not on a thread: 1 MB takes a few milliseconds. */
export function contentOfText(text: string, maxBytes: number, inputPath: readonly string[]): DocumentContent {
  if (!text.isWellFormed()) throw badInput(inputPath, "The text is not valid Unicode: it holds half a character.");
  if (text.includes("\0")) throw badInput(inputPath, "The text holds NUL characters, which no text does.");
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

/** Of a format whose text a worker reads, the original is kept; the others are text already. */
export async function contentOfFile(
  file: StagedFile,
  reader: FileReader,
  files: Pick<FileStore, "keep">,
  inputPath: readonly string[],
): Promise<DocumentContent> {
  if (file.sizeBytes === 0) throw badInput(inputPath, "The file is empty.");
  const reading = await reader.read(file);
  if ("refusal" in reading) throw new ApplicationError(reading.refusal.code, reading.refusal.message, { inputPath });
  const { mimeType, title, text } = reading;
  const known = { mimeType, title, sizeBytes: BigInt(file.sizeBytes), sha256: file.sha256 };
  if (text === null) return { ...known, text, storageKey: await files.keep(file) };
  return { ...known, text: Buffer.from(text.buffer, text.byteOffset, text.byteLength), storageKey: null };
}
