/** Looks for violated invariants of the database and the file store and for leftovers, and mends what loses nothing. */
import type { Row } from "./eager-loading/answers.ts";
import type { Reader } from "./eager-loading/reader.ts";
import { raw } from "./eager-loading/sql.ts";
import { UserError } from "./errors.ts";
import { type Check, fileColumnsOf, type Slice } from "./slice.ts";
import { type FileStore, FileStoreError } from "./storage/file-store.ts";
import { findUnnamed, type SweepOptions, sweepFiles } from "./storage/file-sweep.ts";
import { findFileFaults, findNamed } from "./storage/named-files.ts";
import { ledgerCheck } from "./storage/quota.ts";

export type IntegrityParts = {
  slices: readonly Slice[];
  reader: Reader;
  files: FileStore;
  /** Minimum age in milliseconds of unnamed files that are counted and removed. */
  graceMs: number;
  /** Attempts before a row of a queue is FAILED. */
  maxAttempts: number;
};

export type Finding = {
  complaint: string;
  count: number;
  /** Ids of rows or files, in order; the first ones if there are many. */
  ids: string[];
  /** False for leftovers that a running server removes, too. */
  isFault: boolean;
  /** True if `repair` mends it. */
  isRepairable: boolean;
  /** Advice for people; null if `repair` mends it. */
  advice: string | null;
};

const maxIds = 20;

/** Checks that belong to no slice. */
const ownChecks: Record<string, Check> = {
  "transactions left open for over ten seconds": {
    violations: `
      select pid as id from pg_stat_activity where datname = current_database()
        and state like 'idle in transaction%' and now() - state_change > interval '10 seconds'`,
    advice: "End the program that left it open, or its session: select pg_terminate_backend(id).",
  },
};

const laggingConsumers: Check = {
  violations: `
    select c.name as id from outbox_consumers c where exists (
      select 1 from outbox o where o.position > c.position and o.occurred_at < now() - interval '1 hour')`,
  advice: "A running server catches up; until then the outbox is not pruned.",
};

const unnamedFiles = "files that no row names";

/** Returns one finding per check, also if it has found nothing. */
export async function examine(parts: IntegrityParts): Promise<Finding[]> {
  const { reader } = parts;
  const findings: Finding[] = [];
  for (const [complaint, check] of Object.entries(checksOf(parts))) {
    findings.push(await findViolations(complaint, check, reader));
  }
  findings.push(...(await findFaultsOfFiles(parts)), await findUnnamedFiles(parts));
  const consumers = "consumers of the outbox that are over an hour behind";
  return [...findings, { ...(await findViolations(consumers, laggingConsumers, reader)), isFault: false }];
}

/**
 * Mends the findings that are repairable. Safe while servers and workers run. The remaining violations are those of a new
 * examination.
 *
 * @param write runs statements in one transaction
 */
export async function repair(
  findings: readonly Finding[],
  parts: IntegrityParts & { write: (statements: readonly string[]) => Promise<void> },
): Promise<void> {
  const checks = checksOf(parts);
  for (const { complaint, count, isRepairable } of findings) {
    if (count === 0 || !isRepairable) continue;
    if (complaint === unnamedFiles) await usingFiles(() => sweepFiles(sweepOptions(parts)));
    else await parts.write(checks[complaint]?.repair ?? []);
  }
}

function checksOf({ slices, maxAttempts }: IntegrityParts): Record<string, Check> {
  const own = slices.map(({ checks, queue }) => ({ ...checks, ...(queue && leaseCheck(queue.table, maxAttempts)) }));
  const ledger = { "the ledger of the file store, which differs from the sum": ledgerCheck(fileColumnsOf(slices)) };
  return { ...Object.assign({}, ...own), ...ledger, ...ownChecks };
}

const leaseCheck = (table: string, maxAttempts: number): Record<string, Check> => ({
  [`PROCESSING ${table} whose lease ended over five minutes ago`]: {
    violations: `select id from ${table} where status = 'PROCESSING' and lease_until < now() - interval '5 minutes'`,
    repair: [`select release_expired_${table}(${maxAttempts})`],
  },
});

async function findViolations(complaint: string, check: Check, reader: Reader): Promise<Finding> {
  const [row] = await reader.read(
    raw(`
      with violations as materialized (${check.violations})
      select (select count(*) from violations) as count,
        array(select distinct id::text from violations order by 1 limit ${maxIds}) as ids`),
  );
  const { count, ids } = row as Row & { ids: string[] };
  return finding(complaint, { count: Number(count), ids }, check.advice);
}

const finding = (complaint: string, found: { count: number; ids: string[] }, advice?: string): Finding => ({
  complaint,
  ...found,
  isFault: true,
  isRepairable: advice === undefined,
  advice: advice ?? null,
});

/** Checks that every file that a row names exists, can be read, and is unchanged. */
async function findFaultsOfFiles({ slices, reader, files }: IntegrityParts): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const column of fileColumnsOf(slices)) {
    const { missing, changed, unreadable } = await findFileFaults(column, reader, files);
    const subject = `${column.table.name} whose ${column.noun ?? "file"}`;
    const add = (complaint: string, ids: string[], advice: string) =>
      findings.push(finding(`${subject} ${complaint}`, { count: ids.length, ids: ids.slice(0, maxIds) }, advice));
    add("is missing", missing, "Restore the file from a backup, or delete the row: nothing else has its contents.");
    add("is not what was sent", changed, "Restore the file from a backup, or delete the row and send the file again.");
    add("cannot be read", unreadable, "Check the disk, and the rights of the files; then run doctor again.");
  }
  return findings;
}

/** Finds files that a crash left and that are old enough to be swept. */
async function findUnnamedFiles(parts: IntegrityParts): Promise<Finding> {
  const found: string[] = [];
  await usingFiles(async () => {
    for await (const { id } of findUnnamed(sweepOptions(parts))) found.push(id);
  });
  return { ...finding(unnamedFiles, { count: found.length, ids: found.sort().slice(0, maxIds) }), isFault: false };
}

const sweepOptions = ({ slices, reader, files: store, graceMs }: IntegrityParts): SweepOptions => ({
  store,
  findNamed: (keys) => findNamed(fileColumnsOf(slices), reader, keys),
  graceMs,
});

async function usingFiles(use: () => Promise<unknown>): Promise<void> {
  try {
    await use();
  } catch (error) {
    if (!(error instanceof FileStoreError)) throw error;
    throw new UserError(`The file store cannot be used: ${(error.cause as Error).message}.`);
  }
}
