/** Series of schedules: the database makes the occurrences, and keeps what people have changed in them. */
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { withClient } from "../../src/database/with-client.ts";
import { urlAs } from "../../src/postgres/roles.ts";
import type { TestDatabase } from "../support/database.ts";
import { dump } from "../support/dump.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { addAudio, addPlaylist, addTrack, refusalOf, untilBlocked } from "../support/playlist-rows.ts";
import { addUser } from "../support/rows.ts";
import { addSchedule, addSeries, at, everyDay, type NewSeries } from "../support/schedule-rows.ts";

let database: TestDatabase;
let playlist: string;
const hour = 3_600_000;

beforeAll(async () => {
  database = await freshDatabase();
  await addUser(database);
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.query("delete from playlists");
  await database.query("delete from audio");
  playlist = await addPlaylist(database, [hour]);
});

type Occurrence = { id: string; day: string; start: Date; channel: string; moved: boolean };
async function occurrences(): Promise<Occurrence[]> {
  const rows = await database.query(`
    select id, series_day as day, starts_at as start, channel, is_moved as moved from schedules
    where series_id is not null order by series_day, starts_at`);
  return rows as Occurrence[];
}
const days = async () => (await occurrences()).map(({ day }) => day);
const starts = async () => (await occurrences()).map(({ start }) => start.toISOString().slice(0, 16));
const series = async () => (await database.query("select * from schedule_series"))[0] as Record<string, unknown>;
const inJanuary = (...numbers: number[]) => numbers.map((day) => `2035-01-${String(day).padStart(2, "0")}`);
const update = (assignment: string, ...values: unknown[]) =>
  database.query(`update schedule_series set ${assignment} returning version`, values);
const extend = async () => (await database.query("select extend_schedule_series() as placed"))[0]?.placed;

/** As if the horizon had been that day when the occurrences were last placed. */
async function turnBackTo(day: string): Promise<void> {
  await database.query("alter table schedules disable trigger schedules_skip");
  await database.query("delete from schedules where series_day > $1", [day]);
  await database.query("alter table schedules enable trigger schedules_skip");
  await database.query("update schedule_series set placed_until = $1", [day]);
}

