/** Readiness, for load balancers and operators. */
import type { Logger } from "pino";
import type { Reader } from "../eager-loading/reader.ts";
import { sql } from "../eager-loading/sql.ts";
import type { ErrorCode } from "../errors.ts";
import type { FileStore } from "../storage/file-store.ts";
import { FileStoreHealth } from "../storage/file-store-health.ts";
import type { WriteDatabase } from "../unit-of-work/write-database.ts";

/** `files`: why the store accepts no files. Operations without files still work. */
export type Readiness = { isReady: boolean; files?: ErrorCode };

export type ReadinessParts = { reads: Reader; database: WriteDatabase; files: FileStore; logger: Logger };

export function readinessOf({ reads, database, files, logger }: ReadinessParts): () => Promise<Readiness> {
  const health = new FileStoreHealth({ store: files, logger });
  const isDatabaseThere = async () => {
    try {
      await Promise.all([reads.read(sql`select 1`), database.pool.query("select 1")]);
      return true;
    } catch {
      return false;
    }
  };
  return async () => {
    const [isThere, trouble] = await Promise.all([isDatabaseThere(), health.findTrouble()]);
    return { isReady: isThere && !trouble, ...(trouble ? { files: trouble.code } : {}) };
  };
}
