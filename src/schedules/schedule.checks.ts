/** The checks of `doctor`: rows as triggers and constraints would not leave them. */
import type { Check } from "../slice.ts";

/** A change of a playlist leaves its schedules of the past as they were. */
const wrongEnds = "s.ends_at > now() and s.ends_at <> s.starts_at + p.duration_ms * interval '1 millisecond'";

/** The database has got new rules of a time zone since it made the schedule. */
const wrongStarts = `
  o.series_id = s.id and not o.is_moved and o.starts_at > now()
    and o.starts_at <> instant_of(o.series_day::date + s.start_time::time, s.time_zone)`;

export const scheduleChecks: Readonly<Record<string, Check>> = {
  "schedules that do not end when their playlist does": {
    violations: `select s.id from schedules s join playlists p on p.id = s.playlist_id where ${wrongEnds}`,
    // A trigger computes the end on every write. Ends that would overlap another schedule are left to people.
    repair: [
      `update schedules t set starts_at = t.starts_at
       from schedules s join playlists p on p.id = s.playlist_id
       where t.id = s.id and ${wrongEnds} and p.duration_ms > 0 and not exists (
         select from schedules o where o.channel = s.channel and o.id <> s.id
           and tstzrange(o.starts_at, o.ends_at) &&
             tstzrange(s.starts_at, s.starts_at + p.duration_ms * interval '1 millisecond'))`,
    ],
  },
  "schedules that overlap another one on their channel": {
    violations: `
      select s.id from schedules s where exists (
        select from schedules o where o.channel = s.channel and o.id <> s.id
          and tstzrange(o.starts_at, o.ends_at) && tstzrange(s.starts_at, s.ends_at))`,
    advice: "Move or delete one of each two: updateSchedule, deleteSchedule.",
  },
  "empty playlists that are scheduled": {
    violations: `
      select p.id from playlists p
      where p.duration_ms = 0 and exists (
        select from schedules s where s.playlist_id = p.id and s.ends_at > now())`,
    advice: "Add tracks, or delete the playlist with its schedules: deletePlaylist with removeSchedules.",
  },
  "series of schedules that are more than a day behind": {
    violations: `
      select s.id from schedule_series s
      where s.placed_until is null or s.placed_until < to_char(least(horizon_of(s) - 1, s.last_day::date), 'YYYY-MM-DD')`,
    repair: ["select extend_schedule_series()"],
  },
  "series of schedules that start at another time than their time zone says": {
    violations: `select s.id from schedule_series s where exists (select from schedules o where ${wrongStarts})`,
    // Makes the schedules to come anew.
    repair: [
      `update schedule_series s set time_zone = s.time_zone where exists (select from schedules o where ${wrongStarts})`,
    ],
  },
  "series of schedules with days to come on which another schedule is in the way": {
    violations: `
      select s.id from schedule_series s where exists (
        select from unnest(s.blocked_days) day where day >= to_char(now() at time zone s.time_zone, 'YYYY-MM-DD'))`,
    advice:
      "Move or delete the other schedules, then change the series, which makes the missing ones; or add the days to skippedDays.",
  },
};
