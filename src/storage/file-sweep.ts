/**
 * Removes files that a crash, or an operation of unknown outcome, has left: they have been in the store for longer than
 * any operation takes, and no row names them.
 */
import { type FileStore, FileStoreError, type StoredFile } from "./file-store.ts";

export type SweepOptions = {
  store: FileStore;
  /** Returns the keys that rows name. */
  findNamed: (keys: readonly string[]) => Promise<ReadonlySet<string>>;
  /** Younger files may be about to be named. */
  graceMs: number;
};

const batchSize = 500;

/** Files older than `graceMs` that were received and not kept, or kept and not named by any row. */
export async function* findUnnamed({ store, findNamed, graceMs }: SweepOptions): AsyncIterable<StoredFile> {
  let batch: StoredFile[] = [];
  const unnamed = async () => {
    const named = await findNamed(batch.map(({ id }) => id));
    const found = batch.filter(({ id }) => !named.has(id));
    batch = [];
    return found;
  };
  for await (const file of store.list()) {
    if (file.ageMs <= graceMs) continue;
    if (file.isStaged) yield file;
    else if (batch.push(file) === batchSize) yield* await unnamed();
  }
  if (batch.length > 0) yield* await unnamed();
}

/**
 * Returns how many files it has removed.
 *
 * @throws FileStoreError of the first file that could not be removed, after all others have been tried
 */
export async function sweepFiles(options: SweepOptions): Promise<number> {
  const { store, graceMs } = options;
  let removed = 0;
  let failure: FileStoreError | undefined;
  for await (const { id, isStaged } of findUnnamed(options)) {
    try {
      if (isStaged) await store.removeStaged(id);
      // It may have been claimed since the rows were read.
      else if (((await store.age(id)) ?? 0) > graceMs) await store.remove(id);
      else continue;
      removed++;
    } catch (error) {
      if (!(error instanceof FileStoreError)) throw error;
      failure ??= error;
    }
  }
  if (failure) throw failure;
  return removed;
}
