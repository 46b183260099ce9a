import { tables } from "../database/generated/tables.ts";
import { relations } from "../database/relations.ts";

/** The ledger has one row, with this id. */
export const ledgerId = "1";

export const storageUsageById = relations.one({ name: "StorageUsageById", table: tables.StorageUsage, key: "id" });
