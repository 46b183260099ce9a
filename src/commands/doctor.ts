import type pg from "pg";
import { loadEnvironmentFile, readConfig } from "../config.ts";
import { withClient } from "../database/with-client.ts";
import { UserError } from "../errors.ts";
import { missingRoles, withDatabase } from "./database-session.ts";

/** What must never be, each as a query that counts it. */
const complaints = {
  "chunks whose offsets do not cut out their text (where characters and UTF-16 code units are the same)": `
    select count(*) from chunks c join documents d on d.id = c.document_id
    where d.text !~ '[\\U00010000-\\U0010FFFF]'
      and substr(d.text, c.start_offset + 1, c.end_offset - c.start_offset) <> c.text`,
  "documents whose chunks are not numbered 0, 1, 2 …": `
    select count(*) from (select document_id from chunks group by 1 having max(index) + 1 <> count(*)) x`,
  "COMPLETED documents without chunks": `
    select count(*) from documents d where d.status = 'COMPLETED' and not exists (
      select 1 from chunks c where c.document_id = d.id)`,
  "PROCESSING documents whose lease ended over five minutes ago": `
    select count(*) from documents where status = 'PROCESSING' and lease_until < now() - interval '5 minutes'`,
  "transactions left open for over ten seconds": `
    select count(*) from pg_stat_activity where datname = current_database()
      and state like 'idle in transaction%' and now() - state_change > interval '10 seconds'`,
};

export async function doctor(): Promise<void> {
  loadEnvironmentFile();
  const config = readConfig();
  const { found, missing } = await withDatabase(config, async (database) => ({
    found: await withClient(database.ownerUrl, count),
    missing: await missingRoles(database),
  }));
  for (const [complaint, count] of found) console.log(`${count === 0 ? "ok  " : "BAD "} ${count} ${complaint}`);
  // No harm by itself: everything works, and a mistake of ours could do more.
  for (const { role, reason } of missing) console.log(`note no connection works as ${role}: ${reason}`);
  if (found.some(([, count]) => count > 0)) throw new UserError("The database holds what must never be.");
}

/** How many there are of each complaint. */
async function count(client: pg.Client): Promise<[string, number][]> {
  const { rows } = await client.query("select to_regclass('chunks') is not null as any");
  if (!rows[0].any) throw new UserError("The database has no tables yet: run `migrate` first.");
  const counts: [string, number][] = [];
  for (const [complaint, query] of Object.entries(complaints)) {
    counts.push([complaint, Number((await client.query(query)).rows[0].count)]);
  }
  return counts;
}
