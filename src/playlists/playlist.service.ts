/** The rules of playlists and their tracks: docs/playlists.md. */
import type { AudioFollowers } from "../audio/audio.service.ts";
import type { AudioRow, PlaylistRow, PlaylistTrackRow, ScheduleRow } from "../database/generated/tables.ts";
import { ApplicationError, badInput, requireVersion } from "../errors.ts";
import { requireShortText } from "../short-text.ts";
import { requireRole, type Viewer } from "../viewer.ts";
import { requireAudio, requireNoPlaylists, requirePlayable } from "./audio-use.ts";
import type { PlaylistRepository } from "./playlist.repository.ts";
import { type Gap, ranksIn, rerank } from "./rank.ts";

export type ExistingPlaylist = { id: string; expectedVersion?: number | null };
/** A position is named by a neighbour, never by a number, so that it stays right while others move tracks. */
export type Neighbour = { beforeTrackId?: string | null; afterTrackId?: string | null };
type Version = { expectedVersion?: number | null };
export type AddTracks = Neighbour & Version & { playlistId: string; audioIds: readonly string[] };
export type MoveTracks = Neighbour & Version & { trackIds: readonly string[] };
export type MoveTrack = Neighbour & Version & { trackId: string };

/** The playlist after a change of its tracks, and the schedules that end at another time. */
export type ChangedPlaylist = { playlist: PlaylistRow; movedSchedules: readonly ScheduleRow[] };

/** Called in the unit of work of a change. An error of a follower undoes the change. */
export interface PlaylistFollowers {
  /** After the durations have changed. Returns the schedules that end at another time. */
  playlistDurationsChanged(playlists: readonly PlaylistRow[]): Promise<readonly ScheduleRow[]>;
  /**
   * Before the deletion.
   *
   * @param options.removeSchedules true to delete the schedules that have not ended; otherwise they forbid the deletion
   * @throws ApplicationError INVALID_STATE that names the channels
   */
  beforePlaylistDeletion(playlist: PlaylistRow, options: { removeSchedules: boolean }): Promise<void>;
}

export type PlaylistServiceParts = { playlists: PlaylistRepository; viewer: Viewer };

/** The number of tracks or audio in one call of a method. */
export const mostAtOnce = 1_000;

export class PlaylistService implements AudioFollowers {
  readonly #parts: PlaylistServiceParts;
  followers: PlaylistFollowers = noFollowers;

  constructor(parts: PlaylistServiceParts) {
    this.#parts = parts;
  }

  /** Creates a playlist with a track for each audio, in this order. The same audio may be several tracks. */
  async create({ name, audioIds }: { name: string; audioIds?: readonly string[] | null }): Promise<PlaylistRow> {
    const { playlists } = this.#parts;
    const editor = this.#requireEditor();
    const playlist = { name: requireName(name), ownerId: editor.id };
    if (!audioIds?.length) return playlists.create(playlist);
    requireFew("audioIds", audioIds);
    await this.#lockAudio(audioIds);
    const { id } = await playlists.create(playlist);
    await this.#insert(id, audioIds, { below: null, above: null });
    return playlists.get(id);
  }

  async update({ id, expectedVersion, name }: ExistingPlaylist & { name: string }): Promise<PlaylistRow> {
    this.#requireEditor();
    const newName = requireName(name);
    const playlist = await this.#lock({ id, expectedVersion });
    return playlist.name === newName ? playlist : this.#parts.playlists.rename(id, newName);
  }

  /** @param input.removeSchedules true to delete the schedules that have not ended, too */
  async delete(input: ExistingPlaylist & { removeSchedules?: boolean | null }): Promise<void> {
    this.#requireEditor();
    const playlist = await this.#lock(input);
    await this.followers.beforePlaylistDeletion(playlist, { removeSchedules: input.removeSchedules ?? false });
    await this.#parts.playlists.delete(playlist.id);
  }

  /** A playlist of the viewer with the same tracks. Schedules are not copied. */
  async copy({ id, name }: { id: string; name?: string | null }): Promise<PlaylistRow> {
    const { playlists } = this.#parts;
    const editor = this.#requireEditor();
    const givenName = name == null ? null : requireName(name);
    requirePlayable(await playlists.lockAudioOf(id), "id");
    const original = await this.#lock({ id });
    const copy = await playlists.create({ name: givenName ?? nameOfCopy(original.name), ownerId: editor.id });
    await playlists.copyTracks(original.id, copy.id);
    return playlists.get(copy.id);
  }

