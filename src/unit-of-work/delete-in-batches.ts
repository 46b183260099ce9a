import type { Sql } from "../eager-loading/sql.ts";
import type { RunUnitOfWork } from "./unit-of-work.ts";

const batchSize = 1_000;

/**
 * Deletes rows in batches, each in a unit of work of its own, to keep locks short. Returns the number of rows.
 *
 * @param name of the units of work, for the log
 * @param statement deletes at most `limit` rows that no other transaction has locked, and returns a row for each
 */
export async function deleteInBatches(
  run: RunUnitOfWork<object>,
  name: string,
  statement: (limit: number) => Sql,
): Promise<number> {
  for (let deleted = 0; ; ) {
    const rows = await run({ name }, (uow) => uow.write(statement(batchSize)));
    deleted += rows.length;
    if (rows.length < batchSize) return deleted;
  }
}
