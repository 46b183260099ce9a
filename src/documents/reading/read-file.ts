/**
 * Determines a file's format and title, and its text unless a worker must extract it. The server runs this on a thread
 * (reading-thread.ts), because it takes time in proportion to the file.
 */
import { extname } from "node:path";
import { convert } from "html-to-text";
import { headBytes } from "../../storage/file-store.ts";
import { decodeText, toUtf8, UnreadableTextError } from "./encoding.ts";
import { extractedFormats, type Format, formats } from "./format.ts";
import { FileRefusedError, formatOf } from "./sniffing.ts";
import { cleanTitle, firstHeading, titleCharacters, titleElement } from "./title.ts";

export type FileToRead = {
  /** The client's name for the file. */
  name: string;
  /** The whole file, or its first `headBytes`. */
  bytes: Uint8Array;
  isWhole: boolean;
};

export type FileReading =
  | {
      mimeType: Format;
      title: string;
      /** UTF-8; null if a worker must extract it from the original. */
      text: Uint8Array | null;
    }
  | { refusal: Pick<FileRefusedError, "code" | "message"> };

/** @returns null if the file is text and only its head was given: the whole file is needed */
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
    // Not thrown, because errors lose their class between threads.
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

/** Maximum length in UTF-8 of a UTF-16 code unit. */
const maxBytesPerCharacter = 3;

function titleOfText(text: Buffer): string | undefined {
  // One more character, because the last one may be truncated.
  const start = text.toString("utf8", 0, maxBytesPerCharacter * (titleCharacters + 1));
  if ((start.trim() === "" ? text.toString() : start).trim() === "") {
    throw new FileRefusedError("BAD_USER_INPUT", "The text is empty.");
  }
  return firstHeading(start.slice(0, titleCharacters));
}

/** The content of `<title>`, if the head contains it. */
function titleOfPage(head: Uint8Array): string | undefined {
  try {
    const title = titleElement(decodeHead(head));
    return title === undefined || title.trim() === "" ? undefined : convert(title);
  } catch {
    return undefined;
  }
}

/** Decodes without the last character if it is truncated. */
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
