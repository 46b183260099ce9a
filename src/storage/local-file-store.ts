/**
 * Files in a local folder:
 *
 *   staged/<id>         being received, or received and not yet kept
 *   kept/<xx>/<key>     kept; `xx` is the end of the key, to keep folders small
 *
 * Only the server's user may read them. Several servers may share the folder.
 */
import { createHash, randomUUID } from "node:crypto";
import type { Dirent, Stats } from "node:fs";
import { type FileHandle, mkdir, open, opendir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  type ByteRange,
  FileMissingError,
  type FilePoint,
  type FileStore,
  FileStoreError,
  FileTooLargeError,
  headBytes,
  StagedFile,
  type StoredFile,
} from "./file-store.ts";

export type LocalFileStoreOptions = {
  folder: string;
  /** Called at each point of a file's life. */
  probe?: (point: FilePoint) => void;
};

const pieceBytes = 65_536;
/** Large enough to need disk space, small enough to be written quickly. */
const trialBytes = 65_536;

const keyForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export class LocalFileStore implements FileStore {
  readonly #folder: string;
  readonly #probe: (point: FilePoint) => void;
  /** Folders of kept files whose own entries are durable. */
  readonly #durable = new Set<string>();

  constructor({ folder, probe }: LocalFileStoreOptions) {
    this.#folder = folder;
    this.#probe = probe ?? (() => {});
  }

  async stage(source: AsyncIterable<Uint8Array>, { name, maxBytes }: { name: string; maxBytes: number }) {
    const id = randomUUID();
    const path = this.#stagedPath(id);
    const handle = await ask(path, () => create(path));
    try {
      const received = await this.#receive(source, (piece) => ask(path, () => writeAll(handle, piece)), maxBytes);
      await ask(path, () => handle.sync());
      this.#probe("after_fsync");
      await ask(path, () => handle.close());
      return new StagedFile({ id, name, ...received });
    } catch (error) {
      // Report the first error. The sweep removes the file if this fails.
      await handle.close().catch(() => {});
      await rm(path, { force: true }).catch(() => {});
      throw error;
    }
  }

  async stageWritten(
    { name, maxBytes }: { name: string; maxBytes: number },
    write: (path: string) => Promise<unknown>,
  ) {
    const id = randomUUID();
    const path = this.#stagedPath(id);
    await ask(path, () => makeFolder(dirname(path)));
    try {
      await write(path);
      const handle = await ask(path, () => open(path, "r+"), id);
      try {
        await ask(path, () => handle.chmod(0o600));
        const received = await this.#receive(piecesOf(handle, path), async () => {}, maxBytes);
        await ask(path, () => handle.sync());
        this.#probe("after_fsync");
        return new StagedFile({ id, name, ...received });
      } finally {
        await handle.close();
      }
    } catch (error) {
      await rm(path, { force: true }).catch(() => {});
      throw error;
    }
  }

  /** Errors of the source pass unchanged; only `write` throws FileStoreError. */
  async #receive(source: AsyncIterable<Uint8Array>, write: (piece: Uint8Array) => Promise<void>, maxBytes: number) {
    const hash = createHash("sha256");
    const head: Uint8Array[] = [];
    let sizeBytes = 0;
    for await (const piece of source) {
      if (sizeBytes < headBytes) head.push(Buffer.copyBytesFrom(piece, 0, headBytes - sizeBytes));
      sizeBytes += piece.length;
      if (sizeBytes > maxBytes) throw new FileTooLargeError(maxBytes);
      hash.update(piece);
      await write(piece);
      this.#probe("after_part_write");
    }
    return { sizeBytes, sha256: hash.digest("hex"), head: Buffer.concat(head) };
  }

  async readStaged({ id }: StagedFile): Promise<Buffer<ArrayBuffer>> {
    return readWhole(this.#stagedPath(id), id);
  }

  async keep({ id }: StagedFile): Promise<string> {
    const key = randomUUID();
    const path = this.#keptPath(key);
    const folder = dirname(path);
    await ask(path, () => makeFolder(folder));
    await ask(path, () => rename(this.#stagedPath(id), path), id);
    this.#probe("after_rename");
    try {
      // The directory entry must be durable before a row names the file.
      await syncFolder(folder);
      // Also if the folder was there: its creator may have failed, or may not have come so far yet.
      if (!this.#durable.has(folder)) {
        await syncFolder(join(this.#folder, "kept"));
        await syncFolder(this.#folder);
        this.#durable.add(folder);
      }
    } catch (error) {
      // The key is not returned, so no row will name the file.
      await rm(path, { force: true }).catch(() => {});
      throw error;
    }
    return key;
  }

  async discard({ id }: StagedFile): Promise<void> {
    await this.removeStaged(id);
  }

  async read(key: string): Promise<Buffer<ArrayBuffer>> {
    return readWhole(this.#keptPath(key), key);
  }

  async *pieces(key: string, range?: ByteRange): AsyncIterable<Uint8Array> {
    const path = this.#keptPath(key);
    const handle = await ask(path, () => open(path), key);
    try {
      yield* piecesOf(handle, path, range);
    } finally {
      await handle.close();
    }
  }

  async withLocalFile<Result>(key: string, use: (path: string) => Promise<Result>): Promise<Result> {
    const path = this.#keptPath(key);
    // Missing files are reported before `use` begins.
    await ask(path, () => stat(path), key);
    return use(path);
  }

  async touch(key: string): Promise<void> {
    const [path, now] = [this.#keptPath(key), new Date()];
    await ask(path, () => utimes(path, now, now), key);
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
    await removeFile(this.#keptPath(key));
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
    // Other programs' files are ignored. A file may have been removed since the folder was read.
    const found = keyForm.test(id) ? await statOrNull(join(parentPath, id)) : null;
    if (found) yield { id, isStaged, ageMs: ageOf(found) };
  }

  async removeStaged(id: string): Promise<void> {
    await removeFile(this.#stagedPath(id));
  }

  async requireUsable(): Promise<void> {
    const path = this.#stagedPath(randomUUID());
    await ask(path, async () => {
      const handle = await create(path);
      try {
        // An unlinked file disappears with its handle, also if the process ends here.
        await rm(path);
        await writeAll(handle, new Uint8Array(trialBytes));
        await handle.sync();
      } finally {
        await handle.close();
      }
    });
  }

  #stagedPath(id: string): string {
    return join(this.#folder, "staged", requireKey(id));
  }

  #keptPath(key: string): string {
    return join(this.#folder, "kept", requireKey(key).slice(-2), key);
  }
}

/** Keys come from the database, which other programs can write: they must not lead out of the folder. */
function requireKey(key: string): string {
  if (!keyForm.test(key)) throw new Error(`A storage key is a UUID, not ${JSON.stringify(key.slice(0, 50))}.`);
  return key;
}

/**
 * Runs a file operation and converts its errors.
 *
 * @param key of a file that may be missing without a failure of the store
 * @throws FileMissingError if the file with the key is missing, FileStoreError for other errors of the system
 */
async function ask<Result>(path: string, work: () => Promise<Result>, key?: string): Promise<Result> {
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
async function create(path: string): Promise<FileHandle> {
  await makeFolder(dirname(path));
  return open(path, "wx", 0o600);
}

/**
 * Creates a folder and those above it, if missing. Node's `recursive` option reports ENOENT on a
 * read-only disk or a used-up quota, and never ends in a folder that accepts none.
 */
async function makeFolder(path: string): Promise<void> {
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

async function syncFolder(path: string): Promise<void> {
  await ask(path, async () => {
    const folder = await open(path);
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  });
}

async function* piecesOf(
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

async function writeAll(handle: FileHandle, piece: Uint8Array): Promise<void> {
  for (let written = 0; written < piece.length; ) {
    written += (await handle.write(piece, written)).bytesWritten;
  }
}

function readWhole(path: string, key: string): Promise<Buffer<ArrayBuffer>> {
  return ask(path, () => readFile(path) as Promise<Buffer<ArrayBuffer>>, key);
}

async function removeFile(path: string): Promise<void> {
  await ask(path, () => rm(path, { force: true }));
}

async function statOrNull(path: string): Promise<Stats | null> {
  try {
    return await ask(path, () => stat(path), path);
  } catch (error) {
    if (error instanceof FileMissingError) return null;
    throw error;
  }
}

/** Since the last status change, which includes a rename. */
const ageOf = ({ ctimeMs }: Stats) => Date.now() - ctimeMs;

async function* entriesOf(folder: string): AsyncIterable<Dirent> {
  try {
    yield* await opendir(folder);
  } catch (error) {
    if (isMissing(error)) return;
    throw isOfSystem(error) ? new FileStoreError(folder, error) : error;
  }
}