describe("a new series", () => {
  it("is placed at once, and its row is complete in the answer of the statement", async () => {
    const [row] = await database.query(
      `insert into schedule_series (playlist_id, channel, time_zone, start_time, weekdays, first_day, last_day)
       values ($1, 'One', 'UTC', '06:00:00', '{MONDAY,SATURDAY}', '2035-01-01', '2035-01-15') returning *`,
      [playlist],
    );
    expect(row).toEqual(await series());
    expect(row).toMatchObject({ version: 1, placed_until: "2036-02-05", blocked_days: [], skipped_days: [] });
    expect(await occurrences()).toMatchObject(
      inJanuary(1, 6, 8, 13, 15).map((day) => ({ day, start: at("06:00", day), channel: "One", moved: false })),
    );
  });

  it.each<[string, NewSeries, string[]]>([
    [
      "every week on the days of the week",
      { weekdays: ["SUNDAY", "TUESDAY"], lastDay: "2035-01-15" },
      inJanuary(2, 7, 9, 14),
    ],
    [
      "every other week, counted from the Monday before its first day",
      { everyWeeks: 2, firstDay: "2035-01-03", lastDay: "2035-01-31", weekdays: ["MONDAY", "WEDNESDAY"] },
      inJanuary(3, 15, 17, 29, 31),
    ],
    [
      "every other week when the first day is a Sunday, which ends a week",
      { everyWeeks: 2, firstDay: "2035-01-07", lastDay: "2035-01-31", weekdays: ["SUNDAY", "MONDAY"] },
      inJanuary(7, 15, 21, 29),
    ],
    ["on its last day", { firstDay: "2035-01-02", lastDay: "2035-01-02" }, inJanuary(2)],
    ["on no day, if there is none", { weekdays: ["FRIDAY"], lastDay: "2035-01-02" }, []],
  ])("plays %s", async (_, rule, expected) => {
    await addSeries(database, playlist, rule);
    expect(await days()).toEqual(expected);
  });

  it("without an end is placed for 400 days, from today or from its first day", async () => {
    await addSeries(database, playlist, { lastDay: null });
    expect((await days()).length).toBe(401);
    expect((await days()).at(-1)).toBe("2036-02-05");
    const [{ today, horizon } = {}] = await database.query(
      "select to_char(now() at time zone 'UTC' - interval '10 days', 'YYYY-MM-DD') today, to_char(now() at time zone 'UTC' + interval '400 days', 'YYYY-MM-DD') horizon",
    );
    await addSeries(database, playlist, { channel: "Two", firstDay: today as string, lastDay: null });
    const [old] = await database.query(
      "select min(series_day) first, max(series_day) last from schedules where channel = 'Two'",
    );
    expect(old).toEqual({ first: today, last: horizon });
  });

  it("ends where the calendar of the API ends", async () => {
    await addSeries(database, playlist, {
      firstDay: "9998-12-29",
      lastDay: null,
      timeZone: "Etc/GMT+12",
      startTime: "23:59:59",
    });
    expect(await days()).toEqual(["9998-12-29", "9998-12-30"]);
  });

  it("is refused whole when one of its days is taken", async () => {
    const id = await addSchedule(database, await addPlaylist(database, [hour], "News"), at("06:30", "2035-01-05"));
    const before = await dump(database);
    expect(await refusalOf(addSeries(database, playlist))).toMatchObject({
      code: "SCHEDULE_OVERLAP",
      schedule: { id, playlist: { name: "News" } },
    });
    expect(await dump(database)).toEqual(before);
  });

  it("is refused when an occurrence lasts into the next one, or its playlist is empty", async () => {
    const long = await addPlaylist(database, [24 * hour], "A day");
    await addSeries(database, long);
    await database.query("delete from schedule_series");
    await addTrack(database, long, await addAudio(database, 1));
    expect(await refusalOf(addSeries(database, long))).toMatchObject({
      code: "SCHEDULE_OVERLAP",
      message: expect.stringContaining("a series with a shorter playlist, or on other days, does not overlap itself."),
    });
    expect(await refusalOf(addSeries(database, await addPlaylist(database)))).toMatchObject({ code: "INVALID_STATE" });
    expect(await database.query("select from schedule_series")).toEqual([]);
  });

  it.each<[NewSeries, string]>([
    [{ channel: " One" }, "schedule_series_channel_form"],
    [{ startTime: "24:00:00" }, "schedule_series_time_form"],
    [{ startTime: "6:00" }, "schedule_series_time_form"],
    [{ startTime: "06:00:00.1234" }, "schedule_series_time_form"],
    [{ weekdays: [] }, "schedule_series_weekdays_known"],
    [{ weekdays: ["Monday"] }, "schedule_series_weekdays_known"],
    [{ everyWeeks: 0 }, "schedule_series_weeks_few"],
    [{ everyWeeks: 53 }, "schedule_series_weeks_few"],
    [{ firstDay: "2035-02-29" }, "22008"],
    [{ firstDay: "2035-1-1" }, "schedule_series_days"],
    [{ firstDay: "tomorrow" }, "schedule_series_days"],
    [{ lastDay: "2034-12-31" }, "schedule_series_days"],
  ])("is refused with %j", async (rule, reason) => {
    const error = await addSeries(database, playlist, rule).then(
      () => "nothing",
      (thrown: pg.DatabaseError) => thrown.constraint ?? thrown.code,
    );
    expect(error).toBe(reason);
  });

  it.each(["UTC+3", "Nowhere/Town", "europe/berlin", "EST5EDT4", ""])("knows no time zone %j", async (timeZone) => {
    const refusal = {
      code: "BAD_USER_INPUT",
      message: `The database knows no time zone "${timeZone}": choose one of the IANA database, such as Europe/Berlin.`,
    };
    expect(await refusalOf(addSeries(database, playlist, { timeZone }))).toEqual(refusal);
    await addSeries(database, playlist);
    expect(await refusalOf(update("time_zone = $1", timeZone))).toEqual(refusal);
  });

  it("does not start years ago, and is not moved there", async () => {
    const refusal = {
      code: "BAD_USER_INPUT",
      message: "A series starts 1000 days ago at the earliest: choose a later first day.",
    };
    expect(await refusalOf(addSeries(database, playlist, { firstDay: "2001-01-01" }))).toEqual(refusal);
    await addSeries(database, playlist);
    expect(await refusalOf(update("first_day = '2001-01-01'"))).toEqual(refusal);
  });
});

