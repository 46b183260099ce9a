/** Tells what kind of document some bytes are. Of the file's name only the ending of Markdown counts. */
import { extname } from "node:path";
import { fileTypeFromBuffer } from "file-type";
import type { ErrorCode } from "../../errors.ts";
import type { StagedFile } from "../../storage/file-store.ts";
import { type Format, formats } from "./format.ts";

/** Text to a computer, but not to a reader. */
const markup = ["application/rtf", "application/postscript"];

/** The file is no document. The message is for whoever sent it. */
export class FileRefusedError extends Error {
  override name = "FileRefusedError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** @throws FileRefusedError for what is certainly none of the formats */
export async function formatOf({ head, name }: Pick<StagedFile, "head" | "name">): Promise<Format> {
  const found = (await fileTypeFromBuffer(head))?.mime;
  if (found === formats.pdf || found === formats.docx) return found;
  if (found === "application/x-cfb") {
    throw unsupported("An old or protected Office file: save it as .docx, without a password.");
  }
  const start = beginningOf(head);
  // Short marks of other formats may begin a text as well ("BM", "MZ"), so those count only where there is no text.
  if (start === undefined || markup.includes(found ?? "")) {
    throw unsupported(`Text, Markdown, HTML, PDF and DOCX are taken, not ${found ?? "binary data"}.`);
  }
  const isMarkdown = /^\.(md|markdown)$/i.test(extname(name));
  if (beginsPage(start) || (!isMarkdown && beginsPiece(start))) return formats.html;
  return isMarkdown ? formats.markdown : formats.plain;
}

const unsupported = (message: string) => new FileRefusedError("UNSUPPORTED_MEDIA_TYPE", message);

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

// The text comes from outside, so the functions below walk it once, from left to right: a single regular expression for
// the same question took twice as long for each further `<!---->`.

/** One of the tags that begin a whole page. */
const pageTag = /<(?:!doctype\s+html|html|head|title|meta|body|style|script)[\s/>]/iy;
/** A tag that may also stand in Markdown, or a comment. */
const pieceTag =
  /<(?:!--|(?:h[1-6]|div|p|a|b|br|table|ul|ol|font|iframe|article|section|main|header|nav|img|span)[\s/>])/iy;
/** White space, or the declaration of an XHTML page. */
const blank = /\s+|<\?xml[^>]*>/iy;
const commentStart = "<!--";
const commentEnd = "-->";

/** True for a whole HTML page, which white space, comments and `<?xml …?>` may precede. */
export function beginsPage(text: string): boolean {
  let at = afterBlanks(text, 0);
  if (standsAt(pageTag, text, at)) return true;
  if (!text.startsWith(commentStart, at)) return false;
  // A comment may contain `-->`, so the page may begin after any of them.
  let end = text.indexOf(commentEnd, at + commentStart.length);
  while (end >= 0) {
    at = afterBlanks(text, end + commentEnd.length);
    if (standsAt(pageTag, text, at)) return true;
    // Each end that `afterBlanks` passed over leads to `at` again: trying it would make this quadratic.
    end = text.indexOf(commentEnd, at - commentEnd.length + 1);
  }
  return false;
}

/** True for a piece of HTML. Markdown may begin in the same way. */
export function beginsPiece(text: string): boolean {
  return standsAt(pieceTag, text, text.length - text.trimStart().length);
}

/** Whether the sticky expression matches exactly there. Its `lastIndex` is then the end of the match. */
function standsAt(expression: RegExp, text: string, at: number): boolean {
  expression.lastIndex = at;
  return expression.test(text);
}

function afterBlanks(text: string, from: number): number {
  let at = from;
  while (standsAt(blank, text, at)) at = blank.lastIndex;
  return at;
}
