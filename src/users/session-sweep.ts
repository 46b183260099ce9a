import { sql } from "../eager-loading/sql.ts";
import type { RunUnitOfWork } from "../unit-of-work/unit-of-work.ts";

const batch = 1_000;

/**
 * Deletes sessions that expired over a day ago, in batches, to keep locks short. Until then, a late refresh token is
 * recognised as one of an old session. Returns their number.
 */
export async function sweepSessions(run: RunUnitOfWork<object>): Promise<number> {
  for (let swept = 0; ; ) {
    const rows = await run({ name: "sweep sessions" }, (uow) =>
      uow.write(sql`
        delete from sessions where id in (
          select id from sessions where expires_at < now() - interval '1 day'
          order by expires_at limit ${batch} for update skip locked)
        returning 1 as swept`),
    );
    swept += rows.length;
    if (rows.length < batch) return swept;
  }
}
