/**
 * Schedules in memory. They end when their playlist does, and refuse overlaps and empty playlists, as the database's
 * triggers do. Of a series there is the first occurrence only.
 */
import type { PlaylistRow, ScheduleRow, ScheduleSeriesRow } from "../../src/database/generated/tables.ts";
import { ApplicationError } from "../../src/errors.ts";
import type {
  LocalTime,
  NewSeries,
  ScheduleRepository,
  SeriesRule,
  Slot,
} from "../../src/schedules/schedule.repository.ts";
import { weekdays } from "../../src/schedules/weekdays.ts";

const hourMs = 3_600_000;

export class SchedulesInMemory implements ScheduleRepository {
  readonly schedules = new Map<string, ScheduleRow>();
  readonly series = new Map<string, ScheduleSeriesRow>();
  /** The locks and writes, in order. */
  readonly calls: string[] = [];
  readonly #playlists: ReadonlyMap<string, PlaylistRow>;
  #made = 0;

  /** @param playlists by their ids, as they are at each time */
  constructor(playlists: ReadonlyMap<string, PlaylistRow>) {
    this.#playlists = playlists;
  }

  /** Knows the zones that JavaScript knows, but for one. Clocks that show a time twice do so an hour later. */
  async localTime(at: Date, timeZone: string): Promise<LocalTime | null> {
    if (timeZone === "SystemV/PST8") return null;
    const earlier = new Date(at.getTime() - hourMs);
    const isSecond = clockOf(earlier, timeZone).time === clockOf(at, timeZone).time;
    return { ...clockOf(at, timeZone), startsAt: isSecond ? earlier : at };
  }

  async lockPlaylist(id: string) {
    this.calls.push(`lock ${id}`);
    return this.#playlists.get(id) ?? null;
  }

  async create(slot: Slot) {
    this.calls.push("create");
    return this.#save({ ...newRow, ...slot, id: `schedule-${++this.#made}`, seriesId: null, seriesDay: null });
  }

  async createSeries({ weekdays, ...series }: NewSeries) {
    this.calls.push("create series");
    const id = `series-${++this.#made}`;
    const row = { ...newRow, ...series, id, weekdays: [...weekdays], skippedDays: [], blockedDays: [] };
    this.series.set(id, { ...row, placedUntil: series.firstDay });
    const { playlistId, channel, firstDay, startTime } = series;
    const startsAt = new Date(`${firstDay}T${startTime}Z`);
    const first = { playlistId, channel, startsAt, seriesId: id, seriesDay: firstDay };
    return this.#save({ ...newRow, ...first, id: `schedule-${++this.#made}` });
  }

  async lock(id: string, willPlay?: string) {
    this.calls.push(`lock ${[id, willPlay].filter(Boolean).join(", ")}`);
    return this.schedules.get(id) ?? null;
  }

  async lockSeries(id: string, willPlay?: string) {
    this.calls.push(`lock ${[id, willPlay].filter(Boolean).join(", ")}`);
    return this.series.get(id) ?? null;
  }

  async update(id: string, changes: Partial<Slot>) {
    this.calls.push("update");
    const schedule = this.schedules.get(id) as ScheduleRow;
    const isMoved = schedule.seriesId !== null;
    return this.#save({ ...schedule, ...changes, isMoved, version: schedule.version + 1 });
  }

  async updateSeries(id: string, { weekdays, skippedDays, ...changes }: Partial<SeriesRule>) {
    this.calls.push("update series");
    const series = this.series.get(id) as ScheduleSeriesRow;
    const lists = {
      ...(weekdays && { weekdays: [...weekdays] }),
      ...(skippedDays && { skippedDays: [...skippedDays] }),
    };
    const changed = { ...series, ...changes, ...lists, version: series.version + 1 };
    this.series.set(id, changed);
    return changed;
  }

  async delete(id: string) {
    this.calls.push("delete");
    const { seriesId, seriesDay } = this.schedules.get(id) as ScheduleRow;
    const series = this.series.get(seriesId ?? "");
    if (series && seriesDay) {
      this.series.set(series.id, { ...series, skippedDays: [...series.skippedDays, seriesDay] });
    }
    this.schedules.delete(id);
  }

  async deleteSeries(id: string) {
    this.calls.push("delete series");
    this.series.delete(id);
    for (const schedule of this.schedules.values()) if (schedule.seriesId === id) this.schedules.delete(schedule.id);
  }

  async moveEnds(playlistIds: readonly string[]) {
    this.calls.push("move ends");
    const now = new Date();
    const moved = [...this.schedules.values()].filter(
      ({ playlistId, endsAt }) => playlistIds.includes(playlistId) && endsAt > now,
    );
    // All ends first: the schedules of one playlist may follow each other on a channel.
    for (const schedule of moved) {
      this.schedules.set(schedule.id, { ...this.#withEnd(schedule), version: schedule.version + 1 });
    }
    const rows = moved.map((schedule) => this.schedules.get(schedule.id) as ScheduleRow);
    for (const schedule of rows) this.#requireFree(schedule);
    return rows;
  }

  async countOpen(playlistId: string) {
    const isOf = (row: ScheduleRow) =>
      [row.playlistId, this.series.get(row.seriesId ?? "")?.playlistId].includes(playlistId);
    const open = [...this.schedules.values()].filter((row) => isOf(row) && row.endsAt > new Date());
    return [...Map.groupBy(open, ({ channel }) => channel)].map(([channel, { length: count }]) => ({ channel, count }));
  }

  #save(schedule: Omit<ScheduleRow, "endsAt">): ScheduleRow {
    const saved = this.#withEnd(schedule);
    this.#requireFree(saved);
    this.schedules.set(saved.id, saved);
    return saved;
  }

  #withEnd(schedule: Omit<ScheduleRow, "endsAt">): ScheduleRow {
    const { name, durationMs } = this.#playlists.get(schedule.playlistId) as PlaylistRow;
    if (durationMs === 0) throw new ApplicationError("INVALID_STATE", `The playlist "${name}" is empty.`);
    return { ...schedule, endsAt: new Date(schedule.startsAt.getTime() + durationMs) };
  }

  #requireFree({ id, channel, startsAt, endsAt }: ScheduleRow): void {
    const met = [...this.schedules.values()].find(
      (other) => other.id !== id && other.channel === channel && other.startsAt < endsAt && other.endsAt > startsAt,
    );
    if (met) throw new ApplicationError("SCHEDULE_OVERLAP", `The schedule would overlap ${met.id}.`, { schedule: met });
  }
}

const newRow = { isMoved: false, version: 1, createdAt: new Date(0), updatedAt: new Date(0) };

function clockOf(at: Date, timeZone: string): Omit<LocalTime, "startsAt"> {
  const offset = new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "longOffset" })
    .formatToParts(at)
    .find(({ type }) => type === "timeZoneName")?.value;
  const [, sign, hours, minutes] = /GMT([+-])(\d\d):(\d\d)/.exec(offset ?? "") ?? [];
  const ms = hourMs * Number(hours ?? 0) + 60_000 * Number(minutes ?? 0);
  const local = new Date(at.getTime() + (sign === "-" ? -ms : ms));
  const [day = "", time = ""] = local.toISOString().slice(0, -1).split("T");
  return { day, time, weekday: weekdays[(local.getUTCDay() + 6) % 7] as LocalTime["weekday"] };
}
