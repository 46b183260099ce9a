import { sql } from "../eager-loading/sql.ts";
import type { UnitOfWork } from "../unit-of-work/unit-of-work.ts";

/**
 * Forgets events that are older and that every consumer has followed. Returns how many. Two servers may do it at once:
 * whoever comes second finds nothing left, and waits for nobody, since nobody else takes rows away.
 */
export async function pruneOutbox(
  run: <Result>(options: { name: string }, work: (uow: UnitOfWork) => Promise<Result>) => Promise<Result>,
  keptHours: number,
): Promise<number> {
  return run({ name: "prune the outbox" }, async (uow) => {
    const [row] = await uow.write(sql`select prune_outbox(make_interval(hours => ${keptHours}::int)) as pruned`);
    return Number(row?.pruned);
  });
}
