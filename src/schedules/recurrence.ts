/** The rules of a series' recurrence, whichever input it comes from. */
import { badInput } from "../errors.ts";
import { weekdays as allWeekdays, type Weekday } from "./weekdays.ts";

/** A recurrence without its start. Null: the default, or no end. */
export type Recurrence = {
  weekdays?: readonly Weekday[] | null;
  everyWeeks?: number | null;
  lastDay?: string | null;
};

/** Without days that are there twice, from Monday on. */
export function requireWeekdays(weekdays: readonly Weekday[], inputPath: readonly string[]): Weekday[] {
  if (weekdays.length === 0) throw badInput(inputPath, "A series plays on one day of the week at least.");
  return allWeekdays.filter((day) => weekdays.includes(day));
}

export function requireWeeks(everyWeeks: number, inputPath: readonly string[]): number {
  if (everyWeeks >= 1 && everyWeeks <= 52) return everyWeeks;
  throw badInput(inputPath, `A series repeats every 1 to 52 weeks, not every ${everyWeeks}.`);
}

export function requireLastDay(lastDay: string | null, firstDay: string, inputPath: readonly string[]): string | null {
  if (lastDay === null || lastDay >= firstDay) return lastDay;
  throw badInput(inputPath, `A series that starts on ${firstDay} cannot end before, on ${lastDay}.`);
}

const mostSkippedDays = 1_000;

/** Without days that are there twice, in order. */
export function requireSkippedDays(days: readonly string[], inputPath: readonly string[]): string[] {
  const skipped = [...new Set(days)].sort();
  if (skipped.length <= mostSkippedDays) return skipped;
  throw badInput(inputPath, `A series skips ${mostSkippedDays} days at most: end it by \`lastDay\` instead.`);
}

/** With seconds: 18:30 is 18:30:00. */
export function requireTime(time: string, inputPath: readonly string[]): string {
  if (!/^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{3})?)?$/.test(time)) {
    throw badInput(inputPath, "A time of day is written like 18:30 or 18:30:00.");
  }
  return withoutZeros(time.length === 5 ? `${time}:00` : time);
}

/** Without a fraction of zero. */
export const withoutZeros = (time: string): string => time.replace(/\.000$/, "");

/**
 * Only names of IANA's form, such as Europe/Berlin. Offsets never follow daylight saving time, and abbreviations such as
 * CST are different times to different programs.
 */
export function requireZoneName(timeZone: string, inputPath: readonly string[]): string {
  if (isZoneName(timeZone)) return timeZone;
  throw unknownZone(timeZone, inputPath);
}

export const unknownZone = (timeZone: string, inputPath: readonly string[]) =>
  badInput(
    inputPath,
    `${JSON.stringify(timeZone)} is no known time zone: use a name of the IANA database, such as Europe/Berlin.`,
  );

function isZoneName(timeZone: string): boolean {
  if (!/^([A-Za-z]\w*\/[\w+/-]+|UTC)$/.test(timeZone)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone });
    return true;
  } catch {
    return false;
  }
}
