/** Writes schedules and their series. Triggers make the occurrences of a series, and refuse overlaps. */
import { assignments, columnsAndValues } from "../database/columns.ts";
import { type PlaylistRow, type ScheduleRow, type ScheduleSeriesRow, tables } from "../database/generated/tables.ts";
import { type Sql, selectList, sql } from "../eager-loading/sql.ts";
import type { UnitOfWork } from "../unit-of-work/unit-of-work.ts";
import type { Weekday } from "./weekdays.ts";

export type Slot = { playlistId: string; channel: string; startsAt: Date };

/** Days are texts such as 2026-11-27, times of day such as 18:30:00. */
export type SeriesRule = {
  playlistId: string;
  channel: string;
  timeZone: string;
  startTime: string;
  weekdays: readonly Weekday[];
  everyWeeks: number;
  lastDay: string | null;
  skippedDays: readonly string[];
};
export type NewSeries = Omit<SeriesRule, "skippedDays"> & { firstDay: string };

/** A point in time by the clocks of a time zone. */
export type LocalTime = {
  day: string;
  weekday: Weekday;
  time: string;
  /** The point in time at which a series starts on this day at this time: clocks may show it twice. */
  startsAt: Date;
};

export interface ScheduleRepository {
  /** The point in time by the clocks of a zone; null if the database does not know the zone. */
  localTime(at: Date, timeZone: string): Promise<LocalTime | null>;
  /** Locks the playlist, so that its duration stays until the unit of work ends. Null if it does not exist. */
  lockPlaylist(id: string): Promise<PlaylistRow | null>;
  create(slot: Slot): Promise<ScheduleRow>;
  /** Creates a series with its schedules. Returns the first of them. */
  createSeries(series: NewSeries): Promise<ScheduleRow>;
  /**
   * Locks the schedule, the playlist that it plays, the one that it will play, and its series. Null if the schedule does
   * not exist.
   */
  lock(id: string, willPlay?: string): Promise<ScheduleRow | null>;
  /** Locks the series, the playlist that it plays, and the one that it will play. Null if the series does not exist. */
  lockSeries(id: string, willPlay?: string): Promise<ScheduleSeriesRow | null>;
  update(id: string, changes: Partial<Slot>): Promise<ScheduleRow>;
  /** Changes the series, and those of its schedules that have not started and were not moved. */
  updateSeries(id: string, changes: Partial<SeriesRule>): Promise<ScheduleSeriesRow>;
  /** The series of the schedule, if it has one, skips the day from then on. */
  delete(id: string): Promise<void>;
  /** With all of its schedules. */
  deleteSeries(id: string): Promise<void>;
  /**
   * The schedules that end at another time, after the durations of their playlists have changed. A trigger has moved the
   * ends of those that had not ended, or refused the change.
   */
  moveEnds(playlistIds: readonly string[]): Promise<readonly ScheduleRow[]>;
  /** The number, by channel, of schedules that have not ended and are deleted with the playlist or with its series. */
  countOpen(playlistId: string): Promise<readonly { channel: string; count: number }[]>;
}

/**
 * Locks are taken in the order in which the triggers take them: playlists, series, schedules. Two operations that took
 * them in different orders could wait for each other.
 */
