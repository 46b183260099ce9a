/** Relations of schedules and their series. All readers of the library see all of them. */
import { tables } from "../database/generated/tables.ts";
import { relations } from "../database/relations.ts";
import { type Columns, join, type Sql, sql } from "../eager-loading/sql.ts";

/** Times are in ISO 8601. */
export type ScheduleFilter = { channel?: string | null; from?: string | null; to?: string | null };

/** Schedules that overlap the time from `from` to `to`. */
function scheduleFilter({ channel, from, to }: ScheduleFilter, schedule: Columns): Sql | undefined {
  const { startsAt, endsAt } = schedule;
  const conditions = [
    ...(channel == null ? [] : [sql`${schedule.channel} = ${channel}`]),
    ...(to == null ? [] : [sql`${startsAt} < ${to}::timestamptz`]),
    // No playlist is longer than a week, so the second condition changes nothing but the part of the index that is read.
    ...(from == null
      ? []
      : [sql`${endsAt} > ${from}::timestamptz and ${startsAt} > ${from}::timestamptz - interval '168 hours'`]),
  ];
  return conditions.length === 0 ? undefined : join(conditions, " and ");
}

const pages = {
  table: tables.Schedule,
  orders: { STARTS_AT: ["startsAt"] },
  defaultOrder: { field: "STARTS_AT", direction: "ASC" },
  filter: scheduleFilter,
} as const;

export const scheduleById = relations.one({ name: "ScheduleById", table: tables.Schedule, key: "id" });

export const allSchedules = relations.page({ name: "AllSchedules", ...pages });

export const schedulesByPlaylist = relations.page({ name: "SchedulesByPlaylist", key: "playlistId", ...pages });

export const schedulesBySeries = relations.page({ name: "SchedulesBySeries", key: "seriesId", ...pages });

export const seriesById = relations.one({ name: "SeriesById", table: tables.ScheduleSeries, key: "id" });

export const seriesByPlaylist = relations.page({
  name: "SeriesByPlaylist",
  table: tables.ScheduleSeries,
  key: "playlistId",
  orders: { FIRST_DAY: ["firstDay"] },
  defaultOrder: { field: "FIRST_DAY", direction: "ASC" },
});

export const nowPlayingByChannel = relations.one({
  name: "NowPlayingByChannel",
  table: tables.NowPlaying,
  key: "channel",
});
