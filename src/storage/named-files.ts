/** Files of the store and the rows that name them. */
import { createHash } from "node:crypto";
import type { Logger } from "pino";
import { columnOf } from "../database/columns.ts";
import type { Row } from "../eager-loading/answers.ts";
import type { Reader } from "../eager-loading/reader.ts";
import { identifier, join, raw, type Sql, sql } from "../eager-loading/sql.ts";
import type { AnyTable } from "../eager-loading/table.ts";
import type { OutboxEvent } from "../outbox/outbox-event.ts";
import { type FileStore, FileStoreError, isKey } from "./file-store.ts";

/** A column whose values are keys of files in the store. */
export type FileColumn = {
  table: AnyTable;
  /** For people; needed if a table has several. Default: `file`. */
  noun?: string;
  /** The name that the value has in a row, and in the payload of the row's events. */
  key: string;
  /** The topic of the row's events in the outbox. */
  topic: string;
  /** Columns with the file's bytes and SHA-256 in hex, by which `doctor` recognizes a damaged file. */
  size: string;
  sha256: string;
};

const tableOf = ({ table }: FileColumn) => raw(identifier(table.name));

/** Returns the keys that rows name, by one statement. */
export async function findNamed(
  columns: readonly FileColumn[],
  reader: Reader,
  keys: readonly string[],
): Promise<Set<string>> {
  if (columns.length === 0) return new Set();
  const selects = columns.map((column): Sql => {
    const key = columnOf(column.table, column.key);
    return sql`select ${key} as key from ${tableOf(column)} where ${key} = any(${keys}::text[])`;
  });
  return new Set((await reader.read(join(selects, " union all "))).map(({ key }) => key as string));
}

/**
 * Removes the file of a row that was deleted or now names another file, unless a row names it. Called after the commit,
 * since the row must go before its file. A file that cannot be removed is logged and left to the sweep, which removes
 * files without a row: it must not hold up the files of later events.
 *
 * @throws an error of the database
 */
export async function removeUnnamed(
  event: OutboxEvent,
  columns: readonly FileColumn[],
  reader: Reader,
  files: Pick<FileStore, "remove">,
  logger: Logger,
): Promise<void> {
  const { change, before, ...now } = event.payload as Row & { change?: string; before?: Row };
  const gone = columns
    .filter(({ topic }) => topic === event.topic)
    .map(({ key }) => (change === "deleted" ? now[key] : before?.[key] === now[key] ? undefined : before?.[key]))
    .filter((key): key is string => typeof key === "string");
  if (gone.length === 0) return;
  // Another program may have written the key into a row again.
  const named = await findNamed(columns, reader, gone);
  for (const key of gone) if (!named.has(key)) await removeOrLeave(key, files, logger);
}

async function removeOrLeave(key: string, files: Pick<FileStore, "remove">, logger: Logger): Promise<void> {
  // The owner of the tables can write any text into a row.
  if (!isKey(key)) return logger.warn({ key }, "a row has named a file by an invalid key, which no file has");
  try {
    await files.remove(key);
  } catch (error) {
    if (!(error instanceof FileStoreError)) throw error;
    logger.warn({ err: error, key }, "a file could not be removed; the sweep will");
  }
}

/** Ids of the rows whose files are missing, not what the row says, or not readable. */
export type FileFaults = { missing: string[]; changed: string[]; unreadable: string[] };

const batchSize = 500;

/** Compares each file that the column names with its row. */
export async function findFileFaults(column: FileColumn, reader: Reader, files: FileStore): Promise<FileFaults> {
  const faults: FileFaults = { missing: [], changed: [], unreadable: [] };
  for await (const { id, key, sizeBytes, sha256 } of namedFiles(column, reader)) {
    try {
      const found = isKey(key) ? await files.size(key) : null;
      if (found === null) faults.missing.push(id);
      else if (found !== sizeBytes || (await hashOf(files, key)) !== sha256) faults.changed.push(id);
    } catch (error) {
      if (!(error instanceof FileStoreError)) throw error;
      faults.unreadable.push(id);
    }
  }
  return faults;
}

/** `id` is that of the row. */
export type NamedFile = { id: string; key: string; sizeBytes: number; sha256: string };

/** The files that the column names, in the order of their keys, which are unique. Read in pages. */
export async function* namedFiles(column: FileColumn, reader: Reader): AsyncIterable<NamedFile> {
  for (let after = ""; ; ) {
    const rows = await reader.read(namingRows(column, after));
    for (const { id, key, size, sha256 } of rows as { id: string; key: string; size: bigint; sha256: string }[]) {
      yield { id, key, sizeBytes: Number(size), sha256 };
    }
    if (rows.length < batchSize) return;
    after = rows.at(-1)?.key as string;
  }
}

function namingRows(column: FileColumn, after: string): Sql {
  const key = columnOf(column.table, column.key);
  return sql`
    select ${columnOf(column.table, column.table.primaryKey)}::text as id, ${key} as key,
      ${columnOf(column.table, column.size)} as size, ${columnOf(column.table, column.sha256)} as sha256
    from ${tableOf(column)} where ${key} > ${after} order by ${key} limit ${batchSize}::int`;
}

/** The SHA-256 of a kept file in hex. @throws FileMissingError */
export async function hashOf(files: Pick<FileStore, "pieces">, key: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of files.pieces(key)) hash.update(piece);
  return hash.digest("hex");
}
