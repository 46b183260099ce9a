/** Programs in any language that change one playlist at the same time: no sum is lost, whatever their isolation level. */
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { withClient } from "../../src/database/with-client.ts";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import {
  addAudio,
  addPlaylist,
  addTrack,
  claim,
  complete,
  decode,
  inTurn,
  untilBlocked,
  wrongSums,
} from "../support/playlist-rows.ts";
import { rounds } from "../support/rounds.ts";
import { addUser } from "../support/rows.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await freshDatabase();
  await addUser(database);
  await database.query(`alter database ${database.name} set deadlock_timeout = '50ms'`);
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.query("delete from playlists");
  await database.query("delete from audio");
});

const levels = ["read committed", "repeatable read", "serializable"];
const read = async (playlist: string) =>
  (await database.query("select track_count tracks, duration_ms ms from playlists where id = $1", [playlist]))[0];

/** Collisions with other transactions, after which a program tries again. */
const collisions = ["40001", "40P01"];

/** Tries until the statements commit. Returns the errors before that. */
async function commit(client: pg.Client, level: string, work: () => Promise<unknown>): Promise<string[]> {
  const errors: string[] = [];
  for (;;) {
    try {
      await client.query(`begin isolation level ${level}`);
      await work();
      await client.query("commit");
      return errors;
    } catch (error) {
      await client.query("rollback");
      const { code = "" } = error as pg.DatabaseError;
      if (!collisions.includes(code)) throw error;
      errors.push(code);
    }
  }
}

describe("two transactions that add tracks to one playlist", () => {
  it("are both counted: the second waits for the first", async () => {
    const [id, one, two] = [
      await addPlaylist(database),
      await addAudio(database, 1_000),
      await addAudio(database, 20_000),
    ];
    await inTurn(
      database,
      (client) => addTrack(client, id, one),
      (client) => addTrack(client, id, two, "second"),
      "insert into playlist_tracks",
    );
    expect(await read(id)).toEqual({ tracks: 2, ms: 21_000 });
  });

  it.each(levels.slice(1))(
    "collide in %s, where the second does not see the first, and lose nothing",
    async (level) => {
      const [id, one, two] = [
        await addPlaylist(database),
        await addAudio(database, 1_000),
        await addAudio(database, 20_000),
      ];
      const second = inTurn(
        database,
        (client) => addTrack(client, id, one),
        async (client) => {
          await client.query(`begin isolation level ${level}`);
          await addTrack(client, id, two);
        },
        "insert into playlist_tracks",
      );
      await expect(second).rejects.toMatchObject({ code: "40001" });
      expect(await read(id)).toEqual({ tracks: 1, ms: 1_000 });
    },
  );

  it.each(levels)("lose no sum in a crowd, in %s, and block each other in a circle never", async (level) => {
    const playlists = [await addPlaylist(database), await addPlaylist(database)];
    const audio = [await addAudio(database, 1), await addAudio(database, 20), await addAudio(database, 300)];
    const [writers, times] = [4, rounds(15, 300)];
    const errors = await Promise.all(
      Array.from({ length: writers }, (_, writer) =>
        withClient(database.url, async (client) => {
          const met: string[] = [];
          for (let time = 0; time < times; time++) {
            const [playlist, sound] = [playlists[time % 2] as string, audio[(writer + time) % 3] as string];
            const add = () => addTrack(client, playlist, sound, `w${writer}t${time}`);
            met.push(...(await commit(client, level, add)));
          }
          return met;
        }),
      ),
    );
    expect(await wrongSums(database)).toEqual([]);
    const [{ tracks } = {}] = await database.query("select sum(track_count)::int tracks from playlists");
    expect(tracks).toBe(writers * times);
    expect(errors.flat().filter((code) => code === "40P01" || level === "read committed")).toEqual([]);
  });
});

