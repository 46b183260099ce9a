/** The schedules of the sample library, on the channel "main": something that plays now, and two series. */
import { type Sql, sql } from "../eager-loading/sql.ts";
import type { Sample } from "../slice.ts";
import type { Weekday } from "./weekdays.ts";

const channel = "main";
const workdays: Weekday[] = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"];

/** "Daytime" begins now and ends hours before the next day of either zone, on which the series begin. */
export async function addSchedules({ reader, servicesOf }: Sample): Promise<void> {
  const { schedules } = servicesOf("editor");
  const playlists = await reader.read(sql`select id, name from playlists where name in ('Daytime', 'Lobby')`);
  const idOf = (name: string) => playlists.find((playlist) => playlist.name === name)?.id as string | undefined;
  const [daytime, lobby] = [idOf("Daytime"), idOf("Lobby")];
  if (!daytime || !lobby) return;

  const [starts] = await reader.read(sql`
    select ${nextStart("Europe/Berlin", "08:00", [1, 2, 3, 4, 5])} as berlin,
      ${nextStart("Asia/Ho_Chi_Minh", "19:00", [6])} as saigon`);
  await schedules.create({ playlistId: daytime, channel, startsAt: new Date() });
  await schedules.create({
    ...{ playlistId: lobby, channel, startsAt: starts?.berlin as Date },
    recurrence: { timeZone: "Europe/Berlin", weekdays: workdays },
  });
  await schedules.create({
    ...{ playlistId: daytime, channel, startsAt: starts?.saigon as Date },
    recurrence: { timeZone: "Asia/Ho_Chi_Minh", weekdays: ["SATURDAY"] },
  });
}

/** The next of these days of the week, from tomorrow on, at a time by the clocks of a zone. Monday is 1. */
const nextStart = (zone: string, time: string, days: readonly number[]): Sql => sql`(
  select instant_of(day + ${time}::time, ${zone})
  from generate_series(1, 7) n, lateral (select (now() at time zone ${zone})::date + n as day) d
  where extract(isodow from day)::integer = any(${days}::integer[]) order by day limit 1)`;
