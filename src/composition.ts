/**
 * Rules that span services. A service states, as an interface, which changes others follow, and knows no more of them;
 * this file connects them:
 *
 *   deleteAudio              its tracks leave their playlists, whose schedules end earlier
 *   addTracks, removeTrack   the schedules of the playlist end at another time
 *   deletePlaylist           its schedules are deleted
 *
 * All of it happens in the unit of work of one operation, so a refusal at the end of the chain undoes its beginning.
 */
import type { Services } from "./graphql/context.ts";
import type {} from "./slices.ts";

export function connect(services: Services): Services {
  const { audio, playlists, schedules } = services;
  audio.followers = playlists;
  playlists.followers = schedules;
  return services;
}
