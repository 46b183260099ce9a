/** Copies the files that rows name from one store to another, under the same keys. */
import { FileMissingError, type FileStore, FileStoreError, isKey } from "./file-store.ts";
import { hashOf, type NamedFile } from "./named-files.ts";

export type CopyOptions = {
  from: FileStore;
  to: FileStore;
  /** True if a file of the right size in `to` counts as copied, without reading it. */
  trustsSize: boolean;
  /** Called with each file that could not be copied. */
  onTrouble: (key: string, trouble: string) => void;
  /** Called after each file. */
  onProgress: (counts: CopyCounts) => void;
};

export type CopyCounts = {
  copied: number;
  copiedBytes: number;
  /** Files that the target had already. */
  present: number;
  troubles: number;
};

type CopyOutcome = "copied" | "present" | { trouble: string };

/** Files that are copied concurrently. */
const concurrency = 8;
/** Failures of a store in a row, after which it counts as down. */
const maxFailures = 5;

/**
 * Every copy is read back and compared with the hash in the row. A copy that is interrupted may be started again: it
 * leaves out the files that the target has.
 *
 * @throws FileStoreError if several files in a row fail, since a store is down then
 */
export async function copyFiles(files: AsyncIterable<NamedFile>, options: CopyOptions): Promise<CopyCounts> {
  const counts: CopyCounts = { copied: 0, copiedBytes: 0, present: 0, troubles: 0 };
  let failures = 0;
  const note = (file: NamedFile, outcome: CopyOutcome) => {
    if (outcome === "copied") {
      counts.copied++;
      counts.copiedBytes += file.sizeBytes;
    } else if (outcome === "present") counts.present++;
    else {
      counts.troubles++;
      options.onTrouble(file.key, outcome.trouble);
    }
    options.onProgress(counts);
  };
  const rest = files[Symbol.asyncIterator]();
  let isStopped = false;
  const copyRest = async () => {
    for (let next = await rest.next(); !next.done && !isStopped; next = await rest.next()) {
      try {
        note(next.value, await copyFile(next.value, options));
        failures = 0;
      } catch (error) {
        isStopped ||= !(error instanceof FileStoreError) || ++failures >= maxFailures;
        if (isStopped) throw error;
        note(next.value, { trouble: `failed (${(error as FileStoreError).reason})` });
      }
    }
  };
  // All have ended before the caller closes the stores and the database.
  const ends = await Promise.allSettled(Array.from({ length: concurrency }, copyRest));
  await rest.return?.();
  const failed = ends.find((end) => end.status === "rejected");
  if (failed) throw failed.reason;
  return counts;
}

async function copyFile(file: NamedFile, { from, to, trustsSize }: CopyOptions): Promise<CopyOutcome> {
  const { key, sizeBytes, sha256 } = file;
  if (!isKey(key)) return { trouble: "invalid key" };
  if ((await to.size(key)) === sizeBytes && (trustsSize || (await hashOf(to, key)) === sha256)) return "present";
  try {
    const staged = await to.stage(from.pieces(key), { name: key, maxBytes: Number.POSITIVE_INFINITY });
    try {
      if (staged.sha256 !== sha256) return { trouble: "damaged" };
      await to.keep(staged, key);
    } finally {
      await to.discard(staged);
    }
  } catch (error) {
    if (error instanceof FileMissingError) return { trouble: "missing" };
    throw error;
  }
  if ((await hashOf(to, key)) === sha256) return "copied";
  await to.remove(key);
  return { trouble: "not kept unchanged" };
}
