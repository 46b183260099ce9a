/** The rules of schedules that the database keeps by itself, for an editor in any program. */
import { randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { withClient } from "../../src/database/with-client.ts";
import { urlAs } from "../../src/postgres/roles.ts";
import type { TestDatabase } from "../support/database.ts";
import { dump } from "../support/dump.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { addAudio, addPlaylist, addTrack, claim, complete, refusalOf } from "../support/playlist-rows.ts";
import { addUser } from "../support/rows.ts";
import { addSchedule, at, insertSchedule } from "../support/schedule-rows.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await freshDatabase();
  await addUser(database);
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.query("delete from playlists");
  await database.query("delete from audio");
});

const hour = 3_600_000;
const slots = () =>
  database.query(
    "select channel, starts_at as start, ends_at as end, version from schedules order by channel, starts_at",
  );
const slot = (start: string, end: string, version = 1, channel = "One") => ({
  channel,
  start: at(start),
  end: at(end),
  version,
});

describe("a schedule", () => {
  it("ends when its playlist does, whatever somebody says", async () => {
    const playlist = await addPlaylist(database, [hour, hour / 2]);
    await database.query(
      "insert into schedules (playlist_id, channel, starts_at, ends_at, is_moved) values ($1, 'One', $2, $2, true)",
      [playlist, at("06:00")],
    );
    expect(await slots()).toEqual([slot("06:00", "07:30")]);
    await database.query("update schedules set ends_at = now(), is_moved = true");
    expect(await slots()).toEqual([slot("06:00", "07:30", 2)]);
    expect(await database.query("select is_moved from schedules")).toEqual([{ is_moved: false }]);
    await database.query("update schedules set starts_at = $1", [at("08:00")]);
    expect(await slots()).toEqual([slot("08:00", "09:30", 3)]);
    const longer = await addPlaylist(database, [2 * hour]);
    await database.query("update schedules set playlist_id = $1", [longer]);
    expect(await slots()).toEqual([slot("08:00", "10:00", 4)]);
  });

  it("needs a playlist with tracks", async () => {
    const empty = await addPlaylist(database);
    const silent = await addPlaylist(database, [0], "Silence");
    const before = await dump(database);
    const refusal = (name: string) => ({
      code: "INVALID_STATE",
      message: `The playlist "${name}" is empty, so it cannot be scheduled: add tracks first.`,
    });
    expect(await refusalOf(addSchedule(database, empty, at("06:00")))).toEqual(refusal("Morning"));
    expect(await refusalOf(addSchedule(database, silent, at("06:00")))).toEqual(refusal("Silence"));
    await expect(addSchedule(database, randomUUID(), at("06:00"))).rejects.toMatchObject({
      constraint: "schedules_playlist_id_fkey",
    });
    expect(await dump(database)).toEqual(before);
  });

  it.each(["", " One", "One ", "O\nne", "x".repeat(101)])("is on no channel named %j", async (channel) => {
    const playlist = await addPlaylist(database, [hour]);
    await expect(addSchedule(database, playlist, at("06:00"), channel)).rejects.toMatchObject({
      constraint: "schedules_channel_form",
    });
  });

  it.each(["1969-12-31T23:59:59.999Z", "9999-01-01T00:00:00Z", "infinity"])("does not start at %s", async (start) => {
    const playlist = await addPlaylist(database, [hour]);
    const added = database.query("insert into schedules (playlist_id, channel, starts_at) values ($1, 'One', $2)", [
      playlist,
      start,
    ]);
    await expect(added).rejects.toMatchObject({ constraint: "schedules_time_range" });
  });

  it("is gone with its playlist", async () => {
    const playlist = await addPlaylist(database, [hour]);
    await addSchedule(database, playlist, at("06:00"));
    await database.query("delete from playlists");
    expect(await slots()).toEqual([]);
  });
});

