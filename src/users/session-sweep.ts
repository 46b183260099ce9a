import { sql } from "../eager-loading/sql.ts";
import { deleteInBatches } from "../unit-of-work/delete-in-batches.ts";
import type { RunUnitOfWork } from "../unit-of-work/unit-of-work.ts";

/**
 * Deletes sessions that expired over a day ago; until then, a late refresh token is recognised as one of an old session.
 * Returns the number of sessions.
 */
export const sweepSessions = (run: RunUnitOfWork<object>): Promise<number> =>
  deleteInBatches(
    run,
    "sweep sessions",
    (limit) => sql`
      delete from sessions where id in (
        select id from sessions where expires_at < now() - interval '1 day'
        order by expires_at limit ${limit} for update skip locked)
      returning 1 as swept`,
  );
