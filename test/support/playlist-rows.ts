/** Audio and playlists that are put into the tables past the API, and the refusals of the database's triggers. */
import { randomUUID } from "node:crypto";
import type pg from "pg";
import { withClient } from "../../src/database/with-client.ts";
import type { TestDatabase } from "./database.ts";
import { until } from "./until.ts";

type Queryable = Pick<TestDatabase, "query">;
/** A connection of another program, or the pool of the test. */
type Runner = { query(text: string, values?: unknown[]): Promise<unknown> };

let added = 0;

/** Audio of the first user, PENDING. */
export async function addPendingAudio({ query }: Queryable, title = `Sound ${++added}`): Promise<string> {
  const [row] = await query(
    `insert into audio (title, filename, uploaded_by_id, mime_type, size_bytes, sha256, sent_sha256, storage_key)
     select $1, $1 || '.mp3', id, 'audio/mpeg', 1000, $2, $2, $2 from users order by created_at, id limit 1 returning id`,
    [title, randomUUID()],
  );
  return row?.id as string;
}

/** Audio of the first user that a worker has decoded. */
export async function addAudio(database: Queryable, durationMs = 60_000, title?: string): Promise<string> {
  const id = await addPendingAudio(database, title);
  await decode(database, id, durationMs);
  return id;
}

/** A worker claims the audio and completes it with this duration. */
export async function decode(database: Queryable, audio: string, durationMs: number): Promise<void> {
  await claim(database, audio);
  await complete(database, audio, durationMs);
}

export async function claim({ query }: Queryable, audio: string): Promise<void> {
  await query(
    `update audio set status = 'PROCESSING', claimed_by = 'a worker', claim_token = gen_random_uuid(),
       lease_until = now() + interval '1 hour' where id = $1`,
    [audio],
  );
}

export async function complete(database: Runner, audio: string, durationMs: number): Promise<void> {
  const sound = { durationMs, peaks: "AAAA" };
  await database.query("select complete_audio(id, claim_token, $2) from audio where id = $1", [audio, sound]);
}

/** A playlist of the first user with a track for each of the durations. */
export async function addPlaylist(database: Queryable, durationsMs: number[] = [], name = "Morning"): Promise<string> {
  const [row] = await database.query(
    "insert into playlists (name, owner_id) values ($1, (select id from users order by created_at, id limit 1)) returning id",
    [name],
  );
  const playlist = row?.id as string;
  for (const [index, durationMs] of durationsMs.entries()) {
    await addTrack(database, playlist, await addAudio(database, durationMs), `a${index}`);
  }
  return playlist;
}

let ranks = 0;

export async function addTrack(database: Runner, playlist: string, audio: string, rank = `m${++ranks}`): Promise<void> {
  await database.query("insert into playlist_tracks (playlist_id, audio_id, rank) values ($1, $2, $3)", [
    playlist,
    audio,
    rank,
  ]);
}

/** Playlists and tracks whose sums are wrong, and schedules that end at another time than their playlist: there are none. */
export async function wrongSums({ query }: Queryable): Promise<unknown[]> {
  return query(`
    select 'playlist' as kind, p.id from playlists p where (p.track_count, p.duration_ms) is distinct from (
      select (count(*)::int, coalesce(sum(t.duration_ms), 0)::int) from playlist_tracks t where t.playlist_id = p.id)
    union all select 'track', t.id from playlist_tracks t join audio a on a.id = t.audio_id where t.duration_ms <> a.duration_ms
    union all select 'schedule', s.id from schedules s join playlists p on p.id = s.playlist_id
      where s.ends_at > now() and s.ends_at <> s.starts_at + p.duration_ms * interval '1 millisecond'
    union all select 'overlap', s.id from schedules s join schedules o on o.channel = s.channel and o.id < s.id
      and tstzrange(o.starts_at, o.ends_at) && tstzrange(s.starts_at, s.ends_at)`);
}

export type Refusal = { code: string; message: string } & Record<string, unknown>;

/** The error of the API that a trigger has refused a statement with. */
export async function refusalOf(statement: Promise<unknown>): Promise<Refusal> {
  const error = await statement.then(
    () => new Error("The statement was expected to be refused."),
    (thrown) => thrown as pg.DatabaseError,
  );
  if (!("code" in error) || error.code !== "LT004") throw error;
  return JSON.parse(error.message) as Refusal;
}

/** Waits until another transaction makes a statement wait whose text contains this. */
export async function untilBlocked({ query }: Queryable, text: string): Promise<void> {
  const blocked =
    "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like $1";
  await until(async () => (await query(blocked, [`%${text}%`])).length > 0, `"${text}" waits`);
}

/**
 * Runs `first` in a transaction that stays open until `second`, on a connection of its own, waits for it.
 *
 * @param text a part of the statement of `second` that waits
 */
export async function inTurn(
  database: TestDatabase,
  first: (client: pg.Client) => Promise<unknown>,
  second: (client: pg.Client) => Promise<unknown>,
  text: string,
): Promise<void> {
  await withClient(database.url, async (one) => {
    await withClient(database.url, async (two) => {
      await one.query("begin");
      await first(one);
      const waiting = second(two);
      // Its error is the result of this function, and must not be unhandled while the first one commits.
      waiting.catch(() => {});
      await untilBlocked(database, text);
      await one.query("commit");
      await waiting;
    });
  });
}
