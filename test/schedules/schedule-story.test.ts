/** The life of single schedules as editors and listeners see them, through the public API. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphql } from "../support/client/generated/gql.ts";
import type { CreateScheduleInput, UpdateScheduleInput } from "../support/client/generated/graphql.ts";
import { dump } from "../support/dump.ts";
import { globalIdOf, uuidOf } from "../support/global-ids.ts";
import { errorsOf, type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { addPlaylist } from "../support/playlist-rows.ts";

let lectern: Lectern;
let ed: Person;
let vera: Person;
/** Of half an hour, and of an hour. */
let short: string;
let long: string;

beforeAll(async () => {
  lectern = await startLectern();
  ed = await lectern.person("Ed", "EDITOR");
  vera = await lectern.person("Vera");
  short = await playlist("News", 600, 1200);
  long = await playlist("Concert", 3600);
});
afterAll(() => lectern.stop());

const playlist = async (name: string, ...seconds: number[]) => {
  const durations = seconds.map((each) => 1_000 * each);
  return globalIdOf("Playlist", await addPlaylist(lectern.database, durations, name));
};

const Create = graphql(`
  mutation CreateSchedule($input: CreateScheduleInput!) {
    createSchedule(input: $input) {
      schedule { id channel startsAt endsAt version isMoved seriesDay playlist { name } series { id } }
    }
  }
`);
const Update = graphql(`
  mutation UpdateSchedule($input: UpdateScheduleInput!) {
    updateSchedule(input: $input) { schedule { channel startsAt endsAt version isMoved playlist { name } } }
  }
`);
const Delete = graphql(`
  mutation DeleteSchedule($input: DeleteScheduleInput!) { deleteSchedule(input: $input) { deletedId } }
`);
const Read = graphql(`
  query ReadSchedule($id: ID!) { schedule(id: $id) { startsAt endsAt version } }
`);
const List = graphql(`
  query ListSchedules($channel: String, $from: DateTime, $to: DateTime, $first: Int, $after: String) {
    schedules(channel: $channel, from: $from, to: $to, first: $first, after: $after) {
      totalCount
      nodes { startsAt playlist { name } }
      pageInfo { endCursor hasNextPage }
    }
  }
`);
const OfPlaylist = graphql(`
  query SchedulesOfPlaylist($id: ID!, $from: DateTime) {
    playlist(id: $id) { schedules(from: $from) { nodes { channel startsAt } } }
  }
`);

const create = async (input: Partial<CreateScheduleInput> & { startsAt: string }) =>
  (await ed.client.request(Create, { input: { playlistId: short, channel: "main", ...input } })).createSchedule
    .schedule;
const update = async (input: UpdateScheduleInput) =>
  (await ed.client.request(Update, { input })).updateSchedule.schedule;
const list = async (variables: { channel?: string; from?: string; to?: string; first?: number; after?: string }) =>
  (await vera.client.request(List, variables)).schedules;
const startsOf = ({ nodes }: { nodes: { startsAt: string }[] }) => nodes.map(({ startsAt }) => startsAt.slice(11, 16));

