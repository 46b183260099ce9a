/** Which files of the store documents name, and the end of those that none names any more. */
import type { Reader } from "../eager-loading/loaders.ts";
import { sql } from "../eager-loading/sql.ts";
import type { OutboxEvent } from "../outbox/outbox-event.ts";
import type { FileStore } from "../storage/file-store.ts";

/** Of these keys those that documents name. */
export async function namedKeys(reader: Reader, keys: readonly string[]): Promise<Set<string>> {
  const rows = await reader.read(sql`
    select storage_key as key from documents where storage_key = any(${keys}::text[])`);
  return new Set(rows.map(({ key }) => key as string));
}

/** Removes the original of a document that was deleted. Row first, then file: so it is done after the commit. */
export async function removeOriginal(event: OutboxEvent, reader: Reader, files: FileStore): Promise<void> {
  const { change, storageKey } = event.payload as { change?: string; storageKey?: string };
  if (event.topic !== "document" || change !== "deleted" || storageKey === undefined) return;
  // Somebody with psql may have put the row back.
  if (!(await namedKeys(reader, [storageKey])).has(storageKey)) await files.remove(storageKey);
}
