/**
 * The bytes of resumable uploads, in a local folder:
 *
 *   <user>/<id>         the bytes that have been received
 *   <user>/<id>.json    how many there will be, and the file's name
 *
 * An upload exists while it has both files. Only the server's user may read them. Several servers may share the folder.
 * Ids are generated, and the folder of a user holds that user's uploads only, so nobody can name another's.
 */
import { type FileHandle, mkdir, open, readdir, readFile, rm, rmdir, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FileStoreError } from "../storage/file-store.ts";

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

const keyForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
export const isUploadId = (id: string): boolean => keyForm.test(id);
const pieceBytes = 65_536;

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
      const handle = await open(folder);
      await handle.sync().finally(() => handle.close());
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
      for (;;) {
        const { bytesRead, buffer } = await ask(path, () => handle.read(Buffer.allocUnsafe(pieceBytes)));
        if (bytesRead === 0) return;
        yield buffer.subarray(0, bytesRead);
      }
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
    const names = await entriesOf(join(this.#folder, requireKey(userId)));
    const ids = new Set(names.map((name) => name.replace(/\.json$/, "")).filter(isUploadId));
    return [...ids].map((id) => ({ userId, id }));
  }

  /** The users with a folder. */
  async userIds(): Promise<string[]> {
    return (await entriesOf(this.#folder)).filter((name) => keyForm.test(name));
  }

  /** When a file of the upload was last written; null if there is none. */
  async ageMs(key: UploadKey): Promise<number | null> {
    const path = this.#pathOf(key);
    const times = await Promise.all(
      [path, infoOf(path)].map((file) =>
        withoutMissing(() =>
          ask(file, async () => {
            const handle = await open(file);
            const { mtimeMs } = await handle.stat().finally(() => handle.close());
            return mtimeMs;
          }),
        ),
      ),
    );
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
  if (!keyForm.test(key)) throw new Error(`The id of an upload is a UUID, not ${JSON.stringify(key.slice(0, 50))}.`);
  return key;
}

/** Creates a folder and those above it, if missing. Node's `recursive` option misreports full and read-only disks. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    await makeFolder(path);
  }
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

const isOfSystem = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && "errno" in error && typeof error.errno === "number";

/** @throws FileStoreError for errors of the operating system */
async function ask<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw isOfSystem(error) ? new FileStoreError(path, error) : error;
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

async function entriesOf(folder: string): Promise<string[]> {
  return (await withoutMissing(() => ask(folder, () => readdir(folder)))) ?? [];
}
