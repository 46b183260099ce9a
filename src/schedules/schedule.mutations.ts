import { builder } from "../graphql/builder.ts";
import { servicesOf } from "../graphql/context.ts";
import { decodeGlobalId } from "../graphql/global-id.ts";
import { deletionPayload, rowInput, rowPayload, versionFields } from "../graphql/versioned-mutations.ts";
import { Schedule, ScheduleSeries, Weekday } from "./schedule.schema.ts";

const channel = "1 to 100 characters. Case counts.";

const WeeklyRecurrenceInput = builder.inputType("WeeklyRecurrenceInput", {
  description: "Days on which a schedule is repeated, at the same time by the clocks of a time zone.",
  fields: (t) => ({
    timeZone: t.string({ required: true, description: "An IANA time zone, such as Europe/Berlin." }),
    weekdays: t.field({
      type: [Weekday],
      description: "The days of the week. Default: that of the start, in the time zone.",
    }),
    everyWeeks: t.int({
      defaultValue: 1,
      description: "1: every week; 2: every other week; 52 at most. Weeks begin on Monday.",
    }),
    lastDay: t.field({ type: "Date", description: "The last day on which it may play. Default: no end." }),
  }),
});

const CreateScheduleInput = builder.inputType("CreateScheduleInput", {
  description: "A playlist on a channel, once or every week.",
  fields: (t) => ({
    playlistId: t.id({ required: true, description: "The playlist, which must not be empty." }),
    channel: t.string({ required: true, description: channel }),
    startsAt: t.field({ type: "DateTime", required: true, description: "When it starts, for the first time." }),
    recurrence: t.field({
      type: WeeklyRecurrenceInput,
      description: "Makes a series, whose first occurrence starts at `startsAt`. Default: it plays once.",
    }),
  }),
});

const UpdateScheduleInput = builder.inputType("UpdateScheduleInput", {
  description: "Changes of a schedule. Fields that are absent stay as they are.",
  fields: (t) => ({
    ...versionFields(t, Schedule),
    playlistId: t.id({ description: "Another playlist, which must not be empty." }),
    channel: t.string({ description: channel }),
    startsAt: t.field({ type: "DateTime", description: "When it starts." }),
  }),
});

const UpdateScheduleSeriesInput = builder.inputType("UpdateScheduleSeriesInput", {
  description: "Changes of a series. Fields that are absent stay as they are.",
  fields: (t) => ({
    ...versionFields(t, ScheduleSeries),
    playlistId: t.id({ description: "Another playlist, which must not be empty." }),
    channel: t.string({ description: channel }),
    timeZone: t.string({ description: "An IANA time zone, such as Europe/Berlin." }),
    startTime: t.string({ description: "The start by the clocks of the time zone, such as 18:30 or 18:30:00." }),
    weekdays: t.field({ type: [Weekday], description: "The days of the week." }),
    everyWeeks: t.int({
      description: "1: every week; 2: every other week, counted from that of the first day; 52 at most.",
    }),
    lastDay: t.field({ type: "Date", description: "The last day on which it may play; null for no end." }),
    skippedDays: t.field({
      type: ["Date"],
      description: "All days without an occurrence. A day that is left out of this list comes back.",
    }),
  }),
});

const DeleteScheduleInput = rowInput("DeleteScheduleInput", Schedule, "A schedule to delete.");
const DeleteScheduleSeriesInput = rowInput("DeleteScheduleSeriesInput", ScheduleSeries, "A series to delete.");

const CreateSchedulePayload = rowPayload(
  "CreateSchedulePayload",
  Schedule,
  "The new schedule, or the first occurrence of the new series.",
);
const UpdateSchedulePayload = rowPayload("UpdateSchedulePayload", Schedule, "The schedule with its changes.");
const DeleteSchedulePayload = deletionPayload("DeleteSchedulePayload", Schedule);
const UpdateScheduleSeriesPayload = rowPayload(
  "UpdateScheduleSeriesPayload",
  ScheduleSeries,
  "The series with its changes.",
);
const DeleteScheduleSeriesPayload = deletionPayload("DeleteScheduleSeriesPayload", ScheduleSeries);

const idOf = (typename: string, id: string, field: string) => decodeGlobalId(typename, id, ["input", field]);

/** Decodes the playlist's id. */
const withPlaylist = <Input extends { playlistId?: string | null }>(input: Input): Input => ({
  ...input,
  ...(input.playlistId == null ? {} : { playlistId: idOf("Playlist", input.playlistId, "playlistId") }),
});
const withKey = <Input extends { id: string }>(typename: string, input: Input): Input => ({
  ...input,
  id: idOf(typename, input.id, "id"),
});

builder.mutationFields((t) => ({
  createSchedule: t.field({
    type: CreateSchedulePayload,
    authScopes: { role: "EDITOR" },
    description:
      "Schedules a playlist on a channel, once or every week. SCHEDULE_OVERLAP when the channel is not free. For editors.",
    args: { input: t.arg({ type: CreateScheduleInput, required: true, description: "The schedule." }) },
    resolve: async (_root, { input }, context) => ({
      row: await servicesOf(context).schedules.create(withPlaylist(input)),
    }),
  }),
  updateSchedule: t.field({
    type: UpdateSchedulePayload,
    authScopes: { role: "EDITOR" },
    description:
      "Moves a schedule, or gives it another playlist. The other occurrences of its series stay. For editors.",
    args: { input: t.arg({ type: UpdateScheduleInput, required: true, description: "The changes." }) },
    resolve: async (_root, { input }, context) => ({
      row: await servicesOf(context).schedules.update(withPlaylist(withKey("Schedule", input))),
    }),
  }),
  deleteSchedule: t.field({
    type: DeleteSchedulePayload,
    authScopes: { role: "EDITOR" },
    description:
      "Deletes a schedule. The other occurrences of its series stay, and the series skips its day. For editors.",
    args: { input: t.arg({ type: DeleteScheduleInput, required: true, description: "The schedule." }) },
    resolve: async (_root, { input }, context) => {
      await servicesOf(context).schedules.delete(withKey("Schedule", input));
      return { deletedId: input.id };
    },
  }),
  updateScheduleSeries: t.field({
    type: UpdateScheduleSeriesPayload,
    authScopes: { role: "EDITOR" },
    description:
      "Changes a series from now on. Occurrences that have started or were moved stay as they are. For editors.",
    args: { input: t.arg({ type: UpdateScheduleSeriesInput, required: true, description: "The changes." }) },
    resolve: async (_root, { input }, context) => ({
      row: await servicesOf(context).schedules.updateSeries(withPlaylist(withKey("ScheduleSeries", input))),
    }),
  }),
  deleteScheduleSeries: t.field({
    type: DeleteScheduleSeriesPayload,
    authScopes: { role: "EDITOR" },
    description:
      "Deletes a series with all its schedules, also those that have ended. `lastDay` ends a series and keeps them. For editors.",
    args: { input: t.arg({ type: DeleteScheduleSeriesInput, required: true, description: "The series." }) },
    resolve: async (_root, { input }, context) => {
      await servicesOf(context).schedules.deleteSeries(withKey("ScheduleSeries", input));
      return { deletedId: input.id };
    },
  }),
}));
