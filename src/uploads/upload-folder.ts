/**
 * The bytes of resumable uploads, in a local folder:
 *
 *   <user>/<id>         the bytes that have been received
 *   <user>/<id>.json    how many there will be, and the file's name
 *
 * An upload exists while it has both files. Only the server's user may read them. Several servers may share the folder.
 * Ids are generated, and the folder of a user holds that user's uploads only, so nobody can name another's.
 */
import { type FileHandle, open, readFile, rm, rmdir, utimes } from "node:fs/promises";
import { join } from "node:path";
import { ask, entriesOf, makeFolder, piecesOf, statOrNull, syncFolder } from "../storage/disk.ts";
import { FileStoreError, isKey } from "../storage/file-store.ts";

export type UploadKey = { userId: string; id: string };

export type PartialUpload = {
  /** Bytes of the whole file. */
  length: number;
  /** The client's name for the file. Only for display. */
  name: string;
  /** Bytes that are on the disk, from the first on. */
  received: number;
  /** When bytes were last received, or the whole file was last used. */
  usedAt: Date;
};

/** They have the form of storage keys. */
export const isUploadId = isKey;

export class UploadFolder {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async create(key: UploadKey, { length, name }: Pick<PartialUpload, "length" | "name">): Promise<void> {
    const folder = join(this.#folder, requireKey(key.userId));
    const path = this.#pathOf(key);
    await ask(path, async () => {
      await makeFolder(folder);
      try {
        await write(path, "");
        await write(infoOf(path), JSON.stringify({ length, name }));
      } catch (error) {
        // Report the first error. The sweep removes the files if this fails.
        await this.remove(key).catch(() => {});
        throw error;
      }
      await syncFolder(folder);
    });
  }

  /** @returns null if there is none. Its `received` bytes survive a crash of the machine. */
  async find(key: UploadKey): Promise<PartialUpload | null> {
    const path = this.#pathOf(key);
    return withoutMissing(() =>
      ask(path, async () => {
        const info = parse(await readFile(infoOf(path), "utf8"));
        if (!info) return null;
        const handle = await open(path);
        try {
          await handle.sync();
          const { size, mtime } = await handle.stat();
          return { ...info, received: size, usedAt: mtime };
        } finally {
          await handle.close();
        }
      }),
    );
  }

  /**
   * Appends bytes at the offset, which must be the number of received bytes. If the source fails, the bytes before are
   * kept.
   *
   * @param onBytes called after each piece
   * @returns the new number of received bytes
   * @throws FileStoreError, or the error of the source
   */
  async append(
    key: UploadKey,
    offset: number,
    source: AsyncIterable<Uint8Array>,
    onBytes: () => void,
  ): Promise<number> {
    const path = this.#pathOf(key);
    const handle = await ask(path, () => open(path, "r+"));
    let position = offset;
    try {
      for await (const piece of source) {
        await ask(path, () => writeAt(handle, piece, position));
        position += piece.length;
        onBytes();
      }
    } finally {
      // Before the client is told the offset, also if the source failed.
      await ask(path, () => handle.sync().finally(() => handle.close()));
    }
    return position;
  }

  /** The received bytes, in order. */
  async *pieces(key: UploadKey): AsyncIterable<Uint8Array> {
    const path = this.#pathOf(key);
    const handle = await ask(path, () => open(path));
    try {
      yield* piecesOf(handle, path);
    } finally {
      await handle.close();
    }
  }

  /** Sets `usedAt` to now. */
  async touch(key: UploadKey): Promise<void> {
    const [path, now] = [this.#pathOf(key), new Date()];
    await ask(path, () => utimes(path, now, now));
  }

  /** Removes an upload, if it exists. */
  async remove(key: UploadKey): Promise<void> {
    const path = this.#pathOf(key);
    await ask(path, async () => {
      await rm(infoOf(path), { force: true });
      await rm(path, { force: true });
    });
  }

  /** The keys of a user's uploads, also of those that a crash has left without one of their files. */
  async keysOf(userId: string): Promise<UploadKey[]> {
    const names = await namesIn(join(this.#folder, requireKey(userId)));
    const ids = new Set(names.map((name) => name.replace(/\.json$/, "")).filter(isUploadId));
    return [...ids].map((id) => ({ userId, id }));
  }

  /** The users with a folder. */
  async userIds(): Promise<string[]> {
    return (await namesIn(this.#folder)).filter(isKey);
  }

  /** When a file of the upload was last written; null if there is none. */
  async ageMs(key: UploadKey): Promise<number | null> {
    const path = this.#pathOf(key);
    const times = await Promise.all([path, infoOf(path)].map(async (file) => (await statOrNull(file))?.mtimeMs));
    const last = Math.max(...times.map((time) => time ?? 0));
    return last === 0 ? null : Date.now() - last;
  }

  /** Removes the folder of a user without uploads. */
  async removeEmpty(userId: string): Promise<void> {
    // It may have an upload again.
    await rmdir(join(this.#folder, requireKey(userId))).catch(() => {});
  }

  #pathOf({ userId, id }: UploadKey): string {
    return join(this.#folder, requireKey(userId), requireKey(id));
  }
}

const infoOf = (path: string) => `${path}.json`;

/** Keys must not lead out of the folder. */
function requireKey(key: string): string {
  if (!isKey(key)) throw new Error(`The id of an upload is a UUID, not ${JSON.stringify(key.slice(0, 50))}.`);
  return key;
}

/** @returns null for a file that a crash has cut */
function parse(text: string): Pick<PartialUpload, "length" | "name"> | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function write(path: string, text: string): Promise<void> {
  const handle = await open(path, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeAt(handle: FileHandle, piece: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < piece.length; ) {
    const { bytesWritten } = await handle.write(piece, written, piece.length - written, position + written);
    written += bytesWritten;
  }
}

const isMissing = (error: unknown) => error instanceof FileStoreError && error.reason === "ENOENT";

async function withoutMissing<Result>(work: () => Promise<Result>): Promise<Result | null> {
  try {
    return await work();
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

const namesIn = (folder: string): Promise<string[]> => Array.fromAsync(entriesOf(folder), ({ name }) => name);
