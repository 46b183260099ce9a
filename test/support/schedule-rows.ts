/** Schedules and series that are put into the tables past the API. */
import type { TestDatabase } from "./database.ts";

type Queryable = Pick<TestDatabase, "query">;
type Runner = { query(text: string, values?: unknown[]): Promise<unknown> };

export const everyDay = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];

/** A point in time on 1 January 2035, a Monday: `at("06:30")`. */
export const at = (time: string, day = "2035-01-01"): Date => new Date(`${day}T${time}Z`);

const insertion = "insert into schedules (playlist_id, channel, starts_at) values ($1, $2, $3) returning id";

/** @returns its id */
export async function addSchedule(
  database: Queryable,
  playlist: string,
  startsAt: Date,
  channel = "One",
): Promise<string> {
  return (await database.query(insertion, [playlist, channel, startsAt]))[0]?.id as string;
}

/** The same statement on a connection of its own. */
export const insertSchedule = (client: Runner, playlist: string, startsAt: Date, channel = "One") =>
  client.query(insertion, [playlist, channel, startsAt]);

export type NewSeries = {
  channel?: string;
  timeZone?: string;
  startTime?: string;
  weekdays?: string[];
  everyWeeks?: number;
  firstDay?: string;
  lastDay?: string | null;
};

/** Every day at 06:00 UTC in the first week of 2035, where nothing else is said. */
export async function addSeries({ query }: Queryable, playlist: string, series: NewSeries = {}): Promise<string> {
  const { channel = "One", timeZone = "UTC", startTime = "06:00:00", weekdays = everyDay, everyWeeks = 1 } = series;
  const { firstDay = "2035-01-01", lastDay = "2035-01-07" } = series;
  const [row] = await query(
    `insert into schedule_series (playlist_id, channel, time_zone, start_time, weekdays, every_weeks, first_day, last_day)
     values ($1, $2, $3, $4, $5, $6, $7, $8) returning id`,
    [playlist, channel, timeZone, startTime, weekdays, everyWeeks, firstDay, lastDay],
  );
  return row?.id as string;
}
