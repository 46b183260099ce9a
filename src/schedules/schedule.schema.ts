import { badInput } from "../errors.ts";
import { builder } from "../graphql/builder.ts";
import { decodeGlobalId } from "../graphql/global-id.ts";
import { playlistById, trackById } from "../playlists/playlist.relations.ts";
import { Playlist } from "../playlists/playlist.schema.ts";
import { requireChannel } from "./channel.ts";
import { channelUrl } from "./schedule.downloads.ts";
import {
  allSchedules,
  nowPlayingByChannel,
  scheduleById,
  schedulesByPlaylist,
  schedulesBySeries,
  seriesById,
  seriesByPlaylist,
} from "./schedule.relations.ts";
import type { Weekday as WeekdayName } from "./weekdays.ts";

export const Weekday = builder.enumType("Weekday", {
  description: "A day of the week. Weeks begin on Monday.",
  values: {
    MONDAY: { description: "Monday." },
    TUESDAY: { description: "Tuesday." },
    WEDNESDAY: { description: "Wednesday." },
    THURSDAY: { description: "Thursday." },
    FRIDAY: { description: "Friday." },
    SATURDAY: { description: "Saturday." },
    SUNDAY: { description: "Sunday." },
  } as const,
});

export const Schedule = builder.rowNode("Schedule", {
  relation: scheduleById,
  fields: (t) => ({
    playlist: t.one(playlistById, { by: "playlistId" }),
    channel: t.exposeString("channel"),
    startsAt: t.expose("startsAt", { type: "DateTime" }),
    endsAt: t.expose("endsAt", { type: "DateTime" }),
    version: t.exposeInt("version"),
    series: t.one(seriesById, { by: "seriesId" }),
    seriesDay: t.expose("seriesDay", { type: "Date", nullable: true }),
    isMoved: t.exposeBoolean("isMoved"),
    createdAt: t.expose("createdAt", { type: "DateTime", description: "When it was created." }),
    updatedAt: t.expose("updatedAt", { type: "DateTime", description: "When it was last changed." }),
  }),
});

const rangeArgs = builder.args((t) => ({
  from: t.field({ type: "DateTime", description: "Only schedules that end after this time." }),
  to: t.field({ type: "DateTime", description: "Only schedules that start before this time." }),
}));

type Range = { from?: Date | null; to?: Date | null };

const rangeOf = ({ from, to }: Range) => {
  if (from && to && to <= from) throw badInput(["to"], "Choose an end, `to`, that is later than `from`.");
  return { from: from?.toISOString() ?? null, to: to?.toISOString() ?? null };
};

const ranged = { type: Schedule, args: rangeArgs, toArguments: rangeOf };

export const ScheduleSeries = builder.rowNode("ScheduleSeries", {
  relation: seriesById,
  fields: (t) => ({
    playlist: t.one(playlistById, { by: "playlistId" }),
    channel: t.exposeString("channel"),
    timeZone: t.exposeString("timeZone"),
    startTime: t.exposeString("startTime"),
    weekdays: t.field({
      type: [Weekday],
      description: "The days of the week on which it plays.",
      // A check of the table allows no other texts.
      resolve: ({ weekdays }) => weekdays as WeekdayName[],
    }),
    everyWeeks: t.exposeInt("everyWeeks"),
    firstDay: t.expose("firstDay", { type: "Date" }),
    lastDay: t.expose("lastDay", { type: "Date", nullable: true }),
    skippedDays: t.expose("skippedDays", { type: ["Date"] }),
    blockedDays: t.expose("blockedDays", { type: ["Date"] }),
    placedUntil: t.expose("placedUntil", { type: "Date", nullable: true }),
    version: t.exposeInt("version"),
    createdAt: t.expose("createdAt", { type: "DateTime", description: "When it was created." }),
    updatedAt: t.expose("updatedAt", { type: "DateTime", description: "When it was last changed." }),
    schedules: t.page(schedulesBySeries, {
      ...ranged,
      description: "Its occurrences up to the horizon, by their start. Those of skipped and blocked days are absent.",
    }),
  }),
});

builder.prismaObject("NowPlaying", {
  fields: (t) => ({
    schedule: t.one(scheduleById, { by: "scheduleId" }),
    track: t.one(trackById, { by: "trackId" }),
    offsetMs: t.exposeInt("offsetMs"),
    trackStartsAt: t.expose("trackStartsAt", { type: "DateTime" }),
    trackEndsAt: t.expose("trackEndsAt", { type: "DateTime" }),
  }),
});

builder.queryFields((t) => ({
  schedule: t.lookup(scheduleById, {
    nullable: true,
    description: "The schedule with this id; null when there is none.",
    args: { id: t.arg.id({ required: true, description: "The schedule's id." }) },
    key: ({ id }) => decodeGlobalId("Schedule", id, ["id"]),
  }),
  schedules: t.page(allSchedules, {
    type: Schedule,
    description: "Schedules by their start, occurrences of series among them.",
    args: { channel: t.arg.string({ description: "Only schedules of this channel." }), ...rangeArgs },
    toArguments: ({ channel, ...range }) => ({
      channel: channel == null ? null : requireChannel(channel, ["channel"]),
      ...rangeOf(range),
    }),
  }),
  scheduleSeries: t.lookup(seriesById, {
    nullable: true,
    description: "The series with this id; null when there is none.",
    args: { id: t.arg.id({ required: true, description: "The id of the series." }) },
    key: ({ id }) => decodeGlobalId("ScheduleSeries", id, ["id"]),
  }),
  nowPlaying: t.lookup(nowPlayingByChannel, {
    nullable: true,
    description: "The track that plays on a channel at this instant; null when nothing plays.",
    args: { channel: t.arg.string({ required: true, description: "The channel." }) },
    key: ({ channel }) => requireChannel(channel, ["channel"]),
  }),
  channelUrl: t.string({
    description:
      "The address of an M3U8 playlist of what plays on a channel, for players such as VLC and mpv: from the track that plays now to the end of its schedule, or nothing. It needs no headers, is yours, and works for some hours.",
    args: { channel: t.arg.string({ required: true, description: "The channel." }) },
    resolve: (_root, { channel }, { fileAddress }) => channelUrl(fileAddress, requireChannel(channel, ["channel"])),
  }),
}));

builder.prismaObjectField(Playlist, "schedules", (t) =>
  t.page(schedulesByPlaylist, { ...ranged, description: "When and on which channels it plays, by the start." }),
);
builder.prismaObjectField(Playlist, "series", (t) =>
  t.page(seriesByPlaylist, { type: ScheduleSeries, description: "The series that play it, by their first day." }),
);
