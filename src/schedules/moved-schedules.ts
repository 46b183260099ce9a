/** The schedules whose ends follow a change of a playlist, in the payloads of the mutations that change one. */
import type { ObjectRef } from "@pothos/core";
import { DeleteAudioPayload } from "../audio/audio.mutations.ts";
import type { ScheduleRow } from "../database/generated/tables.ts";
import { builder } from "../graphql/builder.ts";
import type { Types } from "../graphql/builder-types.ts";
import { AddTracksPayload, RemoveTrackPayload } from "../playlists/playlist.mutations.ts";
import { Schedule } from "./schedule.schema.ts";

type Moving = { movedSchedules: readonly ScheduleRow[] };

/** For the cost of a query: few playlists have more schedules. */
const usual = 100;

const addMovedSchedules = <Payload extends Moving>(payload: ObjectRef<Types, Payload>) =>
  builder.objectField(payload, "movedSchedules", (t) =>
    t.field({
      type: [Schedule],
      description: "The schedules that end at another time, since their playlist has become longer or shorter.",
      complexity: () => ({ field: usual, multiplier: usual }),
      resolve: ({ movedSchedules }) => [...movedSchedules],
    }),
  );

addMovedSchedules(AddTracksPayload);
addMovedSchedules(RemoveTrackPayload);
addMovedSchedules(DeleteAudioPayload);
