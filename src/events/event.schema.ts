import { builder } from "../graphql/builder.ts";
import { allEvents, eventById } from "./event.relations.ts";
import { eventKind } from "./event.service.ts";

export const Event = builder.rowNode("Event", {
  relation: eventById,
  fields: (t) => ({
    name: t.exposeString("name"),
    startsAt: t.expose("startsAt", { type: "DateTime", nullable: true }),
    endsAt: t.expose("endsAt", { type: "DateTime", nullable: true }),
    version: t.exposeInt("version"),
  }),
});

builder.queryField("events", (t) =>
  t.rows(allEvents, {
    type: Event,
    description: `All events, by their start and name; those without a start are last. There are ${eventKind.most} at most.`,
    size: eventKind.most,
  }),
);