describe("two schedules on one channel", () => {
  it("may touch, and on two channels overlap", async () => {
    const playlist = await addPlaylist(database, [hour]);
    for (const time of ["07:00", "06:00", "08:00"]) await addSchedule(database, playlist, at(time));
    await addSchedule(database, playlist, at("06:30"), "one");
    expect((await slots()).length).toBe(4);
  });

  it.each(["05:00:00.001", "06:00:00.000", "06:30:00.000", "06:59:59.999"])(
    "do not overlap: one from 06:00 to 07:00 and one of an hour from %s",
    async (start) => {
      const morning = await addPlaylist(database, [hour], "Morning");
      const id = await addSchedule(database, morning, at("06:00"));
      const news = await addPlaylist(database, [hour], "News");
      const before = await dump(database);
      const end = new Date(at(start).getTime() + hour).toISOString();
      const refusal = {
        code: "SCHEDULE_OVERLAP",
        message:
          `The schedule from 2035-01-01T${start}Z to ${end} would overlap that of the playlist "Morning" from ` +
          '2035-01-01T06:00:00.000Z to 2035-01-01T07:00:00.000Z on the channel "One": choose another time, or move that one.',
        schedule: {
          __typename: "Schedule",
          id,
          channel: "One",
          startsAt: "2035-01-01T06:00:00.000Z",
          endsAt: "2035-01-01T07:00:00.000Z",
          playlist: { __typename: "Playlist", id: morning, name: "Morning" },
        },
      };
      expect(await refusalOf(addSchedule(database, news, at(start)))).toEqual(refusal);
      expect(await dump(database)).toEqual(before);
      const other = await addSchedule(database, news, at(start), "Two");
      const move = database.query("update schedules set channel = 'One' where id = $1", [other]);
      expect(await refusalOf(move)).toEqual(refusal);
    },
  );

  it("are refused in one statement as well, and may change their times in one", async () => {
    const playlist = await addPlaylist(database, [hour]);
    const both = `insert into schedules (playlist_id, channel, starts_at) select $1, 'One', $2::timestamptz + n * interval '30 minutes'
      from generate_series(0, 1) n`;
    expect(await refusalOf(database.query(both, [playlist, at("06:00")]))).toMatchObject({ code: "SCHEDULE_OVERLAP" });
    expect(await slots()).toEqual([]);
    await addSchedule(database, playlist, at("06:00"));
    await addSchedule(database, playlist, at("07:00"));
    await database.query("update schedules set starts_at = starts_at + interval '1 hour'");
    await database.query("update schedules set starts_at = starts_at - interval '30 minutes'");
    await database.query("update schedules set starts_at = case starts_at when $1 then $2::timestamptz else $1 end", [
      at("06:30"),
      at("07:30"),
    ]);
    expect(await slots()).toEqual([slot("06:30", "07:30", 4), slot("07:30", "08:30", 4)]);
  });
});

describe("a playlist with schedules", () => {
  it("moves the ends of all of them when its tracks change, in the same statement", async () => {
    const playlist = await addPlaylist(database, [hour]);
    await addSchedule(database, playlist, at("06:00"));
    await addSchedule(database, playlist, at("06:00"), "Two");
    const other = await addPlaylist(database, [hour]);
    await addSchedule(database, other, at("12:00"));
    await addTrack(database, playlist, await addAudio(database, hour / 2), "z");
    expect(await slots()).toEqual([
      slot("06:00", "07:30", 2),
      slot("12:00", "13:00"),
      slot("06:00", "07:30", 2, "Two"),
    ]);
    await database.query("update playlist_tracks set rank = 'x' where rank = 'z'");
    await database.query("update playlists set name = 'Evening'");
    expect((await slots())[0]).toEqual(slot("06:00", "07:30", 2));
    await database.query("delete from playlist_tracks where rank = 'x'");
    expect((await slots())[0]).toEqual(slot("06:00", "07:00", 3));
  });

  it("may become as long as the time to the next one, and no longer", async () => {
    const playlist = await addPlaylist(database, [hour]);
    await addSchedule(database, playlist, at("06:00"));
    const next = await addSchedule(database, await addPlaylist(database, [hour], "News"), at("08:00"));
    await addTrack(database, playlist, await addAudio(database, hour), "z");
    const audio = await addAudio(database, 1);
    const before = await dump(database);
    expect(await refusalOf(addTrack(database, playlist, audio))).toMatchObject({
      code: "SCHEDULE_OVERLAP",
      message:
        "The schedule from 2035-01-01T06:00:00.000Z to 2035-01-01T08:00:00.001Z would overlap that of the playlist " +
        '"News" from 2035-01-01T08:00:00.000Z to 2035-01-01T09:00:00.000Z on the channel "One": choose another time, or move that one.',
      schedule: { id: next, playlist: { name: "News" } },
    });
    expect(await dump(database)).toEqual(before);
  });

  it("keeps a worker from completing an audio that has become too long for it", async () => {
    const playlist = await addPlaylist(database, [hour]);
    await addSchedule(database, playlist, at("06:00"));
    await addSchedule(database, await addPlaylist(database, [hour], "News"), at("07:30"));
    const [{ id } = {}] = await database.query("select audio_id as id from playlist_tracks where playlist_id = $1", [
      playlist,
    ]);
    await database.query("update audio set status = 'PENDING' where id = $1", [id]);
    await claim(database, id as string);
    const before = await dump(database);
    const refusal = await refusalOf(complete(database, id as string, 2 * hour));
    expect(refusal).toMatchObject({ code: "SCHEDULE_OVERLAP", schedule: { playlist: { name: "News" } } });
    expect(await dump(database)).toEqual(before);
    await complete(database, id as string, 1.5 * hour);
    expect((await slots())[0]).toEqual(slot("06:00", "07:30", 2));
  });

  it("leaves those of the past as they were, which then refuse nothing", async () => {
    const playlist = await addPlaylist(database, [hour]);
    await addSchedule(database, playlist, at("06:00", "2021-01-01"));
    await addSchedule(database, playlist, at("07:00", "2021-01-01"));
    await addTrack(database, playlist, await addAudio(database, hour));
    await database.query("delete from playlist_tracks");
    const past = (time: string) => at(time, "2021-01-01");
    expect(await slots()).toEqual([
      { channel: "One", start: past("06:00"), end: past("07:00"), version: 1 },
      { channel: "One", start: past("07:00"), end: past("08:00"), version: 1 },
    ]);
  });

  it("cannot be emptied", async () => {
    const playlist = await addPlaylist(database, [hour]);
    await addSchedule(database, playlist, at("06:00"));
    const before = await dump(database);
    expect(await refusalOf(database.query("delete from playlist_tracks"))).toEqual({
      code: "INVALID_STATE",
      message:
        'The playlist "Morning" is scheduled, so it cannot become empty: delete its schedules first, or add other tracks.',
    });
    expect(await dump(database)).toEqual(before);
    await database.query("delete from schedules");
    await database.query("delete from playlist_tracks");
  });
});

