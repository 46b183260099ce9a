import type { Fault } from "./fault.ts";

export const faults: Fault[] = [
  {
    name: "an event ends before it starts",
    file: "src/events/event.service.ts",
    replace: { "endsAt >= startsAt": "endsAt >= new Date(0)" },
  },
  {
    name: "an event cannot end when it starts",
    file: "src/events/event.service.ts",
    replace: { "endsAt >= startsAt": "endsAt > startsAt" },
  },
  {
    name: "another program writes events that end before they start",
    file: "prisma/migrations/20261127120100_events/migration.sql",
    replace: { 'CHECK ("ends_at" >= "starts_at")': 'CHECK ("ends_at" IS NOT NULL OR "ends_at" IS NULL)' },
    tests: ["test/labels/labels.test.ts"],
  },
  {
    name: "events are listed by their names alone",
    file: "src/events/event.relations.ts",
    replace: { 'order: ["startsAt", "name"]': 'order: ["name"]' },
  },
];
