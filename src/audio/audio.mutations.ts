import type { InputFieldBuilder } from "@pothos/core";
import type { AudioRow, ScheduleRow } from "../database/generated/tables.ts";
import { builder } from "../graphql/builder.ts";
import type { Types } from "../graphql/builder-types.ts";
import { servicesOf } from "../graphql/context.ts";
import { decodeGlobalId } from "../graphql/global-id.ts";
import {
  currentRow,
  deletionPayload,
  rowFields,
  rowInput,
  rowPayload,
  versionFields,
} from "../graphql/versioned-mutations.ts";
import { Audio } from "./audio.schema.ts";

const AudioSource = builder.inputType("AudioSource", {
  isOneOf: true,
  description: "Either a file or an upload.",
  fields: (t) => ({
    file: t.field({
      type: "File",
      description: "An MP3 or M4A file, in the same request. Its content decides which, not its name.",
    }),
    uploadId: t.id({ description: "The id of a complete upload to `/uploads`." }),
  }),
});

const detailFields = (t: InputFieldBuilder<Types, "InputObject">) => ({
  artist: t.string({ description: "1 to 500 characters. Default: the one in the file's tags." }),
  album: t.string({ description: "1 to 500 characters. Default: the one in the file's tags." }),
  categoryId: t.id({ description: "The category." }),
  eventId: t.id({ description: "The event." }),
});

const UploadAudioInput = builder.inputType("UploadAudioInput", {
  description: "A new audio.",
  fields: (t) => ({
    source: t.field({ type: AudioSource, required: true, description: "The file or upload." }),
    title: t.string({ description: "1 to 500 characters. Default: the title in the file's tags, or its name." }),
    ...detailFields(t),
  }),
});

const UpdateAudioInput = builder.inputType("UpdateAudioInput", {
  description: "Changes of an audio. Fields that are absent stay as they are; null clears a field, but not the title.",
  fields: (t) => ({
    ...versionFields(t, Audio),
    title: t.string({ description: "1 to 500 characters." }),
    ...detailFields(t),
  }),
});

const ReplaceAudioFileInput = builder.inputType("ReplaceAudioFileInput", {
  description: "Another file for an audio.",
  fields: (t) => ({
    ...versionFields(t, Audio),
    source: t.field({ type: AudioSource, required: true, description: "The file or upload." }),
  }),
});

const DeleteAudioInput = builder.inputType("DeleteAudioInput", {
  description: "An audio to delete.",
  fields: (t) => ({
    ...rowFields(t, Audio),
    removeFromPlaylists: t.boolean({
      defaultValue: false,
      description: "True to remove its tracks from all playlists. Otherwise an audio in a playlist is not deleted.",
    }),
  }),
});
const ReprocessAudioInput = rowInput("ReprocessAudioInput", Audio, "An audio to process again.");

const UploadAudioPayload = builder.objectRef<{ row: AudioRow; isDuplicate: boolean }>("UploadAudioPayload").implement({
  description: "The new audio, or the one of the same bytes that was there already.",
  fields: (t) => ({
    audio: currentRow(t, Audio),
    isDuplicate: t.exposeBoolean("isDuplicate", {
      description: "True when an audio of the same bytes was there already. It is returned, unchanged.",
    }),
  }),
});
const UpdateAudioPayload = rowPayload("UpdateAudioPayload", Audio, "The audio with its changes.");
const ReplaceAudioFilePayload = rowPayload("ReplaceAudioFilePayload", Audio, "The audio with its file, PENDING.");
const ReprocessAudioPayload = rowPayload("ReprocessAudioPayload", Audio, "The audio, PENDING again.");
/** The slice of schedules adds the field `movedSchedules`. */
export const DeleteAudioPayload = deletionPayload<{ movedSchedules: readonly ScheduleRow[] }>(
  "DeleteAudioPayload",
  Audio,
);

const idOf = (typename: string, id: string, field: string) => decodeGlobalId(typename, id, ["input", field]);

/** Decodes the ids of the labels. */
const withKeys = <Input extends { categoryId?: string | null; eventId?: string | null }>(input: Input): Input => ({
  ...input,
  ...(input.categoryId == null ? {} : { categoryId: idOf("Category", input.categoryId, "categoryId") }),
  ...(input.eventId == null ? {} : { eventId: idOf("Event", input.eventId, "eventId") }),
});
const withKey = <Input extends { id: string }>(input: Input): Input => ({
  ...input,
  id: idOf("Audio", input.id, "id"),
});

builder.mutationFields((t) => ({
  uploadAudio: t.field({
    type: UploadAudioPayload,
    authScopes: { role: "EDITOR" },
    description:
      "Creates an audio, which is PENDING until a worker has decoded it. It can be played at once. For editors.",
    args: { input: t.arg({ type: UploadAudioInput, required: true, description: "The audio." }) },
    prepare: ({ input }, context) => servicesOf(context).audio.prepareUpload(withKeys(input)),
    resolve: async (_root, { input }, context) => {
      const { audio, isDuplicate } = await servicesOf(context).audio.upload(withKeys(input));
      return { row: audio, isDuplicate };
    },
  }),
  updateAudio: t.field({
    type: UpdateAudioPayload,
    authScopes: { role: "EDITOR" },
    description: "Changes what is said about an audio. For editors.",
    args: { input: t.arg({ type: UpdateAudioInput, required: true, description: "The changes." }) },
    resolve: async (_root, { input }, context) => ({
      row: await servicesOf(context).audio.update(withKeys(withKey(input))),
    }),
  }),
  replaceAudioFile: t.field({
    type: ReplaceAudioFilePayload,
    authScopes: { role: "EDITOR" },
    description: "Gives an audio another file. Its id, title and labels stay. For editors.",
    args: { input: t.arg({ type: ReplaceAudioFileInput, required: true, description: "The audio and its file." }) },
    prepare: ({ input }, context) => servicesOf(context).audio.prepareReplaceFile(withKey(input)),
    resolve: async (_root, { input }, context) => ({
      row: await servicesOf(context).audio.replaceFile(withKey(input)),
    }),
  }),
  deleteAudio: t.field({
    type: DeleteAudioPayload,
    authScopes: { role: "EDITOR" },
    description: "Deletes an audio and its file. For editors.",
    args: { input: t.arg({ type: DeleteAudioInput, required: true, description: "The audio." }) },
    resolve: async (_root, { input }, context) => ({
      deletedId: input.id,
      movedSchedules: await servicesOf(context).audio.delete(withKey(input)),
    }),
  }),
  reprocessAudio: t.field({
    type: ReprocessAudioPayload,
    authScopes: { role: "EDITOR" },
    description: "Sends a COMPLETED or FAILED audio to the workers again. For editors.",
    args: { input: t.arg({ type: ReprocessAudioInput, required: true, description: "The audio." }) },
    resolve: async (_root, { input }, context) => ({ row: await servicesOf(context).audio.reprocess(withKey(input)) }),
  }),
}));
