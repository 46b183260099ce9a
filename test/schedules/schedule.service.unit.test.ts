/** The rules of schedules and series, without a database. */
import { describe, expect, it } from "vitest";
import type { PlaylistRow } from "../../src/database/generated/tables.ts";
import { ApplicationError } from "../../src/errors.ts";
import {
  type NewSchedule,
  type ScheduleChanges,
  ScheduleService,
  type SeriesChanges,
  type WeeklyRecurrence,
} from "../../src/schedules/schedule.service.ts";
import type { Viewer } from "../../src/viewer.ts";
import { SchedulesInMemory } from "../support/in-memory-schedules.ts";

const editor: Viewer = { id: "edith", role: "EDITOR", sessionId: "" };
const admin: Viewer = { id: "adam", role: "ADMIN", sessionId: "" };
const listener: Viewer = { id: "vera", role: "VIEWER", sessionId: "" };

function setUp({ viewer = editor as Viewer } = {}) {
  const of = (id: string, durationMs: number): [string, PlaylistRow] => [
    id,
    {
      ...{ id, name: id, durationMs, ownerId: "somebody else", trackCount: 1, version: 1 },
      ...{ createdAt: new Date(0), updatedAt: new Date(0) },
    },
  ];
  const playlists = new Map([of("news", 1_800_000), of("concert", 3_600_000), of("empty", 0)]);
  const schedules = new SchedulesInMemory(playlists);
  const service = new ScheduleService({ schedules, viewer });
  const setDuration = (id: string, durationMs: number) => {
    const playlist = { ...(playlists.get(id) as PlaylistRow), durationMs };
    playlists.set(id, playlist);
    return playlist;
  };
  return { service, schedules, playlists, setDuration };
}

/** The code and the input path of the error with which work ends. */
const refusal = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => "no error",
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ApplicationError)) throw error;
  return [error.code, error.details.inputPath?.join(".")].filter(Boolean).join(" ");
};
const messageOf = (work: Promise<unknown>) =>
  work.then(
    () => "no error",
    (error: Error) => error.message,
  );

// A Tuesday, as in Berlin: 08:00 there.
const startsAt = new Date("2030-01-01T07:00:00Z");
const slot: NewSchedule = { playlistId: "news", channel: "main", startsAt };
const berlin = "Europe/Berlin";
const weekly = (recurrence: Partial<WeeklyRecurrence> = {}, changes: Partial<NewSchedule> = {}): NewSchedule => ({
  ...slot,
  ...changes,
  recurrence: { timeZone: berlin, ...recurrence },
});

