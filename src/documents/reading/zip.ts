/**
 * Inflates parts of a zip archive up to a limit: a hostile archive of a few kilobytes can hold gigabytes, and its
 * declared sizes are unreliable. mammoth's own zip library checks only after inflating.
 */
import { inflateRawSync } from "node:zlib";

export class BadArchiveError extends Error {
  override name = "BadArchiveError";
}

export type Archive = {
  has(name: string): boolean;
  /** @throws BadArchiveError if the archive is damaged, or the parts read so far exceed the limit */
  read(name: string): Uint8Array;
};

type Entry = { method: number; isEncrypted: boolean; start: number; compressedBytes: number };

const endSignature = 0x06054b50;
const entrySignature = 0x02014b50;
const localSignature = 0x04034b50;
const endBytes = 22;
const entryBytes = 46;
const localBytes = 30;
const maxEntries = 10_000;

/** @param maxBytes limit of the total inflated size */
export function openArchive(bytes: Buffer, maxBytes: number): Archive {
  const entries = checked(() => entriesOf(bytes));
  let left = maxBytes;
  return {
    has: (name) => entries.has(name),
    read(name) {
      const entry = entries.get(name);
      if (!entry) throw new BadArchiveError(`The archive has no part ${name}.`);
      const part = checked(() => inflate(bytes, entry, left));
      left -= part.length;
      return part;
    },
  };
}

function entriesOf(bytes: Buffer): Map<string, Entry> {
  const end = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || bytes.readUInt32LE(end) !== endSignature || end + endBytes > bytes.length) {
    throw new BadArchiveError("The archive is damaged: its end is missing.");
  }
  const count = bytes.readUInt16LE(end + 10);
  if (count > maxEntries) throw new BadArchiveError(`The archive has more than ${maxEntries} parts.`);
  const entries = new Map<string, Entry>();
  let offset = bytes.readUInt32LE(end + 16);
  for (let index = 0; index < count; index++) {
    if (bytes.readUInt32LE(offset) !== entrySignature) throw new BadArchiveError("The archive is damaged.");
    const nameBytes = bytes.readUInt16LE(offset + 28);
    const name = bytes.toString("utf8", offset + entryBytes, offset + entryBytes + nameBytes);
    entries.set(name.replaceAll("\\", "/"), {
      isEncrypted: (bytes.readUInt16LE(offset + 8) & 1) === 1,
      method: bytes.readUInt16LE(offset + 10),
      compressedBytes: bytes.readUInt32LE(offset + 20),
      start: bytes.readUInt32LE(offset + 42),
    });
    offset += entryBytes + nameBytes + bytes.readUInt16LE(offset + 30) + bytes.readUInt16LE(offset + 32);
  }
  return entries;
}

function inflate(bytes: Buffer, { method, isEncrypted, start, compressedBytes }: Entry, maxBytes: number): Uint8Array {
  if (isEncrypted) throw new BadArchiveError("The archive is encrypted.");
  if (bytes.readUInt32LE(start) !== localSignature) throw new BadArchiveError("The archive is damaged.");
  const from = start + localBytes + bytes.readUInt16LE(start + 26) + bytes.readUInt16LE(start + 28);
  if (from + compressedBytes > bytes.length) throw new BadArchiveError("The archive is damaged: it is truncated.");
  const compressed = bytes.subarray(from, from + compressedBytes);
  if (method === 0) {
    if (compressed.length > maxBytes) throw tooLarge();
    return compressed;
  }
  if (method !== 8) throw new BadArchiveError("The archive has an unknown compression method.");
  try {
    return inflateRawSync(compressed, { maxOutputLength: Math.max(1, maxBytes) });
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE" ? tooLarge() : error;
  }
}

const tooLarge = () => new BadArchiveError("The archive is too large when inflated; it may be malicious.");

/** Converts errors of invalid offsets and of inflating into BadArchiveError. */
function checked<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof BadArchiveError) throw error;
    throw new BadArchiveError("The archive is damaged.", { cause: error });
  }
}
