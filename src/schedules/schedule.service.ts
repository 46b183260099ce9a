/** The rules of schedules and their series: docs/schedules.md. The database keeps the ends and refuses overlaps. */
import type { PlaylistRow, ScheduleRow, ScheduleSeriesRow } from "../database/generated/tables.ts";
import { ApplicationError, badInput, requireVersion } from "../errors.ts";
import type { PlaylistFollowers } from "../playlists/playlist.service.ts";
import { requireRole, type Viewer } from "../viewer.ts";
import { requireChannel } from "./channel.ts";
import {
  type Recurrence,
  requireLastDay,
  requireSkippedDays,
  requireTime,
  requireWeekdays,
  requireWeeks,
  requireZoneName,
  unknownZone,
  withoutZeros,
} from "./recurrence.ts";
import type { LocalTime, NewSeries, ScheduleRepository, SeriesRule, Slot } from "./schedule.repository.ts";

export type NewSchedule = Slot & { recurrence?: WeeklyRecurrence | null };
export type WeeklyRecurrence = Recurrence & { timeZone: string };
/** Absent: unchanged. */
export type ScheduleChanges = {
  id: string;
  expectedVersion: number;
  playlistId?: string | null;
  channel?: string | null;
  startsAt?: Date | null;
};
export type SeriesChanges = Recurrence & {
  id: string;
  expectedVersion: number;
  playlistId?: string | null;
  channel?: string | null;
  timeZone?: string | null;
  startTime?: string | null;
  skippedDays?: readonly string[] | null;
};
export type Existing = { id: string; expectedVersion?: number | null };

export type ScheduleServiceParts = { schedules: ScheduleRepository; viewer: Viewer };

export class ScheduleService implements PlaylistFollowers {
  readonly #parts: ScheduleServiceParts;

  constructor(parts: ScheduleServiceParts) {
    this.#parts = parts;
  }

  /** Schedules a playlist once, or every week. Returns the schedule, or the first one of the series. */
  async create({ recurrence, ...input }: NewSchedule): Promise<ScheduleRow> {
    const { schedules } = this.#parts;
    this.#requireEditor();
    const slot = {
      playlistId: input.playlistId,
      channel: requireChannel(input.channel, ["input", "channel"]),
      startsAt: requireStart(input.startsAt),
    };
    const series = recurrence ? await this.#seriesOf(slot, recurrence) : null;
    await this.#requirePlayable(slot.playlistId);
    return series ? schedules.createSeries(series) : schedules.create(slot);
  }

  /** Moves one schedule. The other occurrences of its series stay. */
  async update({ id, expectedVersion, ...input }: ScheduleChanges): Promise<ScheduleRow> {
    const { schedules } = this.#parts;
    this.#requireEditor();
    const given = requirePresent(input, "schedule");
    const changes: Partial<Slot> = {
      ...given,
      ...(given.channel === undefined ? {} : { channel: requireChannel(given.channel, ["input", "channel"]) }),
      ...(given.startsAt === undefined ? {} : { startsAt: requireStart(given.startsAt) }),
    };
    const schedule = requireCurrent("Schedule", await schedules.lock(id, changes.playlistId), expectedVersion);
    if (changes.playlistId !== undefined) await this.#requirePlayable(changes.playlistId);
    return Object.keys(changes).length === 0 ? schedule : schedules.update(id, changes);
  }

  /** A series skips its day from then on. */
  async delete({ id, expectedVersion }: Existing): Promise<void> {
    const { schedules } = this.#parts;
    this.#requireEditor();
    requireCurrent("Schedule", await schedules.lock(id), expectedVersion);
    await schedules.delete(id);
  }

  /** Changes a series from now on. Occurrences that have started or were moved stay. */
  async updateSeries({ id, expectedVersion, lastDay, ...input }: SeriesChanges): Promise<ScheduleSeriesRow> {
    const { schedules } = this.#parts;
    this.#requireEditor();
    const changes = rulesIn(requirePresent(input, "series"));
    if (changes.timeZone !== undefined) await this.#localTime(new Date(), changes.timeZone, ["input", "timeZone"]);
    const found = await schedules.lockSeries(id, changes.playlistId);
    const series = requireCurrent("ScheduleSeries", found, expectedVersion);
    if (changes.playlistId !== undefined) await this.#requirePlayable(changes.playlistId);
    if (lastDay !== undefined) changes.lastDay = requireLastDay(lastDay, series.firstDay, ["input", "lastDay"]);
    return Object.keys(changes).length === 0 ? series : schedules.updateSeries(id, changes);
  }

  /** With all of its schedules, also those that have ended. */
  async deleteSeries({ id, expectedVersion }: Existing): Promise<void> {
    const { schedules } = this.#parts;
    this.#requireEditor();
    requireCurrent("ScheduleSeries", await schedules.lockSeries(id), expectedVersion);
    await schedules.deleteSeries(id);
  }

  playlistDurationsChanged(playlists: readonly PlaylistRow[]): Promise<readonly ScheduleRow[]> {
    return this.#parts.schedules.moveEnds(playlists.map(({ id }) => id));
  }

  async beforePlaylistDeletion(playlist: PlaylistRow, options: { removeSchedules: boolean }): Promise<void> {
    if (options.removeSchedules) return;
    const open = await this.#parts.schedules.countOpen(playlist.id);
    if (open.length > 0) throw stillScheduled(playlist, open);
  }

