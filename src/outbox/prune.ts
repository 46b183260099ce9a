import { sql } from "../eager-loading/sql.ts";
import type { RunUnitOfWork } from "../unit-of-work/unit-of-work.ts";

/**
 * Deletes old events that every consumer has handled. Returns their number. Safe to run concurrently: a second run
 * finds no rows.
 */
export async function pruneOutbox(run: RunUnitOfWork<object>, retentionHours: number): Promise<number> {
  return run({ name: "prune the outbox" }, async (uow) => {
    const [row] = await uow.write(sql`select prune_outbox(make_interval(hours => ${retentionHours}::int)) as pruned`);
    return Number(row?.pruned);
  });
}
