/** Faults of schedules that `doctor` finds, made by a program that turns the triggers off, and those that it mends. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { countsIn, integrityOf } from "../support/integrity.ts";
import { type Lectern, startLectern } from "../support/lectern.ts";
import { addPlaylist } from "../support/playlist-rows.ts";

let lectern: Lectern;
let news: string;
let concert: string;

beforeAll(async () => {
  lectern = await startLectern({ housekeeping: false });
  await lectern.person("Ed", "EDITOR");
  news = await addPlaylist(lectern.database, [60_000], "News");
  concert = await addPlaylist(lectern.database, [600_000], "Concert");
});
beforeEach(() => query("delete from schedule_series; delete from schedules"));
afterAll(() => lectern.stop());

const query = (text: string, values?: unknown[]) => lectern.database.query(text, values);
const withoutTriggers = (statement: string) =>
  query(`begin; set local session_replication_role = replica; ${statement}; commit`);
const schedule = async (playlist: string, time: string) =>
  (
    await query("insert into schedules (playlist_id, channel, starts_at) values ($1, 'main', $2) returning id", [
      playlist,
      `2100-01-01T${time}Z`,
    ])
  )[0]?.id as string;
const series = async () =>
  (
    await query(
      `insert into schedule_series (playlist_id, channel, time_zone, start_time, weekdays, first_day)
       values ($1, 'main', 'UTC', '08:00:00', '{MONDAY}', '2100-01-01') returning id`,
      [news],
    )
  )[0]?.id as string;

const ends = "schedules that do not end when their playlist does";
const overlaps = "schedules that overlap another one on their channel";
const empty = "empty playlists that are scheduled";
const shifted = "series of schedules that start at another time than their time zone says";
const behind = "series of schedules that are more than a day behind";
const blocked = "series of schedules with days to come on which another schedule is in the way";

async function examine(): Promise<Record<string, number>> {
  // The audio has no files.
  const { "audio whose file is missing": _, ...counts } = countsIn(await integrityOf(lectern).examine());
  return counts;
}
async function repair(): Promise<void> {
  const { examine, repair } = integrityOf(lectern);
  await repair(await examine());
}

describe("doctor", () => {
  it("finds nothing in schedules that triggers keep", async () => {
    await schedule(news, "08:00:00");
    await schedule(concert, "08:01:00");
    await series();
    expect(await examine()).toEqual({});
  });

  it("moves ends to where they belong, but for those that would overlap another schedule", async () => {
    const short = await schedule(concert, "08:00:00");
    const long = await schedule(concert, "09:00:00");
    await withoutTriggers(`
      update schedules set ends_at = starts_at + interval '1 minute' where id = '${short}';
      update schedules set ends_at = starts_at + interval '1 hour' where id = '${long}'`);
    const between = await schedule(news, "08:05:00");
    expect(await examine()).toEqual({ [ends]: 2 });
    await repair();
    expect(await examine()).toEqual({ [ends]: 1 });
    await query("delete from schedules where id = $1", [between]);
    await repair();
    expect(await examine()).toEqual({});
    const lengths = await query("select distinct ends_at - starts_at = interval '10 minutes' as right from schedules");
    expect(lengths).toEqual([{ right: true }]);
  });

  it("finds overlaps, which people have to mend", async () => {
    await schedule(news, "08:00:00");
    const other = await schedule(news, "09:00:00");
    await query("alter table schedules drop constraint schedules_no_overlap");
    await withoutTriggers(`
      update schedules set starts_at = '2100-01-01T08:00:59.999Z', ends_at = '2100-01-01T08:01:59.999Z'
      where id = '${other}'`);
    expect(await examine()).toEqual({ [overlaps]: 2 });
    const [finding] = (await integrityOf(lectern).examine()).filter(({ complaint }) => complaint === overlaps);
    expect(finding).toMatchObject({ isRepairable: false, advice: expect.stringContaining("Move or delete") });
    await query("delete from schedules where id = $1", [other]);
    expect(await examine()).toEqual({});
  });

  it("finds playlists that are scheduled and have no tracks", async () => {
    const playlist = await addPlaylist(lectern.database, [], "Nothing");
    await withoutTriggers(`
      insert into schedules (playlist_id, channel, starts_at, ends_at)
      values ('${playlist}', 'main', '2100-01-01T08:00:00Z', '2100-01-01T08:00:00Z')`);
    expect(await examine()).toEqual({ [empty]: 1 });
  });

  it("moves schedules to the time that new rules of a time zone give, but for those that an editor has moved", async () => {
    const id = await series();
    await query("update schedules set starts_at = starts_at + interval '1 minute' where series_day = '2100-01-11'");
    await withoutTriggers(
      "update schedules set starts_at = starts_at - interval '1 hour' where series_day > '2100-06-01'",
    );
    expect(await examine()).toMatchObject({ [shifted]: 1 });
    await repair();
    expect(await examine()).toEqual({});
    const times =
      "select distinct to_char(starts_at at time zone 'UTC', 'HH24:MI') as at from schedules where series_id = $1";
    expect((await query(`${times} order by 1`, [id])).map(({ at }) => at)).toEqual(["08:00", "08:01"]);
  });

  it("extends series that no server has extended", async () => {
    const id = await series();
    const count = "select count(*)::int from schedules where series_id = $1";
    const before = await query(count, [id]);
    await withoutTriggers(`
      delete from schedules where series_id = '${id}' and series_day > '2100-06-01';
      update schedule_series set placed_until = '2100-06-01' where id = '${id}'`);
    expect(await examine()).toEqual({ [behind]: 1 });
    await repair();
    expect(await examine()).toEqual({});
    expect(await query(count, [id])).toEqual(before);
    // A day is no more than the pause between two sweeps, and an end is the end.
    await withoutTriggers(`
      update schedule_series set placed_until = (placed_until::date - 1)::text where id = '${id}'`);
    expect(await examine()).toEqual({});
    await withoutTriggers(`
      update schedule_series set placed_until = '2100-06-01', last_day = '2100-06-01' where id = '${id}'`);
    expect(await examine()).toEqual({});
  });

  it("tells of days to come that another schedule blocks, and not of days that are over", async () => {
    const id = await series();
    await withoutTriggers(`update schedule_series set blocked_days = '{2020-01-01}' where id = '${id}'`);
    expect(await examine()).toEqual({});
    await withoutTriggers(`update schedule_series set blocked_days = '{2020-01-01,2100-06-07}' where id = '${id}'`);
    expect(await examine()).toEqual({ [blocked]: 1 });
  });
});