  async addTracks(input: AddTracks): Promise<ChangedPlaylist & { tracks: PlaylistTrackRow[] }> {
    this.#requireEditor();
    requireFew("audioIds", input.audioIds);
    requireOneNeighbour(input);
    await this.#lockAudio(input.audioIds);
    const playlist = await this.#lock({ ...input, id: input.playlistId }, "playlistId");
    const tracks = await this.#insert(playlist.id, input.audioIds, await this.#findGap(playlist, input));
    return { tracks, ...(await this.#changed(playlist)) };
  }

  async moveTrack(input: MoveTrack): Promise<{ playlist: PlaylistRow; track: PlaylistTrackRow }> {
    const { playlist, tracks } = await this.#move([input.trackId], input, "trackId");
    return { playlist, track: tracks[0] as PlaylistTrackRow };
  }

  /** Moves tracks of one playlist to one position, where they stand in the order of `trackIds`. */
  moveTracks(input: MoveTracks): Promise<{ playlist: PlaylistRow; tracks: PlaylistTrackRow[] }> {
    return this.#move(input.trackIds, input, "trackIds");
  }

  async removeTrack({ trackId, expectedVersion }: Version & { trackId: string }): Promise<ChangedPlaylist> {
    this.#requireEditor();
    const { playlist } = await this.#lockTracks([trackId], expectedVersion, "trackId");
    await this.#parts.playlists.removeTrack(trackId);
    return this.#changed(playlist);
  }

  async beforeAudioDeletion(
    audio: AudioRow,
    { removeFromPlaylists }: { removeFromPlaylists: boolean },
  ): Promise<readonly ScheduleRow[]> {
    const { playlists } = this.#parts;
    const users = await playlists.lockByAudio(audio.id);
    if (users.length === 0) return [];
    if (!removeFromPlaylists) requireNoPlaylists(audio, users);
    await playlists.removeTracksOf(audio.id);
    return this.#follow(users, await playlists.getAll(users.map(({ id }) => id)));
  }

  async #move(trackIds: readonly string[], { expectedVersion, ...neighbour }: Neighbour & Version, field: TrackField) {
    const { playlists } = this.#parts;
    this.#requireEditor();
    requireFew(field, trackIds);
    requireOneNeighbour(neighbour);
    const moved = new Set(trackIds);
    if (moved.size < trackIds.length) throw badInput(["input", field], "Each track moves once: name it once.");
    const { playlist } = await this.#lockTracks(trackIds, expectedVersion, field);
    const gap = await this.#findGap(playlist, neighbour, moved);
    const ranks = await this.#makeRoom(playlist.id, gap, trackIds.length);
    await playlists.setRanks(trackIds.map((id, index) => ({ id, rank: ranks[index] as string })));
    return { playlist: await playlists.get(playlist.id), tracks: await playlists.findTracks(trackIds) };
  }

  /** Locks the audio, so that it stays as it is, and checks that playlists may use it. */
  async #lockAudio(ids: readonly string[]): Promise<void> {
    const found = await this.#parts.playlists.lockAudio(ids);
    requireAudio(ids, found);
    requirePlayable(found, "audioIds");
  }

