import type { InputFieldBuilder } from "@pothos/core";
import type { PlaylistRow, PlaylistTrackRow } from "../database/generated/tables.ts";
import { builder } from "../graphql/builder.ts";
import type { Types } from "../graphql/builder-types.ts";
import { servicesOf } from "../graphql/context.ts";
import { decodeGlobalId } from "../graphql/global-id.ts";
import { deletionPayload, rowPayload, versionFields } from "../graphql/versioned-mutations.ts";
import { Playlist, PlaylistTrack } from "./playlist.schema.ts";
import { type ChangedPlaylist, mostAtOnce, type Neighbour } from "./playlist.service.ts";

type InputFields = InputFieldBuilder<Types, "InputObject">;

const nameLength = "1 to 200 characters.";
const fewIds = `1 to ${mostAtOnce}`;

const neighbourFields = (t: InputFields) => ({
  beforeTrackId: t.id({ description: "The track that comes next. Default: the position is after all tracks." }),
  afterTrackId: t.id({ description: "The track that comes just before, instead of `beforeTrackId`." }),
});
const versionOfPlaylist = (t: InputFields) => ({
  expectedVersion: t.int({
    description:
      "The version of the playlist that you have read; when it is out of date, the answer is a CONFLICT. Default: any.",
  }),
});

const CreatePlaylistInput = builder.inputType("CreatePlaylistInput", {
  description: "A new playlist.",
  fields: (t) => ({
    name: t.string({ required: true, description: nameLength }),
    audioIds: t.idList({
      description: `The audio that it plays, in this order; ${mostAtOnce} at most. Each must be COMPLETED; the same one may be there several times.`,
    }),
  }),
});
const UpdatePlaylistInput = builder.inputType("UpdatePlaylistInput", {
  description: "Another name of a playlist.",
  fields: (t) => ({
    ...versionFields(t, Playlist),
    name: t.string({ required: true, description: nameLength }),
  }),
});
const DeletePlaylistInput = builder.inputType("DeletePlaylistInput", {
  description: "A playlist to delete.",
  fields: (t) => ({
    id: t.id({ required: true, description: "The playlist." }),
    ...versionOfPlaylist(t),
    removeSchedules: t.boolean({
      defaultValue: false,
      description:
        "True to delete its schedules and series, too. Otherwise those that have not ended forbid the deletion.",
    }),
  }),
});
const CopyPlaylistInput = builder.inputType("CopyPlaylistInput", {
  description: "A playlist to copy.",
  fields: (t) => ({
    id: t.id({ required: true, description: "The playlist." }),
    name: t.string({
      description: `The name of the copy: ${nameLength} Default: "Copy of" and the name of the original.`,
    }),
  }),
});
const AddTracksInput = builder.inputType("AddTracksInput", {
  description: "New tracks. Their position is named by a neighbour, so that it is right while others move tracks.",
  fields: (t) => ({
    playlistId: t.id({ required: true, description: "The playlist." }),
    ...versionOfPlaylist(t),
    audioIds: t.idList({
      required: true,
      description: `The audio of each track, in this order; ${fewIds} of them. Each must be COMPLETED; the same one may be there several times.`,
    }),
    ...neighbourFields(t),
  }),
});
const MoveTrackInput = builder.inputType("MoveTrackInput", {
  description: "A track, and its new position in its playlist.",
  fields: (t) => ({
    trackId: t.id({ required: true, description: "The track." }),
    ...versionOfPlaylist(t),
    ...neighbourFields(t),
  }),
});
const MoveTracksInput = builder.inputType("MoveTracksInput", {
  description: "Tracks of one playlist, and their new position in it.",
  fields: (t) => ({
    trackIds: t.idList({
      required: true,
      description: `The tracks, in the order in which they stand there; ${fewIds} of them, none twice.`,
    }),
    ...versionOfPlaylist(t),
    ...neighbourFields(t),
  }),
});
const RemoveTrackInput = builder.inputType("RemoveTrackInput", {
  description: "A track to remove.",
  fields: (t) => ({
    trackId: t.id({ required: true, description: "The track. Its audio stays." }),
    ...versionOfPlaylist(t),
  }),
});

