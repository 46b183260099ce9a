import type { Fault } from "./fault.ts";

const rules = ["test/playlists/playlist.service.unit.test.ts"];
const ranks = ["test/playlists/rank.unit.test.ts"];
const story = ["test/playlists/playlist-story.test.ts"];
const moves = ["test/playlists/moves.test.ts"];

const service = "src/playlists/playlist.service.ts";
const repository = "src/playlists/playlist.repository.ts";
const rank = "src/playlists/rank.ts";
const use = "src/playlists/audio-use.ts";

export const faults: Fault[] = [
  {
    name: "listeners may change playlists",
    file: service,
    replace: { 'requireRole(this.#parts.viewer, "EDITOR")': 'requireRole(this.#parts.viewer, "VIEWER")' },
    tests: rules,
  },
  {
    name: "an old version of a playlist may be changed",
    file: service,
    replace: {
      'throw notFound(field, "The playlist does not exist."); return requireVersion("Playlist", playlist, expectedVersion);':
        'throw notFound(field, "The playlist does not exist."); return requireVersion("Playlist", playlist, expectedVersion && playlist.version);',
    },
    tests: rules,
  },
  {
    name: "the playlist is locked before the audio",
    file: service,
    replace: {
      'await this.#lockAudio(input.audioIds); const playlist = await this.#lock({ ...input, id: input.playlistId }, "playlistId");':
        'const playlist = await this.#lock({ ...input, id: input.playlistId }, "playlistId"); await this.#lockAudio(input.audioIds);',
    },
    tests: rules,
  },
  {
    name: "unknown audio is skipped",
    file: service,
    replace: { "requireAudio(ids, found);": "" },
    tests: rules,
  },
  {
    name: "an audio that waits becomes a track",
    file: use,
    replace: { 'status !== "COMPLETED"': 'status === "FAILED"' },
    tests: rules,
  },
  {
    name: "the first playlist with an audio is the only one that a refusal names",
    file: use,
    replace: { "const mostNames = 3;": "const mostNames = 1;" },
    tests: rules,
  },
  {
    name: "an audio is deleted although a playlist has it",
    file: service,
    replace: { "if (!removeFromPlaylists) requireNoPlaylists(audio, users);": "" },
    tests: rules,
  },
  {
    name: "schedules do not follow the deletion of an audio",
    file: service,
    replace: {
      "return this.#follow(users, await playlists.getAll(users.map(({ id }) => id)));": "return [];",
    },
    tests: rules,
  },
  {
    name: "a playlist is deleted although it is scheduled",
    file: service,
    replace: { "{ removeSchedules: input.removeSchedules ?? false }": "{ removeSchedules: true }" },
    tests: rules,
  },
  {
    name: "the answer is the playlist before its tracks changed",
    file: service,
    replace: { "const playlist = await this.#parts.playlists.get(before.id);": "const playlist = before;" },
    tests: rules,
  },
  {
    name: "followers are told although the duration is the same",
    file: service,
    replace: {
      "after.filter(({ id, durationMs }) => former.get(id) !== durationMs)": "after.filter(({ id }) => former.has(id))",
    },
    tests: rules,
  },
  {
    name: "a track moves next to one of another playlist",
    file: service,
    replace: { "if (track.playlistId !== playlist.id) {": "if (track.playlistId === undefined) {" },
    tests: rules,
  },
  {
    name: "a track moves next to itself",
    file: service,
    replace: {
      'if (moved.has(id)) throw badInput(["input", field], "This track moves itself: name one that stays.");': "",
    },
    tests: rules,
  },
  {
    name: "tracks of several playlists move together",
    file: service,
    replace: { "if (tracks.some(({ playlistId }) => playlistId !== playlist.id)) {": "if (tracks.length === 0) {" },
    tests: rules,
  },
  {
    name: "tracks that are gone do not move, and nobody is told",
    file: service,
    replace: { "if (!playlist || tracks.length < trackIds.length) {": "if (!playlist) {" },
    tests: rules,
  },
  {
    name: "a track is named twice",
    file: service,
    replace: { "if (moved.size < trackIds.length)": "if (moved.size < 1)" },
    tests: rules,
  },
  {
    name: "any number of tracks is added at once",
    file: service,
    replace: { "ids.length >= 1 && ids.length <= mostAtOnce": "ids.length >= 1" },
    tests: rules,
  },
  {
    name: "tracks that are added after another come before it",
    file: service,
    replace: {
      "return { below: rank, above: await playlists.rankAbove(playlist.id, rank) };":
        "return { below: await playlists.rankBelow(playlist.id, rank), above: rank };",
    },
    tests: rules,
  },
  {
    name: "both neighbours are accepted",
    file: service,
    replace: { "if (beforeTrackId == null || afterTrackId == null) return;": "if (beforeTrackId != null) return;" },
    tests: rules,
  },
  {
    name: "the name of a copy is cut in the middle of a character",
    file: service,
    replace: { '.replace(/[\\uD800-\\uDBFF]$/, "")': "" },
    tests: rules,
  },
  {
    name: "ranks grow without end",
    file: rank,
    replace: { "ranks.every((rank) => rank.length <= longestRank) ? ranks : null": "ranks" },
    tests: ranks,
  },
  {
    name: "a rank of another program breaks the playlist",
    file: rank,
    replace: {
      "// Another program has written a rank of its own form. New ranks for all tracks replace it.\n    return null;":
        'throw new Error("The rank is none of ours.");',
    },
    tests: ranks,
  },
  {
    name: "new ranks are those of other tracks",
    file: rank,
    replace: { "if (!used.has(rank)) ranks.push(rank);": "if (used.size >= 0) ranks.push(rank);" },
    tests: ranks,
  },
  {
    name: "new ranks change the order",
    file: rank,
    replace: { "above === null || rank < above": "above !== null && rank < above" },
    tests: ranks,
  },
  {
    name: "a playlist is not locked while its tracks move",
    file: repository,
    replace: {
      "where t.id = (select playlist_id from playlist_tracks where id = ${trackId}::uuid) for update":
        "where t.id = (select playlist_id from playlist_tracks where id = ${trackId}::uuid)",
    },
    tests: moves,
  },
  {
    name: "the neighbour above is the last track of the playlist",
    file: repository,
    replace: { "select min(rank) as rank": "select max(rank) as rank" },
    tests: moves,
  },
  {
    name: "the neighbour below is the first track of the playlist",
    file: repository,
    replace: {
      "select max(rank) as rank from playlist_tracks where playlist_id = ${playlistId}::uuid and rank < ${rank}":
        "select min(rank) as rank from playlist_tracks where playlist_id = ${playlistId}::uuid and rank < ${rank}",
    },
    tests: moves,
  },
  {
    name: "tracks are answered in any order",
    file: repository,
    replace: {
      "returning * ) select ${track} from added t order by t.rank":
        "returning * ) select ${track} from added t order by t.id desc",
    },
    tests: story,
  },
  {
    name: "a copy has tracks of all playlists",
    file: repository,
    replace: {
      "select ${to}::uuid, audio_id, rank from playlist_tracks where playlist_id = ${from}::uuid order by rank":
        "select distinct on (rank) ${to}::uuid, audio_id, rank from playlist_tracks where ${from} <> '' order by rank",
    },
    tests: story,
  },
  {
    name: "a search finds playlists only where their case is the same",
    file: "src/playlists/playlist.relations.ts",
    replace: { "foldedMatch(playlist.nameFolded as Sql, search)": "foldedMatch(playlist.name as Sql, search)" },
    tests: story,
  },
  {
    name: "an audio shows its playlists once for each track",
    file: "src/playlists/playlist.relations.ts",
    replace: {
      "sql`${playlist.id} in (select playlist_id from playlist_tracks where audio_id = ${audio})`":
        "sql`exists (select from playlist_tracks where audio_id = ${audio} and playlist_id <> ${playlist.id})`",
    },
    tests: story,
  },
  {
    name: "many tracks cost no more than a hundred",
    file: "src/playlists/playlist.mutations.ts",
    replace: { "Math.max(1, Math.ceil(ids.length / tracksAtOnce))": "Math.min(1, ids.length)" },
    tests: story,
  },
  {
    name: "the order of the tracks changes and no watcher is told",
    file: "prisma/migrations/20261127200000_playlists/migration.sql",
    replace: {
      "PERFORM change_playlists(ARRAY(SELECT playlist_id FROM new_rows UNION SELECT playlist_id FROM old_rows));":
        "PERFORM FROM new_rows, old_rows;",
    },
    tests: story,
  },
  {
    name: "doctor does not find a playlist without tracks that counts some",
    file: "src/playlists/playlist.checks.ts",
    replace: { "left join (": "join (" },
    tests: ["test/playlists/checks.test.ts"],
  },
  {
    name: "doctor does not mend the durations of tracks",
    file: "src/playlists/playlist.checks.ts",
    replace: { "set duration_ms = duration_ms where": "set rank = rank where" },
    tests: ["test/playlists/checks.test.ts"],
  },
  {
    name: "the long playlist of the sample library is as short as the other",
    file: "src/playlists/playlist.slice.ts",
    replace: { "Math.ceil(hourMs / roundMs)": "Math.ceil(roundMs / hourMs)" },
    tests: ["test/sample-library.test.ts"],
  },
];
