/** Programs in any language that change schedules at the same time: two on one channel never overlap. */
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { withClient } from "../../src/database/with-client.ts";
import { connectTo, type TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { addAudio, addPlaylist, addTrack, inTurn, untilBlocked, wrongSums } from "../support/playlist-rows.ts";
import { rounds } from "../support/rounds.ts";
import { addUser } from "../support/rows.ts";
import { addSchedule, addSeries, at, insertSchedule } from "../support/schedule-rows.ts";

let database: TestDatabase;
let playlist: string;
let clients: pg.Client[] = [];
const hour = 3_600_000;

beforeAll(async () => {
  database = await freshDatabase();
  await addUser(database);
  await database.query(`alter database ${database.name} set deadlock_timeout = '50ms'`);
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.query("delete from playlists");
  await database.query("delete from audio");
  playlist = await addPlaylist(database, [hour]);
  clients = [await connectTo(database.url), await connectTo(database.url), await connectTo(database.url)];
});
afterEach(async () => {
  for (const client of clients) await client.end();
});

const refusals: Record<string, string[]> = {
  "read committed": ["LT004"],
  // Such a transaction may not see the schedule of the other: the constraint does, at its commit.
  "repeatable read": ["LT004", "23P01", "40001"],
  serializable: ["LT004", "23P01", "40001"],
};
const levels = Object.keys(refusals);

/** Commits the statement, or returns the error's code. */
async function attempt(client: pg.Client, level: string, statement: () => Promise<unknown>): Promise<string> {
  try {
    await client.query(`begin isolation level ${level}`);
    await statement();
    await client.query("commit");
    return "committed";
  } catch (error) {
    await client.query("rollback");
    if (!(error instanceof pg.DatabaseError)) throw error;
    return String(error.code);
  }
}

describe.each(levels)("in %s", (level) => {
  it("of several that want one slot at the same time, exactly one gets it", async () => {
    for (let round = 0; round < rounds(100, 1_500); round++) {
      const start = new Date(at("00:00").getTime() + round * 3 * hour);
      const results = await Promise.all(
        clients.map((client, number) =>
          attempt(client, level, () => insertSchedule(client, playlist, new Date(start.getTime() + number * 60_000))),
        ),
      );
      expect(results.filter((result) => result === "committed")).toEqual(["committed"]);
      const others = results.filter((result) => result !== "committed");
      for (const result of others) expect(refusals[level]).toContain(result);
    }
    expect(await wrongSums(database)).toEqual([]);
  });

  it("of two that move to one slot at the same time, exactly one gets there", async () => {
    const ids = [
      await addSchedule(database, playlist, at("00:00")),
      await addSchedule(database, playlist, at("00:00"), "Two"),
    ];
    for (let round = 1; round <= rounds(50, 1_000); round++) {
      const start = new Date(at("00:00").getTime() + round * 3 * hour);
      const move = "update schedules set channel = 'Three', starts_at = $1 where id = $2";
      const results = await Promise.all(
        ids.map((id, number) => {
          const client = clients[number] as pg.Client;
          return attempt(client, level, () => client.query(move, [start, id]));
        }),
      );
      expect(results).toContain("committed");
      expect(refusals[level]).toContain(results.find((result) => result !== "committed"));
      await database.query("update schedules set channel = id::text");
    }
    expect(await wrongSums(database)).toEqual([]);
  });
});

describe("a schedule and a change of its playlist at the same time", () => {
  const ends = async () =>
    (await database.query("select ends_at as end from schedules order by starts_at")).map(({ end }) => end);

  it("end with the new duration: the change waits for the new schedule", async () => {
    const audio = await addAudio(database, hour);
    await inTurn(
      database,
      (one) => insertSchedule(one, playlist, at("06:00")),
      (two) => addTrack(two, playlist, audio),
      "insert into playlist_tracks",
    );
    expect(await ends()).toEqual([at("08:00")]);
  });

  it("end with the new duration: the new schedule waits for the change", async () => {
    const audio = await addAudio(database, hour);
    await inTurn(
      database,
      (one) => addTrack(one, playlist, audio),
      (two) => insertSchedule(two, playlist, at("06:00")),
      "insert into schedules",
    );
    expect(await ends()).toEqual([at("08:00")]);
  });

  it.each([
    ["moves first", true],
    ["moves second", false],
  ])("end with the new duration when the schedule %s", async (_, isFirst) => {
    await addSchedule(database, playlist, at("06:00"));
    const audio = await addAudio(database, hour);
    const move = (client: pg.Client) => client.query("update schedules set starts_at = $1", [at("10:00")]);
    const change = (client: pg.Client) => addTrack(client, playlist, audio);
    if (isFirst) await inTurn(database, move, change, "insert into playlist_tracks");
    else await inTurn(database, change, move, "update schedules");
    expect(await ends()).toEqual([at("12:00")]);
  });

  it("end with the new duration when the schedule takes the playlist over", async () => {
    await addSchedule(database, await addPlaylist(database, [hour]), at("06:00"));
    const audio = await addAudio(database, hour);
    await inTurn(
      database,
      (one) => one.query("update schedules set playlist_id = $1", [playlist]),
      (two) => addTrack(two, playlist, audio),
      "insert into playlist_tracks",
    );
    expect(await ends()).toEqual([at("08:00")]);
  });

  it("are refused as one after the other, if there is no room for both", async () => {
    const [audio, other] = [await addAudio(database, hour), await addPlaylist(database, [hour])];
    await addSchedule(database, playlist, at("06:00"));
    const longer = inTurn(
      database,
      (one) => insertSchedule(one, other, at("07:30")),
      (two) => addTrack(two, playlist, audio),
      "insert into playlist_tracks",
    );
    await expect(longer).rejects.toMatchObject({ code: "LT004" });
    expect(await ends()).toEqual([at("07:00"), at("08:30")]);
    expect(await wrongSums(database)).toEqual([]);
  });
});

it("an occurrence that is moved while its series changes is where its editor put it", async () => {
  await addSeries(database, playlist);
  const move = (client: pg.Client) =>
    client.query("update schedules set starts_at = $1 where series_day = '2035-01-03'", [at("20:00", "2035-01-03")]);
  const change = (client: pg.Client) => client.query("update schedule_series set start_time = '08:00:00'");
  const starts = async () =>
    (await database.query("select starts_at, is_moved from schedules order by series_day")).map(
      ({ starts_at, is_moved }) => `${(starts_at as Date).toISOString().slice(11, 16)} ${is_moved}`,
    );
  const expected = ["08:00", "08:00", "20:00", "08:00", "08:00", "08:00", "08:00"].map(
    (time) => `${time} ${time === "20:00"}`,
  );
  await inTurn(database, move, change, "update schedule_series");
  expect(await starts()).toEqual(expected);
  await database.query("delete from schedule_series");
  await addSeries(database, playlist);
  await inTurn(database, change, move, "update schedules");
  expect(await starts()).toEqual(expected);
});

it.each([
  [
    "its playlist",
    async (client: pg.Client, audio: string) => addTrack(client, playlist, audio),
    "insert into playlist_tracks",
  ],
  [
    "its series",
    async (client: pg.Client) => client.query("update schedule_series set start_time = '08:00:00'"),
    "update schedule_series",
  ],
])(
  "a change of %s waits for an editor who holds a schedule, and holds no channel meanwhile",
  async (_, change, text) => {
    await addSeries(database, playlist);
    const audio = await addAudio(database, hour);
    await withClient(database.url, async (editor) => {
      await editor.query("begin");
      await editor.query("select from schedules where series_day = '2035-01-03' for update");
      const changed = change(clients[0] as pg.Client, audio);
      changed.catch(() => {});
      await untilBlocked(database, text);
      await editor.query("update schedules set starts_at = $1 where series_day = '2035-01-03'", [
        at("20:00", "2035-01-03"),
      ]);
      await editor.query("commit");
      await changed;
    });
    expect(await wrongSums(database)).toEqual([]);
    const moved = await database.query("select series_day as day, starts_at as start from schedules where is_moved");
    expect(moved).toEqual([{ day: "2035-01-03", start: at("20:00", "2035-01-03") }]);
  },
);

it("in a crowd of all changes none overlaps, every end is right, and none is stuck", async () => {
  const playlists = [playlist, await addPlaylist(database, [hour / 2])];
  const audio = [await addAudio(database, hour / 4), await addAudio(database, 1_000)];
  await addSeries(database, playlist, { channel: "0", lastDay: "2035-01-03" });
  const known = ["committed", "LT004", "40P01", "40001", "23P01"];
  const run = async (editor: number) =>
    withClient(database.url, async (client) => {
      const results: string[] = [];
      for (let time = 0; time < rounds(60, 1_500); time++) {
        const number = editor * 7_919 + time * 104_729;
        const start = new Date(at("00:00").getTime() + (number % 48) * (hour / 2));
        const values = [playlists[number % 2], `${number % 3}`, start];
        const some = "(select id from schedules order by random() limit 1)";
        const changes: (() => Promise<unknown>)[] = [
          () => client.query("insert into schedules (playlist_id, channel, starts_at) values ($1, $2, $3)", values),
          () =>
            client.query(
              `update schedules set playlist_id = $1, channel = $2, starts_at = $3 where id = ${some}`,
              values,
            ),
          () => client.query(`delete from schedules where id = ${some} and random() < 0.4`),
          () => addTrack(client, playlists[time % 2] as string, audio[number % 2] as string, `e${editor}t${time}`),
          () =>
            client.query(
              "delete from playlist_tracks where id = (select id from playlist_tracks where rank like 'e%' order by random() limit 1)",
            ),
          () => client.query("update schedule_series set start_time = $1", [start.toISOString().slice(11, 19)]),
          () => client.query("select extend_schedule_series()"),
        ];
        const change = changes[(time + editor) % changes.length] as () => Promise<unknown>;
        results.push(await attempt(client, "read committed", change));
      }
      return results;
    });
  const results = (await Promise.all([0, 1, 2, 3].map(run))).flat();
  expect(results.filter((result) => !known.includes(result))).toEqual([]);
  expect(results.filter((result) => result === "committed").length).toBeGreaterThan(results.length / 4);
  expect(await wrongSums(database)).toEqual([]);
});
