/** Playlists and tracks in memory. They count and sum up tracks, and raise versions, as the database's triggers do. */
import type { PlaylistRow, PlaylistTrackRow } from "../../src/database/generated/tables.ts";
import type { PlaylistRepository, UsedAudio } from "../../src/playlists/playlist.repository.ts";
import type { RankedTrack } from "../../src/playlists/rank.ts";

type Sound = UsedAudio & { durationMs: number };

export class PlaylistsInMemory implements PlaylistRepository {
  readonly audio = new Map<string, Sound>();
  readonly playlists = new Map<string, PlaylistRow>();
  readonly tracks = new Map<string, PlaylistTrackRow>();
  /** The locks and writes, in order. */
  readonly calls: string[] = [];
  #made = 0;

  /** Adds a sound whose id is its title. */
  addAudio(title: string, { durationMs = 1_000, status = "COMPLETED" as UsedAudio["status"] } = {}): string {
    this.audio.set(title, { id: title, title, status, durationMs });
    return title;
  }

  /** The ids of the audio of a playlist, in order. */
  audioOf(playlistId: string): string[] {
    return this.#tracksOf(playlistId).map(({ audioId }) => audioId);
  }

  async lockAudio(ids: readonly string[]) {
    this.calls.push("lock audio");
    return [...this.audio.values()].filter(({ id }) => ids.includes(id));
  }
  lockAudioOf(playlistId: string) {
    return this.lockAudio(this.audioOf(playlistId));
  }
  async lock(id: string) {
    this.calls.push("lock playlist");
    return this.playlists.get(id) ?? null;
  }
  async lockByTrack(trackId: string) {
    const track = this.tracks.get(trackId);
    return track ? this.lock(track.playlistId) : null;
  }
  async lockByAudio(audioId: string) {
    this.calls.push("lock playlists");
    return [...this.playlists.values()].filter(({ id }) => this.audioOf(id).includes(audioId));
  }
  async get(id: string) {
    return this.playlists.get(id) as PlaylistRow;
  }
  async getAll(ids: readonly string[]) {
    return ids.map((id) => this.playlists.get(id) as PlaylistRow);
  }

  async create({ name, ownerId }: { name: string; ownerId: string }) {
    this.calls.push("create");
    const now = new Date(0);
    const id = `playlist-${++this.#made}`;
    const playlist = {
      ...{ id, name, ownerId, trackCount: 0, durationMs: 0, version: 1 },
      ...{ createdAt: now, updatedAt: now },
    };
    this.playlists.set(id, playlist);
    return playlist;
  }
  async rename(id: string, name: string) {
    this.calls.push("rename");
    return this.#change(id, { name });
  }
  async delete(id: string) {
    this.calls.push("delete");
    for (const track of this.#tracksOf(id)) this.tracks.delete(track.id);
    this.playlists.delete(id);
  }

  async findTracks(ids: readonly string[]) {
    return byRank([...this.tracks.values()].filter(({ id }) => ids.includes(id)));
  }
  async tracksOf(playlistId: string) {
    return this.#tracksOf(playlistId);
  }
  async rankBelow(playlistId: string, rank: string | null) {
    return (
      this.#tracksOf(playlistId)
        .filter((track) => rank === null || track.rank < rank)
        .at(-1)?.rank ?? null
    );
  }
  async rankAbove(playlistId: string, rank: string) {
    return this.#tracksOf(playlistId).find((track) => track.rank > rank)?.rank ?? null;
  }

  async addTracks(playlistId: string, tracks: readonly { audioId: string; rank: string }[]) {
    this.calls.push(`add ${tracks.length}`);
    const added = tracks.map(({ audioId, rank }) => {
      const { durationMs } = this.audio.get(audioId) as Sound;
      const track = { id: `track-${++this.#made}`, playlistId, audioId, rank, durationMs };
      this.tracks.set(track.id, track);
      return track;
    });
    this.#sumUp([playlistId]);
    return byRank(added);
  }
  async copyTracks(from: string, to: string) {
    await this.addTracks(to, this.#tracksOf(from));
  }
  async setRanks(tracks: readonly RankedTrack[]) {
    this.calls.push(`rank ${tracks.length}`);
    for (const { id, rank } of tracks) {
      const track = this.tracks.get(id) as PlaylistTrackRow;
      const inUse = this.#tracksOf(track.playlistId).some((other) => other.rank === rank);
      if (inUse) throw new Error(`The rank ${rank} is in use.`);
      this.tracks.set(id, { ...track, rank });
    }
    this.#sumUp(tracks.map(({ id }) => (this.tracks.get(id) as PlaylistTrackRow).playlistId));
  }
  async removeTrack(id: string) {
    const { playlistId } = this.tracks.get(id) as PlaylistTrackRow;
    this.tracks.delete(id);
    this.#sumUp([playlistId]);
  }
  async removeTracksOf(audioId: string) {
    const removed = [...this.tracks.values()].filter((track) => track.audioId === audioId);
    for (const { id } of removed) this.tracks.delete(id);
    this.#sumUp(removed.map(({ playlistId }) => playlistId));
  }

  #tracksOf(playlistId: string): PlaylistTrackRow[] {
    return byRank([...this.tracks.values()].filter((track) => track.playlistId === playlistId));
  }
  #sumUp(playlistIds: readonly string[]): void {
    for (const id of new Set(playlistIds)) {
      const tracks = this.#tracksOf(id);
      const durationMs = tracks.reduce((sum, track) => sum + track.durationMs, 0);
      this.#change(id, { trackCount: tracks.length, durationMs });
    }
  }
  #change(id: string, changes: Partial<PlaylistRow>): PlaylistRow {
    const playlist = this.playlists.get(id) as PlaylistRow;
    const changed = { ...playlist, ...changes, version: playlist.version + 1 };
    this.playlists.set(id, changed);
    return changed;
  }
}

const byRank = (tracks: PlaylistTrackRow[]) => tracks.sort((one, other) => (one.rank < other.rank ? -1 : 1));
