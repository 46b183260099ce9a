import { categoryById } from "../categories/category.relations.ts";
import { Category } from "../categories/category.schema.ts";
import { type WorkStatus as AudioStatusName, WorkStatus as statuses } from "../database/generated/prisma/enums.ts";
import { badInput } from "../errors.ts";
import { eventById } from "../events/event.relations.ts";
import { Event } from "../events/event.schema.ts";
import { builder } from "../graphql/builder.ts";
import { decodeGlobalId } from "../graphql/global-id.ts";
import { SortDirection } from "../graphql/sort-direction.ts";
import { requireSearchText } from "../search/search-text.ts";
import { userById } from "../users/user.relations.ts";
import { User } from "../users/user.schema.ts";
import { coverUrl, fileUrl, waveformUrl } from "./audio.downloads.ts";
import { allAudio, audioByCategory, audioByEvent, audioById, audioByUploader, audioPeaks } from "./audio.relations.ts";
import { peakCount, peaksOf } from "./sound/peaks.ts";

const AudioStatus = builder.enumType("AudioStatus", {
  description: "A state of processing. Audio can be played in every state.",
  values: {
    [statuses.PENDING]: { description: "Waiting for a worker." },
    [statuses.PROCESSING]: { description: "A worker is decoding it, and converting M4A to MP3." },
    [statuses.COMPLETED]: { description: "Decoded: its duration and its waveform are known." },
    [statuses.FAILED]: { description: "All attempts have failed; `failure` says why." },
  },
});

export const Audio = builder.rowNode("Audio", {
  relation: audioById,
  fields: (t) => ({
    title: t.exposeString("title"),
    artist: t.exposeString("artist", { nullable: true }),
    album: t.exposeString("album", { nullable: true }),
    filename: t.exposeString("filename"),
    uploadedBy: t.one(userById, { by: "uploadedById" }),
    category: t.one(categoryById, { by: "categoryId" }),
    event: t.one(eventById, { by: "eventId" }),
    status: t.expose("status", { type: AudioStatus }),
    version: t.exposeInt("version"),
    mimeType: t.exposeString("mimeType"),
    sizeBytes: t.expose("sizeBytes", { type: "Bytes" }),
    sha256: t.exposeString("sha256"),
    url: t.string({
      description:
        "Where to play or download the file: an HTTP address that answers Range requests and needs no headers. It is yours, and works for some hours.",
      resolve: (audio, _args, { fileAddress }) => fileUrl(fileAddress, audio),
    }),
    coverUrl: t.string({
      nullable: true,
      description: "The address of the cover picture; null when there is none, and until the audio has been decoded.",
      resolve: (audio, _args, { fileAddress }) => coverUrl(fileAddress, audio),
    }),
    waveformUrl: t.string({
      nullable: true,
      description: "The address of the waveform as an SVG picture; null until the audio has been decoded.",
      resolve: (audio, _args, { fileAddress }) => waveformUrl(fileAddress, audio),
    }),
    peaks: t.wide(audioPeaks, {
      type: ["Float"],
      description:
        "The waveform: the loudest sample of each of `count` slices of the same length, 0 to 1. Null until the audio has been decoded.",
      args: {
        count: t.arg.int({ defaultValue: 200, description: `The number of slices, 1 to ${peakCount}.` }),
      },
      toValue: (peaks, { count }) => shownPeaks(peaks, count ?? 200),
    }),
    durationMs: t.exposeInt("durationMs", { nullable: true }),
    loudnessLufs: t.exposeFloat("loudnessLufs", { nullable: true }),
    truePeakDb: t.exposeFloat("truePeakDb", { nullable: true }),
    leadingSilenceMs: t.exposeInt("leadingSilenceMs", { nullable: true }),
    trailingSilenceMs: t.exposeInt("trailingSilenceMs", { nullable: true }),
    failure: t.exposeString("failure", { nullable: true }),
    attempts: t.exposeInt("attempts"),
    progress: t.exposeFloat("progress"),
    uploadedAt: t.expose("uploadedAt", { type: "DateTime" }),
    updatedAt: t.expose("updatedAt", { type: "DateTime" }),
    processedAt: t.expose("processedAt", { type: "DateTime", nullable: true }),
  }),
});

