/**
 * The time at which a schedule of a series starts, by the clocks of its time zone: written out for days on which clocks
 * change, and compared with Temporal for many more.
 */
import { Temporal } from "temporal-polyfill";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { addPlaylist } from "../support/playlist-rows.ts";
import { addUser } from "../support/rows.ts";
import { addSeries } from "../support/schedule-rows.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.drop());

/** The points in time in milliseconds, by the function that series are placed with. */
async function instantsOf(locals: string[], timeZone: string): Promise<number[]> {
  const rows = await database.query(
    `select (extract(epoch from instant_of(l.local, $2)) * 1000)::bigint::text as ms
     from unnest($1::timestamp[]) with ordinality as l(local, n) order by n`,
    [locals, timeZone],
  );
  return rows.map(({ ms }) => Number(ms));
}

describe("the clocks of", () => {
  it.each([
    // Ordinary days, in winter and in summer.
    ["Europe/Berlin", "2026-12-01T06:00", "2026-12-01T05:00Z"],
    ["Europe/Berlin", "2027-07-01T06:00", "2027-07-01T04:00Z"],
    ["Asia/Ho_Chi_Minh", "2027-03-28T02:30", "2027-03-27T19:30Z"],
    ["Asia/Ho_Chi_Minh", "2027-07-01T00:00", "2027-06-30T17:00Z"],
    ["UTC", "2027-03-28T02:30", "2027-03-28T02:30Z"],
    // From 02:00 on to 03:00: times between are an hour later.
    ["Europe/Berlin", "2027-03-28T01:59:59", "2027-03-28T00:59:59Z"],
    ["Europe/Berlin", "2027-03-28T02:00", "2027-03-28T01:00Z"],
    ["Europe/Berlin", "2027-03-28T02:30", "2027-03-28T01:30Z"],
    ["Europe/Berlin", "2027-03-28T03:00", "2027-03-28T01:00Z"],
    ["America/New_York", "2027-03-14T01:59:59", "2027-03-14T06:59:59Z"],
    ["America/New_York", "2027-03-14T02:30", "2027-03-14T07:30Z"],
    ["America/New_York", "2027-03-14T03:00", "2027-03-14T07:00Z"],
    // Back by an hour: a time that is there twice is the first one.
    ["Europe/Berlin", "2027-10-31T01:59:59", "2027-10-30T23:59:59Z"],
    ["Europe/Berlin", "2027-10-31T02:00", "2027-10-31T00:00Z"],
    ["Europe/Berlin", "2027-10-31T02:30", "2027-10-31T00:30Z"],
    ["Europe/Berlin", "2027-10-31T03:00", "2027-10-31T02:00Z"],
    ["America/New_York", "2026-11-01T01:30", "2026-11-01T05:30Z"],
    ["America/New_York", "2026-11-01T02:00", "2026-11-01T07:00Z"],
    ["America/New_York", "2027-11-07T01:30", "2027-11-07T05:30Z"],
    // By half an hour, from 02:00 on to 02:30 and back to 01:30.
    ["Australia/Lord_Howe", "2027-10-03T01:59:59", "2027-10-02T15:29:59Z"],
    ["Australia/Lord_Howe", "2027-10-03T02:15", "2027-10-02T15:45Z"],
    ["Australia/Lord_Howe", "2027-10-03T02:30", "2027-10-02T15:30Z"],
    ["Australia/Lord_Howe", "2027-04-04T01:29:59", "2027-04-03T14:29:59Z"],
    ["Australia/Lord_Howe", "2027-04-04T01:45", "2027-04-03T14:45Z"],
    ["Australia/Lord_Howe", "2027-04-04T02:00", "2027-04-03T15:30Z"],
    // A whole day was left out.
    ["Pacific/Apia", "2011-12-29T23:59:59", "2011-12-30T09:59:59Z"],
    ["Pacific/Apia", "2011-12-30T12:00", "2011-12-30T22:00Z"],
    ["Pacific/Apia", "2011-12-31T00:00", "2011-12-30T10:00Z"],
  ])("%s show %s at %s", async (timeZone, local, expected) => {
    expect(await instantsOf([local], timeZone)).toEqual([Date.parse(expected)]);
  });
});

