/** Prints what `examine` finds. */
import { loadEnvironmentFile, readConfig } from "../config.ts";
import { rowTypes } from "../database/row-types.ts";
import { withClient } from "../database/with-client.ts";
import type { Reader } from "../eager-loading/reader.ts";
import { raw } from "../eager-loading/sql.ts";
import { UserError } from "../errors.ts";
import { examine } from "../integrity.ts";
import { openFileStore } from "../resources.ts";
import { slices } from "../slices.ts";
import { missingRoles, withDatabase } from "./database-session.ts";

export async function doctor(): Promise<void> {
  loadEnvironmentFile();
  const config = readConfig();
  const files = await openFileStore(config);
  const { found, unnamedFiles, laggingConsumers, missing } = await withDatabase(config, async (database) => ({
    ...(await withClient(database.ownerUrl, async (client) => {
      const reader: Reader = {
        read: async ({ text, values }) => (await client.query({ text, values, types: rowTypes })).rows,
      };
      await requireTables(reader);
      return examine({ slices, reader, files, graceMs: config.FILE_GRACE_MS });
    })),
    missing: await missingRoles(database),
  }));
  for (const [complaint, count] of found) console.log(`${count === 0 ? "ok  " : "BAD "} ${count} ${complaint}`);
  const note = (count: number, text: string) => console.log(`${count === 0 ? "ok  " : "note"} ${count} ${text}`);
  note(unnamedFiles, "files that no row names");
  note(laggingConsumers, "consumers of the outbox that are over an hour behind");
  // Everything works without the roles, but a bug of the program could do more harm.
  for (const { role, reason } of missing) console.log(`note no connection works as ${role}: ${reason}`);
  if (found.some(([, count]) => count > 0)) throw new UserError("The database holds what must never be.");
}

async function requireTables(reader: Reader): Promise<void> {
  const [found] = await reader.read(raw("select to_regclass('outbox') is not null as any"));
  if (!found?.any) throw new UserError("The database has no tables yet: run `migrate` first.");
}