describe("an occurrence", () => {
  it("that is deleted is skipped for ever, also when the series changes", async () => {
    await addSeries(database, playlist);
    await database.query("delete from schedules where series_day in ('2035-01-02', '2035-01-04')");
    expect((await series()).skipped_days).toEqual(inJanuary(2, 4));
    await update("start_time = '08:00:00'");
    await update("last_day = '2035-01-08'");
    await turnBackTo("2035-01-01");
    expect(await extend()).toBe(5);
    expect(await days()).toEqual(inJanuary(1, 3, 5, 6, 7, 8));
    expect(await update("skipped_days = '{2035-01-04}'")).toEqual([{ version: expect.any(Number) }]);
    expect(await days()).toEqual(inJanuary(1, 2, 3, 5, 6, 7, 8));
  });

  it("that is moved stays there, also when the series changes", async () => {
    await addSeries(database, playlist);
    const other = await addPlaylist(database, [hour], "Special");
    const move = (day: string, assignment: string, ...values: unknown[]) =>
      database.query(`update schedules set ${assignment} where series_day = '${day}'`, values);
    await move("2035-01-02", "starts_at = $1", at("20:00", "2035-01-02"));
    await move("2035-01-03", "channel = 'Two'");
    await move("2035-01-04", "playlist_id = $1", other);
    const moved = async () => (await occurrences()).filter((one) => one.moved).map(({ day }) => day);
    expect(await moved()).toEqual(inJanuary(2, 3, 4));
    await update("start_time = '08:00:00', last_day = '2035-01-03'");
    expect(await starts()).toEqual(["2035-01-01T08:00", "2035-01-02T20:00", "2035-01-03T06:00", "2035-01-04T06:00"]);
    expect(await moved()).toEqual(inJanuary(2, 3, 4));
    await addTrack(database, playlist, await addAudio(database, 1_000));
    expect(await moved()).toEqual(inJanuary(2, 3, 4));
  });

  it("that is moved back follows the series again", async () => {
    await addSeries(database, playlist);
    await database.query(
      "update schedules set starts_at = starts_at + interval '1 hour' where series_day = '2035-01-02'",
    );
    await database.query(
      "update schedules set starts_at = starts_at - interval '1 hour' where series_day = '2035-01-02'",
    );
    expect((await occurrences())[1]).toMatchObject({ moved: false });
    await update("start_time = '09:00:00'");
    expect(new Set((await starts()).map((start) => start.slice(11)))).toEqual(new Set(["09:00"]));
  });

  it("that stays while the series goes to its time stays moved when the playlist grows", async () => {
    await addSeries(database, playlist, { lastDay: "2035-01-02" });
    await database.query("update schedules set starts_at = $1 where series_day = '2035-01-02'", [
      at("09:00", "2035-01-02"),
    ]);
    await update("start_time = '09:00:00'");
    await addTrack(database, playlist, await addAudio(database, 1_000));
    expect((await occurrences()).map(({ moved }) => moved)).toEqual([false, true]);
  });

  it("is gone with its series, and the series with its playlist", async () => {
    await addSeries(database, playlist);
    await database.query("delete from schedule_series");
    expect(await occurrences()).toEqual([]);
    await addSeries(database, playlist);
    await database.query("delete from playlists");
    expect(await database.query("select from schedule_series")).toEqual([]);
  });
});