describe("a schedule", () => {
  it("of any playlist is made by editors and admins", async () => {
    for (const viewer of [editor, admin]) {
      const { service, schedules } = setUp({ viewer });
      expect(await service.create({ ...slot, channel: " main " })).toMatchObject({ channel: "main", startsAt });
      expect(schedules.calls).toEqual(["lock news", "create"]);
    }
  });

  it("is nobody else's business", async () => {
    for (const [viewer, code] of [
      [listener, "FORBIDDEN"],
      [null, "UNAUTHENTICATED"],
    ] as const) {
      const { service, schedules } = setUp({ viewer });
      expect(await refusal(service.create(slot))).toBe(code);
      expect(await refusal(service.update({ id: "1", expectedVersion: 1 }))).toBe(code);
      expect(await refusal(service.delete({ id: "1" }))).toBe(code);
      expect(await refusal(service.updateSeries({ id: "1", expectedVersion: 1 }))).toBe(code);
      expect(await refusal(service.deleteSeries({ id: "1" }))).toBe(code);
      expect(schedules.calls).toEqual([]);
    }
  });

  it.each<[string, Partial<NewSchedule>, string]>([
    ["no channel", { channel: " \n" }, "BAD_USER_INPUT input.channel"],
    ["a channel of 101 characters", { channel: "x".repeat(101) }, "BAD_USER_INPUT input.channel"],
    ["a channel of two lines", { channel: "one\ntwo" }, "BAD_USER_INPUT input.channel"],
    ["a start before 1970", { startsAt: new Date(-1) }, "BAD_USER_INPUT input.startsAt"],
    ["a start in 9999", { startsAt: new Date("9999-01-01T00:00:00Z") }, "BAD_USER_INPUT input.startsAt"],
    ["a playlist that is not there", { playlistId: "none" }, "NOT_FOUND input.playlistId"],
    ["an empty playlist", { playlistId: "empty" }, "INVALID_STATE input.playlistId"],
  ])("with %s is refused", async (_, changes, expected) => {
    const { service, schedules } = setUp();
    expect(await refusal(service.create({ ...slot, ...changes }))).toBe(expected);
    const { id } = await service.create(slot);
    expect(await refusal(service.update({ id, expectedVersion: 1, ...changes }))).toBe(expected);
    expect(schedules.schedules.size).toBe(1);
    expect(schedules.schedules.get(id)?.version).toBe(1);
  });

  it("starts from 1970 to 9998, on a channel of up to 100 characters", async () => {
    const { service } = setUp();
    const channel = "x".repeat(100);
    for (const at of ["1970-01-01T00:00:00.000Z", "9998-12-31T23:59:59.999Z"]) {
      expect(await service.create({ ...slot, channel, startsAt: new Date(at) })).toMatchObject({ channel });
    }
  });

  it("changes in part, with both playlists locked", async () => {
    const { service, schedules } = setUp();
    const { id } = await service.create(slot);
    schedules.calls.length = 0;
    expect(await service.update({ id, expectedVersion: 1, playlistId: "concert" })).toMatchObject({
      channel: "main",
      startsAt,
      endsAt: new Date("2030-01-01T08:00:00Z"),
      version: 2,
    });
    expect(schedules.calls).toEqual([`lock ${id}, concert`, "lock concert", "update"]);
  });

  it("is not written when nothing is to change", async () => {
    const { service, schedules } = setUp();
    const { id } = await service.create(slot);
    schedules.calls.length = 0;
    expect(await service.update({ id, expectedVersion: 1 })).toMatchObject({ id, version: 1 });
    expect(schedules.calls).toEqual([`lock ${id}`]);
  });

  it("keeps what it always has", async () => {
    const { service } = setUp();
    const { id } = await service.create(slot);
    for (const field of ["playlistId", "channel", "startsAt"] as const) {
      const changes: ScheduleChanges = { id, expectedVersion: 1, [field]: null };
      expect(await refusal(service.update(changes))).toBe(`BAD_USER_INPUT input.${field}`);
    }
  });

  it("is changed and deleted in the version that was read", async () => {
    const { service, schedules } = setUp();
    const { id } = await service.create(slot);
    await service.update({ id, expectedVersion: 1, channel: "foyer" });
    expect(await refusal(service.update({ id, expectedVersion: 1, channel: "hall" }))).toBe(
      "CONFLICT input.expectedVersion",
    );
    expect(await refusal(service.delete({ id, expectedVersion: 1 }))).toBe("CONFLICT input.expectedVersion");
    expect(await refusal(service.delete({ id: "none" }))).toBe("NOT_FOUND input.id");
    expect(schedules.schedules.get(id)).toMatchObject({ channel: "foyer" });
    await service.delete({ id, expectedVersion: 2 });
    expect(schedules.schedules.size).toBe(0);
  });
});

