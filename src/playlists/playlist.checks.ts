/** Looks for sums and durations that differ from the rows that they are made of. Only a program that turns triggers off writes them. */
import type { Slice } from "../slice.ts";

const wrongSums = `
  select p.id from playlists p
  left join (
    select playlist_id, count(*) as tracks, sum(duration_ms) as ms from playlist_tracks group by 1
  ) sums on sums.playlist_id = p.id
  where p.track_count <> coalesce(sums.tracks, 0) or p.duration_ms <> coalesce(sums.ms, 0)`;

const wrongDurations = `
  select t.id from playlist_tracks t join audio a on a.id = t.audio_id
  where a.status = 'COMPLETED' and t.duration_ms <> a.duration_ms`;

/** The repairs write the columns that triggers compute: the values that they give do not matter. */
export const playlistChecks: Slice["checks"] = {
  "playlists whose number of tracks or duration differs from their tracks": {
    violations: wrongSums,
    repair: [`update playlists set track_count = track_count where id in (${wrongSums})`],
  },
  "tracks whose duration differs from their audio": {
    violations: wrongDurations,
    repair: [`update playlist_tracks set duration_ms = duration_ms where id in (${wrongDurations})`],
  },
};