describe("a change of a series", () => {
  it.each<[string, string, { time?: string; channel?: string }]>([
    ["time", "start_time = '08:30:00'", { time: "08:30" }],
    ["time by less than an occurrence lasts, later", "start_time = '06:10:00'", { time: "06:10" }],
    ["time by less than an occurrence lasts, earlier", "start_time = '05:50:00'", { time: "05:50" }],
    ["time zone", "time_zone = 'Asia/Ho_Chi_Minh'", { time: "23:00" }],
    ["channel", "channel = 'Two'", { channel: "Two" }],
  ])("to another %s keeps the ids", async (_, assignment, { time = "06:00", channel = "One" }) => {
    const long = await addPlaylist(database, [24 * hour], "A day");
    for (const used of [playlist, long]) {
      await addSeries(database, used, { lastDay: "2035-01-04" });
      const before = await occurrences();
      expect(await update(assignment)).toEqual([{ version: 2 }]);
      const after = await occurrences();
      expect(after.map(({ id, day }) => [id, day])).toEqual(before.map(({ id, day }) => [id, day]));
      expect(
        new Set(after.map((one) => `${one.start.toISOString().slice(11, 16)} ${one.channel} ${one.moved}`)),
      ).toEqual(new Set([`${time} ${channel} false`]));
      await database.query("delete from schedule_series");
    }
  });

  it("to other days keeps the ids of days that stay", async () => {
    await addSeries(database, playlist);
    const ids = new Map((await occurrences()).map(({ day, id }) => [day, id]));
    const kept = async () => (await occurrences()).map(({ day, id }) => [day, ids.get(day) === id]);
    await update("weekdays = '{TUESDAY,THURSDAY}', last_day = '2035-01-09'");
    expect(await kept()).toEqual([
      ["2035-01-02", true],
      ["2035-01-04", true],
      ["2035-01-09", false],
    ]);
    await update("every_weeks = 2, last_day = '2035-01-16'");
    expect(await kept()).toEqual([
      ["2035-01-02", true],
      ["2035-01-04", true],
      ["2035-01-16", false],
    ]);
    await update("first_day = '2035-01-03'");
    expect(await days()).toEqual(inJanuary(4, 16));
    expect((await series()).skipped_days).toEqual([]);
  });

  it("to another playlist gives all the new end", async () => {
    await addSeries(database, playlist, { lastDay: "2035-01-02" });
    await update("playlist_id = $1", await addPlaylist(database, [2 * hour], "Long"));
    const rows = await database.query(
      "select distinct ends_at - starts_at = interval '2 hours' as right, version from schedules",
    );
    expect(rows).toEqual([{ right: true, version: 2 }]);
  });

  it("that would overlap changes nothing", async () => {
    await addSeries(database, playlist);
    await addSchedule(database, playlist, at("08:30", "2035-01-06"));
    const before = await dump(database);
    expect(await refusalOf(update("start_time = '08:00:00'"))).toMatchObject({ code: "SCHEDULE_OVERLAP" });
    expect(await refusalOf(update("playlist_id = $1", await addPlaylist(database)))).toMatchObject({
      code: "INVALID_STATE",
    });
    await database.query("delete from playlists where track_count = 0");
    const { outbox: _, ...unchanged } = before;
    expect(await dump(database)).toMatchObject(unchanged);
  });

  it("that changes nothing writes no schedule", async () => {
    await addSeries(database, playlist);
    const before = await database.query("select * from schedules order by id");
    await update("start_time = start_time, weekdays = weekdays");
    expect(await database.query("select * from schedules order by id")).toEqual(before);
  });

  it("keeps those that have begun, and the one of today only where its new time is to come", async () => {
    const [{ first, last } = {}] = await database.query(`
      select to_char(now() at time zone 'UTC' - interval '3 days', 'YYYY-MM-DD') first,
        to_char(now() at time zone 'UTC' + interval '3 days', 'YYYY-MM-DD') last`);
    const minute = await addPlaylist(database, [60_000], "A minute");
    await addSeries(database, minute, { firstDay: first as string, lastDay: last as string, startTime: "00:00:00" });
    const all = "select id, starts_at, starts_at <= now() as begun from schedules order by starts_at";
    await withClient(database.url, async (client) => {
      // now() is the same in the whole transaction.
      await client.query("begin");
      const before = (await client.query(all)).rows;
      await client.query("update schedule_series set start_time = '00:02:00'");
      const after = (await client.query(all)).rows;
      expect(before.filter(({ begun }) => begun).length).toBeGreaterThanOrEqual(3);
      const later = (start: Date) => new Date(start.getTime() + 120_000);
      expect(after).toEqual(before.map((row) => (row.begun ? row : { ...row, starts_at: later(row.starts_at) })));
      await client.query("rollback");
    });
  });
});

