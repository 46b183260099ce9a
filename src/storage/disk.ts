/** File operations that fail with the errors of file stores. Only the server's user may read what they create. */
import type { Dirent, Stats } from "node:fs";
import { type FileHandle, mkdir, open, opendir, readFile, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type ByteRange, FileMissingError, FileStoreError, isKey, type StoredFile } from "./file-store.ts";

const pieceBytes = 65_536;

/**
 * Runs a file operation and converts its errors.
 *
 * @param key of a file that may be missing without a failure of the store
 * @throws FileMissingError if the file with the key is missing, FileStoreError for other errors of the system
 */
export async function ask<Result>(path: string, work: () => Promise<Result>, key?: string): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (key !== undefined && isMissing(error)) throw new FileMissingError(key, error);
    throw isOfSystem(error) ? new FileStoreError(path, error) : error;
  }
}

/** Errors of the operating system have a number, unlike errors of invalid calls. */
const isOfSystem = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && "errno" in error && typeof error.errno === "number";

const isMissing = (error: unknown) => (error as NodeJS.ErrnoException).code === "ENOENT";

/** Opens a new file for writing, and creates its folder if missing. */
export async function create(path: string): Promise<FileHandle> {
  await makeFolder(dirname(path));
  return open(path, "wx", 0o600);
}

/**
 * Creates a folder and those above it, if missing. Node's `recursive` option reports ENOENT on a
 * read-only disk or a used-up quota, and never ends in a folder that accepts none.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await makeInnermost(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
    await makeFolder(dirname(path));
    await makeInnermost(path);
  }
}

async function makeInnermost(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

export async function syncFolder(path: string): Promise<void> {
  await ask(path, async () => {
    const folder = await open(path);
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  });
}

/** Pieces of an open file, or of a part of it. */
export async function* piecesOf(
  handle: FileHandle,
  path: string,
  { start, end }: ByteRange = { start: 0, end: Number.POSITIVE_INFINITY },
): AsyncIterable<Uint8Array> {
  for (let position = start; position < end; ) {
    const buffer = Buffer.allocUnsafe(Math.min(pieceBytes, end - position));
    const { bytesRead } = await ask(path, () => handle.read(buffer, 0, buffer.length, position));
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    position += bytesRead;
  }
}

export async function writeAll(handle: FileHandle, piece: Uint8Array): Promise<void> {
  for (let written = 0; written < piece.length; ) {
    written += (await handle.write(piece, written)).bytesWritten;
  }
}

export function readWhole(path: string, key: string): Promise<Buffer<ArrayBuffer>> {
  return ask(path, () => readFile(path) as Promise<Buffer<ArrayBuffer>>, key);
}

export async function removeFile(path: string): Promise<void> {
  await ask(path, () => rm(path, { force: true }));
}

export async function statOrNull(path: string): Promise<Stats | null> {
  try {
    return await ask(path, () => stat(path), path);
  } catch (error) {
    if (error instanceof FileMissingError) return null;
    throw error;
  }
}

/** Milliseconds since the last status change, which includes a rename. */
export const ageOf = ({ ctimeMs }: Stats) => Date.now() - ctimeMs;

/** The entries of a folder; none if there is no such folder. */
export async function* entriesOf(folder: string): AsyncIterable<Dirent> {
  try {
    yield* await opendir(folder);
  } catch (error) {
    if (isMissing(error)) return;
    throw isOfSystem(error) ? new FileStoreError(folder, error) : error;
  }
}

/** The files of a store in a folder. */
export async function* filesIn(folder: string, isStaged: boolean): AsyncIterable<StoredFile> {
  for await (const { parentPath, name: id } of entriesOf(folder)) {
    // Other programs' files are ignored. A file may have been removed since the folder was read.
    const found = isKey(id) ? await statOrNull(join(parentPath, id)) : null;
    if (found) yield { id, isStaged, ageMs: ageOf(found) };
  }
}