describe("a new series", () => {
  it("starts when its first occurrence does, by the clocks of its zone", async () => {
    const { service, schedules } = setUp();
    await service.create(weekly());
    expect([...schedules.series.values()]).toMatchObject([
      {
        ...{ playlistId: "news", channel: "main", timeZone: berlin, startTime: "08:00:00", firstDay: "2030-01-01" },
        ...{ weekdays: ["TUESDAY"], everyWeeks: 1, lastDay: null },
      },
    ]);
  });

  it("takes all that is given, and keeps thousandths", async () => {
    const { service, schedules } = setUp();
    const start = new Date("2029-12-31T17:30:00.250Z");
    const days = { weekdays: ["SUNDAY", "TUESDAY", "SUNDAY"] as const, everyWeeks: 52, lastDay: "2030-01-01" };
    await service.create(weekly({ timeZone: "Asia/Ho_Chi_Minh", ...days }, { startsAt: start }));
    expect([...schedules.series.values()]).toMatchObject([
      {
        ...{ startTime: "00:30:00.250", firstDay: "2030-01-01", lastDay: "2030-01-01" },
        ...{ weekdays: ["TUESDAY", "SUNDAY"], everyWeeks: 52 },
      },
    ]);
  });

  it.each<[string, Partial<WeeklyRecurrence>, string]>([
    ["an offset", { timeZone: "+05:30" }, "timeZone"],
    ["a POSIX zone", { timeZone: "UTC+3" }, "timeZone"],
    ["an abbreviation", { timeZone: "PST" }, "timeZone"],
    ["an unknown zone", { timeZone: "Mars/Olympus" }, "timeZone"],
    ["a zone that only JavaScript knows", { timeZone: "SystemV/PST8" }, "timeZone"],
    ["no days", { weekdays: [] }, "weekdays"],
    ["other days than the first one", { weekdays: ["MONDAY"] }, "weekdays"],
    ["no weeks", { everyWeeks: 0 }, "everyWeeks"],
    ["53 weeks", { everyWeeks: 53 }, "everyWeeks"],
    ["an end before its start", { lastDay: "2029-12-31" }, "lastDay"],
  ])("with %s is refused", async (_, recurrence, field) => {
    const { service, schedules } = setUp();
    expect(await refusal(service.create(weekly(recurrence)))).toBe(`BAD_USER_INPUT input.recurrence.${field}`);
    expect(schedules.calls).toEqual([]);
  });

  it.each(["UTC", "Europe/Berlin", "Asia/Ho_Chi_Minh", "America/Argentina/Buenos_Aires", "Etc/GMT+5"])(
    "may be in %s",
    async (timeZone) => {
      const { service, schedules } = setUp();
      await service.create(weekly({ timeZone }));
      expect([...schedules.series.values()]).toMatchObject([{ timeZone }]);
    },
  );

  it("starts 1000 days ago at the earliest, and before 9997", async () => {
    const { service } = setUp();
    const daysAgo = (days: number) =>
      weekly({ timeZone: "UTC" }, { startsAt: new Date(Date.now() - days * 86_400_000) });
    const at = (time: string) => weekly({ timeZone: "UTC" }, { startsAt: new Date(time) });
    expect(await refusal(service.create(daysAgo(1_000.1)))).toBe("BAD_USER_INPUT input.startsAt");
    expect(await refusal(service.create(at("9997-01-01T00:00:00Z")))).toBe("BAD_USER_INPUT input.startsAt");
    expect(await service.create(daysAgo(999.9))).toMatchObject({ channel: "main" });
    expect(await service.create(at("9996-12-31T23:59:59Z"))).toMatchObject({ channel: "main" });
  });

  it("does not start in the second of two equal hours, and says which start is meant", async () => {
    const { service } = setUp();
    const start = new Date("2030-10-27T01:30:00Z");
    expect(await messageOf(service.create(weekly({}, { startsAt: start })))).toBe(
      "Clocks in Europe/Berlin show 02:30:00 twice on 2030-10-27: start the series at the first of both, 2030-10-27T00:30:00.000Z.",
    );
  });

  it("tells the day of its start when that is none of its days", async () => {
    const { service } = setUp();
    expect(await messageOf(service.create(weekly({ weekdays: ["SATURDAY", "MONDAY"] })))).toBe(
      "The first occurrence, 2030-01-01, is a TUESDAY in Europe/Berlin: add that day, or start on one of MONDAY, SATURDAY.",
    );
  });
});

