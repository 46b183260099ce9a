/** The rules of playlists that the database keeps by itself, for an editor or a worker in any program. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { withClient } from "../../src/database/with-client.ts";
import { urlAs } from "../../src/postgres/roles.ts";
import type { TestDatabase } from "../support/database.ts";
import { dump } from "../support/dump.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { addAudio, addPlaylist, addTrack, claim, complete, decode, refusalOf } from "../support/playlist-rows.ts";
import { addUser } from "../support/rows.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await freshDatabase();
  await addUser(database);
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.query("delete from playlists");
  await database.query("delete from audio");
});

const read = async (playlist: string) =>
  (
    await database.query("select track_count tracks, duration_ms ms, version from playlists where id = $1", [playlist])
  )[0];
const durations = async (playlist: string) =>
  (
    await database.query("select duration_ms from playlist_tracks where playlist_id = $1 order by rank", [playlist])
  ).map(({ duration_ms }) => duration_ms);
const insertAll = `
  insert into playlist_tracks (playlist_id, audio_id, rank)
  select p.id, a.id, 'r' || n from unnest($1::uuid[]) p(id), unnest($2::uuid[]) with ordinality a(id, n)`;

describe("the sums of a playlist", () => {
  it("are zero at first, whatever somebody inserts", async () => {
    const id = await addPlaylist(database);
    expect(await read(id)).toEqual({ tracks: 0, ms: 0, version: 1 });
    const [said] = await database.query(
      `insert into playlists (name, owner_id, track_count, duration_ms) select 'Said', owner_id, 7, 7000 from playlists
       returning track_count tracks, duration_ms ms`,
    );
    expect(said).toEqual({ tracks: 0, ms: 0 });
  });

  it("follow every statement on the tracks, and each raises the version by one", async () => {
    const id = await addPlaylist(database);
    const [short, long] = [await addAudio(database, 1_000), await addAudio(database, 20_000)];
    await addTrack(database, id, short, "b");
    expect(await read(id)).toEqual({ tracks: 1, ms: 1_000, version: 2 });
    await database.query(insertAll, [[id], [short, long, long]]);
    expect(await read(id)).toEqual({ tracks: 4, ms: 42_000, version: 3 });
    await database.query("update playlist_tracks set rank = 'z' where rank = 'b'");
    expect(await read(id)).toEqual({ tracks: 4, ms: 42_000, version: 4 });
    await database.query("delete from playlist_tracks where audio_id = $1", [long]);
    expect(await read(id)).toEqual({ tracks: 2, ms: 2_000, version: 5 });
    await database.query("delete from playlist_tracks where audio_id = $1", [long]);
    expect(await read(id)).toEqual({ tracks: 2, ms: 2_000, version: 5 });
  });

  it("follow one statement on the tracks of several playlists", async () => {
    const [one, two, other] = [await addPlaylist(database), await addPlaylist(database), await addPlaylist(database)];
    const audio = await addAudio(database, 1_000);
    await database.query(insertAll, [
      [one, two],
      [audio, audio],
    ]);
    for (const id of [one, two]) expect(await read(id)).toEqual({ tracks: 2, ms: 2_000, version: 2 });
    expect(await read(other)).toEqual({ tracks: 0, ms: 0, version: 1 });
    await database.query("delete from playlist_tracks where rank = 'r1'");
    for (const id of [one, two]) expect(await read(id)).toEqual({ tracks: 1, ms: 1_000, version: 3 });
  });

  it("follow a track that goes to another playlist", async () => {
    const [from, to] = [await addPlaylist(database, [1_000, 20_000]), await addPlaylist(database, [300])];
    await database.query("update playlist_tracks set playlist_id = $2 where playlist_id = $1 and rank = 'a1'", [
      from,
      to,
    ]);
    expect(await read(from)).toMatchObject({ tracks: 1, ms: 1_000 });
    expect(await read(to)).toMatchObject({ tracks: 2, ms: 20_300 });
  });

  it("are summed up again when somebody writes others", async () => {
    const id = await addPlaylist(database, [1_000]);
    await database.query("update playlists set duration_ms = 5, track_count = 9");
    expect(await read(id)).toEqual({ tracks: 1, ms: 1_000, version: 3 });
  });

  it("stay as they are when the statement fails or is undone", async () => {
    const id = await addPlaylist(database, [1_000]);
    const audio = await addAudio(database);
    const before = await dump(database);
    await expect(database.query(insertAll, [[id, id], [audio]])).rejects.toMatchObject({ code: "23505" });
    await withClient(database.url, async (client) => {
      await client.query("begin");
      await addTrack(client, id, audio);
      await client.query("rollback");
    });
    expect(await dump(database)).toEqual(before);
  });
});

describe("the duration of a track", () => {
  it("is that of its audio, and follows when the audio is decoded again", async () => {
    const audio = await addAudio(database, 1_000);
    const [twice, once, without] = [
      await addPlaylist(database),
      await addPlaylist(database),
      await addPlaylist(database),
    ];
    await database.query(insertAll, [[twice], [audio, audio]]);
    await addTrack(database, once, audio);
    await database.query("update audio set status = 'PENDING'");
    await decode(database, audio, 1_500);
    expect(await durations(twice)).toEqual([1_500, 1_500]);
    expect(await read(twice)).toEqual({ tracks: 2, ms: 3_000, version: 3 });
    expect(await read(once)).toEqual({ tracks: 1, ms: 1_500, version: 3 });
    expect(await read(without)).toEqual({ tracks: 0, ms: 0, version: 1 });
  });

  it("stays that of the former file until another one has been decoded", async () => {
    const id = await addPlaylist(database, [1_000]);
    const [audio] = await database.query("select id from audio");
    await database.query("update audio set status = 'PENDING', storage_key = $1", [randomUUID()]);
    expect(await database.query("select duration_ms from audio")).toEqual([{ duration_ms: null }]);
    expect(await durations(id)).toEqual([1_000]);
    await database.query("update playlist_tracks set duration_ms = 5");
    expect(await read(id)).toMatchObject({ ms: 1_000 });
    await decode(database, audio?.id as string, 2_500);
    expect(await durations(id)).toEqual([2_500]);
    expect(await read(id)).toMatchObject({ ms: 2_500 });
  });

  it("changes no version when the audio is as long as before", async () => {
    const id = await addPlaylist(database, [1_000]);
    const [audio] = await database.query("select id from audio");
    await database.query("update audio set status = 'PENDING', storage_key = $1", [randomUUID()]);
    await decode(database, audio?.id as string, 1_000);
    expect(await read(id)).toEqual({ tracks: 1, ms: 1_000, version: 2 });
  });

  it("is nobody else's to say", async () => {
    const id = await addPlaylist(database, [1_000]);
    await database.query("update playlist_tracks set duration_ms = 5");
    expect(await durations(id)).toEqual([1_000]);
    await database.query(
      "insert into playlist_tracks (playlist_id, audio_id, rank, duration_ms) select $1, id, 'z', 5 from audio",
      [id],
    );
    expect(await durations(id)).toEqual([1_000, 1_000]);
  });
});

describe("an audio in a playlist", () => {
  it.each(["PENDING", "PROCESSING"])("is none that is %s", async (status) => {
    const audio = await addAudio(database, 1_000);
    const id = await addPlaylist(database, [2_000]);
    await database.query("update audio set status = 'PENDING' where id = $1", [audio]);
    if (status === "PROCESSING") await claim(database, audio);
    const before = await dump(database);
    const [{ title } = {}] = await database.query("select title from audio where id = $1", [audio]);
    const refusal = {
      code: "INVALID_STATE",
      message: `The audio "${title}" is ${status}. A playlist takes it when it is COMPLETED.`,
    };
    expect(await refusalOf(addTrack(database, id, audio))).toEqual(refusal);
    expect(await refusalOf(database.query("update playlist_tracks set audio_id = $1", [audio]))).toEqual(refusal);
    expect(await dump(database)).toEqual(before);
  });

  it("stays a track while it is decoded again, and can be moved", async () => {
    const id = await addPlaylist(database, [1_000]);
    await database.query("update audio set status = 'PENDING'");
    await database.query("update playlist_tracks set rank = 'z'");
    expect(await read(id)).toMatchObject({ tracks: 1, ms: 1_000 });
  });

  it("cannot be deleted, and one that does not exist is no track", async () => {
    const id = await addPlaylist(database, [1_000]);
    const before = await dump(database);
    await expect(database.query("delete from audio")).rejects.toMatchObject({
      constraint: "playlist_tracks_audio_id_fkey",
    });
    await expect(addTrack(database, id, randomUUID())).rejects.toMatchObject({
      constraint: "playlist_tracks_audio_id_fkey",
    });
    const [audio] = await database.query("select id from audio");
    await expect(addTrack(database, randomUUID(), audio?.id as string)).rejects.toMatchObject({
      constraint: "playlist_tracks_playlist_id_fkey",
    });
    expect(await dump(database)).toEqual(before);
    await database.query("delete from playlists");
    await database.query("delete from audio");
    expect(await database.query("select 1 from playlist_tracks")).toEqual([]);
  });

  it.each(["", "a b", "ä", "x".repeat(101)])("has no rank such as %j", async (rank) => {
    const audio = await addAudio(database);
    await expect(addTrack(database, await addPlaylist(database), audio, rank)).rejects.toMatchObject({
      constraint: "playlist_tracks_rank_form",
    });
  });

  it("is ordered by bytes: capitals before small letters", async () => {
    const id = await addPlaylist(database);
    const audio = await addAudio(database);
    for (const rank of ["a", "B", "Z", "z", "1"]) await addTrack(database, id, audio, rank);
    const rows = await database.query("select rank from playlist_tracks order by rank");
    expect(rows.map(({ rank }) => rank)).toEqual(["1", "B", "Z", "a", "z"]);
  });
});

describe("a playlist holds at most", () => {
  it("5000 tracks", async () => {
    const id = await addPlaylist(database);
    const audio = await addAudio(database, 10);
    const fill =
      "insert into playlist_tracks (playlist_id, audio_id, rank) select $1, $2, 'f' || n from generate_series(1, $3) n";
    await database.query(fill, [id, audio, 5_000]);
    expect(await read(id)).toMatchObject({ tracks: 5_000, ms: 50_000 });
    const before = await dump(database);
    expect(await refusalOf(addTrack(database, id, audio))).toEqual({
      code: "INVALID_STATE",
      message: 'The playlist "Morning" would have 5001 tracks: 5000 is the maximum.',
    });
    expect(await dump(database)).toEqual(before);
  });

  it("a week of sound, also when a worker finds its audio longer", async () => {
    const week = 7 * 86_400_000;
    const id = await addPlaylist(database, [week - 1_000]);
    const audio = await addAudio(database, 1_000);
    await addTrack(database, id, audio);
    expect(await read(id)).toMatchObject({ ms: week });
    await database.query("update audio set status = 'PENDING' where id = $1", [audio]);
    await claim(database, audio);
    const before = await dump(database);
    const refusal = {
      code: "INVALID_STATE",
      message: 'The playlist "Morning" would last 168.1 hours: a week, 168 hours, is the maximum.',
    };
    expect(await refusalOf(complete(database, audio, 1_001))).toEqual(refusal);
    expect(await refusalOf(addTrack(database, id, await addAudio(database, 1)))).toEqual(refusal);
    await database.query("delete from audio where duration_ms = 1");
    const { outbox: _, ...after } = await dump(database);
    const { outbox: __, ...unchanged } = before;
    expect(after).toEqual(unchanged);
  });
});

it("a change of a playlist or of its tracks is one event with the version and the sums", async () => {
  const [audio, id] = [await addAudio(database, 1_000), await addPlaylist(database)];
  const [{ position } = {}] = await database.query("select max(position) as position from outbox");
  await database.query(insertAll, [[id], [audio, audio]]);
  await database.query("update playlist_tracks set rank = 'z' where rank = 'r1'");
  await database.query("update playlists set name = 'Evening'");
  await database.query("delete from playlists");
  const events = await database.query(
    "select topic, row_id as id, payload from outbox where position > $1 order by position",
    [position],
  );
  const state = (version: number, trackCount: number) => ({ version, trackCount, durationMs: trackCount * 1_000 });
  expect(events).toEqual(
    [
      { change: "updated", ...state(2, 2), before: state(1, 0) },
      { change: "updated", ...state(3, 2), before: state(2, 2) },
      { change: "updated", ...state(4, 2), before: state(3, 2) },
      { change: "deleted", ...state(4, 2) },
    ].map((payload) => ({ topic: "playlist", id, payload })),
  );
});

it("the server writes neither sums nor durations, nor the audio of a track", async () => {
  const id = await addPlaylist(database, [1_000]);
  const audio = await addAudio(database, 2_000);
  await withClient(urlAs(database.url, "lectern_server"), async (server) => {
    for (const forbidden of [
      "update playlists set duration_ms = duration_ms",
      "update playlists set track_count = track_count",
      "update playlists set version = 1",
      "update playlists set owner_id = owner_id",
      "update playlist_tracks set duration_ms = 1",
      "update playlist_tracks set audio_id = audio_id",
      "update playlist_tracks set playlist_id = playlist_id",
      "insert into playlists (name, owner_id, duration_ms) select name, owner_id, 1 from playlists",
      "insert into playlist_tracks (playlist_id, audio_id, rank, duration_ms) select playlist_id, audio_id, 'z', 1 from playlist_tracks",
      "select refuse('NOT_FOUND', 'No.')",
      "select change_playlists('{}')",
    ]) {
      await expect(server.query(forbidden), forbidden).rejects.toMatchObject({ code: "42501" });
    }
    await addTrack(server, id, audio);
    await server.query("update playlist_tracks set rank = 'z' where audio_id = $1", [audio]);
    await server.query("update playlists set name = 'Evening'");
    expect(await read(id)).toEqual({ tracks: 2, ms: 3_000, version: 5 });
    await server.query("delete from playlist_tracks where audio_id = $1", [audio]);
    expect(await read(id)).toEqual({ tracks: 1, ms: 1_000, version: 6 });
  });
});
