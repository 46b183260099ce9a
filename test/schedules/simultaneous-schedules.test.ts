/** Editors who schedule, move and fill playlists at the same time: nothing overlaps, and no operation is lost in between. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphql } from "../support/client/generated/gql.ts";
import { globalIdOf } from "../support/global-ids.ts";
import { errorsOf, type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { addAudio, addPlaylist, wrongSums } from "../support/playlist-rows.ts";

let lectern: Lectern;
let editors: Person[];

beforeAll(async () => {
  lectern = await startLectern({ housekeeping: false });
  editors = await Promise.all(["Ed", "Edith", "Edna"].map((name) => lectern.person(name, "EDITOR")));
});
afterAll(() => lectern.stop());

const Create = graphql(`
  mutation CreateAtOnce($input: CreateScheduleInput!) { createSchedule(input: $input) { schedule { id version } } }
`);
const Move = graphql(`
  mutation MoveAtOnce($input: UpdateScheduleInput!) { updateSchedule(input: $input) { schedule { version } } }
`);
const Add = graphql(`
  mutation AddAtOnce($input: AddTracksInput!) { addTracks(input: $input) { movedSchedules { id } } }
`);
const Change = graphql(`
  mutation ChangeAtOnce($input: UpdateScheduleSeriesInput!) {
    updateScheduleSeries(input: $input) { scheduleSeries { version } }
  }
`);

const minute = 60_000;
const playlist = async (minutes: number) =>
  globalIdOf("Playlist", await addPlaylist(lectern.database, [minutes * minute]));
const by = (index: number) => (editors[index % editors.length] as Person).client;
const create = (index: number, playlistId: string, channel: string, time: string) =>
  by(index).request(Create, { input: { playlistId, channel, startsAt: `2100-01-01T${time}:00Z` } });

/** "done", or the codes of the errors. */
const outcomeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "done",
    async () => (await errorsOf(work)).map(({ extensions }) => extensions.code).join(),
  );

describe("at the same time", () => {
  it("one of several schedules gets the slot", async () => {
    const id = await playlist(30);
    const creations = Array.from({ length: 8 }, (_, index) => create(index, id, "wanted", `08:0${index}`));
    const outcomes = await Promise.all(creations.map(outcomeOf));
    expect(outcomes.sort()).toEqual([...Array(7).fill("SCHEDULE_OVERLAP"), "done"]);
    expect(await wrongSums(lectern.database)).toEqual([]);
  });

  it("a playlist becomes longer, or another one is scheduled after it, but not both", async () => {
    const audio = globalIdOf("Audio", await addAudio(lectern.database, 10 * minute));
    for (let round = 0; round < 5; round++) {
      const channel = `round ${round}`;
      const id = await playlist(30);
      const other = await playlist(30);
      await create(0, id, channel, "08:00");
      const outcomes = await Promise.all([
        outcomeOf(by(1).request(Add, { input: { playlistId: id, audioIds: [audio] } })),
        outcomeOf(create(2, other, channel, "08:35")),
      ]);
      expect(outcomes.sort()).toEqual(["SCHEDULE_OVERLAP", "done"]);
    }
    expect(await wrongSums(lectern.database)).toEqual([]);
  });

  it("series, moves and playlists change without a deadlock that anybody sees", async () => {
    const audio = globalIdOf("Audio", await addAudio(lectern.database, minute));
    const [one, two] = [await playlist(30), await playlist(40)];
    const recurrence = { timeZone: "Europe/Berlin", weekdays: ["MONDAY", "FRIDAY"] as ("MONDAY" | "FRIDAY")[] };
    const input = { playlistId: one, channel: "shared", startsAt: "2100-01-01T08:00:00Z", recurrence };
    await by(0).request(Create, { input });
    const [series] = await lectern.database.query("select id from schedule_series");
    const id = globalIdOf("ScheduleSeries", series?.id as string);
    const occurrences = await lectern.database.query("select id from schedules where series_id = $1 limit 6", [
      series?.id,
    ]);
    const outcomes = await Promise.all([
      outcomeOf(by(0).request(Change, { input: { id, expectedVersion: 1, startTime: "10:00", playlistId: two } })),
      ...[one, two].map((playlistId, index) =>
        outcomeOf(by(index).request(Add, { input: { playlistId, audioIds: [audio, audio] } })),
      ),
      ...occurrences.map((occurrence, index) => {
        const moved = { id: globalIdOf("Schedule", occurrence.id as string), expectedVersion: 1 };
        const changes = index % 2 === 0 ? { channel: "aside" } : { playlistId: two };
        return outcomeOf(by(index).request(Move, { input: { ...moved, ...changes } }));
      }),
    ]);
    // An occurrence may have another version when its move begins.
    expect(outcomes.slice(0, 3)).toEqual(["done", "done", "done"]);
    for (const outcome of outcomes) expect(["done", "CONFLICT"]).toContain(outcome);
    expect(await wrongSums(lectern.database)).toEqual([]);
  });
});
