/**
 * From the bytes of a file to what is known of it at once: its format, a title, and its text where it is text already.
 * Files come from outside, and this takes time in proportion to them, so in the server it runs on a thread of its own
 * (document.reading-thread.ts).
 */
import { extname } from "node:path";
import { convert } from "html-to-text";
import { headBytes } from "../../storage/file-store.ts";
import { decodeText, toUtf8, UnreadableTextError } from "./encoding.ts";
import { extractedFormats, type Format, formats } from "./format.ts";
import { FileRefusedError, formatOf } from "./sniffing.ts";
import { cleanTitle, firstHeading, titleCharacters, titleElement } from "./title.ts";

export type FileToRead = {
  /** The sender's name for it. */
  name: string;
  /** All bytes of the file, or the first `headBytes`. */
  bytes: Uint8Array;
  isWhole: boolean;
};

export type FileReading =
  | {
      mimeType: Format;
      title: string;
      /** In UTF-8; null when a worker is to read it from the original. */
      text: Uint8Array | null;
    }
  | { refusal: Pick<FileRefusedError, "code" | "message"> };

/** @returns null for a text of which only the head was given: all of it is needed */
export async function readFile(file: FileToRead): Promise<FileReading | null> {
  try {
    const head = file.bytes.subarray(0, headBytes);
    const mimeType = await formatOf({ name: file.name, head });
    if (extractedFormats.includes(mimeType)) {
      const title = mimeType === formats.html ? titleOfPage(head) : undefined;
      return { mimeType, title: cleanTitle(title ?? baseName(file.name)), text: null };
    }
    if (!file.isWhole) return null;
    const text = textOf(file.bytes);
    return { mimeType, title: cleanTitle(titleOfText(text) ?? baseName(file.name)), text };
  } catch (error) {
    // As a value, because errors lose their class between threads.
    if (error instanceof FileRefusedError) return { refusal: { code: error.code, message: error.message } };
    throw error;
  }
}

function textOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  try {
    return toUtf8(Buffer.from(buffer, byteOffset, byteLength));
  } catch (error) {
    if (!(error instanceof UnreadableTextError)) throw error;
    throw new FileRefusedError("UNSUPPORTED_MEDIA_TYPE", `The file cannot be read as text. ${error.message}`);
  }
}

/** Bytes of UTF-8 for one of the code units that JavaScript counts. */
const maxBytesPerCharacter = 3;

function titleOfText(text: Buffer): string | undefined {
  // One more character, which may be cut in two.
  const start = text.toString("utf8", 0, maxBytesPerCharacter * (titleCharacters + 1));
  if ((start.trim() === "" ? text.toString() : start).trim() === "") {
    throw new FileRefusedError("BAD_USER_INPUT", "The text is empty.");
  }
  return firstHeading(start.slice(0, titleCharacters));
}

/** The content of `<title>`, where it stands among the first bytes. */
function titleOfPage(head: Uint8Array): string | undefined {
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

const baseName = (name: string) => name.slice(0, name.length - extname(name).length);
