/** Relations of playlists and their tracks. All readers of the library see all of them. */
import { tables } from "../database/generated/tables.ts";
import { relations } from "../database/relations.ts";
import { type Columns, type Sql, sql } from "../eager-loading/sql.ts";
import { foldedMatch } from "../search/folded-text.ts";

export type PlaylistFilter = { search?: string | null };

const pages = {
  table: tables.Playlist,
  orders: { NAME: ["name"], CREATED_AT: ["createdAt"] },
  defaultOrder: { field: "NAME", direction: "ASC" },
} as const;

export const playlistById = relations.one({ name: "PlaylistById", table: tables.Playlist, key: "id" });

export const allPlaylists = relations.page({
  name: "AllPlaylists",
  ...pages,
  filter: ({ search }: PlaylistFilter, playlist: Columns) =>
    search ? foldedMatch(playlist.nameFolded as Sql, search) : undefined,
});

export const playlistsByOwner = relations.page({ name: "PlaylistsByOwner", key: "ownerId", ...pages });

/** A playlist with several tracks of the audio is there once. */
export const playlistsByAudio = relations.page({
  name: "PlaylistsByAudio",
  keyType: "uuid",
  match: (audio, playlist) =>
    sql`${playlist.id} in (select playlist_id from playlist_tracks where audio_id = ${audio})`,
  ...pages,
});

export const trackById = relations.one({ name: "TrackById", table: tables.PlaylistTrack, key: "id" });

export const tracksByPlaylist = relations.page({
  name: "TracksByPlaylist",
  table: tables.PlaylistTrack,
  key: "playlistId",
  orders: { RANK: ["rank"] },
  defaultOrder: { field: "RANK", direction: "ASC" },
});

/** The number of tracks before it. Counts each playlist once, up to the last track that is asked for. */
export const trackPosition = relations.value<number>()({
  name: "TrackPosition",
  table: tables.PlaylistTrack,
  key: "id",
  values: (keys) => sql`
    select o.id, o.position
    from (
      select t.playlist_id, max(t.rank) as last from ${keys} k join playlist_tracks t on t.id = k.key group by 1
    ) asked
    cross join lateral (
      select t.id, (row_number() over (order by t.rank))::integer - 1 as position
      from playlist_tracks t where t.playlist_id = asked.playlist_id and t.rank <= asked.last
    ) o`,
});