  async #seriesOf({ startsAt, ...slot }: Slot, { timeZone, ...input }: WeeklyRecurrence): Promise<NewSeries> {
    const path = (field: string) => ["input", "recurrence", field];
    requireSeriesStart(startsAt);
    const local = await this.#localTime(startsAt, requireZoneName(timeZone, path("timeZone")), path("timeZone"));
    const weekdays = requireWeekdays(input.weekdays ?? [local.weekday], path("weekdays"));
    if (!weekdays.includes(local.weekday)) {
      const start = `The first occurrence, ${local.day}, is a ${local.weekday} in ${timeZone}`;
      throw badInput(path("weekdays"), `${start}: add that day, or start on one of ${weekdays.join(", ")}.`);
    }
    requireFirstOfTwo(startsAt, local, timeZone);
    return {
      ...slot,
      timeZone,
      startTime: withoutZeros(local.time),
      weekdays,
      everyWeeks: requireWeeks(input.everyWeeks ?? 1, path("everyWeeks")),
      firstDay: local.day,
      lastDay: requireLastDay(input.lastDay ?? null, local.day, path("lastDay")),
    };
  }

  async #localTime(at: Date, timeZone: string, inputPath: readonly string[]): Promise<LocalTime> {
    const local = await this.#parts.schedules.localTime(at, timeZone);
    if (!local) throw unknownZone(timeZone, inputPath);
    return local;
  }

  /** The playlist exists and has tracks, and keeps its duration until the unit of work ends. */
  async #requirePlayable(playlistId: string): Promise<void> {
    const inputPath = ["input", "playlistId"];
    const playlist = await this.#parts.schedules.lockPlaylist(playlistId);
    if (!playlist) throw new ApplicationError("NOT_FOUND", "The playlist does not exist.", { inputPath });
    if (playlist.durationMs > 0) return;
    const message = `The playlist ${JSON.stringify(playlist.name)} is empty, so it cannot be scheduled: add tracks first.`;
    throw new ApplicationError("INVALID_STATE", message, { inputPath });
  }

  #requireEditor(): void {
    requireRole(this.#parts.viewer, "EDITOR");
  }
}

const dayMs = 86_400_000;
const [earliest, latest] = [new Date("1970-01-01T00:00:00Z"), new Date("9999-01-01T00:00:00Z")];
/** The last occurrences that are made at once must be in range, too. */
const latestSeries = new Date("9997-01-01T00:00:00Z");

function requireStart(startsAt: Date): Date {
  if (startsAt >= earliest && startsAt < latest) return startsAt;
  throw badInput(["input", "startsAt"], "A schedule starts between the years 1970 and 9998.");
}

function requireSeriesStart(startsAt: Date): void {
  if (startsAt.getTime() < Date.now() - 1_000 * dayMs || startsAt >= latestSeries) {
    throw badInput(["input", "startsAt"], "A series starts 1000 days ago at the earliest, and before the year 9997.");
  }
}

function requireFirstOfTwo(startsAt: Date, { day, time, startsAt: first }: LocalTime, timeZone: string): void {
  if (first.getTime() === startsAt.getTime()) return;
  const twice = `Clocks in ${timeZone} show ${withoutZeros(time)} twice on ${day}`;
  throw badInput(["input", "startsAt"], `${twice}: start the series at the first of both, ${first.toISOString()}.`);
}

type Present<Input> = { [Name in keyof Input]?: Exclude<Input[Name], null | undefined> };

/** The fields that are given. None of them can be cleared. */
function requirePresent<Input extends object>(input: Input, noun: string): Present<Input> {
  const given = Object.entries(input).filter(([, value]) => value !== undefined);
  for (const [name, value] of given) {
    if (value !== null) continue;
    throw badInput(["input", name], `The ${name} of a ${noun} cannot be null: leave the field out to keep it.`);
  }
  return Object.fromEntries(given) as Present<Input>;
}

/** The rules of a series that the input changes, checked. */
function rulesIn(input: Present<Omit<SeriesChanges, "id" | "expectedVersion" | "lastDay">>): Partial<SeriesRule> {
  const { playlistId, channel, timeZone, startTime, weekdays, everyWeeks, skippedDays } = input;
  return {
    ...(playlistId === undefined ? {} : { playlistId }),
    ...(channel === undefined ? {} : { channel: requireChannel(channel, ["input", "channel"]) }),
    ...(timeZone === undefined ? {} : { timeZone: requireZoneName(timeZone, ["input", "timeZone"]) }),
    ...(startTime === undefined ? {} : { startTime: requireTime(startTime, ["input", "startTime"]) }),
    ...(weekdays === undefined ? {} : { weekdays: requireWeekdays(weekdays, ["input", "weekdays"]) }),
    ...(everyWeeks === undefined ? {} : { everyWeeks: requireWeeks(everyWeeks, ["input", "everyWeeks"]) }),
    ...(skippedDays === undefined ? {} : { skippedDays: requireSkippedDays(skippedDays, ["input", "skippedDays"]) }),
  };
}

/** The locked row, whose current version the viewer has read. */
function requireCurrent<Row extends { id: string; version: number }>(
  type: "Schedule" | "ScheduleSeries",
  row: Row | null,
  expectedVersion: number | null | undefined,
): Row {
  if (!row) {
    const message = `The ${type === "Schedule" ? "schedule" : "series"} does not exist.`;
    throw new ApplicationError("NOT_FOUND", message, { inputPath: ["input", "id"] });
  }
  return requireVersion(type, row, expectedVersion);
}

function stillScheduled({ name }: PlaylistRow, open: readonly { channel: string; count: number }[]): ApplicationError {
  const total = open.reduce((sum, { count }) => sum + count, 0);
  const channels = open.map(({ channel, count }) => `${JSON.stringify(channel)} (${count})`).join(", ");
  const message = `The playlist ${JSON.stringify(name)} has ${total} ${total === 1 ? "schedule that has" : "schedules that have"} not ended, on ${channels}: delete them first, or with it by \`removeSchedules\`.`;
  return new ApplicationError("INVALID_STATE", message, { inputPath: ["input", "id"] });
}