describe("a schedule", () => {
  it("ends when its playlist does, moves, plays another playlist, and is deleted", async () => {
    const schedule = await create({ channel: " foyer ", startsAt: "2030-01-01T09:00:00+01:00" });
    expect(schedule).toEqual({
      id: expect.any(String),
      channel: "foyer",
      startsAt: "2030-01-01T08:00:00.000Z",
      endsAt: "2030-01-01T08:30:00.000Z",
      version: 1,
      isMoved: false,
      seriesDay: null,
      playlist: { name: "News" },
      series: null,
    });
    const { id } = schedule;
    expect(await update({ id, expectedVersion: 1, startsAt: "2030-01-01T10:00:00Z", channel: "hall" })).toEqual({
      channel: "hall",
      startsAt: "2030-01-01T10:00:00.000Z",
      endsAt: "2030-01-01T10:30:00.000Z",
      version: 2,
      isMoved: false,
      playlist: { name: "News" },
    });
    expect(await update({ id, expectedVersion: 2, playlistId: long })).toMatchObject({
      endsAt: "2030-01-01T11:00:00.000Z",
      version: 3,
      playlist: { name: "Concert" },
    });
    const read = { startsAt: "2030-01-01T10:00:00.000Z", endsAt: "2030-01-01T11:00:00.000Z", version: 3 };
    expect((await vera.client.request(Read, { id })).schedule).toEqual(read);
    expect((await ed.client.request(Delete, { input: { id, expectedVersion: 3 } })).deleteSchedule.deletedId).toBe(id);
    expect((await vera.client.request(Read, { id })).schedule).toBeNull();
  });

  it("follows another one without a gap, and never overlaps one on its channel", async () => {
    const first = await create({ startsAt: "2030-02-01T08:00:00Z" });
    await create({ startsAt: "2030-02-01T08:30:00Z", playlistId: long });
    await create({ startsAt: "2030-02-01T07:30:00Z" });
    const elsewhere = await create({ startsAt: "2030-02-01T08:10:00Z", channel: "foyer" });
    const before = await dump(lectern.database);
    const overlap = {
      message:
        'The schedule from 2030-02-01T08:29:59.999Z to 2030-02-01T08:59:59.999Z would overlap that of the playlist "News" from 2030-02-01T08:00:00.000Z to 2030-02-01T08:30:00.000Z on the channel "main": choose another time, or move that one.',
      extensions: {
        code: "SCHEDULE_OVERLAP",
        schedule: {
          __typename: "Schedule",
          id: first.id,
          channel: "main",
          startsAt: "2030-02-01T08:00:00.000Z",
          endsAt: "2030-02-01T08:30:00.000Z",
          playlist: { __typename: "Playlist", id: short, name: "News" },
        },
      },
    };
    expect(await errorsOf(create({ startsAt: "2030-02-01T08:29:59.999Z" }))).toMatchObject([overlap]);
    const refused = { extensions: { code: "SCHEDULE_OVERLAP", schedule: { id: first.id } } };
    expect(await errorsOf(create({ startsAt: "2030-02-01T07:00:00.001Z", playlistId: long }))).toMatchObject([
      { extensions: { code: "SCHEDULE_OVERLAP" } },
    ]);
    expect(await errorsOf(update({ id: elsewhere.id, expectedVersion: 1, channel: "main" }))).toMatchObject([refused]);
    expect(await errorsOf(update({ id: first.id, expectedVersion: 1, playlistId: long }))).toMatchObject([
      { extensions: { code: "SCHEDULE_OVERLAP", schedule: { startsAt: "2030-02-01T08:30:00.000Z" } } },
    ]);
    expect(await dump(lectern.database)).toEqual(before);
  });

  it("is not changed by an editor who has not seen its current version", async () => {
    const { id } = await create({ startsAt: "2030-03-01T08:00:00Z" });
    await update({ id, expectedVersion: 1, startsAt: "2030-03-01T09:00:00Z" });
    const before = await dump(lectern.database);
    const conflict = {
      message: "The schedule is now at version 2.",
      extensions: {
        code: "CONFLICT",
        currentVersion: 2,
        inputPath: ["input", "expectedVersion"],
        current: { id, startsAt: "2030-03-01T09:00:00.000Z", endsAt: "2030-03-01T09:30:00.000Z", version: 2 },
      },
    };
    const late = { id, expectedVersion: 1 };
    expect(await errorsOf(update({ ...late, startsAt: "2030-03-01T10:00:00Z" }))).toMatchObject([conflict]);
    expect(await errorsOf(ed.client.request(Delete, { input: late }))).toMatchObject([conflict]);
    expect(await dump(lectern.database)).toEqual(before);
    // Nothing to change, so nothing is written.
    expect(await update({ id, expectedVersion: 2 })).toMatchObject({ version: 2 });
    expect(await dump(lectern.database)).toEqual(before);
  });

  it("needs a playlist with tracks", async () => {
    const empty = await playlist("Nothing yet");
    const { id } = await create({ startsAt: "2030-03-02T08:00:00Z" });
    const before = await dump(lectern.database);
    const isEmpty = {
      message: 'The playlist "Nothing yet" is empty, so it cannot be scheduled: add tracks first.',
      extensions: { code: "INVALID_STATE", inputPath: ["input", "playlistId"] },
    };
    const isMissing = { extensions: { code: "NOT_FOUND", inputPath: ["input", "playlistId"] } };
    const missing = globalIdOf("Playlist", uuidOf(id));
    const startsAt = "2030-03-02T12:00:00Z";
    expect(await errorsOf(create({ startsAt, playlistId: empty }))).toMatchObject([isEmpty]);
    expect(await errorsOf(create({ startsAt, playlistId: missing }))).toMatchObject([isMissing]);
    expect(await errorsOf(update({ id, expectedVersion: 1, playlistId: empty }))).toMatchObject([isEmpty]);
    expect(await errorsOf(update({ id, expectedVersion: 1, playlistId: missing }))).toMatchObject([isMissing]);
    expect(await dump(lectern.database)).toEqual(before);
  });

  it("is changed by editors only", async () => {
    const { id } = await create({ startsAt: "2030-03-03T08:00:00Z" });
    const before = await dump(lectern.database);
    const input = { playlistId: short, channel: "main", startsAt: "2030-03-03T12:00:00Z" };
    for (const request of [
      () => vera.client.request(Create, { input }),
      () => vera.client.request(Update, { input: { id, expectedVersion: 1, channel: "mine" } }),
      () => vera.client.request(Delete, { input: { id } }),
    ]) {
      expect(await errorsOf(request())).toMatchObject([{ extensions: { code: "FORBIDDEN" } }]);
    }
    expect(await dump(lectern.database)).toEqual(before);
  });

  it("is undone when a later field of its operation fails", async () => {
    const before = await dump(lectern.database);
    const both = `mutation ($input: CreateScheduleInput!) {
      first: createSchedule(input: $input) { schedule { id } }
      second: createSchedule(input: $input) { schedule { id } }
    }`;
    const input = { playlistId: short, channel: "main", startsAt: "2030-03-04T08:00:00Z" };
    const errors = await errorsOf(ed.client.request(both, { input }));
    expect(errors.map(({ path, extensions: { code } }) => [path, code])).toEqual([
      [["second"], "SCHEDULE_OVERLAP"],
      [["first"], "ROLLED_BACK"],
    ]);
    expect(await dump(lectern.database)).toEqual(before);
  });
});

