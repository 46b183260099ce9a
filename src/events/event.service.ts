/** The rules of events: labels with a time. */
import type { EventRow } from "../database/generated/tables.ts";
import { badInput } from "../errors.ts";
import type { LabelKind, LabelService } from "../labels/label-service.ts";

export type EventTimes = { startsAt?: Date | null | undefined; endsAt?: Date | null | undefined };

export type EventService = LabelService<EventRow, EventTimes>;

export const eventKind: LabelKind<EventTimes> = {
  type: "Event",
  plural: "events",
  most: 500,
  requireValid({ startsAt, endsAt }) {
    if (!startsAt || !endsAt || endsAt >= startsAt) return;
    const [start, end] = [startsAt.toISOString(), endsAt.toISOString()];
    throw badInput(["input", "endsAt"], `An event that starts at ${start} cannot end before, at ${end}.`);
  },
};
