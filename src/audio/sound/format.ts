/**
 * Detects MP3 and M4A by the first bytes of a file. Its name and declared type are ignored, because the detected format
 * chooses the demuxer: a playlist that is opened as one could name other files and addresses.
 */
import { fileTypeFromBuffer } from "file-type";
import { findFrames, frameAt } from "./mpeg-frames.ts";

export const audioFormats = { mp3: "audio/mpeg", m4a: "audio/mp4" } as const;
export type AudioFormat = (typeof audioFormats)[keyof typeof audioFormats];

/** `reason` completes the sentence "MP3 and M4A are supported, not …". */
export type DetectedFormat = { mimeType: AudioFormat } | { mimeType: null; reason: string };

/** Number of bytes before the first frame that are skipped without an ID3 tag. Damaged rips begin with some. */
const maxJunkBytes = 8_192;

/** @param head the first `headBytes` of the file, or the whole file if it is shorter */
export async function detectFormat(head: Uint8Array): Promise<DetectedFormat> {
  if (head.length === 0) return refused("an empty file");
  if (latin1(head, 4, 8) === "ftyp") return formatOfBrands(brandsOf(head));
  const soundAt = endOfId3Tags(head);
  // A tag with a cover may be longer than the head. The worker refuses the file if no sound follows.
  if (soundAt >= head.length) return { mimeType: audioFormats.mp3 };
  if (soundAt > 0) {
    if (findFrames(head, { from: soundAt, to: head.length, count: 2 }) !== null) return { mimeType: audioFormats.mp3 };
    return refused(await describe(head.subarray(soundAt), "an ID3 tag without MP3 frames"));
  }
  if (frameAt(head, 0) && findFrames(head, { from: 0, to: 1, count: 2 }) !== null) {
    return { mimeType: audioFormats.mp3 };
  }
  const other = await describe(head);
  // Three frames, because bytes that are no sound may look like two.
  const isMp3 = other === null && findFrames(head, { from: 0, to: maxJunkBytes, count: 3 }) !== null;
  return isMp3 ? { mimeType: audioFormats.mp3 } : refused(other ?? "binary data of an unknown format");
}

const refused = (reason: string): DetectedFormat => ({ mimeType: null, reason });

const latin1 = (bytes: Uint8Array, start: number, end: number) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1", start, end);

/** Offset of the first byte after all leading ID3v2 tags; 0 if there is none. May be beyond the head. */
function endOfId3Tags(head: Uint8Array): number {
  let at = 0;
  while (latin1(head, at, at + 3) === "ID3" && head.length >= at + 10) {
    const [flags = 0, ...size] = head.subarray(at + 5, at + 10);
    // Four bytes of seven bits each; a set high bit means that this is no tag.
    if (size.some((byte) => byte > 0x7f)) break;
    const footer = flags & 0x10 ? 10 : 0;
    at += 10 + size.reduce((sum, byte) => sum * 128 + byte, 0) + footer;
  }
  return at;
}

/** The major brand of an MP4 file, and then its compatible ones. */
function brandsOf(head: Uint8Array): string[] {
  const size = Buffer.from(head.buffer, head.byteOffset).readUInt32BE(0);
  const end = Math.min(size, head.length, 8 + 4 * 64);
  const brands = [latin1(head, 8, 12)];
  for (let at = 16; at + 4 <= end; at += 4) brands.push(latin1(head, at, at + 4));
  return brands;
}

const soundBrands = new Set(
  ["M4A ", "M4B ", "mp41", "mp42", "isom", "dash", "avc1", "MSNV", "f4a ", "F4A "].concat(
    Array.from({ length: 8 }, (_, index) => `iso${index + 2}`),
  ),
);
/** Major brands of formats that share the container. Some of them list a sound brand as compatible. */
const otherBrands: [pattern: RegExp, reason: string][] = [
  [/^(heic|heix|heim|heis|hevc|hevx|mif1|msf1)$/, "an HEIC image"],
  [/^avi[fs]$/, "an AVIF image"],
  [/^crx $/, "a CR3 image"],
  [/^jp[2xm] $/, "a JPEG 2000 image"],
  [/^qt {2}$/, "a QuickTime movie"],
  [/^M4V/, "an M4V video"],
  [/^M4P /, "a copy-protected M4P file"],
  [/^aax/, "a copy-protected AAX audiobook"],
  [/^3g/, "a 3GPP file"],
];

function formatOfBrands([major = "", ...compatible]: string[]): DetectedFormat {
  const other = otherBrands.find(([pattern]) => pattern.test(major));
  if (other) return refused(other[1]);
  if ([major, ...compatible].some((brand) => soundBrands.has(brand))) return { mimeType: audioFormats.m4a };
  return refused("an MP4 file of an unknown brand");
}

/** Names of the formats that are sent most often by mistake. */
const names: Record<string, string> = {
  "image/png": "a PNG image",
  "image/jpeg": "a JPEG image",
  "image/gif": "a GIF image",
  "image/webp": "a WebP image",
  "audio/wav": "a WAV file",
  "audio/flac": "a FLAC file",
  "audio/ogg": "an Ogg file",
  "audio/opus": "an Opus file",
  "audio/aac": "an AAC stream without an M4A container",
  "audio/aiff": "an AIFF file",
  "video/webm": "a WebM file",
  "video/matroska": "a Matroska file",
  "application/x-elf": "an ELF program",
  "application/x-msdownload": "a Windows program",
  "application/pdf": "a PDF document",
  "application/zip": "a ZIP archive",
};

/** Beginnings of text formats. Media programs read some of them as lists of further files and addresses. */
const textBeginnings: [pattern: RegExp, name: string][] = [
  [/^#EXTM3U/, "a playlist"],
  [/^ffconcat /, "an ffconcat list"],
  [/^v=0\r?\n/, "an SDP description"],
  [/^\[playlist\]/i, "a playlist"],
  [/^<(!doctype html|html|head|body|script)\b/i, "an HTML page"],
  [/^<svg\b/i, "an SVG image"],
  [/^</, "an XML or HTML file"],
];
const textBytes = 1_024;
/** Binary data bytes of the WHATWG's MIME Sniffing standard. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression detects control characters.
const binary = /[\0-\x08\x0b\x0e-\x1a\x1c-\x1f]/;

/** The format in words; `otherwise` if it is unknown. */
async function describe<Otherwise extends string | null = null>(
  head: Uint8Array,
  otherwise: Otherwise = null as Otherwise,
): Promise<string | Otherwise> {
  const start = latin1(head, 0, textBytes);
  if (!binary.test(start)) {
    const text = start.replace(/^\u00ef\u00bb\u00bf/, "").trimStart();
    return textBeginnings.find(([pattern]) => pattern.test(text))?.[1] ?? "text";
  }
  const mime = (await fileTypeFromBuffer(head))?.mime;
  // The type's own check is weaker than that of the frames.
  if (mime === undefined || mime === "audio/mpeg") return otherwise;
  return names[mime.replace("/x-", "/")] ?? names[mime] ?? `a file of the type ${mime}`;
}
