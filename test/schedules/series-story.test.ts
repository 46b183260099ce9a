/** The life of a series as editors see it, through the public API. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scheduleSlice } from "../../src/schedules/schedule.slice.ts";
import { graphql } from "../support/client/generated/gql.ts";
import type { UpdateScheduleSeriesInput, WeeklyRecurrenceInput } from "../support/client/generated/graphql.ts";
import { dump } from "../support/dump.ts";
import { globalIdOf, uuidOf } from "../support/global-ids.ts";
import { errorsOf, type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { addPlaylist } from "../support/playlist-rows.ts";

let lectern: Lectern;
let ed: Person;
/** Of half an hour. */
let news: string;

beforeAll(async () => {
  lectern = await startLectern({ housekeeping: false });
  ed = await lectern.person("Ed", "EDITOR");
  news = await playlist("News", 1800);
});
afterAll(() => lectern.stop());

const playlist = async (name: string, seconds: number) =>
  globalIdOf("Playlist", await addPlaylist(lectern.database, [1_000 * seconds], name));

const Create = graphql(`
  mutation CreateSeries($input: CreateScheduleInput!) {
    createSchedule(input: $input) {
      schedule { id startsAt endsAt seriesDay isMoved version series { ...Series } }
    }
  }
  fragment Series on ScheduleSeries {
    id channel timeZone startTime weekdays everyWeeks firstDay lastDay skippedDays blockedDays placedUntil version
    playlist { name }
  }
`);
const Read = graphql(`
  query ReadSeries($id: ID!, $from: DateTime, $first: Int) {
    scheduleSeries(id: $id) {
      ...Series
      schedules(from: $from, first: $first) {
        totalCount
        nodes { id channel startsAt endsAt seriesDay isMoved version }
      }
    }
  }
`);
const Update = graphql(`
  mutation UpdateSeries($input: UpdateScheduleSeriesInput!) {
    updateScheduleSeries(input: $input) { scheduleSeries { ...Series } }
  }
`);
const Delete = graphql(`
  mutation DeleteSeries($input: DeleteScheduleSeriesInput!) { deleteScheduleSeries(input: $input) { deletedId } }
`);
const Move = graphql(`
  mutation MoveOccurrence($input: UpdateScheduleInput!) {
    updateSchedule(input: $input) { schedule { startsAt endsAt isMoved version seriesDay } }
  }
`);
const Skip = graphql(`
  mutation SkipOccurrence($input: DeleteScheduleInput!) { deleteSchedule(input: $input) { deletedId } }
`);
const DeleteWithPlaylist = graphql(`
  mutation DeletePlaylistOfSeries($input: DeletePlaylistInput!) { deletePlaylist(input: $input) { deletedId } }
`);
const OfPlaylist = graphql(`
  query SeriesOfPlaylist($id: ID!) { playlist(id: $id) { series { totalCount nodes { firstDay } } } }
`);

let channels = 0;
const freshChannel = () => `channel ${++channels}`;

const start = async (
  startsAt: string,
  recurrence: WeeklyRecurrenceInput,
  channel = freshChannel(),
  playlistId = news,
) => {
  const { createSchedule } = await ed.client.request(Create, { input: { playlistId, channel, startsAt, recurrence } });
  const { series, ...first } = createSchedule.schedule;
  return { first, series: series ?? expect.unreachable("It is of a series.") };
};
const read = async (id: string, from?: string, first = 10) =>
  (await ed.client.request(Read, { id, from, first })).scheduleSeries ?? expect.unreachable("The series is there.");
const occurrences = async (id: string, from?: string, first = 10) => (await read(id, from, first)).schedules.nodes;
const startsOf = async (id: string, from?: string, first = 3) =>
  (await occurrences(id, from, first)).map(({ startsAt }) => startsAt);
const update = async (input: UpdateScheduleSeriesInput) =>
  (await ed.client.request(Update, { input })).updateScheduleSeries.scheduleSeries;

const berlin = "Europe/Berlin";
const everyDay = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"] as const;
const daily = { timeZone: berlin, weekdays: [...everyDay] };

