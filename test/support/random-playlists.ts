/** Playlists and schedules for a random library: empty ones, the same audio twice, series with exceptions. */
import type { TestDatabase } from "./database.ts";

export const channels = ["Radio", "radio", "Đài"];
/** At this instant, the first two channels play something. */
export const frozenNow = new Date("2100-01-01T00:01:00.250Z");
const minute = 60_000;

/** Playlists of audio that a worker has decoded. Some of the audio has another status afterwards. */
export async function fillPlaylists(
  database: TestDatabase,
  random: () => number,
  size: { playlists: number; tracks: number },
): Promise<void> {
  const whole = (most: number) => Math.floor(random() * (most + 1));
  const pick = <Item>(items: readonly Item[]): Item => items[whole(items.length - 1)] as Item;
  const ids = async (sql: string, values: unknown[] = []) =>
    (await database.query(sql, values)).map(({ id }) => id as string);
  const owners = await ids("select id from users order by id");
  const audio = await ids("select id from audio where status = 'COMPLETED' order by filename");
  const names = ["Đường xưa", "duong xua", "zebra", "Zebra", "a", "á"];
  const filled: string[] = [];
  for (let index = 0; index < size.playlists; index++) {
    const [playlist] = await ids(
      "insert into playlists (name, owner_id, created_at) values ($1, $2, $3) returning id",
      [pick(names), pick(owners), `2026-03-0${1 + whole(2)}T00:00:00Z`],
    );
    // Every fifth is empty.
    const ranks = index % 5 === 4 ? [] : Array.from({ length: 1 + whole(size.tracks - 1) }, (_, rank) => `V${rank}`);
    for (const rank of ranks) {
      await database.query("insert into playlist_tracks (playlist_id, audio_id, rank) values ($1, $2, $3)", [
        playlist,
        // Often one of a few, so that an audio is in several playlists, and several times in one.
        pick(whole(1) === 0 ? audio : audio.slice(0, 3)),
        rank,
      ]);
    }
    const lasts = "select id from playlists where id = $1 and duration_ms > 0";
    filled.push(...(await ids(lasts, [playlist])));
  }
  await fillSchedules(database, { filled, pick, whole });
  await database.query("update audio set status = 'PENDING' where id = any($1)", [audio.slice(0, 2)]);
}

type Choice = {
  filled: string[];
  pick<Item>(items: readonly Item[]): Item;
  whole(most: number): number;
};

async function fillSchedules(database: TestDatabase, { filled, pick, whole }: Choice): Promise<void> {
  const long = await database.query("select id from playlists where duration_ms > 120000 order by duration_ms, id");
  const schedule = (playlist: unknown, channel: string, startsAt: Date) =>
    database.query("insert into schedules (playlist_id, channel, starts_at) values ($1, $2, $3)", [
      playlist,
      channel,
      startsAt,
    ]);
  for (const channel of channels.slice(0, 2)) {
    await schedule(pick(long)?.id ?? pick(filled), channel, new Date("2100-01-01T00:00:00.100Z"));
  }
  // Half an hour apart, which no playlist of this library exceeds. Schedules of several channels start together.
  for (let index = 1; index <= 20; index++) {
    const startsAt = new Date(frozenNow.getTime() + (30 * index - whole(1)) * minute);
    await schedule(pick(filled), channels[index % 3] as string, startsAt);
  }
  for (const [index, weekdays] of [["MONDAY"], ["SATURDAY", "SUNDAY"], ["FRIDAY"]].entries()) {
    const [series] = await database.query(
      `insert into schedule_series (playlist_id, channel, time_zone, start_time, weekdays, every_weeks, first_day, last_day)
       values ($1, $2, $3, $4, $5, $6, '2100-02-01', '2100-04-30') returning id`,
      [
        pick(filled),
        channels[index],
        pick(["Europe/Berlin", "UTC", "Asia/Ho_Chi_Minh"]),
        "18:30:00",
        weekdays,
        1 + whole(1),
      ],
    );
    const occurrences = await database.query("select id from schedules where series_id = $1 order by starts_at", [
      series?.id,
    ]);
    await database.query("update schedules set starts_at = starts_at + interval '2 hours' where id = $1", [
      occurrences[whole(2)]?.id,
    ]);
    await database.query("delete from schedules where id = $1", [occurrences[3]?.id]);
  }
}

/** Makes the database answer what plays at one instant for ever: `frozenNow`. */
export async function freezeNowPlaying({ query }: TestDatabase): Promise<void> {
  const [view] = await query("select pg_get_viewdef('now_playing'::regclass) as definition");
  const frozen = String(view?.definition).replaceAll("now()", `'${frozenNow.toISOString()}'::timestamptz`);
  await query(`create or replace view now_playing as ${frozen}`);
}
