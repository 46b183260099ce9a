/** Events: the occasions at which audio was recorded. */
import { type EventRow, tables } from "../database/generated/tables.ts";
import { type LabelRepository, labelRepository } from "../labels/label-repository.ts";
import { LabelService } from "../labels/label-service.ts";
import type { Slice } from "../slice.ts";
import { type EventService, type EventTimes, eventKind } from "./event.service.ts";

declare module "../unit-of-work/unit-of-work.ts" {
  interface Repositories {
    events: LabelRepository<EventRow, EventTimes>;
  }
}
declare module "../graphql/context.ts" {
  interface Services {
    events: EventService;
  }
}

export const eventSlice: Slice = {
  types: () => Promise.all([import("./event.schema.ts"), import("./event.mutations.ts")]),
  repositories: (uow) => ({ events: labelRepository(uow, tables.Event) }),
  open: () => ({
    services: ({ events: labels }, viewer) => ({ events: new LabelService({ kind: eventKind, labels, viewer }) }),
  }),
  async seed({ servicesOf }) {
    await servicesOf("editor").events.create({
      name: "Opening",
      startsAt: new Date("2026-11-21T18:00:00Z"),
      endsAt: new Date("2026-11-21T22:00:00Z"),
    });
  },
};
