/** From what somebody sent to what is known of a document at once: size, kind, text or original, and a title. */
import { createHash } from "node:crypto";
import { extname } from "node:path";
import { convert } from "html-to-text";
import { ApplicationError, badInput } from "../errors.ts";
import type { FileStore, StagedFile } from "../storage/file-store.ts";
import { decodeText, toUtf8, UnreadableTextError } from "./document.encoding.ts";
import { extractedFormats, type Format, formatOf, formats, unsupported } from "./document.format.ts";
import { cleanTitle, firstHeading, titleElement } from "./document.title.ts";

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

/** Characters among which a title is looked for. */
const titleCharacters = 10_000;
/** Of UTF-8, for one of the code units that JavaScript counts. */
const maxBytesPerCharacter = 3;

export function contentOfText(text: string, maxBytes: number, inputPath: readonly string[]): DocumentContent {
  if (!text.isWellFormed()) throw badInput(inputPath, "The text is not valid Unicode: it holds half a character.");
  if (text.includes("\0")) throw badInput(inputPath, "The text holds NUL characters, which no text does.");
  const bytes = Buffer.from(text);
  if (bytes.length > maxBytes) {
    const message = `A document has at most ${maxBytes} bytes, not ${bytes.length}.`;
    throw new ApplicationError("PAYLOAD_TOO_LARGE", message, { inputPath });
  }
  requireText(text, inputPath);
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

/** Text is read at once. Of the other formats the original is kept, for a worker to read. */
export async function contentOfFile(
  file: StagedFile,
  files: Pick<FileStore, "readStaged" | "keep">,
  inputPath: readonly string[],
): Promise<DocumentContent> {
  if (file.sizeBytes === 0) throw badInput(inputPath, "The file is empty.");
  const mimeType = await formatOf(file, inputPath);
  const known = { mimeType, sizeBytes: BigInt(file.sizeBytes), sha256: file.sha256 };
  if (extractedFormats.includes(mimeType)) {
    const title = mimeType === formats.html ? titleOfPage(file) : undefined;
    return { ...known, title: cleanTitle(title ?? nameOf(file)), text: null, storageKey: await files.keep(file) };
  }
  const text = await textOf(file, files, inputPath);
  // One more character, which may be cut in two.
  const start = text.toString("utf8", 0, maxBytesPerCharacter * (titleCharacters + 1));
  requireText(start.trim() === "" ? text.toString() : start, inputPath);
  return {
    ...known,
    title: cleanTitle(firstHeading(start.slice(0, titleCharacters)) ?? nameOf(file)),
    text,
    storageKey: null,
  };
}

async function textOf(
  file: StagedFile,
  files: Pick<FileStore, "readStaged">,
  inputPath: readonly string[],
): Promise<Buffer> {
  try {
    return toUtf8(await files.readStaged(file));
  } catch (error) {
    if (!(error instanceof UnreadableTextError)) throw error;
    throw unsupported(`The file cannot be read as text. ${error.message}`, inputPath);
  }
}

function requireText(text: string, inputPath: readonly string[]): void {
  if (text.trim() === "") throw badInput(inputPath, "The text is empty.");
}

/** What `<title>` says, where it stands among the first bytes. */
function titleOfPage({ head }: StagedFile): string | undefined {
  try {
    const title = titleElement(decodeHead(head));
    return title === undefined || title.trim() === "" ? undefined : convert(title);
  } catch {
    return undefined;
  }
}

/** The last character may be cut in two. */
function decodeHead(head: Uint8Array): string {
  for (let cut = 0; ; cut++) {
    try {
      return decodeText(head.subarray(0, head.length - cut), true);
    } catch (error) {
      if (cut === 3) throw error;
    }
  }
}

const nameOf = ({ name }: StagedFile) => name.slice(0, name.length - extname(name).length);
