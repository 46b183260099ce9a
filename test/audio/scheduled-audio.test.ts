/** An audio that playlists contain: another file and the deletion, while schedules depend on its duration. */
import { print } from "graphql";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { withClient } from "../../src/database/with-client.ts";
import { graphql } from "../support/client/generated/gql.ts";
import type { UploadAudioInput, UploadForPlaylistMutation } from "../support/client/generated/graphql.ts";
import { uuidOf } from "../support/global-ids.ts";
import { errorsOf, type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { makeMp3 } from "../support/sounds.ts";
import { until } from "../support/until.ts";
import { sendSource } from "../support/upload.ts";

let lectern: Lectern;
let edith: Person;

beforeAll(async () => {
  lectern = await startLectern({ worker: true });
  edith = await lectern.person("Edith", "EDITOR");
});
afterAll(() => lectern.stop());

const Upload = graphql(`
  mutation UploadForPlaylist($input: UploadAudioInput!) {
    uploadAudio(input: $input) { audio { id } }
  }
`);
const Replace = `mutation($input: ReplaceAudioFileInput!) { replaceAudioFile(input: $input) { audio { id } } }`;
const Reprocess = graphql(`
  mutation ReprocessInPlaylist($id: ID!) { reprocessAudio(input: { id: $id }) { audio { status } } }
`);
const Delete = graphql(`
  mutation DeleteFromPlaylist($input: DeleteAudioInput!) {
    deleteAudio(input: $input) { deletedId movedSchedules { id version startsAt endsAt } }
  }
`);
const Read = graphql(`
  query ReadInPlaylist($id: ID!) { audio(id: $id) { version status failure durationMs attempts } }
`);

let hertz = 300;
/** A sound that no other test has. */
const song = (seconds: number) => new File([new Uint8Array(makeMp3({ seconds, frequency: hertz++ }))], "song.mp3");

async function upload(seconds: number, input: Partial<UploadAudioInput> = {}): Promise<string> {
  const query = print(Upload);
  const { data, errors } = await sendSource<UploadForPlaylistMutation>(lectern, edith, {
    query,
    input,
    file: song(seconds),
  });
  if (!data) throw new Error(JSON.stringify(errors));
  await lectern.settled();
  return data.uploadAudio.audio.id;
}
async function replace(id: string, seconds: number): Promise<void> {
  const { version: expectedVersion } = await read(id);
  const { errors } = await sendSource(lectern, edith, {
    query: Replace,
    input: { id, expectedVersion },
    file: song(seconds),
  });
  expect(errors).toBeUndefined();
}
async function read(id: string) {
  const { audio } = await edith.client.request(Read, { id });
  return audio ?? expect.unreachable("The audio is there.");
}

const MakePlaylist = graphql(`
  mutation MakePlaylistOfAudio($name: String!, $audioIds: [ID!]) {
    createPlaylist(input: { name: $name, audioIds: $audioIds }) { playlist { id } }
  }
`);
const MakeSchedule = graphql(`
  mutation ScheduleAudio($playlistId: ID!, $channel: String!, $startsAt: DateTime!) {
    createSchedule(input: { playlistId: $playlistId, channel: $channel, startsAt: $startsAt }) { schedule { id version } }
  }
`);
const MoveSchedule = graphql(`
  mutation MoveScheduleAway($input: UpdateScheduleInput!) { updateSchedule(input: $input) { schedule { version } } }
`);
const ReadPlaylist = graphql(`
  query ReadPlaylistOfAudio($id: ID!) {
    playlist(id: $id) { version trackCount durationMs schedules { nodes { id version startsAt endsAt } } }
  }
`);

async function playlistOf(name: string, ...audioIds: string[]): Promise<string> {
  return (await edith.client.request(MakePlaylist, { name, audioIds })).createPlaylist.playlist.id;
}
async function schedule(playlistId: string, channel: string, startsAt: string) {
  return (await edith.client.request(MakeSchedule, { playlistId, channel, startsAt })).createSchedule.schedule;
}
async function readPlaylist(id: string) {
  return (await edith.client.request(ReadPlaylist, { id })).playlist ?? expect.unreachable("The playlist is there.");
}
/** Of the playlist, and of its only schedule. */
async function lengthsOf(playlistId: string): Promise<{ playlist: number; schedule: number }> {
  const { durationMs, schedules } = await readPlaylist(playlistId);
  const [slot] = schedules.nodes;
  return { playlist: durationMs, schedule: Date.parse(slot?.endsAt ?? "") - Date.parse(slot?.startsAt ?? "") };
}
const query = (text: string, values?: unknown[]) => lectern.database.query(text, values);

describe("another file", () => {
  it("of another duration moves the ends of the schedules when it has been decoded, and not before", async () => {
    const id = await upload(1);
    const playlist = await playlistOf("Morning", id);
    await schedule(playlist, "Radio 1", "2030-01-01T08:00:00Z");
    const former = (await read(id)).durationMs as number;
    expect(await lengthsOf(playlist)).toEqual({ playlist: former, schedule: former });

    // Makes the worker wait before it can complete the audio.
    const holder = new pg.Client({ connectionString: lectern.database.url });
    await holder.connect();
    onTestFinished(() => holder.end());
    await holder.query("begin");
    await holder.query("lock table playlist_tracks in share mode");
    await replace(id, 3);
    expect(await lengthsOf(playlist)).toEqual({ playlist: former, schedule: former });
    await until(async () => {
      const waiting = "select 1 from pg_locks where relation = 'playlist_tracks'::regclass and not granted";
      return (await query(waiting)).length > 0;
    }, "the worker waits to complete the audio");
    expect(await lengthsOf(playlist)).toEqual({ playlist: former, schedule: former });
    await holder.query("commit");

    await lectern.settled();
    const { status, durationMs } = await read(id);
    expect([status, durationMs]).toEqual(["COMPLETED", expect.any(Number)]);
    expect(Math.abs((durationMs as number) - 3_000)).toBeLessThanOrEqual(50);
    expect(await lengthsOf(playlist)).toEqual({ playlist: durationMs, schedule: durationMs });
  });

  it("that would make schedules overlap FAILS at once, and says which one is in the way", async () => {
    const id = await upload(1);
    const [morning, noon] = [await playlistOf("Early", id), await playlistOf("Noon", await upload(1))];
    await schedule(morning, "Radio 2", "2030-01-01T08:00:00Z");
    const inTheWay = await schedule(noon, "Radio 2", "2030-01-01T08:00:02Z");
    const former = await lengthsOf(morning);

    await replace(id, 3);
    await lectern.settled();
    const failed = await read(id);
    expect(failed).toMatchObject({ status: "FAILED", durationMs: null, attempts: 1 });
    expect(failed.failure).toMatch(
      /^The schedule from 2030-01-01T08:00:00.000Z to 2030-01-01T08:00:0[23].\d{3}Z would overlap that of the playlist "Noon" from 2030-01-01T08:00:02.000Z to 2030-01-01T08:00:03.\d{3}Z on the channel "Radio 2": choose another time, or move that one.$/,
    );
    // Nothing has moved.
    expect(await lengthsOf(morning)).toEqual(former);

    const input = { id: inTheWay.id, expectedVersion: inTheWay.version, startsAt: "2030-01-01T08:00:10Z" };
    await edith.client.request(MoveSchedule, { input });
    await edith.client.request(Reprocess, { id });
    await lectern.settled();
    const { status, durationMs, failure } = await read(id);
    expect([status, failure]).toEqual(["COMPLETED", null]);
    expect(await lengthsOf(morning)).toEqual({ playlist: durationMs, schedule: durationMs });
  });

  it("of a shorter sound ends the schedules earlier", async () => {
    const id = await upload(3);
    const playlist = await playlistOf("Short", id);
    await schedule(playlist, "Radio 3", "2030-01-01T08:00:00Z");
    await replace(id, 1);
    await lectern.settled();
    const { durationMs } = await read(id);
    expect(Math.abs((durationMs as number) - 1_000)).toBeLessThanOrEqual(50);
    expect(await lengthsOf(playlist)).toEqual({ playlist: durationMs, schedule: durationMs });
  });
});

describe("the deletion of an audio", () => {
  it("is refused while playlists contain it, by their names, and takes it out of them if that is asked for", async () => {
    const [id, other] = [await upload(1), await upload(2)];
    const [first, second] = [await playlistOf("First", id, other, id), await playlistOf("Second", other, id)];
    await schedule(first, "Radio 4", "2030-01-01T08:00:00Z");
    const before = await lengthsOf(first);
    const [refusal] = await errorsOf(edith.client.request(Delete, { input: { id } }));
    expect(refusal).toMatchObject({ extensions: { code: "INVALID_STATE", inputPath: ["input", "id"] } });
    expect(refusal?.message).toMatch(/First.*Second/);
    expect(await lengthsOf(first)).toEqual(before);

    const { deleteAudio } = await edith.client.request(Delete, { input: { id, removeFromPlaylists: true } });
    const { durationMs } = await read(other);
    const [slot] = (await readPlaylist(first)).schedules.nodes;
    expect(deleteAudio).toEqual({ deletedId: id, movedSchedules: [slot] });
    expect(await lengthsOf(first)).toEqual({ playlist: durationMs, schedule: durationMs });
    expect(await readPlaylist(first)).toMatchObject({ trackCount: 1, version: 3 });
    expect(await readPlaylist(second)).toMatchObject({ trackCount: 1, version: 3, durationMs });
  });

  it("is refused if a playlist would become empty that a schedule plays", async () => {
    const id = await upload(1);
    const playlist = await playlistOf("Only one", id);
    await schedule(playlist, "Radio 5", "2030-01-01T08:00:00Z");
    const before = await readPlaylist(playlist);
    const [refusal] = await errorsOf(edith.client.request(Delete, { input: { id, removeFromPlaylists: true } }));
    expect(refusal?.extensions.code).toBe("INVALID_STATE");
    expect(refusal?.message).toContain('The playlist "Only one" is scheduled, so it cannot become empty');
    expect(await readPlaylist(playlist)).toEqual(before);
    expect((await read(id)).status).toBe("COMPLETED");
  });

  const addTrack = "insert into playlist_tracks (playlist_id, audio_id, rank) values ($1, $2, 'V')";

  it("waits for a playlist that is taking it, and is then refused", async () => {
    const id = await upload(1);
    const playlist = await playlistOf("Taking it");
    await withClient(lectern.database.url, async (other) => {
      await other.query("begin");
      await other.query(addTrack, [uuidOf(playlist), uuidOf(id)]);
      const deletion = errorsOf(edith.client.request(Delete, { input: { id } }));
      await untilSomebodyWaits();
      await other.query("commit");
      expect((await deletion)[0]).toMatchObject({ extensions: { code: "INVALID_STATE", inputPath: ["input", "id"] } });
    });
    expect((await read(id)).status).toBe("COMPLETED");
    expect(await readPlaylist(playlist)).toMatchObject({ version: 2, trackCount: 1 });
  });

  it("that has begun makes a playlist that would take it wait, and fail", async () => {
    const id = await upload(1);
    const playlist = await playlistOf("Too late");
    const track = graphql(`
      mutation AddDeletedAudio($playlistId: ID!, $id: ID!) {
        addTracks(input: { playlistId: $playlistId, audioIds: [$id] }) { playlist { version } }
      }
    `);
    await withClient(lectern.database.url, async (other) => {
      await other.query("begin");
      await other.query("delete from audio where id = $1", [uuidOf(id)]);
      const taking = errorsOf(edith.client.request(track, { playlistId: playlist, id }));
      await untilSomebodyWaits();
      await other.query("commit");
      expect((await taking)[0]?.extensions.code).toBe("NOT_FOUND");
    });
    expect(await readPlaylist(playlist)).toMatchObject({ version: 1, trackCount: 0 });
  });

  it("has the foreign key as its last guard, whose refusal is as clear", async () => {
    const [id, { run }] = [await upload(1), lectern.application];
    await playlistOf("Guarded", id);
    const deletion = run({ name: "delete past the rules" }, ({ audio }) => audio.delete(uuidOf(id)));
    await expect(deletion).rejects.toMatchObject({
      code: "INVALID_STATE",
      message: "Playlists contain the audio: remove its tracks first, or set removeFromPlaylists.",
      details: { inputPath: ["input", "id"] },
    });
  });

  const untilSomebodyWaits = () =>
    until(
      async () =>
        (await query("select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"))
          .length > 0,
      "one waits for the lock of the other",
    );
});
