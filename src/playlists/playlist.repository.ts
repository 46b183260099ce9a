/** Writes playlists and their tracks. Triggers keep the sums and the version of a playlist when its tracks change. */
import type { WorkStatus } from "../database/generated/prisma/enums.ts";
import { type PlaylistRow, type PlaylistTrackRow, tables } from "../database/generated/tables.ts";
import { type Sql, selectList, sql } from "../eager-loading/sql.ts";
import type { UnitOfWork } from "../unit-of-work/unit-of-work.ts";
import type { RankedTrack } from "./rank.ts";

/** The values of an audio on which its use in a playlist depends. */
export type UsedAudio = { id: string; title: string; status: WorkStatus };

/** To avoid deadlocks, audio is locked before playlists, and several rows in the order of their ids. */
export interface PlaylistRepository {
  /** Locks audio against changes until the unit of work ends. Returns those that exist. */
  lockAudio(ids: readonly string[]): Promise<UsedAudio[]>;
  /** Locks the audio of a playlist against changes until the unit of work ends. */
  lockAudioOf(playlistId: string): Promise<UsedAudio[]>;
  /** Locks the playlist until the unit of work ends. Returns null if it does not exist. */
  lock(id: string): Promise<PlaylistRow | null>;
  /** Locks the playlist of the track. Returns null if there is no such track. */
  lockByTrack(trackId: string): Promise<PlaylistRow | null>;
  /** Locks the playlists with tracks of the audio. */
  lockByAudio(audioId: string): Promise<PlaylistRow[]>;
  /** The playlist as the triggers have left it. */
  get(id: string): Promise<PlaylistRow>;
  /** The same of several playlists that exist. */
  getAll(ids: readonly string[]): Promise<PlaylistRow[]>;
  create(playlist: { name: string; ownerId: string }): Promise<PlaylistRow>;
  rename(id: string, name: string): Promise<PlaylistRow>;
  delete(id: string): Promise<void>;
  /** The tracks with these ids that exist, in their order. */
  findTracks(ids: readonly string[]): Promise<PlaylistTrackRow[]>;
  /** All tracks of the playlist, in their order. */
  tracksOf(playlistId: string): Promise<PlaylistTrackRow[]>;
  /** The greatest rank in the playlist, or the greatest below another one; null if there is none. */
  rankBelow(playlistId: string, rank: string | null): Promise<string | null>;
  /** The least rank in the playlist above another one; null if there is none. */
  rankAbove(playlistId: string, rank: string): Promise<string | null>;
  /** Returns the new tracks in their order. */
  addTracks(playlistId: string, tracks: readonly { audioId: string; rank: string }[]): Promise<PlaylistTrackRow[]>;
  copyTracks(from: string, to: string): Promise<void>;
  setRanks(tracks: readonly RankedTrack[]): Promise<void>;
  removeTrack(id: string): Promise<void>;
  /** Removes the tracks of the audio from all playlists. */
  removeTracksOf(audioId: string): Promise<void>;
}

export function playlistRepository(uow: Pick<UnitOfWork, "write">): PlaylistRepository {
  const playlist = selectList(tables.Playlist, "t");
  const track = selectList(tables.PlaylistTrack, "t");
  const rows = async <Row>(statement: Sql) => (await uow.write(statement)) as Row[];
  const first = async <Row>(statement: Sql) => (await rows<Row>(statement))[0] ?? null;
  const rankFrom = async (statement: Sql) => (await first<{ rank: string | null }>(statement))?.rank ?? null;
  return {
    lockAudio: (ids) =>
      rows(sql`select id, title, status from audio where id = any(${ids}::uuid[]) order by id for share`),

    lockAudioOf: (playlistId) =>
      rows(sql`
        select id, title, status from audio
        where id in (select audio_id from playlist_tracks where playlist_id = ${playlistId}::uuid) order by id for share`),

    lock: (id) => first(sql`select ${playlist} from playlists t where t.id = ${id}::uuid for update`),

    lockByTrack: (trackId) =>
      first(sql`
        select ${playlist} from playlists t
        where t.id = (select playlist_id from playlist_tracks where id = ${trackId}::uuid) for update`),

    lockByAudio: (audioId) =>
      rows(sql`
        select ${playlist} from playlists t
        where t.id in (select playlist_id from playlist_tracks where audio_id = ${audioId}::uuid)
        order by t.id for update`),

    async get(id) {
      const found = await first<PlaylistRow>(sql`select ${playlist} from playlists t where t.id = ${id}::uuid`);
      if (!found) throw new Error(`The playlist ${id} is locked, but does not exist.`);
      return found;
    },

    getAll: (ids) => rows(sql`select ${playlist} from playlists t where t.id = any(${ids}::uuid[]) order by t.id`),

    create: ({ name, ownerId }) =>
      first(sql`
        insert into playlists as t (name, owner_id) values (${name}, ${ownerId}::uuid)
        returning ${playlist}`) as Promise<PlaylistRow>,

    rename: (id, name) =>
      first(sql`
        update playlists t set name = ${name} where t.id = ${id}::uuid returning ${playlist}`) as Promise<PlaylistRow>,

    async delete(id) {
      await uow.write(sql`delete from playlists where id = ${id}::uuid`);
    },

    findTracks: (ids) =>
      rows(sql`select ${track} from playlist_tracks t where t.id = any(${ids}::uuid[]) order by t.rank`),

    tracksOf: (playlistId) =>
      rows(sql`select ${track} from playlist_tracks t where t.playlist_id = ${playlistId}::uuid order by t.rank`),

    rankBelow: (playlistId, rank) =>
      rankFrom(
        rank === null
          ? sql`select max(rank) as rank from playlist_tracks where playlist_id = ${playlistId}::uuid`
          : sql`select max(rank) as rank from playlist_tracks where playlist_id = ${playlistId}::uuid and rank < ${rank}`,
      ),

    rankAbove: (playlistId, rank) =>
      rankFrom(
        sql`select min(rank) as rank from playlist_tracks where playlist_id = ${playlistId}::uuid and rank > ${rank}`,
      ),

    addTracks: (playlistId, tracks) =>
      rows(sql`
        with added as (
          insert into playlist_tracks as t (playlist_id, audio_id, rank)
          select ${playlistId}::uuid, * from unnest(${tracks.map(({ audioId }) => audioId)}::uuid[],
                                                    ${tracks.map(({ rank }) => rank)}::text[])
          returning *
        ) select ${track} from added t order by t.rank`),

    async copyTracks(from, to) {
      await uow.write(sql`
        insert into playlist_tracks (playlist_id, audio_id, rank)
        select ${to}::uuid, audio_id, rank from playlist_tracks where playlist_id = ${from}::uuid order by rank`);
    },

    async setRanks(tracks) {
      await uow.write(sql`
        update playlist_tracks t set rank = new.rank
        from unnest(${tracks.map(({ id }) => id)}::uuid[], ${tracks.map(({ rank }) => rank)}::text[]) as new (id, rank)
        where t.id = new.id`);
    },

    async removeTrack(id) {
      await uow.write(sql`delete from playlist_tracks where id = ${id}::uuid`);
    },

    async removeTracksOf(audioId) {
      await uow.write(sql`delete from playlist_tracks where audio_id = ${audioId}::uuid`);
    },
  };
}
