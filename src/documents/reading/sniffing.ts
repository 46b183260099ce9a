/** Detects the format of a file by its bytes. Only Markdown is recognised by the extension of its name. */
import { extname } from "node:path";
import { fileTypeFromBuffer } from "file-type";
import type { ErrorCode } from "../../errors.ts";
import type { StagedFile } from "../../storage/file-store.ts";
import { type Format, formats } from "./format.ts";

/** Text formats that are not readable as text. */
const markup = ["application/rtf", "application/postscript"];

/** The file is not a document. The message is for the client. */
export class FileRefusedError extends Error {
  override name = "FileRefusedError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** @throws FileRefusedError if the file certainly has none of the formats */
export async function formatOf({ head, name }: Pick<StagedFile, "head" | "name">): Promise<Format> {
  const found = (await fileTypeFromBuffer(head))?.mime;
  if (found === formats.pdf || found === formats.docx) return found;
  if (found === "application/x-cfb") {
    throw unsupported("Old or protected Office files are not supported: save it as .docx, without a password.");
  }
  const start = beginningOf(head);
  // Short signatures of other formats, such as "BM" and "MZ", may also begin a text, so they count only for binary
  // data.
  if (start === undefined || markup.includes(found ?? "")) {
    throw unsupported(`Text, Markdown, HTML, PDF and DOCX are supported, not ${found ?? "binary data"}.`);
  }
  const isMarkdown = /^\.(md|markdown)$/i.test(extname(name));
  if (beginsPage(start) || (!isMarkdown && beginsPiece(start))) return formats.html;
  return isMarkdown ? formats.markdown : formats.plain;
}

const unsupported = (message: string) => new FileRefusedError("UNSUPPORTED_MEDIA_TYPE", message);

/** Binary data bytes of the WHATWG's MIME Sniffing standard. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression detects control characters.
const binary = /[\0-\x08\x0b\x0e-\x1a\x1c-\x1f]/;

/** Decodes the head, correctly at least for ASCII; undefined for binary data. */
function beginningOf(head: Uint8Array): string | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return new TextDecoder("utf-16le").decode(head);
  if (head[0] === 0xfe && head[1] === 0xff) return new TextDecoder("utf-16be").decode(head);
  const start = new TextDecoder().decode(head);
  return binary.test(start) ? undefined : start;
}

// The text may be hostile, so the functions below scan it once: an equivalent regular expression took twice as long for
// each further `<!---->`.

/** One of the tags that begin a whole page. */
const pageTag = /<(?:!doctype\s+html|html|head|title|meta|body|style|script)[\s/>]/iy;
/** A tag that may also stand in Markdown, or a comment. */
const pieceTag =
  /<(?:!--|(?:h[1-6]|div|p|a|b|br|table|ul|ol|font|iframe|article|section|main|header|nav|img|span)[\s/>])/iy;
/** White space, or the declaration of an XHTML page. */
const blank = /\s+|<\?xml[^>]*>/iy;
const commentStart = "<!--";
const commentEnd = "-->";

/** True for a whole HTML page, possibly after white space, comments and `<?xml …?>`. */
export function beginsPage(text: string): boolean {
  let at = afterBlanks(text, 0);
  if (matchesAt(pageTag, text, at)) return true;
  if (!text.startsWith(commentStart, at)) return false;
  // A comment may contain `-->`, so the page may begin after any of them.
  let end = text.indexOf(commentEnd, at + commentStart.length);
  while (end >= 0) {
    at = afterBlanks(text, end + commentEnd.length);
    if (matchesAt(pageTag, text, at)) return true;
    // Ends before `at` would lead to `at` again, in quadratic time.
    end = text.indexOf(commentEnd, at - commentEnd.length + 1);
  }
  return false;
}

/** True for an HTML fragment. Markdown may begin in the same way. */
export function beginsPiece(text: string): boolean {
  return matchesAt(pieceTag, text, text.length - text.trimStart().length);
}

/** Whether the sticky expression matches at the index. Its `lastIndex` is then the end of the match. */
function matchesAt(expression: RegExp, text: string, at: number): boolean {
  expression.lastIndex = at;
  return expression.test(text);
}

function afterBlanks(text: string, from: number): number {
  let at = from;
  while (matchesAt(blank, text, at)) at = blank.lastIndex;
  return at;
}
