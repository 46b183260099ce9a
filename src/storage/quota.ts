/** The limit of the file store. The database keeps a ledger of the files that rows name, and refuses more (LT003). */
import { jsonOfState } from "../database/sql-errors.ts";
import type { Reader } from "../eager-loading/reader.ts";
import { sql } from "../eager-loading/sql.ts";
import { requireColumn } from "../eager-loading/table.ts";
import { ApplicationError } from "../errors.ts";
import type { FileColumn } from "./named-files.ts";

/** In bytes. */
type Shortage = { usedBytes: number; neededBytes: number; limitBytes: number };

/**
 * Refuses a file early, before it is received or kept. Only the database's own check, when a row names it, is exact.
 *
 * @throws ApplicationError QUOTA_EXCEEDED
 */
export async function requireRoom(reader: Reader, neededBytes: number): Promise<void> {
  const [row] = await reader.read(sql`select used_bytes as used, limit_bytes as limit from storage_usage`);
  const [usedBytes, limitBytes] = [Number(row?.used), Number(row?.limit)];
  if (usedBytes + neededBytes > limitBytes) throw refusal({ usedBytes, neededBytes, limitBytes });
}

/** The ledger as `doctor` checks and mends it. Once its row is locked, no transaction has a file that it does not count. */
export function ledgerCheck(columns: readonly FileColumn[]): { violations: string; repair: string[] } {
  const sums = columns.map(({ table, key, size }) => {
    const [keyColumn, sizeColumn] = [requireColumn(table, key).name, requireColumn(table, size).name];
    return `coalesce((select sum(${sizeColumn}) from ${table.name} where ${keyColumn} is not null), 0)`;
  });
  const sum = ["0", ...sums].join(" + ");
  return {
    violations: `select id from storage_usage where used_bytes <> ${sum}`,
    repair: ["select 1 from storage_usage for update", `update storage_usage set used_bytes = ${sum}`],
  };
}

/** The refusal by the database; undefined if the error is another one. */
export function quotaErrorOf(error: unknown): ApplicationError | undefined {
  const shortage = jsonOfState(error, "LT003") as Shortage | undefined;
  return shortage && refusal(shortage);
}

function refusal({ usedBytes, neededBytes, limitBytes }: Shortage): ApplicationError {
  const message =
    `The library's storage has ${limitBytes} bytes, of which ${usedBytes} are used, and this needs ${neededBytes}: ` +
    "nothing was changed. Delete files that are not needed first.";
  return new ApplicationError("QUOTA_EXCEEDED", message, { usedBytes, neededBytes, limitBytes });
}
