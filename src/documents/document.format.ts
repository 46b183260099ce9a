/** What kind of document some bytes are. The name that a file came with tells only Markdown from plain text. */
import { extname } from "node:path";
import { fileTypeFromBuffer } from "file-type";
import { ApplicationError } from "../errors.ts";
import type { StagedFile } from "../storage/file-store.ts";
import { beginsPage, beginsPiece } from "./document.sniffing.ts";

export const formats = {
  plain: "text/plain",
  markdown: "text/markdown",
  html: "text/html",
  pdf: "application/pdf",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
} as const;
export type Format = (typeof formats)[keyof typeof formats];

/** Formats whose text a worker reads from the original; the others are text as they are. */
export const extractedFormats: readonly string[] = [formats.html, formats.pdf, formats.docx];

/** Text to a computer, but not to a reader. */
const markup = ["application/rtf", "application/postscript"];

/** @throws ApplicationError UNSUPPORTED_MEDIA_TYPE for what is certainly none of them */
export async function formatOf({ head, name }: StagedFile, inputPath: readonly string[]): Promise<Format> {
  const found = (await fileTypeFromBuffer(head))?.mime;
  if (found === formats.pdf || found === formats.docx) return found;
  if (found === "application/x-cfb") {
    throw unsupported("An old or protected Office file: save it as .docx, without a password.", inputPath);
  }
  const start = beginningOf(head);
  // Short marks of other formats may begin a text as well ("BM", "MZ"), so those count only where there is no text.
  if (start === undefined || markup.includes(found ?? "")) {
    throw unsupported(`Text, Markdown, HTML, PDF and DOCX are taken, not ${found ?? "binary data"}.`, inputPath);
  }
  const isMarkdown = /^\.(md|markdown)$/i.test(extname(name));
  if (beginsPage(start) || (!isMarkdown && beginsPiece(start))) return formats.html;
  return isMarkdown ? formats.markdown : formats.plain;
}

export function unsupported(message: string, inputPath: readonly string[]): ApplicationError {
  return new ApplicationError("UNSUPPORTED_MEDIA_TYPE", message, { inputPath });
}

/** Characters that the WHATWG's rules of sniffing take as a sign of binary data. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const binary = /[\0-\x08\x0b\x0e-\x1a\x1c-\x1f]/;

/** The first characters, exact as far as they are ASCII; undefined for what is not text. */
function beginningOf(head: Uint8Array): string | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return new TextDecoder("utf-16le").decode(head);
  if (head[0] === 0xfe && head[1] === 0xff) return new TextDecoder("utf-16be").decode(head);
  const start = new TextDecoder().decode(head);
  return binary.test(start) ? undefined : start;
}