it("occurrences of a series start at the same time by the clocks, and not by UTC", async () => {
  await addUser(database);
  const playlist = await addPlaylist(database, [60_000]);
  const days = { weekdays: ["SUNDAY"], firstDay: "2035-03-11", lastDay: "2035-03-25" };
  await addSeries(database, playlist, { ...days, channel: "Berlin", timeZone: "Europe/Berlin", startTime: "02:30:00" });
  await addSeries(database, playlist, {
    ...days,
    channel: "New York",
    timeZone: "America/New_York",
    startTime: "02:30:00.500",
  });
  const rows = await database.query(
    "select channel, series_day as day, starts_at, is_moved from schedules order by 1, 2",
  );
  const row = (channel: string, day: string, start: string) => ({
    channel,
    day,
    starts_at: new Date(start),
    is_moved: false,
  });
  expect(rows).toEqual([
    row("Berlin", "2035-03-11", "2035-03-11T01:30:00Z"),
    row("Berlin", "2035-03-18", "2035-03-18T01:30:00Z"),
    row("Berlin", "2035-03-25", "2035-03-25T01:30:00Z"),
    row("New York", "2035-03-11", "2035-03-11T07:30:00.500Z"),
    row("New York", "2035-03-18", "2035-03-18T06:30:00.500Z"),
    row("New York", "2035-03-25", "2035-03-25T06:30:00.500Z"),
  ]);
});

/**
 * Zones and years whose rules the time zone data of Node and that of PostgreSQL both know, though of different releases:
 * years to come only where the law has been the same for long. Ramadan moves Morocco's clocks by tables that end.
 */
const known: [timeZone: string, from: number, to: number][] = [
  ["Europe/Berlin", 1996, 2034],
  ["Europe/Dublin", 1996, 2034],
  ["America/New_York", 2007, 2034],
  ["America/St_Johns", 2005, 2024],
  ["Australia/Lord_Howe", 2008, 2024],
  ["Africa/Casablanca", 2012, 2024],
  ["Pacific/Apia", 2009, 2020],
  ["Asia/Ho_Chi_Minh", 1996, 2024],
  ["Asia/Kolkata", 1996, 2024],
  ["UTC", 1996, 2034],
];

/** All quarters of an hour of the days before, at and after each change of the clocks, and of the first days of each year. */
function localsOf(timeZone: string, from: number, to: number): Temporal.PlainDateTime[] {
  const days = new Set<string>();
  const add = (day: Temporal.PlainDate) => {
    for (const near of [-1, 0, 1]) days.add(day.add({ days: near }).toString());
  };
  let at: Temporal.ZonedDateTime | null = Temporal.PlainDate.from({ year: from, month: 1, day: 1 }).toZonedDateTime(
    timeZone,
  );
  while (at && at.year <= to) {
    add(at.toPlainDate());
    at = at.getTimeZoneTransition("next");
  }
  for (let year = from; year <= to; year++) {
    for (const month of [1, 4, 7, 10]) add(Temporal.PlainDate.from({ year, month, day: 1 }));
  }
  const quarters = Array.from({ length: 96 }, (_, number) => new Temporal.PlainTime().add({ minutes: number * 15 }));
  return [...days].flatMap((day) => quarters.map((time) => Temporal.PlainDate.from(day).toPlainDateTime(time)));
}

describe("instants are those of Temporal around all changes of the clocks in", () => {
  it.each(known)("%s from %i to %i", async (timeZone, from, to) => {
    const locals = localsOf(timeZone, from, to);
    const found = await instantsOf(locals.map(String), timeZone);
    const expected = locals.map(
      (local) => local.toZonedDateTime(timeZone, { disambiguation: "compatible" }).epochMilliseconds,
    );
    const wrong = locals.flatMap((local, index) =>
      found[index] === expected[index] ? [] : [`${local}: ${new Date(found[index] ?? Number.NaN).toISOString()}`],
    );
    expect(wrong).toEqual([]);
    expect(locals.length).toBeGreaterThan(10 * 96);
  });

  it("zones whose clocks change: the comparison sees times that are there twice, and times that are not there", () => {
    const kinds = (timeZone: string, from: number, to: number) => {
      const locals = localsOf(timeZone, from, to);
      const differ = (one: "earlier" | "later", other: "earlier" | "later", isThere: boolean) =>
        locals.filter((local) => {
          const first = local.toZonedDateTime(timeZone, { disambiguation: one });
          const second = local.toZonedDateTime(timeZone, { disambiguation: other });
          return (
            first.epochMilliseconds !== second.epochMilliseconds && first.toPlainDateTime().equals(local) === isThere
          );
        }).length;
      return { twice: differ("earlier", "later", true), never: differ("earlier", "later", false) };
    };
    expect(kinds("Europe/Berlin", 2020, 2024)).toEqual({ twice: 20, never: 20 });
    expect(kinds("Australia/Lord_Howe", 2020, 2024)).toEqual({ twice: 10, never: 10 });
    expect(kinds("Pacific/Apia", 2011, 2011)).toEqual({ twice: 4, never: 100 });
    expect(kinds("Asia/Kolkata", 2020, 2024)).toEqual({ twice: 0, never: 0 });
  });
});