describe("a track that is added while a worker completes its audio", () => {
  async function begin(): Promise<[string, string]> {
    const [id, audio] = [await addPlaylist(database), await addAudio(database, 1_000)];
    return [id, audio];
  }

  /** The worker has taken the audio, which is still as long as it was. */
  const takeAgain = async (audio: string) => {
    await database.query("update audio set status = 'PENDING' where id = $1", [audio]);
    await claim(database, audio);
  };

  it("keeps the audio from workers until it is committed, who then find it", async () => {
    const [id, audio] = await begin();
    await inTurn(
      database,
      (client) => addTrack(client, id, audio),
      (client) => client.query("update audio set status = 'PENDING' where id = $1", [audio]),
      "update audio",
    );
    await decode(database, audio, 2_500);
    expect(await read(id)).toEqual({ tracks: 1, ms: 2_500 });
  });

  it("waits for the worker, and is as long as the new sound", async () => {
    const [id, audio] = await begin();
    await takeAgain(audio);
    await inTurn(
      database,
      (worker) => complete(worker, audio, 2_500),
      (client) => addTrack(client, id, audio),
      "insert into playlist_tracks",
    );
    expect(await read(id)).toEqual({ tracks: 1, ms: 2_500 });
  });

  it.each(levels.slice(1))("collides in %s, where it does not see the new sound", async (level) => {
    const [id, audio] = await begin();
    await takeAgain(audio);
    const adding = inTurn(
      database,
      (worker) => complete(worker, audio, 2_500),
      async (client) => {
        await client.query(`begin isolation level ${level}`);
        await addTrack(client, id, audio);
      },
      "insert into playlist_tracks",
    );
    await expect(adding).rejects.toMatchObject({ code: "40001" });
    expect(await read(id)).toEqual({ tracks: 0, ms: 0 });
  });
});

describe("a worker that completes an audio", () => {
  it("waits for an editor who works on the playlist, and holds no track meanwhile", async () => {
    const id = await addPlaylist(database, [1_000]);
    const [{ audio } = {}] = await database.query("select audio_id as audio from playlist_tracks");
    await database.query("update audio set status = 'PENDING'");
    await claim(database, audio as string);
    await withClient(database.url, async (editor) => {
      await editor.query("begin");
      await editor.query("select from playlists where id = $1 for update", [id]);
      await withClient(database.url, async (worker) => {
        const completed = complete(worker, audio as string, 3_000);
        completed.catch(() => {});
        await untilBlocked(database, "complete_audio");
        await editor.query("update playlist_tracks set rank = 'z'");
        await editor.query("commit");
        await completed;
      });
    });
    expect(await read(id)).toEqual({ tracks: 1, ms: 3_000 });
  });

  it.each(levels)("loses no sum while others move, remove and copy its tracks in %s", async (level) => {
    const playlists = [await addPlaylist(database, [1, 20]), await addPlaylist(database, [300])];
    const audio = (await database.query("select id from audio order by id")).map(({ id }) => id as string);
    const times = rounds(12, 300);
    const worker = withClient(database.url, async (client) => {
      for (let time = 0; time < times; time++) {
        const id = audio[time % audio.length] as string;
        await commit(client, "read committed", async () => {
          await client.query("update audio set status = 'PENDING' where id = $1", [id]);
          await claim({ query: async (text, values) => (await client.query(text, values)).rows }, id);
          await complete(client, id, 1 + ((time * 7_919) % 1_000));
        });
      }
    });
    const editors = [0, 1, 2].map((editor) =>
      withClient(database.url, async (client) => {
        for (let time = 0; time < times; time++) {
          const playlist = playlists[(editor + time) % 2];
          const statements = [
            "insert into playlist_tracks (playlist_id, audio_id, rank) select $1, (select id from audio where status = 'COMPLETED' order by random() limit 1), $2",
            "update playlist_tracks set rank = $2 where id = (select id from playlist_tracks where playlist_id = $1 order by rank limit 1)",
            "delete from playlist_tracks where id = (select id from playlist_tracks where playlist_id = $1 and rank <> $2 order by rank limit 1)",
          ];
          const statement = statements[(time + editor) % 3] as string;
          await commit(client, level, () => client.query(statement, [playlist, `e${editor}t${time}`]));
        }
      }),
    );
    await Promise.all([worker, ...editors]);
    expect(await wrongSums(database)).toEqual([]);
  });
});
