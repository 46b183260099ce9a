/** Relations of events. All readers see all of them. */
import { tables } from "../database/generated/tables.ts";
import { relations } from "../database/relations.ts";

export const eventById = relations.one({ name: "EventById", table: tables.Event, key: "id" });

/** Events without a start come last. */
export const allEvents = relations.list({ name: "Events", table: tables.Event, order: ["startsAt", "name"] });
