/** The days of a week, which begins on Monday (ISO 8601). */
export const weekdays = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"] as const;

export type Weekday = (typeof weekdays)[number];