describe("a series", () => {
  async function withSeries() {
    const parts = setUp();
    const { seriesId } = await parts.service.create(weekly());
    parts.schedules.calls.length = 0;
    const id = seriesId as string;
    const update = (changes: Partial<SeriesChanges>) =>
      parts.service.updateSeries({ id, expectedVersion: 1, ...changes });
    return { ...parts, id, update };
  }

  it("changes in all its rules, which are made uniform", async () => {
    const { update, schedules, id } = await withSeries();
    const changed = await update({
      ...{ playlistId: "concert", channel: " foyer ", timeZone: "UTC", startTime: "18:30" },
      ...{ weekdays: ["SUNDAY", "MONDAY", "SUNDAY"], everyWeeks: 2, lastDay: "2030-12-31" },
      skippedDays: ["2030-02-02", "2030-01-02", "2030-02-02"],
    });
    expect(changed).toMatchObject({
      ...{ playlistId: "concert", channel: "foyer", timeZone: "UTC", startTime: "18:30:00" },
      ...{ weekdays: ["MONDAY", "SUNDAY"], everyWeeks: 2, lastDay: "2030-12-31" },
      ...{ skippedDays: ["2030-01-02", "2030-02-02"], version: 2 },
    });
    expect(schedules.calls).toEqual([`lock ${id}, concert`, "lock concert", "update series"]);
  });

  it.each([
    ["18:30:05", "18:30:05"],
    ["18:30:05.000", "18:30:05"],
    ["23:59:59.999", "23:59:59.999"],
  ])("starts at %s, which is %s", async (startTime, expected) => {
    const { update } = await withSeries();
    expect(await update({ startTime })).toMatchObject({ startTime: expected });
  });

  it("may end on its first day, and have no end again", async () => {
    const { update } = await withSeries();
    expect(await update({ lastDay: "2030-01-01" })).toMatchObject({ lastDay: "2030-01-01" });
    expect(await update({ expectedVersion: 2, lastDay: null })).toMatchObject({ lastDay: null });
  });

  it("is not written when nothing is to change", async () => {
    const { update, schedules, id } = await withSeries();
    expect(await update({})).toMatchObject({ version: 1 });
    expect(schedules.calls).toEqual([`lock ${id}`]);
  });

  it.each<[string, Partial<SeriesChanges>, string]>([
    ["no time of day", { startTime: "24:00" }, "BAD_USER_INPUT input.startTime"],
    ["a time without minutes", { startTime: "8" }, "BAD_USER_INPUT input.startTime"],
    ["a time with words", { startTime: "at 08:00" }, "BAD_USER_INPUT input.startTime"],
    ["an abbreviation", { timeZone: "PST" }, "BAD_USER_INPUT input.timeZone"],
    ["a zone that only JavaScript knows", { timeZone: "SystemV/PST8" }, "BAD_USER_INPUT input.timeZone"],
    ["no days", { weekdays: [] }, "BAD_USER_INPUT input.weekdays"],
    ["no weeks", { everyWeeks: 0 }, "BAD_USER_INPUT input.everyWeeks"],
    ["an end before its start", { lastDay: "2029-12-31" }, "BAD_USER_INPUT input.lastDay"],
    ["no channel", { channel: "" }, "BAD_USER_INPUT input.channel"],
    ["null as its days", { weekdays: null }, "BAD_USER_INPUT input.weekdays"],
    ["null as its time", { startTime: null }, "BAD_USER_INPUT input.startTime"],
    ["null as its skipped days", { skippedDays: null }, "BAD_USER_INPUT input.skippedDays"],
    [
      "more than 1000 skipped days",
      { skippedDays: Array.from({ length: 1_001 }, (_, day) => new Date(day * 86_400_000).toJSON().slice(0, 10)) },
      "BAD_USER_INPUT input.skippedDays",
    ],
    ["a playlist that is not there", { playlistId: "none" }, "NOT_FOUND input.playlistId"],
    ["an empty playlist", { playlistId: "empty" }, "INVALID_STATE input.playlistId"],
    ["an older version", { expectedVersion: 2, startTime: "09:00" }, "CONFLICT input.expectedVersion"],
    ["another id", { id: "none", startTime: "09:00" }, "NOT_FOUND input.id"],
  ])("with %s is not changed", async (_, changes, expected) => {
    const { update, schedules } = await withSeries();
    expect(await refusal(update(changes))).toBe(expected);
    expect(schedules.calls.filter((call) => !call.startsWith("lock"))).toEqual([]);
  });

  it("is deleted with its schedules, in the version that was read", async () => {
    const { service, schedules, id } = await withSeries();
    expect(await refusal(service.deleteSeries({ id, expectedVersion: 2 }))).toBe("CONFLICT input.expectedVersion");
    expect(await refusal(service.deleteSeries({ id: "none" }))).toBe("NOT_FOUND input.id");
    await service.deleteSeries({ id, expectedVersion: 1 });
    expect([schedules.schedules.size, schedules.series.size]).toEqual([0, 0]);
  });
});

describe("a playlist", () => {
  const inAnHour = new Date(Date.now() + 3_600_000);

  it("takes its schedules with it when its duration changes, but for those that have ended", async () => {
    const { service, setDuration } = setUp();
    await service.create({ ...slot, startsAt: new Date(Date.now() - 7_200_000) });
    const { id } = await service.create({ ...slot, startsAt: new Date("2100-01-01T07:00:00Z") });
    await service.create({ ...slot, playlistId: "concert", channel: "foyer" });
    expect(await service.playlistDurationsChanged([setDuration("news", 600_000)])).toMatchObject([
      { id, endsAt: new Date("2100-01-01T07:10:00Z"), version: 2 },
    ]);
  });

  it("is not deleted while it has schedules that have not ended, unless they go with it", async () => {
    const { service, playlists } = setUp();
    const news = playlists.get("news") as PlaylistRow;
    const deletable = (removeSchedules: boolean) => service.beforePlaylistDeletion(news, { removeSchedules });
    // Ended.
    await service.create({ ...slot, startsAt: new Date(Date.now() - 7_200_000) });
    expect(await deletable(false)).toBeUndefined();
    await service.create({ ...slot, startsAt: inAnHour });
    expect(await messageOf(deletable(false))).toBe(
      'The playlist "news" has 1 schedule that has not ended, on "main" (1): delete them first, or with it by `removeSchedules`.',
    );
    for (const channel of ["foyer", "hall"]) await service.create({ ...slot, channel, startsAt: inAnHour });
    expect(await messageOf(deletable(false))).toContain(
      'has 3 schedules that have not ended, on "main" (1), "foyer" (1), "hall" (1)',
    );
    expect(await refusal(deletable(false))).toBe("INVALID_STATE input.id");
    expect(await deletable(true)).toBeUndefined();
  });
});
