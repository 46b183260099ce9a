/**
 * The parts of a zip archive, inflated up to a limit: a few kilobytes of a hostile archive can hold gigabytes, and its
 * own word on its sizes is worth nothing. The zip library below mammoth inflates first and checks later.
 */
import { inflateRawSync } from "node:zlib";

export class BadArchiveError extends Error {
  override name = "BadArchiveError";
}

export type Archive = {
  has(name: string): boolean;
  /** @throws BadArchiveError when it is damaged, or when all that was read so far exceeds the limit */
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

/** @param maxBytes that all parts together may have when inflated */
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
    throw new BadArchiveError("The archive is damaged: it has no end.");
  }
  const count = bytes.readUInt16LE(end + 10);
  if (count > maxEntries) throw new BadArchiveError(`The archive has more than ${maxEntries} parts.`);
  const entries = new Map<string, Entry>();
  let place = bytes.readUInt32LE(end + 16);
  for (let index = 0; index < count; index++) {
    if (bytes.readUInt32LE(place) !== entrySignature) throw new BadArchiveError("The archive is damaged.");
    const nameBytes = bytes.readUInt16LE(place + 28);
    const name = bytes.toString("utf8", place + entryBytes, place + entryBytes + nameBytes);
    entries.set(name.replaceAll("\\", "/"), {
      isEncrypted: (bytes.readUInt16LE(place + 8) & 1) === 1,
      method: bytes.readUInt16LE(place + 10),
      compressedBytes: bytes.readUInt32LE(place + 20),
      start: bytes.readUInt32LE(place + 42),
    });
    place += entryBytes + nameBytes + bytes.readUInt16LE(place + 30) + bytes.readUInt16LE(place + 32);
  }
  return entries;
}

function inflate(bytes: Buffer, { method, isEncrypted, start, compressedBytes }: Entry, maxBytes: number): Uint8Array {
  if (isEncrypted) throw new BadArchiveError("The archive is encrypted.");
  if (bytes.readUInt32LE(start) !== localSignature) throw new BadArchiveError("The archive is damaged.");
  const from = start + localBytes + bytes.readUInt16LE(start + 26) + bytes.readUInt16LE(start + 28);
  if (from + compressedBytes > bytes.length) throw new BadArchiveError("The archive is damaged: it ends too early.");
  const compressed = bytes.subarray(from, from + compressedBytes);
  if (method === 0) {
    if (compressed.length > maxBytes) throw tooLarge();
    return compressed;
  }
  if (method !== 8) throw new BadArchiveError("The archive is compressed in a way that is not known.");
  try {
    return inflateRawSync(compressed, { maxOutputLength: Math.max(1, maxBytes) });
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE" ? tooLarge() : error;
  }
}

const tooLarge = () => new BadArchiveError("The archive holds more than it should: it may have been made to do harm.");

/** A number that leads out of the archive, or bytes that are not compressed as they say. */
function checked<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof BadArchiveError) throw error;
    throw new BadArchiveError("The archive is damaged.", { cause: error });
  }
}
