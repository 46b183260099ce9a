/** Decodes text. The encoding is that of a byte order mark or HTML declaration, else UTF-8, else a guess. */
import { isUtf8 } from "node:buffer";
import { analyse } from "chardet";
import sniffHtmlEncoding from "html-encoding-sniffer";

/** The bytes are not text in any known encoding. */
export class UnreadableTextError extends Error {
  override name = "UnreadableTextError";
}

/** Minimum confidence of a guess, of 100. Random bytes get about 3, a short French sentence 33. */
const leastConfidence = 20;
/** Number of bytes for a guess. More bytes make it slower, not better. */
const sampleBytes = 65_536;

/** @throws UnreadableTextError, also for NUL characters, which indicate that the bytes are not text */
export function decodeText(bytes: Uint8Array, isHtml = false): string {
  const text = decodeAny(bytes, isHtml);
  if (text.includes("\0")) throw new UnreadableTextError(nulFound);
  return text;
}

const nulFound = "It contains NUL characters.";

/**
 * UTF-8 without BOM. UTF-8 input is returned as a view, without making a string.
 *
 * @throws UnreadableTextError as `decodeText` does
 */
export function toUtf8(bytes: Buffer): Buffer {
  if (!isUtf8(bytes)) return inOwnBuffer(decodeText(bytes));
  if (bytes.includes(0)) throw new UnreadableTextError(nulFound);
  return byteOrderMark(bytes) ? bytes.subarray(3) : bytes;
}

/** Not `Buffer.from(text)`, whose memory may belong to Node's pool and cannot be transferred to other threads. */
function inOwnBuffer(text: string): Buffer {
  const { buffer, byteLength } = new TextEncoder().encode(text);
  return Buffer.from(buffer, 0, byteLength);
}

function decodeAny(bytes: Uint8Array, isHtml: boolean): string {
  const marked = byteOrderMark(bytes);
  if (marked)
    return (
      decodeAs(marked, bytes) ?? fail(`It begins with the byte order mark of ${marked}, but is not valid ${marked}.`)
    );
  const declared = isHtml ? sniffHtmlEncoding(bytes, { defaultEncoding: "" }) : "";
  const unicode = decodeAs("utf-8", bytes);
  // A page with non-ASCII UTF-8 and another declaration was converted without changing its declaration.
  if (unicode !== undefined && (declared === "" || !isAscii(bytes))) return unicode;
  if (declared !== "") {
    return (
      decodeAs(declared, bytes) ??
      unicode ??
      fail(`It declares the encoding ${declared}, but is not valid ${declared}.`)
    );
  }
  if (isDamagedUtf8(bytes)) fail("It is UTF-8 text with invalid bytes.");
  return guess(bytes) ?? fail("Its encoding was not recognised. Save it as UTF-8.");
}

function byteOrderMark([first, second, third]: Uint8Array): string | undefined {
  if (first === 0xef && second === 0xbb && third === 0xbf) return "utf-8";
  if (first === 0xff && second === 0xfe) return "utf-16le";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  return undefined;
}

/** Returns undefined if the bytes are invalid in this encoding, or the encoding is unknown. */
function decodeAs(encoding: string, bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function guess(bytes: Uint8Array): string | undefined {
  const start = bytes.findIndex((byte) => byte > 0x7f);
  for (const { name, confidence } of analyse(bytes.subarray(start, start + sampleBytes))) {
    // Other Unicode encodings need a byte order mark, and UTF-8 was tried before.
    if (confidence < leastConfidence || /^(ASCII|UTF-)/.test(name)) continue;
    const text = decodeAs(name, bytes);
    // Encodings that define every byte decode non-text as control characters.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the expression detects control characters.
    if (text !== undefined && !/[\0-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f-\x9f]/.test(text)) return normalize(text);
  }
  return undefined;
}

/** More combining marks on a letter than in any language. */
const stackedMarks = /\p{M}{9}/u;

/** NFC, unless marks are stacked: normalization takes quadratic time in the number of marks on a letter. */
function normalize(text: string): string {
  return stackedMarks.test(text) ? text : text.normalize("NFC");
}

/** True if most non-ASCII bytes are UTF-8 sequences, which hardly ever occur by chance. */
function isDamagedUtf8(bytes: Uint8Array): boolean {
  const text = new TextDecoder().decode(bytes);
  let [good, bad] = [0, 0];
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0xfffd) bad++;
    // Low surrogates are counted with the high one.
    else if (code > 0x7f && (code & 0xfc00) !== 0xdc00) good++;
  }
  return good > 2 * bad;
}

const isAscii = (bytes: Uint8Array) => bytes.every((byte) => byte < 0x80);

function fail(message: string): never {
  throw new UnreadableTextError(message);
}
