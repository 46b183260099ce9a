/** Playlists: audio in an order. */
import { sql } from "../eager-loading/sql.ts";
import type { Sample, Slice } from "../slice.ts";
import { playlistChecks } from "./playlist.checks.ts";
import { type PlaylistRepository, playlistRepository } from "./playlist.repository.ts";
import { PlaylistService } from "./playlist.service.ts";
import { playlistTabs } from "./playlist.tabs.ts";

declare module "../unit-of-work/unit-of-work.ts" {
  interface Repositories {
    playlists: PlaylistRepository;
  }
}
declare module "../graphql/context.ts" {
  interface Services {
    playlists: PlaylistService;
  }
}

export const playlistSlice: Slice = {
  types: () =>
    Promise.all([
      import("./playlist.schema.ts"),
      import("./playlist.mutations.ts"),
      import("./playlist.subscriptions.ts"),
    ]),
  repositories: (uow) => ({ playlists: playlistRepository(uow) }),
  open: () => ({
    services: ({ playlists }, viewer) => ({ playlists: new PlaylistService({ playlists, viewer }) }),
  }),
  checks: playlistChecks,
  seedProcessed: addPlaylists,
  tabs: playlistTabs,
};

const hourMs = 3_600_000;

/** "Lobby" plays each sound of the sample library once; "Daytime" repeats them for about an hour. */
async function addPlaylists({ reader, servicesOf }: Sample): Promise<void> {
  const { playlists } = servicesOf("editor");
  const sounds = await reader.read(sql`
    select id, duration_ms as ms from audio where status = 'COMPLETED' order by title desc, id`);
  const ids = sounds.map(({ id }) => id as string);
  const roundMs = sounds.reduce((sum, { ms }) => sum + Number(ms), 0);
  if (roundMs === 0) return;
  const rounds = Math.ceil(hourMs / roundMs);
  await playlists.create({ name: "Lobby", audioIds: ids });
  await playlists.create({ name: "Daytime", audioIds: Array.from({ length: rounds }, () => ids).flat() });
}
