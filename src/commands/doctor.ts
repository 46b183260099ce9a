/** Checks the database and the file store for what must not be, and tells what a running server will mend. */
import { loadEnvironmentFile, readConfig } from "../config.ts";
import { openFileStore } from "../connections.ts";
import { rowTypes } from "../database/row-types.ts";
import { withClient } from "../database/with-client.ts";
import type { Reader } from "../eager-loading/reader.ts";
import { raw } from "../eager-loading/sql.ts";
import { UserError } from "../errors.ts";
import { fileColumnsOf, type Slice } from "../slice.ts";
import { slices } from "../slices.ts";
import { type FileStore, FileStoreError } from "../storage/file-store.ts";
import { findUnnamed } from "../storage/file-sweep.ts";
import { type FileColumn, findFileFaults, findNamed } from "../storage/named-files.ts";
import { missingRoles, withDatabase } from "./database-session.ts";

/** Checks of no slice: queries that count what must not be, by the complaint. */
const ownChecks = {
  "transactions left open for over ten seconds": `
    select count(*) from pg_stat_activity where datname = current_database()
      and state like 'idle in transaction%' and now() - state_change > interval '10 seconds'`,
};

const lagging = `
  select count(*) from outbox_consumers c where exists (
    select 1 from outbox o where o.position > c.position and o.occurred_at < now() - interval '1 hour')`;

export async function doctor(): Promise<void> {
  loadEnvironmentFile();
  const config = readConfig();
  const files = openFileStore(config);
  const columns = fileColumnsOf(slices);
  const { found, left, late, missing } = await withDatabase(config, async (database) => ({
    ...(await withClient(database.ownerUrl, async (client) => {
      const reader: Reader = {
        read: async ({ text, values }) => (await client.query({ text, values, types: rowTypes })).rows,
      };
      const count = async (query: string) => Number((await reader.read(raw(query)))[0]?.count);
      await requireTables(reader);
      return {
        found: [...(await countAll(count)), ...(await checkFiles(columns, reader, files))],
        left: await countLeftFiles(columns, reader, files, config.FILE_GRACE_MS),
        late: await count(lagging),
      };
    })),
    missing: await missingRoles(database),
  }));
  for (const [complaint, count] of found) console.log(`${count === 0 ? "ok  " : "BAD "} ${count} ${complaint}`);
  // Harmless: a running server removes them.
  console.log(`${left === 0 ? "ok  " : "note"} ${left} files that no row names`);
  // Harmless: a running server follows; until then the outbox is not pruned behind it.
  console.log(`${late === 0 ? "ok  " : "note"} ${late} consumers of the outbox that are over an hour behind`);
  // Everything works without the roles, but a mistake of ours could do more harm.
  for (const { role, reason } of missing) console.log(`note no connection works as ${role}: ${reason}`);
  if (found.some(([, count]) => count > 0)) throw new UserError("The database holds what must never be.");
}

type Counts = [complaint: string, count: number][];

async function requireTables(reader: Reader): Promise<void> {
  const [found] = await reader.read(raw("select to_regclass('outbox') is not null as any"));
  if (!found?.any) throw new UserError("The database has no tables yet: run `migrate` first.");
}

async function countAll(count: (query: string) => Promise<number>): Promise<Counts> {
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

/** Every file that a row names exists, can be read, and is the one that was sent. */
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

/** Files that a crash left, old enough to be swept. */
async function countLeftFiles(
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
