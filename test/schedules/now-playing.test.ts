/** The track that plays on a channel, and schedules that follow their playlist, through the public API. */
import { print } from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { traced } from "../support/budget.ts";
import { graphql } from "../support/client/generated/gql.ts";
import { dump } from "../support/dump.ts";
import { globalIdOf, uuidOf } from "../support/global-ids.ts";
import { errorsOf, type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { addAudio, addPlaylist } from "../support/playlist-rows.ts";

let lectern: Lectern;
let ed: Person;
let vera: Person;

beforeAll(async () => {
  lectern = await startLectern({ housekeeping: false });
  ed = await lectern.person("Ed", "EDITOR");
  vera = await lectern.person("Vera");
});
afterAll(() => lectern.stop());

const minute = 60_000;
const NowPlaying = graphql(`
  query NowPlaying($channel: String!) {
    nowPlaying(channel: $channel) {
      offsetMs trackStartsAt trackEndsAt
      track { position durationMs audio { title } playlist { name } }
      schedule { id channel startsAt endsAt }
    }
  }
`);
const Schedule = graphql(`
  mutation SchedulePlaying($input: CreateScheduleInput!) { createSchedule(input: $input) { schedule { id endsAt } } }
`);
const Tracks = graphql(`
  query TracksPlaying($id: ID!) { playlist(id: $id) { tracks { nodes { id audio { id title } } } } }
`);
const Add = graphql(`
  mutation AddWhilePlaying($input: AddTracksInput!) {
    addTracks(input: $input) { movedSchedules { id channel endsAt version playlist { durationMs } } }
  }
`);
const ScheduleAndAdd = graphql(`
  mutation ScheduleAndAdd($past: CreateScheduleInput!, $future: CreateScheduleInput!, $tracks: AddTracksInput!) {
    past: createSchedule(input: $past) { schedule { id } }
    future: createSchedule(input: $future) { schedule { id } }
    addTracks(input: $tracks) { movedSchedules { id startsAt endsAt } }
  }
`);
const Remove = graphql(`
  mutation RemoveWhilePlaying($input: RemoveTrackInput!) {
    removeTrack(input: $input) { movedSchedules { id endsAt } }
  }
`);
const DeleteAudio = graphql(`
  mutation DeleteWhilePlaying($input: DeleteAudioInput!) {
    deleteAudio(input: $input) { movedSchedules { id endsAt } }
  }
`);

const nowOn = async (channel: string) => (await vera.client.request(NowPlaying, { channel })).nowPlaying;
const playlistOf = async (...minutes: number[]) =>
  globalIdOf(
    "Playlist",
    await addPlaylist(
      lectern.database,
      minutes.map((each) => each * minute),
    ),
  );
const tracksOf = async (id: string) => (await ed.client.request(Tracks, { id })).playlist?.tracks.nodes ?? [];
const schedule = async (playlistId: string, channel: string, startsAt: string | Date) => {
  const input = { playlistId, channel, startsAt: new Date(startsAt).toISOString() };
  return (await ed.client.request(Schedule, { input })).createSchedule.schedule;
};
const ago = (minutes: number) => new Date(Date.now() - minutes * minute);
const iso = (start: Date, minutes: number) => new Date(start.getTime() + minutes * minute).toISOString();

const DeletePlaylist = graphql(`
  mutation DeletePlaying($input: DeletePlaylistInput!) { deletePlaylist(input: $input) { deletedId } }
`);

describe("now playing", () => {
  it("is the track that has begun and not ended, with the position in it", async () => {
    const playlist = await playlistOf(10, 20, 30);
    const start = ago(15);
    const { id } = await schedule(playlist, "main", start);
    const before = Date.now();
    const playing = await nowOn("main");
    const elapsed = Date.now() - before;
    expect(playing).toEqual({
      offsetMs: expect.any(Number),
      trackStartsAt: iso(start, 10),
      trackEndsAt: iso(start, 30),
      track: {
        position: 1,
        durationMs: 20 * minute,
        audio: { title: (await tracksOf(playlist))[1]?.audio.title },
        playlist: { name: "Morning" },
      },
      schedule: { id, channel: "main", startsAt: start.toISOString(), endsAt: iso(start, 60) },
    });
    const expected = before - start.getTime() - 10 * minute;
    expect(playing?.offsetMs).toBeGreaterThanOrEqual(expected);
    expect(playing?.offsetMs).toBeLessThanOrEqual(expected + elapsed);
  });

  it("is nothing before the first schedule, between two, and after the last one", async () => {
    const playlist = await playlistOf(10);
    await schedule(playlist, "quiet", ago(11));
    expect(await nowOn("quiet")).toBeNull();
    await schedule(playlist, "quiet", ago(-60));
    expect(await nowOn("quiet")).toBeNull();
    expect(await nowOn("no channel that anybody knows")).toBeNull();
  });

  it("is read with all that is asked of it in one round trip", async () => {
    const playlist = await playlistOf(60);
    await schedule(playlist, "counted", ago(1));
    const { data, cost } = await traced(lectern, vera, print(NowPlaying), { channel: "counted" });
    expect(data).toMatchObject({ nowPlaying: { schedule: { channel: "counted" } } });
    expect(cost.roundTrips).toBe(1);
  });

  it("refuses a text that is no channel", async () => {
    expect(await errorsOf(nowOn("\0"))).toMatchObject([
      { extensions: { code: "BAD_USER_INPUT", inputPath: ["channel"] } },
    ]);
  });
});

describe("a change of a playlist", () => {
  it("is heard at once, and tells which schedules end at another time", async () => {
    const playlist = await playlistOf(10, 20, 30);
    const start = ago(15);
    // Has ended, and stays as it is.
    await schedule(playlist, "live", iso(start, -60));
    const playing = await schedule(playlist, "live", start);
    const later = await schedule(playlist, "live", "2100-01-01T08:00:00Z");
    const [first, second] = await tracksOf(playlist);
    const removed = await ed.client.request(Remove, { input: { trackId: first?.id ?? "" } });
    expect(removed.removeTrack.movedSchedules).toEqual([
      { id: playing.id, endsAt: iso(start, 50) },
      { id: later.id, endsAt: "2100-01-01T08:50:00.000Z" },
    ]);
    expect(await nowOn("live")).toMatchObject({
      track: { position: 0, audio: { title: second?.audio.title } },
      trackStartsAt: start.toISOString(),
      trackEndsAt: iso(start, 20),
    });

    const audio = globalIdOf("Audio", await addAudio(lectern.database, 5 * minute));
    const input = { playlistId: playlist, audioIds: [audio, audio], beforeTrackId: second?.id ?? "" };
    const added = await ed.client.request(Add, { input });
    expect(added.addTracks.movedSchedules).toEqual([
      { id: playing.id, channel: "live", endsAt: iso(start, 60), version: 3, playlist: { durationMs: 60 * minute } },
      {
        ...{ id: later.id, channel: "live", endsAt: "2100-01-01T09:00:00.000Z", version: 3 },
        playlist: { durationMs: 60 * minute },
      },
    ]);

    const deletion = { id: audio, removeFromPlaylists: true };
    const deleted = await ed.client.request(DeleteAudio, { input: deletion });
    expect(deleted.deleteAudio.movedSchedules.map(({ endsAt }) => endsAt)).toEqual([
      iso(start, 50),
      "2100-01-01T08:50:00.000Z",
    ]);
  });

  it("that makes two schedules overlap is refused as a whole", async () => {
    const playlist = await playlistOf(30);
    const first = await schedule(playlist, "full", "2100-01-01T08:00:00Z");
    const second = await schedule(playlist, "full", "2100-01-01T08:30:00Z");
    const audio = globalIdOf("Audio", await addAudio(lectern.database, 1));
    const before = await dump(lectern.database);
    const add = ed.client.request(Add, { input: { playlistId: playlist, audioIds: [audio] } });
    const [error] = await errorsOf(add);
    expect(error).toMatchObject({ path: ["addTracks"], extensions: { code: "SCHEDULE_OVERLAP" } });
    expect([first.id, second.id]).toContain(Object(error?.extensions.schedule).id);
    expect(await dump(lectern.database)).toEqual(before);
  });

  it("tells nothing of schedules that were created in the past by the same operation", async () => {
    const playlistId = await playlistOf(30);
    const audio = globalIdOf("Audio", await addAudio(lectern.database, minute));
    const one = await ed.client.request(ScheduleAndAdd, {
      past: { playlistId, channel: "once", startsAt: "2020-01-01T08:00:00Z" },
      future: { playlistId, channel: "once", startsAt: "2100-01-01T08:00:00Z" },
      tracks: { playlistId, audioIds: [audio] },
    });
    expect(one.addTracks.movedSchedules).toEqual([
      { id: one.future.schedule.id, startsAt: "2100-01-01T08:00:00.000Z", endsAt: "2100-01-01T08:31:00.000Z" },
    ]);
  });

  it("that leaves a scheduled playlist without tracks is refused", async () => {
    const playlist = await playlistOf(30);
    await schedule(playlist, "last", "2100-01-01T08:00:00Z");
    const [track] = await tracksOf(playlist);
    const before = await dump(lectern.database);
    expect(await errorsOf(ed.client.request(Remove, { input: { trackId: track?.id ?? "" } }))).toMatchObject([
      { message: expect.stringContaining('"Morning" is scheduled'), extensions: { code: "INVALID_STATE" } },
    ]);
    expect(await dump(lectern.database)).toEqual(before);
  });

  it("deletes it with its schedules, if that is wanted", async () => {
    const id = await playlistOf(30);
    await schedule(id, "gone", ago(60));
    await schedule(id, "gone", "2100-01-01T08:00:00Z");
    await schedule(id, "gone", "2100-01-01T09:00:00Z");
    const before = await dump(lectern.database);
    expect(await errorsOf(ed.client.request(DeletePlaylist, { input: { id } }))).toMatchObject([
      {
        message:
          'The playlist "Morning" has 2 schedules that have not ended, on "gone" (2): delete them first, or with it by `removeSchedules`.',
        extensions: { code: "INVALID_STATE", inputPath: ["input", "id"] },
      },
    ]);
    expect(await dump(lectern.database)).toEqual(before);
    await ed.client.request(DeletePlaylist, { input: { id, removeSchedules: true } });
    const left = await lectern.database.query("select 1 from schedules where playlist_id = $1", [uuidOf(id)]);
    expect(left).toEqual([]);
  });
});
