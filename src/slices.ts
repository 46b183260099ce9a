/** All slices. The order is that of GraphiQL's tabs, and of the sample library. */
import { audioSlice } from "./audio/audio.slice.ts";
import { categorySlice } from "./categories/category.slice.ts";
import { documentSlice } from "./documents/document.slice.ts";
import { eventSlice } from "./events/event.slice.ts";
import { playlistSlice } from "./playlists/playlist.slice.ts";
import { scheduleSlice } from "./schedules/schedule.slice.ts";
import type { Slice } from "./slice.ts";
import { storageUsageSlice } from "./storage-usage/storage-usage.slice.ts";
import { userSlice } from "./users/user.slice.ts";

export const slices: readonly Slice[] = [
  userSlice,
  storageUsageSlice,
  documentSlice,
  categorySlice,
  eventSlice,
  audioSlice,
  playlistSlice,
  scheduleSlice,
];