  async #insert(playlistId: string, audioIds: readonly string[], gap: Gap): Promise<PlaylistTrackRow[]> {
    const ranks = await this.#makeRoom(playlistId, gap, audioIds.length);
    const tracks = audioIds.map((audioId, index) => ({ audioId, rank: ranks[index] as string }));
    return this.#parts.playlists.addTracks(playlistId, tracks);
  }

  /** Ranks in the gap. If they would be too long, all tracks of the playlist get new ones first. */
  async #makeRoom(playlistId: string, gap: Gap, count: number): Promise<string[]> {
    const { playlists } = this.#parts;
    const ranks = ranksIn(gap, count);
    if (ranks) return ranks;
    const { inGap, others } = rerank(await playlists.tracksOf(playlistId), gap, count);
    await playlists.setRanks(others);
    return inGap;
  }

  async #findGap(playlist: PlaylistRow, neighbour: Neighbour, moved: ReadonlySet<string> = new Set()): Promise<Gap> {
    const { playlists } = this.#parts;
    const { beforeTrackId, afterTrackId } = neighbour;
    if (beforeTrackId != null) {
      const { rank } = await this.#requireNeighbour(playlist, beforeTrackId, moved, "beforeTrackId");
      return { below: await playlists.rankBelow(playlist.id, rank), above: rank };
    }
    if (afterTrackId != null) {
      const { rank } = await this.#requireNeighbour(playlist, afterTrackId, moved, "afterTrackId");
      return { below: rank, above: await playlists.rankAbove(playlist.id, rank) };
    }
    return { below: await playlists.rankBelow(playlist.id, null), above: null };
  }

  async #requireNeighbour(
    playlist: PlaylistRow,
    id: string,
    moved: ReadonlySet<string>,
    field: keyof Neighbour,
  ): Promise<PlaylistTrackRow> {
    if (moved.has(id)) throw badInput(["input", field], "This track moves itself: name one that stays.");
    const [track] = await this.#parts.playlists.findTracks([id]);
    if (!track) throw notFound(field, "The track was removed: name another one of the playlist.");
    if (track.playlistId !== playlist.id) {
      throw badInput(["input", field], `The track is of another playlist: name one of ${quoted(playlist.name)}.`);
    }
    return track;
  }

  /** Locks the playlist of the tracks, and checks that all of them are in it. */
  async #lockTracks(trackIds: readonly string[], expectedVersion: number | null | undefined, field: TrackField) {
    const { playlists } = this.#parts;
    const playlist = await playlists.lockByTrack(trackIds[0] as string);
    const tracks = playlist ? await playlists.findTracks(trackIds) : [];
    if (!playlist || tracks.length < trackIds.length) {
      throw notFound(field, "There is no such track: it was removed. Read the playlist again.");
    }
    if (tracks.some(({ playlistId }) => playlistId !== playlist.id)) {
      throw badInput(["input", field], "The tracks are of several playlists: move those of one playlist.");
    }
    return { playlist: requireVersion("Playlist", playlist, expectedVersion), tracks };
  }

  /** The playlist after a change of its tracks. */
  async #changed(before: PlaylistRow): Promise<ChangedPlaylist> {
    const playlist = await this.#parts.playlists.get(before.id);
    return { playlist, movedSchedules: await this.#follow([before], [playlist]) };
  }

  /** Lets the followers know of the playlists whose durations have changed. */
  async #follow(before: readonly PlaylistRow[], after: readonly PlaylistRow[]): Promise<readonly ScheduleRow[]> {
    const former = new Map(before.map(({ id, durationMs }) => [id, durationMs]));
    const changed = after.filter(({ id, durationMs }) => former.get(id) !== durationMs);
    return changed.length === 0 ? [] : this.followers.playlistDurationsChanged(changed);
  }

  /** Locks the playlist, and checks that the viewer has read its current version. */
  async #lock({ id, expectedVersion }: ExistingPlaylist, field = "id"): Promise<PlaylistRow> {
    const playlist = await this.#parts.playlists.lock(id);
    if (!playlist) throw notFound(field, "The playlist does not exist.");
    return requireVersion("Playlist", playlist, expectedVersion);
  }

  #requireEditor(): NonNullable<Viewer> {
    return requireRole(this.#parts.viewer, "EDITOR");
  }
}

const noFollowers: PlaylistFollowers = {
  playlistDurationsChanged: async () => [],
  beforePlaylistDeletion: async () => {},
};

type TrackField = "trackId" | "trackIds";

const longestName = 200;
const requireName = (name: string) => requireShortText(name, { field: "name", longest: longestName });

/** Cut to the longest name, but not in the middle of a character. */
const nameOfCopy = (name: string) =>
  `Copy of ${name}`
    .slice(0, longestName)
    .replace(/[\uD800-\uDBFF]$/, "")
    .trimEnd();

const quoted = (name: string) => JSON.stringify(name);

const notFound = (field: string, message: string) =>
  new ApplicationError("NOT_FOUND", message, { inputPath: ["input", field] });

function requireFew(field: "audioIds" | TrackField, ids: readonly string[]): void {
  if (ids.length >= 1 && ids.length <= mostAtOnce) return;
  throw badInput(["input", field], `There are ${ids.length} ids: send 1 to ${mostAtOnce} of them.`);
}

function requireOneNeighbour({ beforeTrackId, afterTrackId }: Neighbour): void {
  if (beforeTrackId == null || afterTrackId == null) return;
  throw badInput(["input", "afterTrackId"], "Name the track before or the track after the position, not both.");
}
