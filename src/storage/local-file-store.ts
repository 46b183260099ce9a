/**
 * Files in a local folder:
 *
 *   staged/<id>         being received, or received and not yet kept
 *   kept/<xx>/<key>     kept; `xx` is the end of the key, to keep folders small
 *
 * Only the server's user may read them. Several servers may share the folder.
 */
import { randomUUID } from "node:crypto";
import { open, rename, rm, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  ageOf,
  ask,
  entriesOf,
  filesIn,
  makeFolder,
  piecesOf,
  readWhole,
  removeFile,
  statOrNull,
  syncFolder,
} from "./disk.ts";
import {
  type ByteRange,
  type FilePoint,
  type FileStore,
  requireKey,
  type StagedFile,
  type StoredFile,
} from "./file-store.ts";
import { Staging } from "./staging.ts";

export type LocalFileStoreOptions = {
  folder: string;
  /** Called at each point of a file's life. */
  probe?: (point: FilePoint) => void;
};

export class LocalFileStore implements FileStore {
  readonly #folder: string;
  readonly #probe: (point: FilePoint) => void;
  readonly #staging: Staging;
  /** Folders of kept files whose own entries are durable. */
  readonly #durable = new Set<string>();

  constructor({ folder, probe }: LocalFileStoreOptions) {
    this.#folder = folder;
    this.#probe = probe ?? (() => {});
    this.#staging = new Staging({ folder: join(folder, "staged"), probe: this.#probe });
  }

  stage(source: AsyncIterable<Uint8Array>, file: { name: string; maxBytes: number }): Promise<StagedFile> {
    return this.#staging.stage(source, file);
  }

  stageWritten(file: { name: string; maxBytes: number }, write: (path: string) => Promise<unknown>) {
    return this.#staging.stageWritten(file, write);
  }

  readStaged({ id }: StagedFile): Promise<Buffer<ArrayBuffer>> {
    return this.#staging.read(id);
  }

  discard({ id }: StagedFile): Promise<void> {
    return this.#staging.remove(id);
  }

  removeStaged(id: string): Promise<void> {
    return this.#staging.remove(id);
  }

  requireUsable(): Promise<void> {
    return this.#staging.requireUsable();
  }

  withStagedFile<Result>({ id }: StagedFile, use: (path: string) => Promise<Result>): Promise<Result> {
    return this.#staging.withFile(id, use);
  }

  async keep({ id }: StagedFile, key: string = randomUUID()): Promise<string> {
    const path = this.#keptPath(key);
    const folder = dirname(path);
    await ask(path, () => makeFolder(folder));
    await ask(path, () => rename(this.#staging.pathOf(id), path), id);
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
    yield* this.#staging.list();
    for await (const folder of entriesOf(join(this.#folder, "kept"))) {
      if (folder.isDirectory()) yield* filesIn(join(folder.parentPath, folder.name), false);
    }
  }

  #keptPath(key: string): string {
    return join(this.#folder, "kept", requireKey(key).slice(-2), key);
  }
}