describe("extend_schedule_series", () => {
  it("places the occurrences of the days that came within the horizon, once", async () => {
    await addSeries(database, playlist, { lastDay: null });
    const { version } = await series();
    await turnBackTo("2036-02-01");
    expect(await extend()).toBe(4);
    expect(await extend()).toBe(0);
    expect((await days()).slice(-5)).toEqual(["2036-02-01", "2036-02-02", "2036-02-03", "2036-02-04", "2036-02-05"]);
    expect(await series()).toMatchObject({
      placed_until: "2036-02-05",
      blocked_days: [],
      version: Number(version) + 2,
    });
  });

  it("leaves out the days that are taken, notes them, and a change of the series tries them again", async () => {
    await addSeries(database, playlist);
    await turnBackTo("2035-01-02");
    const news = await addSchedule(database, playlist, at("06:59", "2035-01-04"));
    await addSchedule(database, playlist, at("05:01", "2035-01-06"));
    expect(await extend()).toBe(3);
    expect(await days()).toEqual(inJanuary(1, 2, 3, 5, 7));
    expect(await series()).toMatchObject({ blocked_days: inJanuary(4, 6), skipped_days: [] });
    const before = await dump(database);
    expect(await refusalOf(update("last_day = '2035-01-08'"))).toMatchObject({ schedule: { id: news } });
    expect(await dump(database)).toEqual(before);
    await update("start_time = '08:00:00'");
    expect(await days()).toEqual(inJanuary(1, 2, 3, 4, 5, 6, 7));
    expect(await series()).toMatchObject({ blocked_days: [] });
  });

  it("is not stopped by a series whose playlist has been emptied", async () => {
    await addSeries(database, playlist);
    await addSeries(database, await addPlaylist(database, [hour]), { channel: "Two" });
    await turnBackTo("2035-01-06");
    await database.query("delete from schedules where playlist_id = $1", [playlist]);
    await database.query("delete from playlist_tracks where playlist_id = $1", [playlist]);
    expect(await extend()).toBe(1);
    expect(await database.query("select channel, blocked_days from schedule_series order by channel")).toEqual([
      { channel: "One", blocked_days: inJanuary(7) },
      { channel: "Two", blocked_days: [] },
    ]);
  });

  it("stops at the last day", async () => {
    await addSeries(database, playlist);
    expect(await extend()).toBe(0);
    await turnBackTo("2035-01-06");
    expect(await extend()).toBe(1);
    expect((await days()).at(-1)).toBe("2035-01-07");
  });

  it("begins with the series that are most behind, 25 at a time", async () => {
    for (let channel = 0; channel < 26; channel++) await addSeries(database, playlist, { channel: `${channel}` });
    await turnBackTo("2035-01-05");
    await database.query("update schedule_series set placed_until = '2035-01-06' where channel = '7'");
    expect(await extend()).toBe(25 * 2);
    expect(await database.query("select channel from schedule_series where placed_until = '2035-01-06'")).toEqual([
      { channel: "7" },
    ]);
    expect(await extend()).toBe(1);
  });

  it("keeps an occurrence that was moved before the horizon came back to its day", async () => {
    await addSeries(database, playlist);
    await database.query("update schedules set channel = 'Two' where series_day = '2035-01-06'");
    await turnBackTo("2035-01-06");
    await database.query("update schedule_series set placed_until = '2035-01-05'");
    expect(await extend()).toBe(1);
    expect((await occurrences()).slice(5)).toMatchObject([
      { day: "2035-01-06", channel: "Two", moved: true },
      { day: "2035-01-07", channel: "One", moved: false },
    ]);
  });

  it("may be called by two servers at the same time: each occurrence is placed once", async () => {
    for (let channel = 0; channel < 6; channel++) await addSeries(database, playlist, { channel: `${channel}` });
    await turnBackTo("2035-01-02");
    const placed = await Promise.all([extend(), extend(), extend(), extend()]);
    expect(placed.reduce((sum: number, one) => sum + Number(one), 0)).toBe(6 * 5);
    expect((await days()).length).toBe(6 * 7);
  });

  it("passes over a series that an editor is changing, and does not wait for it", async () => {
    await addSeries(database, playlist);
    await addSeries(database, playlist, { channel: "Two" });
    await turnBackTo("2035-01-02");
    await withClient(database.url, async (editor) => {
      await editor.query("begin");
      await editor.query("select from schedule_series where channel = 'One' for update");
      expect(await extend()).toBe(5);
      await editor.query("commit");
    });
    expect(await extend()).toBe(5);
  });

  it("waits for an editor who works on a playlist, holds no channel meanwhile, and takes the new duration", async () => {
    await addSeries(database, playlist);
    await turnBackTo("2035-01-06");
    const audio = await addAudio(database, hour);
    await withClient(database.url, async (editor) => {
      await editor.query("begin");
      await editor.query("select from playlists for no key update");
      const placed = extend();
      placed.catch(() => {});
      await untilBlocked(database, "extend_schedule_series");
      await addTrack(editor, playlist, audio);
      await editor.query("commit");
      expect(await placed).toBe(1);
    });
    const lengths = await database.query(
      "select extract(epoch from ends_at - starts_at)::int as seconds, count(*)::int from schedules group by 1",
    );
    expect(lengths).toEqual([{ seconds: 7_200, count: 7 }]);
  });
});

it("a series is written by the server, which is told the rules, but not by other means than the rules", async () => {
  await withClient(urlAs(database.url, "lectern_server"), async (server) => {
    const query = async (text: string, values?: unknown[]) => (await server.query(text, values)).rows;
    await addSeries({ query }, playlist, { firstDay: "2035-01-01", lastDay: "2035-01-02", weekdays: everyDay });
    expect(await refusalOf(addSeries({ query }, playlist, { timeZone: "Nowhere" }))).toMatchObject({
      code: "BAD_USER_INPUT",
    });
    expect(await query("update schedule_series set start_time = '08:00:00' returning version")).toEqual([
      { version: 2 },
    ]);
    expect(await starts()).toEqual(["2035-01-01T08:00", "2035-01-02T08:00"]);
    await query("delete from schedules where series_day = '2035-01-01'");
    expect(await series()).toMatchObject({ skipped_days: ["2035-01-01"], version: 3 });
    await query("delete from schedule_series");
    expect(await occurrences()).toEqual([]);
  });
});
