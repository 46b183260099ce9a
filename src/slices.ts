/** All slices. The order is that of GraphiQL's tabs, and of the sample library. */
import { documentSlice } from "./documents/document.slice.ts";
import type { Slice } from "./slice.ts";
import { storageUsageSlice } from "./storage-usage/storage-usage.slice.ts";
import { userSlice } from "./users/user.slice.ts";

export const slices: readonly Slice[] = [userSlice, storageUsageSlice, documentSlice];
