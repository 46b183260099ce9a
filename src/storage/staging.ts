/**
 * Staged files in a local folder, which every store has: a file is received, measured and flushed here before the store
 * keeps it.
 */
import { createHash, randomUUID } from "node:crypto";
import { open, rm, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ask, create, filesIn, makeFolder, piecesOf, readWhole, removeFile, writeAll } from "./disk.ts";
import {
  type FilePoint,
  type FileStore,
  FileTooLargeError,
  headBytes,
  requireKey,
  StagedFile,
  type StoredFile,
} from "./file-store.ts";

export type StagingOptions = {
  folder: string;
  /** Called at each point of a file's life. */
  probe?: (point: FilePoint) => void;
};

/** Well below every grace period of the sweep. */
const renewEveryMs = 5_000;

/** Large enough to need disk space, small enough to be written quickly. */
const trialBytes = 65_536;

export class Staging implements Pick<FileStore, "stage" | "stageWritten" | "requireUsable"> {
  readonly #folder: string;
  readonly #probe: (point: FilePoint) => void;

  constructor({ folder, probe }: StagingOptions) {
    this.#folder = folder;
    this.#probe = probe ?? (() => {});
  }

  async stage(source: AsyncIterable<Uint8Array>, { name, maxBytes }: { name: string; maxBytes: number }) {
    const id = randomUUID();
    const path = this.pathOf(id);
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
    const path = this.pathOf(id);
    await ask(path, () => makeFolder(dirname(path)));
    try {
      await write(path);
      const handle = await ask(path, () => open(path, "r+"), id);
      try {
        await ask(path, () => handle.chmod(0o600));
        const received = await this.#receive(piecesOf(handle, path), async () => {}, maxBytes);
        // Another program may have written it, so its bytes may still be in memory.
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

  async read(id: string): Promise<Buffer<ArrayBuffer>> {
    return readWhole(this.pathOf(id), id);
  }

  async withFile<Result>(id: string, use: (path: string) => Promise<Result>): Promise<Result> {
    const path = this.pathOf(id);
    await ask(path, () => stat(path), id);
    return use(path);
  }

  /** The contents of a staged file as a stream. @throws FileMissingError if it has been swept */
  async *pieces(id: string): AsyncIterable<Uint8Array> {
    const path = this.pathOf(id);
    const handle = await ask(path, () => open(path), id);
    try {
      yield* piecesOf(handle, path);
    } finally {
      await handle.close();
    }
  }

  /**
   * Calls `use` with the path of a temporary file with these contents, which is removed afterwards. It is not flushed,
   * since nothing names it after a crash.
   */
  async withTemporaryFile<Result>(
    source: AsyncIterable<Uint8Array>,
    use: (path: string) => Promise<Result>,
  ): Promise<Result> {
    const path = this.pathOf(randomUUID());
    const handle = await ask(path, () => create(path));
    let renewal: NodeJS.Timeout | undefined;
    try {
      try {
        for await (const piece of source) await ask(path, () => writeAll(handle, piece));
      } finally {
        await handle.close();
      }
      // A program may take longer than files may stay here unused, and another process may sweep them.
      renewal = setInterval(() => void renew(path), renewEveryMs);
      renewal.unref();
      return await use(path);
    } finally {
      clearInterval(renewal);
      // The sweep removes the file if this fails.
      await rm(path, { force: true }).catch(() => {});
    }
  }

  /** Removes a staged file, if it exists. */
  async remove(id: string): Promise<void> {
    await removeFile(this.pathOf(id));
  }

  list(): AsyncIterable<StoredFile> {
    return filesIn(this.#folder, true);
  }

  /** Checks that the disk accepts files, by writing and removing a small one. @throws FileStoreError */
  async requireUsable(): Promise<void> {
    const path = this.pathOf(randomUUID());
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

  pathOf(id: string): string {
    return join(this.#folder, requireKey(id));
  }
}

/** Resets the age of a file. A failure has no effect: the next attempt follows soon. */
async function renew(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => {});
}