const CreatePlaylistPayload = rowPayload("CreatePlaylistPayload", Playlist, "The new playlist.");
const UpdatePlaylistPayload = rowPayload("UpdatePlaylistPayload", Playlist, "The playlist with its name.");
const CopyPlaylistPayload = rowPayload("CopyPlaylistPayload", Playlist, "The copy, which is yours.");
const DeletePlaylistPayload = deletionPayload("DeletePlaylistPayload", Playlist);

type WithPlaylist = { playlist: PlaylistRow };
type WithTracks = WithPlaylist & { tracks: PlaylistTrackRow[] };

const currentPlaylist = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, WithPlaylist>) =>
  t.field({
    type: Playlist,
    description: "The playlist, as it is after the operation.",
    resolve: ({ playlist }) => playlist,
  });

/** The cost of tracks up to a number; the cost of their mutation says how often that number. */
const tracksAtOnce = 100;
const costOfMany = (ids: readonly string[]) => ({
  field: 0,
  multiplier: Math.max(1, Math.ceil(ids.length / tracksAtOnce)),
});

const severalTracks = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, WithTracks>, description: string) =>
  t.field({
    type: [PlaylistTrack],
    description,
    complexity: { field: tracksAtOnce, multiplier: tracksAtOnce },
    resolve: ({ tracks }) => tracks,
  });

/** The slice of schedules adds the field `movedSchedules` to it. */
export const AddTracksPayload = builder
  .objectRef<ChangedPlaylist & { tracks: PlaylistTrackRow[] }>("AddTracksPayload")
  .implement({
    description: "The playlist with its new tracks.",
    fields: (t) => ({ playlist: currentPlaylist(t), tracks: severalTracks(t, "The new tracks, in their order.") }),
  });
const MoveTrackPayload = builder.objectRef<WithPlaylist & { track: PlaylistTrackRow }>("MoveTrackPayload").implement({
  description: "The playlist in its new order.",
  fields: (t) => ({
    playlist: currentPlaylist(t),
    track: t.field({ type: PlaylistTrack, description: "The track that has moved.", resolve: ({ track }) => track }),
  }),
});
const MoveTracksPayload = builder.objectRef<WithTracks>("MoveTracksPayload").implement({
  description: "The playlist in its new order.",
  fields: (t) => ({
    playlist: currentPlaylist(t),
    tracks: severalTracks(t, "The tracks that have moved, in their order."),
  }),
});
/** The slice of schedules adds the field `movedSchedules` to it. */
export const RemoveTrackPayload = builder
  .objectRef<ChangedPlaylist & { removedTrackId: string }>("RemoveTrackPayload")
  .implement({
    description: "The playlist without the track.",
    fields: (t) => ({
      playlist: currentPlaylist(t),
      removedTrackId: t.exposeID("removedTrackId", { description: "The id of the track that was removed." }),
    }),
  });

const idOf = (typename: "Playlist" | "PlaylistTrack" | "Audio", id: string, field: string) =>
  decodeGlobalId(typename, id, ["input", field]);
const idsOf = (typename: "PlaylistTrack" | "Audio", ids: readonly string[], field: string) =>
  ids.map((id) => idOf(typename, id, field));

const withKey = <Input extends { id: string }>(input: Input): Input => ({
  ...input,
  id: idOf("Playlist", input.id, "id"),
});
const withTrack = <Input extends { trackId: string }>(input: Input): Input => ({
  ...input,
  trackId: idOf("PlaylistTrack", input.trackId, "trackId"),
});
const withAudio = <Input extends { audioIds: string[] }>(input: Input): Input => ({
  ...input,
  audioIds: idsOf("Audio", input.audioIds, "audioIds"),
});
/** Decodes the id of the neighbour. */
const withNeighbour = <Input extends Neighbour>(input: Input): Input => ({
  ...input,
  ...(input.beforeTrackId == null
    ? {}
    : { beforeTrackId: idOf("PlaylistTrack", input.beforeTrackId, "beforeTrackId") }),
  ...(input.afterTrackId == null ? {} : { afterTrackId: idOf("PlaylistTrack", input.afterTrackId, "afterTrackId") }),
});

