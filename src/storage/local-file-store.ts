/**
 * Files in a local folder:
 *
 *   staged/<id>         being received, or received and not yet kept
 *   kept/<xx>/<key>     kept; `xx` is the end of the key, so that no folder holds too many
 *
 * Only the server's own user may read them. Several servers may share the folder.
 */
import { createHash, randomUUID } from "node:crypto";
import { createReadStream, type Dirent, type Stats } from "node:fs";
import { type FileHandle, mkdir, open, opendir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import {
  FileMissingError,
  type FilePoint,
  type FileStore,
  FileTooLargeError,
  headBytes,
  StagedFile,
  type StoredFile,
} from "./file-store.ts";

export type LocalFileStoreOptions = {
  folder: string;
  /** Told of every point that a file passes. */
  probe?: (point: FilePoint) => void;
};

const keyForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export class LocalFileStore implements FileStore {
  readonly #folder: string;
  readonly #probe: (point: FilePoint) => void;

  constructor({ folder, probe }: LocalFileStoreOptions) {
    this.#folder = folder;
    this.#probe = probe ?? (() => {});
  }

  async stage(source: AsyncIterable<Uint8Array>, { name, maxBytes }: { name: string; maxBytes: number }) {
    const id = randomUUID();
    const path = this.#stagedPath(id);
    await makeFolder(dirname(path));
    const handle = await open(path, "wx", 0o600);
    try {
      const received = await this.#receive(source, handle, maxBytes);
      await handle.sync();
      this.#probe("after_fsync");
      return new StagedFile({ id, name, ...received });
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
  }

  async #receive(source: AsyncIterable<Uint8Array>, handle: FileHandle, maxBytes: number) {
    const hash = createHash("sha256");
    const head: Uint8Array[] = [];
    let sizeBytes = 0;
    for await (const piece of source) {
      if (sizeBytes < headBytes) head.push(Buffer.copyBytesFrom(piece, 0, headBytes - sizeBytes));
      sizeBytes += piece.length;
      if (sizeBytes > maxBytes) throw new FileTooLargeError(maxBytes);
      hash.update(piece);
      await writeAll(handle, piece);
      this.#probe("after_part_write");
    }
    return { sizeBytes, sha256: hash.digest("hex"), head: Buffer.concat(head) };
  }

  readStaged({ id }: StagedFile): Promise<Buffer<ArrayBuffer>> {
    return readWhole(this.#stagedPath(id), id);
  }

  async keep({ id }: StagedFile): Promise<string> {
    const key = randomUUID();
    const path = this.#keptPath(key);
    const isNew = await makeFolder(dirname(path));
    await missingAs(id, rename(this.#stagedPath(id), path));
    this.#probe("after_rename");
    // The name must be as durable as the bytes, before a row relies on it.
    await syncFolder(dirname(path));
    if (isNew) {
      await syncFolder(join(this.#folder, "kept"));
      await syncFolder(this.#folder);
    }
    return key;
  }

  async discard({ id }: StagedFile): Promise<void> {
    await this.removeStaged(id);
  }

  read(key: string): Promise<Buffer<ArrayBuffer>> {
    return readWhole(this.#keptPath(key), key);
  }

  async open(key: string): Promise<Readable> {
    const handle = await missingAs(key, open(this.#keptPath(key)));
    return createReadStream("", { fd: handle });
  }

  async claim(key: string): Promise<void> {
    const now = new Date();
    await missingAs(key, utimes(this.#keptPath(key), now, now));
  }

  async age(key: string): Promise<number | null> {
    const found = await statOrNull(this.#keptPath(key));
    return found && ageOf(found);
  }

  async size(key: string): Promise<number | null> {
    return (await statOrNull(this.#keptPath(key)))?.size ?? null;
  }

  async remove(key: string): Promise<void> {
    this.#probe("before_unlink");
    await rm(this.#keptPath(key), { force: true });
    this.#probe("after_unlink");
  }

  async *list(): AsyncIterable<StoredFile> {
    for await (const file of entriesOf(join(this.#folder, "staged"))) yield* this.#described(file, true);
    for await (const folder of entriesOf(join(this.#folder, "kept"))) {
      if (!folder.isDirectory()) continue;
      for await (const file of entriesOf(join(folder.parentPath, folder.name))) yield* this.#described(file, false);
    }
  }

  async *#described({ parentPath, name: id }: Dirent, isStaged: boolean): AsyncIterable<StoredFile> {
    // What is not ours is left alone; and what was there a moment ago may have gone.
    const found = keyForm.test(id) ? await statOrNull(join(parentPath, id)) : null;
    if (found) yield { id, isStaged, ageMs: ageOf(found) };
  }

  async removeStaged(id: string): Promise<void> {
    await rm(this.#stagedPath(id), { force: true });
  }

  #stagedPath(id: string): string {
    return join(this.#folder, "staged", requireKey(id));
  }

  #keptPath(key: string): string {
    return join(this.#folder, "kept", requireKey(key).slice(-2), key);
  }
}

/** A key comes from the database, where others may have written it: it must not lead out of the folder. */
function requireKey(key: string): string {
  if (!keyForm.test(key)) throw new Error(`A file's key is a UUID, not ${JSON.stringify(key.slice(0, 50))}.`);
  return key;
}

/** Returns whether the folder itself is new. */
async function makeFolder(path: string): Promise<boolean> {
  return (await mkdir(path, { recursive: true, mode: 0o700 })) !== undefined;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function writeAll(handle: FileHandle, piece: Uint8Array): Promise<void> {
  for (let written = 0; written < piece.length; ) {
    written += (await handle.write(piece, written)).bytesWritten;
  }
}

function readWhole(path: string, key: string): Promise<Buffer<ArrayBuffer>> {
  return missingAs(key, readFile(path) as Promise<Buffer<ArrayBuffer>>);
}

async function missingAs<Result>(key: string, promise: Promise<Result>): Promise<Result> {
  try {
    return await promise;
  } catch (error) {
    throw isMissing(error) ? new FileMissingError(key, error) : error;
  }
}

async function statOrNull(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** By the time of its status, which a rename changes as well. */
const ageOf = ({ ctimeMs }: Stats) => Date.now() - ctimeMs;

const isMissing = (error: unknown) => (error as NodeJS.ErrnoException).code === "ENOENT";

async function* entriesOf(folder: string): AsyncIterable<Dirent> {
  try {
    yield* await opendir(folder);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