it("a channel takes 10000 schedules that have not ended, new ones and ones that move to it", async () => {
  const playlist = await addPlaylist(database, [1]);
  const fill = `insert into schedules (playlist_id, channel, starts_at)
    select $1, $2, $3::timestamptz + n * interval '1 minute' from generate_series(1, $4) n`;
  // Rolled back, because so many events would take their time.
  await withClient(database.url, async (client) => {
    const refused = async (statement: Promise<unknown>) => {
      expect(await refusalOf(statement)).toEqual({
        code: "INVALID_STATE",
        message:
          'The channel "One" has 10000 schedules that have not ended, the maximum: delete some that are not needed.',
      });
      await client.query("rollback to filled");
    };
    await client.query("begin");
    await client.query(fill, [playlist, "One", at("00:00"), 9_999]);
    await client.query(fill, [playlist, "One", at("00:00", "2001-01-01"), 10]);
    await client.query(fill, [playlist, "Two", at("00:00", "2034-01-01"), 2]);
    await client.query("savepoint filled");
    await refused(client.query("update schedules set channel = 'One' where channel = 'Two'"));
    await refused(client.query(fill, [playlist, "One", at("00:00", "2034-01-01"), 2]));
    await insertSchedule(client, playlist, at("00:00"));
    await client.query("rollback");
  });
});

