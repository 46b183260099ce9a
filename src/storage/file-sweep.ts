/**
 * Removes what a crash, or an operation whose outcome nobody knew, has left: files that have been in the store for
 * longer than any operation takes, and that no row names.
 */
import { type FileStore, FileStoreError } from "./file-store.ts";

export type SweepOptions = {
  store: FileStore;
  /** Of these keys those that rows name. */
  findNamed: (keys: readonly string[]) => Promise<ReadonlySet<string>>;
  /** Younger files may be about to be named. */
  graceMs: number;
};

const batchSize = 500;

/**
 * Returns how many files it has removed.
 *
 * @throws FileStoreError of the first file that could not be removed, when the others are
 */
export async function sweepFiles({ store, findNamed, graceMs }: SweepOptions): Promise<number> {
  let removed = 0;
  let batch: string[] = [];
  let failure: FileStoreError | undefined;
  // One file that cannot be removed must not keep those behind it.
  const remove = async (work: () => Promise<void>) => {
    try {
      await work();
      removed++;
    } catch (error) {
      if (!(error instanceof FileStoreError)) throw error;
      failure ??= error;
    }
  };
  const removeUnnamed = async () => {
    const named = await findNamed(batch);
    for (const key of batch) {
      // It may have been claimed while the rows were asked.
      if (named.has(key) || ((await store.age(key)) ?? 0) <= graceMs) continue;
      await remove(() => store.remove(key));
    }
    batch = [];
  };
  for await (const { id, isStaged, ageMs } of store.list()) {
    if (ageMs <= graceMs) continue;
    if (isStaged) await remove(() => store.removeStaged(id));
    else if (batch.push(id) === batchSize) await removeUnnamed();
  }
  if (batch.length > 0) await removeUnnamed();
  if (failure) throw failure;
  return removed;
}
