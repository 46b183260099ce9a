/** From bytes to text, whatever the encoding: what the bytes say of it wins, then UTF-8, then what they look like. */
import { isUtf8 } from "node:buffer";
import { analyse } from "chardet";
import sniffHtmlEncoding from "html-encoding-sniffer";

/** Bytes that are no text in any encoding that we know. */
export class UnreadableTextError extends Error {
  override name = "UnreadableTextError";
}

/** How sure a guess must be, of 100. Random bytes get about 3, a short French sentence 33. */
const leastConfidence = 20;
/** Bytes that a guess is made from. More make it slower, not better. */
const sampleBytes = 65_536;

/** @throws UnreadableTextError, also for a text with NUL characters, which are a sign of something else than text */
export function decodeText(bytes: Uint8Array, isHtml = false): string {
  const text = decodeAny(bytes, isHtml);
  if (text.includes("\0")) throw new UnreadableTextError(nulFound);
  return text;
}

const nulFound = "It holds NUL characters, which no text does.";

/**
 * The bytes of a text in UTF-8 without a mark. Of what is UTF-8 already, which nearly everything is, no string is made:
 * it would take twice as much, and a copy of the bytes once more. So the answer may be a part of `bytes`.
 *
 * @throws UnreadableTextError as `decodeText` does
 */
export function toUtf8(bytes: Buffer): Buffer {
  if (!isUtf8(bytes)) return inOwnBuffer(decodeText(bytes));
  if (bytes.includes(0)) throw new UnreadableTextError(nulFound);
  return byteOrderMark(bytes) ? bytes.subarray(3) : bytes;
}

/** `Buffer.from` may share its memory with others, which cannot change hands between threads. */
function inOwnBuffer(text: string): Buffer {
  const { buffer, byteLength } = new TextEncoder().encode(text);
  return Buffer.from(buffer, 0, byteLength);
}

function decodeAny(bytes: Uint8Array, isHtml: boolean): string {
  const marked = byteOrderMark(bytes);
  if (marked) return decodeAs(marked, bytes) ?? fail(`It begins as ${marked} text and does not go on so.`);
  const declared = isHtml ? sniffHtmlEncoding(bytes, { defaultEncoding: "" }) : "";
  const unicode = decodeAs("utf-8", bytes);
  // A page that says another encoding and yet is UTF-8 beyond ASCII was saved anew by somebody who left that line.
  if (unicode !== undefined && (declared === "" || !isAscii(bytes))) return unicode;
  if (declared !== "") {
    return decodeAs(declared, bytes) ?? unicode ?? fail(`It says that it is ${declared}, which it is not.`);
  }
  if (isDamagedUtf8(bytes)) fail("It is UTF-8 text with bytes in it that are not.");
  return guess(bytes) ?? fail("It is not text in any encoding that could be recognised. Save it as UTF-8.");
}

function byteOrderMark([first, second, third]: Uint8Array): string | undefined {
  if (first === 0xef && second === 0xbb && third === 0xbf) return "utf-8";
  if (first === 0xff && second === 0xfe) return "utf-16le";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  return undefined;
}

/** The text, or undefined when the bytes are not of this encoding, or the encoding is not known. */
function decodeAs(encoding: string, bytes: Uint8Array): string | undefined {
  try {
    const decoder = new TextDecoder(encoding, { fatal: true });
    return decoder.encoding === "windows-1252" ? decodeWindows1252(bytes) : decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** What Windows put in the place of Latin-1's second set of control characters. */
const windows1252 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ";

/** Node 24's own decoder takes windows-1252 for Latin-1. */
function decodeWindows1252(bytes: Uint8Array): string {
  const codes = new Uint16Array(bytes);
  // A `replace` with a callback takes four times as long, and memory for a list of all matches.
  for (let index = 0; index < codes.length; index++) {
    const code = codes[index] as number;
    if (code >= 0x80 && code <= 0x9f) codes[index] = windows1252.charCodeAt(code - 0x80);
  }
  return new TextDecoder("utf-16le").decode(codes);
}

function guess(bytes: Uint8Array): string | undefined {
  const start = bytes.findIndex((byte) => byte > 0x7f);
  for (const { name, confidence } of analyse(bytes.subarray(start, start + sampleBytes))) {
    // Of these it would have a mark, or have been read as UTF-8 before.
    if (confidence < leastConfidence || /^(ASCII|UTF-)/.test(name)) continue;
    const text = decodeAs(name, bytes);
    // Bytes that are no characters become control characters in encodings that have a meaning for every byte.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    if (text !== undefined && !/[\0-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f-\x9f]/.test(text)) return normalize(text);
  }
  return undefined;
}

/** More marks on one letter than any language puts there. */
const stackedMarks = /\p{M}{9}/u;

/** In NFC, unless marks are stacked: sorting the marks of one letter takes time by the square of their number. */
function normalize(text: string): string {
  return stackedMarks.test(text) ? text : text.normalize("NFC");
}

/** Mostly sequences of UTF-8, which come about by chance in hardly any other text. */
function isDamagedUtf8(bytes: Uint8Array): boolean {
  const text = new TextDecoder().decode(bytes);
  let [good, bad] = [0, 0];
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0xfffd) bad++;
    // The second half of a character counts with the first.
    else if (code > 0x7f && (code & 0xfc00) !== 0xdc00) good++;
  }
  return good > 2 * bad;
}

const isAscii = (bytes: Uint8Array) => bytes.every((byte) => byte < 0x80);

function fail(message: string): never {
  throw new UnreadableTextError(message);
}
