import { createHash } from "node:crypto";
import type pg from "pg";
import { type Config, loadEnvironmentFile, readConfig } from "../config.ts";
import { withClient } from "../database/with-client.ts";
import { UserError } from "../errors.ts";
import { type FileStore, FileStoreError } from "../storage/file-store.ts";
import { openFileStore } from "../workers.ts";
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

const lagging = `
  select count(*) from outbox_consumers c where exists (
    select 1 from outbox o where o.position > c.position and o.occurred_at < now() - interval '1 hour')`;

export async function doctor(): Promise<void> {
  loadEnvironmentFile();
  const config = readConfig();
  const files = openFileStore(config);
  const { found, left, late, missing } = await withDatabase(config, async (database) => ({
    ...(await withClient(database.ownerUrl, async (client) => ({
      found: [...(await count(client)), ...(await compareRowsWithFiles(client, files))],
      left: await countLeftFiles(client, files, config),
      late: Number((await client.query(lagging)).rows[0].count),
    }))),
    missing: await missingRoles(database),
  }));
  for (const [complaint, count] of found) console.log(`${count === 0 ? "ok  " : "BAD "} ${count} ${complaint}`);
  // No harm by themselves: a running server removes them.
  console.log(`${left === 0 ? "ok  " : "note"} ${left} files that no document names`);
  // No harm by itself: a running server follows; until then the outbox is not pruned behind it.
  console.log(`${late === 0 ? "ok  " : "note"} ${late} consumers of the outbox that are over an hour behind`);
  // No harm by itself: everything works, and a mistake of ours could do more.
  for (const { role, reason } of missing) console.log(`note no connection works as ${role}: ${reason}`);
  if (found.some(([, count]) => count > 0)) throw new UserError("The database holds what must never be.");
}

type Counts = [string, number][];

/** How many there are of each complaint. */
async function count(client: pg.Client): Promise<Counts> {
  const { rows } = await client.query("select to_regclass('chunks') is not null as any");
  if (!rows[0].any) throw new UserError("The database has no tables yet: run `migrate` first.");
  const counts: Counts = [];
  for (const [complaint, query] of Object.entries(complaints)) {
    counts.push([complaint, Number((await client.query(query)).rows[0].count)]);
  }
  return counts;
}

const batchSize = 500;

/** Every original that a document names is there, can be read, and is what was sent. */
async function compareRowsWithFiles(client: pg.Client, files: FileStore): Promise<Counts> {
  let [missing, changed, unreadable] = [0, 0, 0];
  for (let after = "00000000-0000-0000-0000-000000000000"; ; ) {
    const { rows } = await client.query(
      `select id, storage_key as key, size_bytes as size, sha256 from documents
       where storage_key is not null and id > $1 order by id limit ${batchSize}`,
      [after],
    );
    for (const { key, size, sha256 } of rows) {
      try {
        const found = await files.size(key);
        if (found === null) missing++;
        else if (found !== Number(size) || (await hashOf(files, key)) !== sha256) changed++;
      } catch (error) {
        if (!(error instanceof FileStoreError)) throw error;
        unreadable++;
      }
    }
    if (rows.length < batchSize) break;
    after = rows.at(-1).id;
  }
  return [
    ["documents whose original is missing", missing],
    ["documents whose original is not what was sent", changed],
    ["documents whose original cannot be read", unreadable],
  ];
}

async function hashOf(files: FileStore, key: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of files.pieces(key)) hash.update(piece);
  return hash.digest("hex");
}

/** Left by a crash, and old enough to be removed. */
async function countLeftFiles(client: pg.Client, files: FileStore, { FILE_GRACE_MS }: Config): Promise<number> {
  const { rows } = await client.query("select storage_key as key from documents where storage_key is not null");
  const named = new Set(rows.map(({ key }) => key));
  let left = 0;
  try {
    for await (const { id, ageMs } of files.list()) if (ageMs > FILE_GRACE_MS && !named.has(id)) left++;
  } catch (error) {
    if (!(error instanceof FileStoreError)) throw error;
    throw new UserError(`The file store cannot be read: ${(error.cause as Error).message}.`);
  }
  return left;
}
