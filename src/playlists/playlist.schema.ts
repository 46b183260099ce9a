import { audioById } from "../audio/audio.relations.ts";
import { Audio } from "../audio/audio.schema.ts";
import { builder } from "../graphql/builder.ts";
import { decodeGlobalId } from "../graphql/global-id.ts";
import { SortDirection } from "../graphql/sort-direction.ts";
import { requireSearchText } from "../search/search-text.ts";
import { userById } from "../users/user.relations.ts";
import { User } from "../users/user.schema.ts";
import {
  allPlaylists,
  playlistById,
  playlistsByAudio,
  playlistsByOwner,
  trackById,
  trackPosition,
  tracksByPlaylist,
} from "./playlist.relations.ts";

export const PlaylistTrack = builder.rowNode("PlaylistTrack", {
  relation: trackById,
  fields: (t) => ({
    position: t.wide(trackPosition, {
      type: "Int",
      description: "Its index in the playlist, from 0.",
      toValue: (position) => position,
    }),
    durationMs: t.exposeInt("durationMs"),
    audio: t.one(audioById, { by: "audioId" }),
    playlist: t.one(playlistById, { by: "playlistId" }),
  }),
});

export const Playlist = builder.rowNode("Playlist", {
  relation: playlistById,
  fields: (t) => ({
    name: t.exposeString("name"),
    owner: t.one(userById, { by: "ownerId" }),
    version: t.exposeInt("version"),
    trackCount: t.exposeInt("trackCount"),
    durationMs: t.exposeInt("durationMs"),
    tracks: t.page(tracksByPlaylist, { type: PlaylistTrack, description: "Its tracks, in their order." }),
    createdAt: t.expose("createdAt", { type: "DateTime" }),
    updatedAt: t.expose("updatedAt", { type: "DateTime" }),
  }),
});

const PlaylistOrderField = builder.enumType("PlaylistOrderField", {
  description: "A property that playlists are ordered by.",
  values: {
    NAME: { description: "The name." },
    CREATED_AT: { description: "The time of the creation." },
  } as const,
});

const PlaylistOrder = builder.inputType("PlaylistOrder", {
  description: "An order of playlists. Ties are broken by id.",
  fields: (t) => ({
    field: t.field({ type: PlaylistOrderField, required: true, description: "The property to order by." }),
    direction: t.field({ type: SortDirection, required: true, description: "Ascending or descending." }),
  }),
});

const orderArgs = builder.args((t) => ({
  orderBy: t.field({ type: PlaylistOrder, description: "The order. Default: by name." }),
}));

builder.queryFields((t) => ({
  playlist: t.lookup(playlistById, {
    nullable: true,
    description: "The playlist with this id; null when there is none.",
    args: { id: t.arg.id({ required: true, description: "The playlist's id." }) },
    key: ({ id }) => decodeGlobalId("Playlist", id, ["id"]),
  }),
  playlists: t.page(allPlaylists, {
    type: Playlist,
    description: "All playlists.",
    args: {
      search: t.arg.string({
        description:
          "Playlists whose name contains this text. Case and accents are ignored, and a typing mistake is tolerated.",
      }),
      ...orderArgs,
    },
    toArguments: ({ search }) => ({ search: search == null ? null : requireSearchText(search, ["search"]) }),
  }),
}));

builder.prismaObjectField(User, "playlists", (t) =>
  t.page(playlistsByOwner, { type: Playlist, args: orderArgs, description: "The playlists that the user created." }),
);
builder.prismaObjectField(Audio, "playlists", (t) =>
  t.page(playlistsByAudio, {
    type: Playlist,
    by: "id",
    args: orderArgs,
    description: "The playlists that contain the audio.",
  }),
);
