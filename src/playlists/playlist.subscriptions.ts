import { changeSubscription } from "../graphql/change-subscription.ts";
import { playlistById } from "./playlist.relations.ts";

changeSubscription("Playlist", {
  topic: "playlist",
  relation: playlistById,
  isVisible: () => true,
  description: "Changes of playlists: created, renamed, deleted, or of their tracks, their order and their durations.",
});
