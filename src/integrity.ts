/** Checks the database and the file store for violated invariants, and for leftovers that a running server removes. */
import type { Reader } from "./eager-loading/reader.ts";
import { raw } from "./eager-loading/sql.ts";
import { UserError } from "./errors.ts";
import { fileColumnsOf, type Slice } from "./slice.ts";
import { type FileStore, FileStoreError } from "./storage/file-store.ts";
import { findUnnamed } from "./storage/file-sweep.ts";
import { type FileColumn, findFileFaults, findNamed } from "./storage/named-files.ts";

export type IntegrityParts = {
  slices: readonly Slice[];
  reader: Reader;
  files: FileStore;
  /** Minimum age in milliseconds of unnamed files that are counted. */
  graceMs: number;
};

export type Integrity = {
  /** Numbers of violations; all must be 0. */
  found: Counts;
  /** Number of files that no row names. A running server sweeps them. */
  unnamedFiles: number;
  /** Number of consumers that are over an hour behind. A running server catches up; until then the outbox is not pruned. */
  laggingConsumers: number;
};

export type Counts = [complaint: string, count: number][];

/** Checks that belong to no slice: queries that count violations, by the complaint. */
const ownChecks = {
  "transactions left open for over ten seconds": `
    select count(*) from pg_stat_activity where datname = current_database()
      and state like 'idle in transaction%' and now() - state_change > interval '10 seconds'`,
};

const lagging = `
  select count(*) from outbox_consumers c where exists (
    select 1 from outbox o where o.position > c.position and o.occurred_at < now() - interval '1 hour')`;

export async function examine({ slices, reader, files, graceMs }: IntegrityParts): Promise<Integrity> {
  const columns = fileColumnsOf(slices);
  const count = async (query: string) => Number((await reader.read(raw(query)))[0]?.count);
  return {
    found: [...(await countAll(slices, count)), ...(await checkFiles(columns, reader, files))],
    unnamedFiles: await countUnnamedFiles(columns, reader, files, graceMs),
    laggingConsumers: await count(lagging),
  };
}

async function countAll(slices: readonly Slice[], count: (query: string) => Promise<number>): Promise<Counts> {
  const checks = { ...Object.assign({}, ...slices.map(checksOf)), ...ownChecks } as Record<string, string>;
  const counts: Counts = [];
  for (const [complaint, query] of Object.entries(checks)) counts.push([complaint, await count(query)]);
  return counts;
}

const checksOf = ({ checks, queue }: Slice): Record<string, string> => ({
  ...checks,
  ...(queue && {
    [`PROCESSING ${queue.table} whose lease ended over five minutes ago`]: `
      select count(*) from ${queue.table} where status = 'PROCESSING' and lease_until < now() - interval '5 minutes'`,
  }),
});

/** Checks that every file that a row names exists, can be read, and is unchanged. */
async function checkFiles(columns: readonly FileColumn[], reader: Reader, files: FileStore): Promise<Counts> {
  const counts: Counts = [];
  for (const column of columns) {
    const { missing, changed, unreadable } = await findFileFaults(column, reader, files);
    const rows = column.table.name;
    counts.push([`${rows} whose file is missing`, missing]);
    counts.push([`${rows} whose file is not what was sent`, changed]);
    counts.push([`${rows} whose file cannot be read`, unreadable]);
  }
  return counts;
}

/** Counts files that a crash left and that are old enough to be swept. */
async function countUnnamedFiles(
  columns: readonly FileColumn[],
  reader: Reader,
  store: FileStore,
  graceMs: number,
): Promise<number> {
  try {
    let left = 0;
    const named = (keys: readonly string[]) => findNamed(columns, reader, keys);
    for await (const _file of findUnnamed({ store, findNamed: named, graceMs })) left++;
    return left;
  } catch (error) {
    if (!(error instanceof FileStoreError)) throw error;
    throw new UserError(`The file store cannot be read: ${(error.cause as Error).message}.`);
  }
}
