import { labelMutations } from "../labels/label-mutations.ts";
import { Event } from "./event.schema.ts";

labelMutations(Event, {
  serviceOf: ({ events }) => events,
  details: (t) => ({
    startsAt: t.field({ type: "DateTime", description: "When it starts." }),
    endsAt: t.field({ type: "DateTime", description: "When it ends, not before it starts." }),
  }),
});