describe("now_playing", () => {
  /** Asks at a time after the start, of a playlist with tracks of 60, 120 and 60 seconds on the channel "One". */
  async function playing(afterMs: number): Promise<pg.QueryResult["rows"]> {
    const playlist = await addPlaylist(database, [60_000, 120_000, 60_000]);
    return withClient(database.url, async (client) => {
      await client.query("begin");
      await client.query(
        `insert into schedules (playlist_id, channel, starts_at)
         select $1, 'One', date_trunc('milliseconds', now()) - $2 * interval '1 millisecond'`,
        [playlist, afterMs],
      );
      const { rows } = await client.query(`
        select n.channel, t.rank, n.offset_ms as offset, extract(epoch from n.track_ends_at - n.track_starts_at)::int as seconds,
          extract(epoch from n.track_starts_at - s.starts_at)::int as since
        from now_playing n join playlist_tracks t on t.id = n.track_id join schedules s on s.id = n.schedule_id`);
      await client.query("rollback");
      return rows;
    });
  }
  const track = (rank: string, since: number, seconds: number, offset: number) => [
    { channel: "One", rank, since, seconds, offset },
  ];

  it.each([
    [0, track("a0", 0, 60, 0)],
    [59_999, track("a0", 0, 60, 59_999)],
    [60_000, track("a1", 60, 120, 0)],
    [90_000, track("a1", 60, 120, 30_000)],
    [239_999, track("a2", 180, 60, 59_999)],
    [240_000, []],
    [-1, []],
  ])("shows %i ms after the start the track and the position in it", async (afterMs, expected) => {
    expect(await playing(afterMs)).toEqual(expected);
  });

  it("shows one row for each channel that plays, at the end of a week, too", async () => {
    const week = await addPlaylist(database, [7 * 24 * hour - 1, 1]);
    const short = await addPlaylist(database, [hour]);
    await withClient(database.url, async (client) => {
      await client.query("begin");
      const add =
        "insert into schedules (playlist_id, channel, starts_at) values ($1, $2, date_trunc('milliseconds', now()) - $3::interval)";
      await client.query(add, [week, "Week", "167 hours 59 minutes 59.999 seconds"]);
      await client.query(add, [short, "Before", "2 hours"]);
      await client.query(add, [short, "Now", "1 hour"]);
      await client.query(add, [short, "Now", "0 hours"]);
      await client.query(add, [short, "Later", "-1 hours"]);
      const { rows } = await client.query("select channel, offset_ms as offset from now_playing order by channel");
      expect(rows).toEqual([
        { channel: "Now", offset: 0 },
        { channel: "Week", offset: 0 },
      ]);
      await client.query("rollback");
    });
  });

  it("passes over tracks without any sound", async () => {
    const playlist = await addPlaylist(database, [0, 10 * hour, 0]);
    await database.query(
      "insert into schedules (playlist_id, channel, starts_at) values ($1, 'One', now() - interval '1 second')",
      [playlist],
    );
    const rows = await database.query("select t.rank from now_playing n join playlist_tracks t on t.id = n.track_id");
    expect(rows).toEqual([{ rank: "a1" }]);
  });
});

it("a change of a schedule is an event with its channel, also of an end that moves", async () => {
  const playlist = await addPlaylist(database, [hour]);
  const audio = await addAudio(database, hour);
  const [{ position } = {}] = await database.query("select max(position) as position from outbox");
  const id = await addSchedule(database, playlist, at("06:00"));
  await addTrack(database, playlist, audio);
  await database.query("update schedules set channel = 'Two'");
  await database.query("delete from schedules");
  const events = await database.query(
    "select row_id as id, payload from outbox where position > $1 and topic = 'schedule' order by position",
    [position],
  );
  const one = (version: number) => ({ version, channel: "One" });
  expect(events).toEqual(
    [
      { change: "created", ...one(1) },
      { change: "updated", ...one(2), before: one(1) },
      { change: "updated", version: 3, channel: "Two", before: one(2) },
      { change: "deleted", version: 3, channel: "Two" },
    ].map((payload) => ({ id, payload })),
  );
});

it("the server writes the time, the channel and the playlist of a schedule, and nothing else", async () => {
  const playlist = await addPlaylist(database, [hour]);
  await addSchedule(database, playlist, at("06:00"));
  await withClient(urlAs(database.url, "lectern_server"), async (server) => {
    for (const forbidden of [
      "update schedules set ends_at = ends_at",
      "update schedules set is_moved = true",
      "update schedules set series_id = null",
      "insert into schedules (playlist_id, channel, starts_at, ends_at) select playlist_id, channel, starts_at, ends_at from schedules",
      "update schedule_series set placed_until = null",
      "update schedule_series set blocked_days = '{}'",
      "select place_schedules(null, now())",
      "select lock_channels('{}')",
    ]) {
      await expect(server.query(forbidden), forbidden).rejects.toMatchObject({ code: "42501" });
    }
    await insertSchedule(server, playlist, at("08:00"));
    await server.query("update schedules set channel = 'Two', starts_at = $1 where starts_at = $2", [
      at("09:00"),
      at("08:00"),
    ]);
    expect(await refusalOf(insertSchedule(server, playlist, at("06:30")))).toMatchObject({ code: "SCHEDULE_OVERLAP" });
    expect(await slots()).toEqual([slot("06:00", "07:00"), slot("09:00", "10:00", 2, "Two")]);
    await server.query("delete from schedules where channel = 'Two'");
    expect((await server.query("select extend_schedule_series() as placed")).rows).toEqual([{ placed: 0 }]);
  });
});