describe("the list of schedules", () => {
  it("has those that overlap a time, in pages by their start", async () => {
    const channel = "listed";
    for (const hour of ["12", "08", "10", "09"]) await create({ channel, startsAt: `2030-04-01T${hour}:00:00Z` });
    await create({ channel: "another", startsAt: "2030-04-01T08:00:00Z" });
    expect(startsOf(await list({ channel }))).toEqual(["08:00", "09:00", "10:00", "12:00"]);
    const from = "2030-04-01T08:29:59.999Z";
    expect(startsOf(await list({ channel, from, to: "2030-04-01T10:00:00.001Z" }))).toEqual([
      "08:00",
      "09:00",
      "10:00",
    ]);
    expect(startsOf(await list({ channel, from: "2030-04-01T08:30:00Z", to: "2030-04-01T10:00:00Z" }))).toEqual([
      "09:00",
    ]);
    const first = await list({ channel, from, first: 2 });
    expect([startsOf(first), first.totalCount, first.pageInfo.hasNextPage]).toEqual([["08:00", "09:00"], 4, true]);
    const { endCursor } = first.pageInfo;
    expect(startsOf(await list({ channel, from, first: 2, after: endCursor ?? "" }))).toEqual(["10:00", "12:00"]);
  });

  it("has one that began nearly a week ago and still plays", async () => {
    const channel = "marathon";
    const playlistId = await playlist("Marathon", 302_400, 302_400);
    await create({ channel, playlistId, startsAt: "2030-05-01T00:00:00Z" });
    expect((await list({ channel, from: "2030-05-07T23:59:59.999Z" })).totalCount).toBe(1);
    expect((await list({ channel, from: "2030-05-08T00:00:00Z" })).totalCount).toBe(0);
  });

  it("refuses a time that ends before it begins, and texts that are no channel", async () => {
    const noTime = { from: "2030-04-02T00:00:00Z", to: "2030-04-02T00:00:00Z" };
    expect(await errorsOf(list(noTime))).toMatchObject([{ extensions: { code: "BAD_USER_INPUT", inputPath: ["to"] } }]);
    expect(await errorsOf(list({ channel: "\0" }))).toMatchObject([
      { extensions: { code: "BAD_USER_INPUT", inputPath: ["channel"] } },
    ]);
  });

  it("of one playlist is a field of it", async () => {
    const id = await playlist("Twice a day", 60);
    await create({ playlistId: id, channel: "a", startsAt: "2030-06-01T08:00:00Z" });
    await create({ playlistId: id, channel: "b", startsAt: "2030-06-01T18:00:00Z" });
    const all = await vera.client.request(OfPlaylist, { id });
    expect(all.playlist?.schedules.nodes).toEqual([
      { channel: "a", startsAt: "2030-06-01T08:00:00.000Z" },
      { channel: "b", startsAt: "2030-06-01T18:00:00.000Z" },
    ]);
    const later = await vera.client.request(OfPlaylist, { id, from: "2030-06-01T12:00:00Z" });
    expect(later.playlist?.schedules.nodes).toMatchObject([{ channel: "b" }]);
  });
});
