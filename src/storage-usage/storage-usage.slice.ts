/** The limit of the file store, and how much of it is used. */
import { sql } from "../eager-loading/sql.ts";
import { whole } from "../settings.ts";
import type { Slice } from "../slice.ts";
import { requireRoom } from "../storage/quota.ts";

declare module "../settings.ts" {
  interface SliceSettings {
    STORAGE_LIMIT_BYTES: number;
  }
}

export const storageUsageSlice: Slice = {
  settings: {
    STORAGE_LIMIT_BYTES: whole(0, Number.MAX_SAFE_INTEGER)
      .default(10 * 2 ** 30)
      .describe("size of all files together, written to the database at the start; then `QUOTA_EXCEEDED`"),
  },
  types: () => import("./storage-usage.schema.ts"),
  open: ({ config, run, reads }) => ({
    async start() {
      const limit = BigInt(config.STORAGE_LIMIT_BYTES);
      const [ledger] = await reads.read(sql`select limit_bytes as limit from storage_usage`);
      if (ledger?.limit === limit) return;
      await run({ name: "set the storage limit" }, (uow) =>
        uow.write(sql`update storage_usage set limit_bytes = ${limit}`),
      );
    },
    requireRoom: (_viewer, bytes) => requireRoom(reads, bytes),
  }),
};