/** Three digits are more than a picture shows. */
function shownPeaks(peaks: Uint8Array | null, count: number): number[] | null {
  if (count < 1 || count > peakCount) throw badInput(["count"], `A waveform has 1 to ${peakCount} slices.`);
  return peaks && Array.from(peaksOf(peaks, count), (level) => Math.round(1_000 * level) / 1_000);
}

const AudioFilter = builder.inputType("AudioFilter", {
  description: "Conditions that audio meets. All that are given must hold.",
  fields: (t) => ({
    search: t.string({
      description:
        "Audio whose title, artist or album contains this text. Case and accents are ignored, and a typing mistake is tolerated.",
    }),
    status: t.field({ type: [AudioStatus], description: "Audio in one of these states." }),
    categoryId: t.id({ description: "Audio of this category." }),
    eventId: t.id({ description: "Audio of this event." }),
    uploadedById: t.id({ description: "Audio that this user uploaded." }),
  }),
});

const AudioOrderField = builder.enumType("AudioOrderField", {
  description: "A property that audio is ordered by.",
  values: {
    UPLOADED_AT: { description: "The time of the upload." },
    TITLE: { description: "The title." },
    DURATION: { description: "The duration. Audio that has not been decoded comes last when ascending." },
  } as const,
});

const AudioOrder = builder.inputType("AudioOrder", {
  description: "An order of audio. Ties are broken by id.",
  fields: (t) => ({
    field: t.field({ type: AudioOrderField, required: true, description: "The property to order by." }),
    direction: t.field({ type: SortDirection, required: true, description: "Ascending or descending." }),
  }),
});

const filterArgs = builder.args((t) => ({
  filter: t.field({ type: AudioFilter, description: "Conditions that the audio meets. Default: none." }),
  orderBy: t.field({ type: AudioOrder, description: "The order. Default: newest first." }),
}));

type FilterArgs = {
  filter?: {
    search?: string | null;
    status?: AudioStatusName[] | null;
    categoryId?: string | null;
    eventId?: string | null;
    uploadedById?: string | null;
  } | null;
};

const keyOf = (typename: string, id: string | null | undefined, field: string) =>
  id == null ? null : decodeGlobalId(typename, id, ["filter", field]);

const toArguments = ({ filter }: FilterArgs) => ({
  search: filter?.search == null ? null : requireSearchText(filter.search, ["filter", "search"]),
  // As a set: a long list of the same is no more than one, and asks for the same.
  status: filter?.status == null ? null : [...new Set(filter.status)].sort(),
  categoryId: keyOf("Category", filter?.categoryId, "categoryId"),
  eventId: keyOf("Event", filter?.eventId, "eventId"),
  uploadedById: keyOf("User", filter?.uploadedById, "uploadedById"),
});

const filtered = { type: Audio, args: filterArgs, toArguments };

builder.queryFields((t) => ({
  audio: t.lookup(audioById, {
    nullable: true,
    description: "The audio with this id; null when there is none.",
    args: { id: t.arg.id({ required: true, description: "The audio's id." }) },
    key: ({ id }) => decodeGlobalId("Audio", id, ["id"]),
  }),
  audios: t.page(allAudio, { ...filtered, description: "All audio." }),
}));

builder.prismaObjectField(User, "audio", (t) =>
  t.page(audioByUploader, { ...filtered, description: "The audio that the user uploaded." }),
);
builder.prismaObjectField(Category, "audio", (t) =>
  t.page(audioByCategory, { ...filtered, description: "The audio of the category." }),
);
builder.prismaObjectField(Event, "audio", (t) =>
  t.page(audioByEvent, { ...filtered, description: "The audio of the event." }),
);