export function scheduleRepository(uow: UnitOfWork): ScheduleRepository {
  const columns = selectList(tables.Schedule, "t");
  const seriesColumns = selectList(tables.ScheduleSeries, "t");
  const lockPlaylists = (current: Sql, willPlay: string | undefined) =>
    uow.write(sql`
      select 1 from playlists where id in ((${current}), ${willPlay ?? null}::uuid) order by id for share`);
  return {
    async localTime(at, timeZone) {
      const [found] = await uow.reader.read(sql`
        select to_char(l.local, 'YYYY-MM-DD') as day, to_char(l.local, 'FMDAY') as weekday,
          to_char(l.local, 'HH24:MI:SS.MS') as time, instant_of(l.local, l.zone) as "startsAt"
        from (select z.name as zone, ${at}::timestamptz at time zone z.name as local
              from pg_timezone_names z where z.name = ${timeZone}) l`);
      return (found as LocalTime | undefined) ?? null;
    },

    async lockPlaylist(id) {
      const playlist = selectList(tables.Playlist, "t");
      const [found] = await uow.write(sql`select ${playlist} from playlists t where t.id = ${id}::uuid for share`);
      return (found as PlaylistRow | undefined) ?? null;
    },

    async create({ playlistId, channel, startsAt }) {
      const [created] = await uow.write(sql`
        insert into schedules as t (playlist_id, channel, starts_at)
        values (${playlistId}::uuid, ${channel}, ${startsAt}::timestamptz) returning ${columns}`);
      return created as ScheduleRow;
    },

    async createSeries(series) {
      const [created] = await uow.write(sql`
        insert into schedule_series ${columnsAndValues(tables.ScheduleSeries, series)} returning id`);
      const [first] = await uow.write(sql`
        select ${columns} from schedules t where t.series_id = ${created?.id}::uuid order by t.series_day limit 1`);
      return first as ScheduleRow;
    },

    async lock(id, willPlay) {
      await lockPlaylists(sql`select playlist_id from schedules where id = ${id}::uuid`, willPlay);
      await uow.write(sql`
        select 1 from schedule_series
        where id = (select series_id from schedules where id = ${id}::uuid) for update`);
      const [found] = await uow.write(sql`select ${columns} from schedules t where t.id = ${id}::uuid for update`);
      return (found as ScheduleRow | undefined) ?? null;
    },

    async lockSeries(id, willPlay) {
      await lockPlaylists(sql`select playlist_id from schedule_series where id = ${id}::uuid`, willPlay);
      const [found] = await uow.write(sql`
        select ${seriesColumns} from schedule_series t where t.id = ${id}::uuid for update`);
      return (found as ScheduleSeriesRow | undefined) ?? null;
    },

    async update(id, changes) {
      const [updated] = await uow.write(sql`
        update schedules t set ${assignments(tables.Schedule, changes)} where t.id = ${id}::uuid returning ${columns}`);
      return updated as ScheduleRow;
    },

    async updateSeries(id, changes) {
      await uow.write(sql`
        update schedule_series set ${assignments(tables.ScheduleSeries, changes)} where id = ${id}::uuid`);
      // The triggers have changed it, too.
      const [updated] = await uow.write(sql`select ${seriesColumns} from schedule_series t where t.id = ${id}::uuid`);
      return updated as ScheduleSeriesRow;
    },

    async delete(id) {
      await uow.write(sql`delete from schedules where id = ${id}::uuid`);
    },

    async deleteSeries(id) {
      await uow.write(sql`delete from schedule_series where id = ${id}::uuid`);
    },

    async moveEnds(playlistIds) {
      // Those that this transaction has written, even if they have ended since they were shortened; but none of the past that
      // it has just created, which keep their ends.
      const rows = await uow.write(sql`
        select ${columns} from schedules t join playlists p on p.id = t.playlist_id
        where t.playlist_id = any(${playlistIds}::uuid[]) and t.xmin = pg_current_xact_id()::xid
          and t.ends_at = t.starts_at + p.duration_ms * interval '1 millisecond'
        order by t.starts_at, t.id`);
      return rows as ScheduleRow[];
    },

    async countOpen(playlistId) {
      // An array, so that both conditions use their indexes.
      const rows = await uow.write(sql`
        select channel, count(*)::integer as count from schedules
        where (playlist_id = ${playlistId}::uuid
            or series_id = any(array(select id from schedule_series where playlist_id = ${playlistId}::uuid)))
          and ends_at > now() group by channel order by channel`);
      return rows as { channel: string; count: number }[];
    },
  };
}