const editors = { authScopes: { role: "EDITOR" as const } };

builder.mutationFields((t) => ({
  createPlaylist: t.field({
    type: CreatePlaylistPayload,
    ...editors,
    description: "Creates a playlist, which is yours. For editors.",
    args: { input: t.arg({ type: CreatePlaylistInput, required: true, description: "The playlist." }) },
    resolve: async (_root, { input: { name, audioIds } }, context) => ({
      row: await servicesOf(context).playlists.create({ name, audioIds: idsOf("Audio", audioIds ?? [], "audioIds") }),
    }),
  }),
  updatePlaylist: t.field({
    type: UpdatePlaylistPayload,
    ...editors,
    description: "Renames a playlist. For editors.",
    args: { input: t.arg({ type: UpdatePlaylistInput, required: true, description: "The name." }) },
    resolve: async (_root, { input }, context) => ({ row: await servicesOf(context).playlists.update(withKey(input)) }),
  }),
  deletePlaylist: t.field({
    type: DeletePlaylistPayload,
    ...editors,
    description: "Deletes a playlist and its tracks. Their audio stays. For editors.",
    args: { input: t.arg({ type: DeletePlaylistInput, required: true, description: "The playlist." }) },
    resolve: async (_root, { input }, context) => {
      await servicesOf(context).playlists.delete(withKey(input));
      return { deletedId: input.id };
    },
  }),
  copyPlaylist: t.field({
    type: CopyPlaylistPayload,
    ...editors,
    description:
      "Makes a playlist with the same tracks, which is yours. All of its audio must be COMPLETED. For editors.",
    args: { input: t.arg({ type: CopyPlaylistInput, required: true, description: "The playlist." }) },
    resolve: async (_root, { input }, context) => ({ row: await servicesOf(context).playlists.copy(withKey(input)) }),
  }),
  addTracks: t.field({
    type: AddTracksPayload,
    ...editors,
    description: "Adds tracks to a playlist, after all others or next to one of them. For editors.",
    args: { input: t.arg({ type: AddTracksInput, required: true, description: "The tracks." }) },
    complexity: ({ input }) => costOfMany(input.audioIds),
    resolve: (_root, { input }, context) =>
      servicesOf(context).playlists.addTracks(
        withAudio(withNeighbour({ ...input, playlistId: idOf("Playlist", input.playlistId, "playlistId") })),
      ),
  }),
  moveTrack: t.field({
    type: MoveTrackPayload,
    ...editors,
    description: "Moves a track after all others, or next to one of them. For editors.",
    args: { input: t.arg({ type: MoveTrackInput, required: true, description: "The track and its position." }) },
    resolve: (_root, { input }, context) => servicesOf(context).playlists.moveTrack(withTrack(withNeighbour(input))),
  }),
  moveTracks: t.field({
    type: MoveTracksPayload,
    ...editors,
    description: "Moves tracks after all others, or next to one of them. For editors.",
    args: { input: t.arg({ type: MoveTracksInput, required: true, description: "The tracks and their position." }) },
    complexity: ({ input }) => costOfMany(input.trackIds),
    resolve: (_root, { input }, context) =>
      servicesOf(context).playlists.moveTracks(
        withNeighbour({ ...input, trackIds: idsOf("PlaylistTrack", input.trackIds, "trackIds") }),
      ),
  }),
  removeTrack: t.field({
    type: RemoveTrackPayload,
    ...editors,
    description: "Removes a track from its playlist. Its audio stays. For editors.",
    args: { input: t.arg({ type: RemoveTrackInput, required: true, description: "The track." }) },
    resolve: async (_root, { input }, context) => ({
      ...(await servicesOf(context).playlists.removeTrack(withTrack(input))),
      removedTrackId: input.trackId,
    }),
  }),
}));