describe("a series", () => {
  it("begins with its first occurrence and repeats on its days, up to a horizon of 400 days", async () => {
    // A Tuesday.
    const { first, series } = await start("2030-01-01T07:00:00Z", {
      timeZone: berlin,
      weekdays: ["THURSDAY", "TUESDAY", "THURSDAY"],
    });
    expect(first).toEqual({
      id: expect.any(String),
      startsAt: "2030-01-01T07:00:00.000Z",
      endsAt: "2030-01-01T07:30:00.000Z",
      seriesDay: "2030-01-01",
      isMoved: false,
      version: 1,
    });
    expect(series).toEqual({
      id: expect.any(String),
      channel: expect.any(String),
      timeZone: berlin,
      startTime: "08:00:00",
      weekdays: ["TUESDAY", "THURSDAY"],
      everyWeeks: 1,
      firstDay: "2030-01-01",
      lastDay: null,
      skippedDays: [],
      blockedDays: [],
      placedUntil: "2031-02-05",
      version: 1,
      playlist: { name: "News" },
    });
    expect(await startsOf(series.id)).toEqual([
      "2030-01-01T07:00:00.000Z",
      "2030-01-03T07:00:00.000Z",
      "2030-01-08T07:00:00.000Z",
    ]);
    // 58 weeks of two, the first of them, and the Tuesday of the next.
    expect((await read(series.id)).schedules.totalCount).toBe(115);
    expect(await startsOf(series.id, "2031-02-03T00:00:00Z")).toEqual(["2031-02-04T07:00:00.000Z"]);
  });

  it("is at the same time by the clocks, also on days that lack or repeat an hour", async () => {
    const spring = await start("2030-03-30T01:30:00Z", daily);
    expect(spring.series.startTime).toBe("02:30:00");
    expect(await startsOf(spring.series.id)).toEqual([
      "2030-03-30T01:30:00.000Z",
      // 02:30 does not exist: it is 03:30.
      "2030-03-31T01:30:00.000Z",
      "2030-04-01T00:30:00.000Z",
    ]);
    const autumn = await start("2030-10-26T00:30:00Z", daily);
    expect(await startsOf(autumn.series.id)).toEqual([
      "2030-10-26T00:30:00.000Z",
      // The first 02:30.
      "2030-10-27T00:30:00.000Z",
      "2030-10-28T01:30:00.000Z",
    ]);
    const second = start("2030-10-27T01:30:00Z", daily);
    expect(await errorsOf(second)).toMatchObject([
      {
        message:
          "Clocks in Europe/Berlin show 02:30:00 twice on 2030-10-27: start the series at the first of both, 2030-10-27T00:30:00.000Z.",
        extensions: { code: "BAD_USER_INPUT", inputPath: ["input", "startsAt"] },
      },
    ]);
    // Saturday there, Friday in UTC.
    const saigon = await start("2030-01-04T17:30:00.250Z", { timeZone: "Asia/Ho_Chi_Minh", lastDay: "2030-01-18" });
    expect(saigon.series).toMatchObject({ startTime: "00:30:00.250", weekdays: ["SATURDAY"], firstDay: "2030-01-05" });
    expect(await startsOf(saigon.series.id)).toEqual(["2030-01-04T17:30:00.250Z", "2030-01-11T17:30:00.250Z"]);
  });

  it("plays every other week, counted from Mondays", async () => {
    // A Sunday: the Monday after it is of the second week.
    const { series } = await start("2030-01-06T08:00:00Z", {
      timeZone: "UTC",
      weekdays: ["SUNDAY", "MONDAY"],
      everyWeeks: 2,
    });
    expect(await startsOf(series.id)).toEqual([
      "2030-01-06T08:00:00.000Z",
      "2030-01-14T08:00:00.000Z",
      "2030-01-20T08:00:00.000Z",
    ]);
  });

  it("skips a day whose occurrence is deleted, until the day leaves the list", async () => {
    const { series } = await start("2030-01-01T07:00:00Z", daily);
    const [, second, third] = await occurrences(series.id, undefined, 3);
    await ed.client.request(Skip, { input: { id: second?.id ?? "" } });
    await ed.client.request(Skip, { input: { id: third?.id ?? "", expectedVersion: 1 } });
    const skipped = await read(series.id);
    expect(skipped.skippedDays).toEqual(["2030-01-02", "2030-01-03"]);
    const { version } = skipped;
    const later = await update({ id: series.id, expectedVersion: version, startTime: "09:00" });
    expect(later).toMatchObject({ startTime: "09:00:00", version: version + 1, skippedDays: skipped.skippedDays });
    expect(await startsOf(series.id, undefined, 2)).toEqual(["2030-01-01T08:00:00.000Z", "2030-01-04T08:00:00.000Z"]);
    await update({
      id: series.id,
      expectedVersion: later.version,
      skippedDays: ["2030-01-04", "2030-01-03", "2030-01-04"],
    });
    expect((await read(series.id)).skippedDays).toEqual(["2030-01-03", "2030-01-04"]);
    expect(await startsOf(series.id)).toEqual([
      "2030-01-01T08:00:00.000Z",
      "2030-01-02T08:00:00.000Z",
      "2030-01-05T08:00:00.000Z",
    ]);
  });

  it("lets a single occurrence move, which a change of the series leaves alone", async () => {
    const { series } = await start("2030-01-01T07:00:00Z", daily);
    const [first, second] = await occurrences(series.id);
    const move = async (startsAt: string, expectedVersion: number) =>
      (await ed.client.request(Move, { input: { id: second?.id ?? "", expectedVersion, startsAt } })).updateSchedule
        .schedule;
    expect(await move("2030-01-02T12:00:00Z", 1)).toEqual({
      startsAt: "2030-01-02T12:00:00.000Z",
      endsAt: "2030-01-02T12:30:00.000Z",
      isMoved: true,
      seriesDay: "2030-01-02",
      version: 2,
    });
    const long = await playlist("Concert", 3600);
    const input = { channel: `${series.channel} too`, playlistId: long, startTime: "18:00:00" };
    const changed = await update({ id: series.id, expectedVersion: 1, ...input });
    expect(changed).toMatchObject({ channel: input.channel, playlist: { name: "Concert" }, startTime: "18:00:00" });
    expect(await occurrences(series.id, undefined, 3)).toMatchObject([
      {
        id: first?.id,
        channel: input.channel,
        startsAt: "2030-01-01T17:00:00.000Z",
        endsAt: "2030-01-01T18:00:00.000Z",
      },
      { id: second?.id, channel: series.channel, startsAt: "2030-01-02T12:00:00.000Z", isMoved: true, version: 2 },
      { channel: input.channel, startsAt: "2030-01-03T17:00:00.000Z", isMoved: false },
    ]);
  });

  it("changes from now on: occurrences that have started stay", async () => {
    const hour = 3_600_000;
    // Three have started, the last one two hours ago.
    const startsAt = new Date(Date.now() - 50 * hour).toISOString();
    const { series } = await start(startsAt, { timeZone: "UTC", weekdays: [...everyDay] });
    const { version } = series;
    const before = await occurrences(series.id, undefined, 5);
    await update({
      id: series.id,
      expectedVersion: version,
      channel: `${series.channel} too`,
      lastDay: before[4]?.seriesDay,
    });
    const after = await read(series.id);
    expect(after.schedules.nodes.map(({ channel }) => channel)).toEqual([
      ...Array(3).fill(series.channel),
      ...Array(2).fill(`${series.channel} too`),
    ]);
    expect(after.schedules.nodes.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
    // Without an end again.
    await update({ id: series.id, expectedVersion: after.version, lastDay: null });
    expect((await read(series.id)).schedules.totalCount).toBeGreaterThan(400);
  });

  it("is found by its playlist, in the order of first days", async () => {
    const id = await playlist("Weekly", 60);
    await start("2030-02-02T08:00:00Z", { timeZone: "UTC" }, freshChannel(), id);
    await start("2030-02-01T08:00:00Z", { timeZone: "UTC" }, freshChannel(), id);
    expect((await ed.client.request(OfPlaylist, { id })).playlist?.series).toEqual({
      totalCount: 2,
      nodes: [{ firstDay: "2030-02-01" }, { firstDay: "2030-02-02" }],
    });
  });

  it("keeps its playlist, also when its last occurrence plays another one", async () => {
    const id = await playlist("Replaced", 60);
    const { first } = await start("2030-01-01T07:00:00Z", { timeZone: "UTC", lastDay: "2030-01-01" }, "guest", id);
    await ed.client.request(Move, { input: { id: first.id, expectedVersion: 1, playlistId: news } });
    const before = await dump(lectern.database);
    expect(await errorsOf(ed.client.request(DeleteWithPlaylist, { input: { id } }))).toMatchObject([
      {
        message: expect.stringContaining('has 1 schedule that has not ended, on "guest" (1)'),
        extensions: { code: "INVALID_STATE", inputPath: ["input", "id"] },
      },
    ]);
    expect(await dump(lectern.database)).toEqual(before);
    await ed.client.request(DeleteWithPlaylist, { input: { id, removeSchedules: true } });
    expect(await lectern.database.query("select 1 from schedules where channel = 'guest'")).toEqual([]);
  });

  it("is deleted with all its schedules", async () => {
    const { series, first } = await start("2030-01-01T07:00:00Z", daily);
    await ed.client.request(Move, { input: { id: first.id, expectedVersion: 1, channel: "elsewhere" } });
    const { deleteScheduleSeries } = await ed.client.request(Delete, { input: { id: series.id, expectedVersion: 1 } });
    expect(deleteScheduleSeries.deletedId).toBe(series.id);
    expect((await ed.client.request(Read, { id: series.id })).scheduleSeries).toBeNull();
    const left = "select 1 from schedules where channel = any($1)";
    expect(await lectern.database.query(left, [[series.channel, "elsewhere"]])).toEqual([]);
  });
});

describe("a series is refused", () => {
  it("as a whole when one occurrence would overlap another schedule, or the next one of its own", async () => {
    const channel = freshChannel();
    const input = { playlistId: news, channel, startsAt: "2030-06-05T06:15:00Z" };
    const single = (await ed.client.request(Create, { input })).createSchedule.schedule;
    const long = await playlist("A day and a second", 86_401);
    const before = await dump(lectern.database);
    expect(await errorsOf(start("2030-01-01T07:00:00Z", daily, channel))).toMatchObject([
      { extensions: { code: "SCHEDULE_OVERLAP", schedule: { id: single.id, channel } } },
    ]);
    expect(await errorsOf(start("2030-01-01T07:00:00Z", daily, channel, long))).toMatchObject([
      { extensions: { code: "SCHEDULE_OVERLAP" } },
    ]);
    expect(await dump(lectern.database)).toEqual(before);
    const { series } = await start("2030-01-01T09:00:00Z", daily, channel);
    const written = await dump(lectern.database);
    for (const changes of [{ startTime: "08:00" }, { playlistId: long }]) {
      expect(await errorsOf(update({ id: series.id, expectedVersion: 1, ...changes }))).toMatchObject([
        { extensions: { code: "SCHEDULE_OVERLAP" } },
      ]);
    }
    expect(await dump(lectern.database)).toEqual(written);
  });

  // 2030-01-01 is a Tuesday.
  const startsAt = "2030-01-01T07:00:00Z";
  it.each<[string, string, WeeklyRecurrenceInput, string]>([
    ["an offset as its zone", startsAt, { timeZone: "+05:30" }, "recurrence.timeZone"],
    ["a POSIX zone", startsAt, { timeZone: "UTC+3" }, "recurrence.timeZone"],
    ["an abbreviation", startsAt, { timeZone: "PST" }, "recurrence.timeZone"],
    ["a zone that nobody knows", startsAt, { timeZone: "Mars/Olympus" }, "recurrence.timeZone"],
    // JavaScript knows it.
    ["a zone that the database does not know", startsAt, { timeZone: "SystemV/PST8" }, "recurrence.timeZone"],
    ["no day", startsAt, { timeZone: berlin, weekdays: [] }, "recurrence.weekdays"],
    ["days without the first one", startsAt, { timeZone: berlin, weekdays: ["MONDAY"] }, "recurrence.weekdays"],
    ["no week", startsAt, { timeZone: berlin, everyWeeks: 0 }, "recurrence.everyWeeks"],
    ["53 weeks", startsAt, { timeZone: berlin, everyWeeks: 53 }, "recurrence.everyWeeks"],
    ["an end before its start", startsAt, { timeZone: berlin, lastDay: "2029-12-31" }, "recurrence.lastDay"],
    ["a start long ago", "2020-01-01T07:00:00Z", { timeZone: berlin }, "startsAt"],
    ["a start in 9997", "9997-01-01T07:00:00Z", { timeZone: berlin }, "startsAt"],
  ])("for %s", async (_, startsAt, recurrence, path) => {
    const before = await dump(lectern.database);
    const inputPath = ["input", ...path.split(".")];
    expect(await errorsOf(start(startsAt, recurrence))).toMatchObject([
      { extensions: { code: "BAD_USER_INPUT", inputPath } },
    ]);
    expect(await dump(lectern.database)).toEqual(before);
  });

  it("for days that are none", async () => {
    for (const lastDay of ["2030-02-30", "2030-1-1", "tomorrow"]) {
      expect(await errorsOf(start(startsAt, { timeZone: berlin, lastDay }))).toMatchObject([
        { extensions: { code: "BAD_USER_INPUT" } },
      ]);
    }
  });

  it("as a change of an older version, or to something that is not allowed", async () => {
    const { series } = await start(startsAt, daily);
    const { id } = series;
    await update({ id, expectedVersion: 1, everyWeeks: 2 });
    const before = await dump(lectern.database);
    expect(await errorsOf(update({ id, expectedVersion: 1, startTime: "10:00" }))).toMatchObject([
      {
        message: "The schedule series is now at version 2.",
        extensions: { code: "CONFLICT", current: { id, everyWeeks: 2, version: 2 } },
      },
    ]);
    expect(await errorsOf(ed.client.request(Delete, { input: { id, expectedVersion: 1 } }))).toMatchObject([
      { extensions: { code: "CONFLICT", currentVersion: 2 } },
    ]);
    const bad: Omit<UpdateScheduleSeriesInput, "id" | "expectedVersion">[] = [
      { startTime: "24:00" },
      { startTime: null },
      { timeZone: "SystemV/PST8" },
      { timeZone: "EST" },
      { weekdays: [] },
      { everyWeeks: 53 },
      { lastDay: "2029-12-31" },
      { channel: " " },
    ];
    for (const changes of bad) {
      expect(await errorsOf(update({ id, expectedVersion: 2, ...changes })), JSON.stringify(changes)).toMatchObject([
        { extensions: { code: "BAD_USER_INPUT", inputPath: ["input", Object.keys(changes)[0]] } },
      ]);
    }
    const missing = globalIdOf("ScheduleSeries", uuidOf(news));
    expect(await errorsOf(update({ id: missing, expectedVersion: 1 }))).toMatchObject([
      { extensions: { code: "NOT_FOUND", inputPath: ["input", "id"] } },
    ]);
    expect(await dump(lectern.database)).toEqual(before);
  });
});

describe("the horizon of a series", () => {
  /** As if the servers had slept from this day on. */
  const sleep = (series: string, day: string) =>
    lectern.database.query(`
      begin;
      set local session_replication_role = replica;
      delete from schedules where series_id = '${uuidOf(series)}' and series_day > '${day}';
      update schedule_series set placed_until = '${day}' where id = '${uuidOf(series)}';
      commit`);
  const extend = () => scheduleSlice.sweeps?.[0]?.sweep(lectern.application.run);

  it("moves on day by day, and leaves days out on which another schedule is in the way", async () => {
    const { series } = await start("2030-01-01T07:00:00Z", daily);
    const before = await read(series.id);
    await sleep(series.id, "2031-02-01");
    const input = { playlistId: news, channel: series.channel, startsAt: "2031-02-03T06:45:00Z" };
    const other = (await ed.client.request(Create, { input })).createSchedule.schedule;
    expect(await extend()).toBe(3);
    expect(await extend()).toBe(0);
    const after = await read(series.id, "2031-02-01T00:00:00Z");
    expect(after).toMatchObject({ placedUntil: before.placedUntil, blockedDays: ["2031-02-03"] });
    expect(after.schedules.nodes.map(({ seriesDay }) => seriesDay)).toEqual([
      "2031-02-01",
      "2031-02-02",
      "2031-02-04",
      "2031-02-05",
    ]);
    // A change of the series tries the day again.
    await ed.client.request(Skip, { input: { id: other.id } });
    const changed = await update({ id: series.id, expectedVersion: after.version, startTime: "09:00" });
    expect(changed.blockedDays).toEqual([]);
    expect((await read(series.id)).schedules.totalCount).toBe(before.schedules.totalCount);
  });
});
