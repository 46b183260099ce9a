/**
 * Random changes of playlists, schedules, series and audio by several clients at once, and failures at each step of the
 * changes that reach furthest. Afterwards the rows agree with each other, whatever was refused.
 *
 * A failing run prints its seed; LECTERN_SEED repeats the operations, but not the order in which they meet.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TransactionPoint } from "../../src/unit-of-work/transaction-guard.ts";
import { dump } from "../support/dump.ts";
import { globalIdOf, uuidOf } from "../support/global-ids.ts";
import { countsIn, integrityOf } from "../support/integrity.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { addAudio, addPlaylist, addTrack, claim, complete, wrongSums } from "../support/playlist-rows.ts";
import { post } from "../support/post.ts";
import { isLong, rounds } from "../support/rounds.ts";

let lectern: Lectern;
let edith: Person;

/** An error at the so-manieth time that an operation comes to a point. */
let injected: { point: TransactionPoint; at: number } | undefined;
let reached: Partial<Record<TransactionPoint, number>> = {};

beforeAll(async () => {
  lectern = await startLectern({
    housekeeping: false,
    probe: (point) => {
      if (point === "begin") reached = {};
      reached[point] = (reached[point] ?? 0) + 1;
      if (injected?.point === point && reached[point] === injected.at) throw new Error("Injected.");
    },
  });
  edith = await lectern.person("Edith", "EDITOR");
});
afterAll(() => lectern.stop());

type Answer = { data: Record<string, unknown> | null; errors?: { message: string; extensions: { code: string } }[] };
async function send(field: string, headers: Record<string, string> = {}): Promise<Answer> {
  const { accessToken } = edith;
  return (await (await post(lectern.url, { query: `mutation { ${field} }`, accessToken, headers })).json()) as Answer;
}

const channels = ["Radio 1", "Radio 2"];
const weekdays = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];
const kinds = [
  ...["createPlaylist", "copyPlaylist", "updatePlaylist", "deletePlaylist"],
  ...["addTracks", "addTracks", "addTracks", "moveTrack", "moveTracks", "removeTrack", "removeTrack"],
  ...["createSchedule", "createSchedule", "createSchedule", "updateSchedule", "updateSchedule", "deleteSchedule"],
  ...["createSeries", "updateScheduleSeries", "deleteScheduleSeries"],
  ...["deleteAudio", "deleteAudio", "decode", "extend"],
] as const;

/** A kind of change and numbers that choose its rows and values, whichever there are by then. */
type Change = { kind: (typeof kinds)[number]; which: number; other: number; isSo: boolean };
const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom(...kinds),
  which: fc.nat(1_000),
  other: fc.nat(1_000),
  isSo: fc.boolean(),
});

/** Makes the change. Returns the code of the error, if it was refused. */
async function make({ kind, which, other, isSo }: Change): Promise<string | undefined> {
  const { database } = lectern;
  const pick = async (type: string, table: string, number: number) => {
    const rows = await database.query(`select id, version from ${table} order by id`);
    const { id, version } = rows[number % rows.length] ?? { id: "00000000-0000-7000-8000-000000000000", version: 1 };
    return { id: globalIdOf(type, id as string), version: version as number };
  };
  const playlist = await pick("Playlist", "playlists", which);
  const schedule = await pick("Schedule", "schedules", which);
  const series = await pick("ScheduleSeries", "schedule_series", which);
  const audio = await pick("Audio", "audio", other);
  const tracks = await database.query("select id, playlist_id from playlist_tracks order by playlist_id, rank");
  const track = tracks[which % tracks.length] ?? { id: "00000000-0000-7000-8000-000000000000" };
  const siblings = tracks.filter((row) => row.playlist_id === track.playlist_id);
  const trackId = globalIdOf("PlaylistTrack", track.id as string);
  const sibling = globalIdOf("PlaylistTrack", (siblings[other % siblings.length] ?? track).id as string);
  const neighbour = isSo ? `, ${which % 2 ? "beforeTrackId" : "afterTrackId"}: "${sibling}"` : "";
  const channel = `channel: "${channels[other % channels.length]}"`;
  const startsAt = `startsAt: "${new Date(Date.UTC(2100, 0, 1, 0, 5 * (other % 100))).toISOString()}"`;
  const version = (row: { version: number }) => `expectedVersion: ${row.version}`;
  const field = () => {
    switch (kind) {
      case "createPlaylist":
        return `createPlaylist(input: { name: "P", audioIds: ["${audio.id}", "${audio.id}"] }) { playlist { id } }`;
      case "copyPlaylist":
        return `copyPlaylist(input: { id: "${playlist.id}" }) { playlist { id tracks { totalCount } } }`;
      case "updatePlaylist":
        return `updatePlaylist(input: { id: "${playlist.id}", ${version(playlist)}, name: "P ${other}" }) { playlist { id } }`;
      case "deletePlaylist":
        return `deletePlaylist(input: { id: "${playlist.id}", removeSchedules: ${isSo} }) { deletedId }`;
      case "addTracks":
        return `addTracks(input: { playlistId: "${playlist.id}", audioIds: ["${audio.id}"] }) {
          playlist { durationMs } tracks { position } movedSchedules { endsAt } }`;
      case "moveTrack":
        return `moveTrack(input: { trackId: "${trackId}"${neighbour} }) { track { position } }`;
      case "moveTracks":
        return `moveTracks(input: { trackIds: ["${sibling}", "${trackId}"] }) { tracks { position } }`;
      case "removeTrack":
        return `removeTrack(input: { trackId: "${trackId}" }) { playlist { trackCount } movedSchedules { endsAt } }`;
      case "createSchedule":
        return `createSchedule(input: { playlistId: "${playlist.id}", ${channel}, ${startsAt} }) { schedule { endsAt } }`;
      case "createSeries": {
        const recurrence = `{ timeZone: "Europe/Berlin", everyWeeks: ${1 + (which % 2)}, lastDay: "2100-03-31" }`;
        return `createSchedule(input: { playlistId: "${playlist.id}", ${channel}, ${startsAt}, recurrence: ${recurrence} }) { schedule { id } }`;
      }
      case "updateSchedule": {
        const changes = isSo ? startsAt : `playlistId: "${playlist.id}", ${channel}`;
        return `updateSchedule(input: { id: "${schedule.id}", ${version(schedule)}, ${changes} }) { schedule { endsAt } }`;
      }
      case "deleteSchedule":
        return `deleteSchedule(input: { id: "${schedule.id}" }) { deletedId }`;
      case "updateScheduleSeries": {
        const changes = isSo
          ? `weekdays: [${weekdays[other % 7]}, ${weekdays[which % 7]}], startTime: "${String(other % 24).padStart(2, "0")}:30"`
          : `playlistId: "${playlist.id}", ${channel}, skippedDays: []`;
        return `updateScheduleSeries(input: { id: "${series.id}", ${version(series)}, ${changes} }) { scheduleSeries { version } }`;
      }
      case "deleteScheduleSeries":
        return `deleteScheduleSeries(input: { id: "${series.id}" }) { deletedId }`;
      case "deleteAudio":
        return `deleteAudio(input: { id: "${audio.id}", removeFromPlaylists: ${isSo} }) { deletedId movedSchedules { endsAt } }`;
    }
  };
  if (kind === "decode") return decodeAgain(uuidOf(audio.id), 1_000 * (30 + (which % 300)));
  if (kind === "extend") return void (await database.query("select extend_schedule_series()"));
  return (await send(field() as string)).errors?.[0]?.extensions.code;
}

/** Another duration, as a worker finds it. The change is left out while another client has the audio decoded. */
async function decodeAgain(audio: string, durationMs: number): Promise<string | undefined> {
  const { database } = lectern;
  try {
    await database.query("update audio set status = 'PENDING' where id = $1 and status = 'COMPLETED'", [audio]);
    await claim(database, audio);
    await complete(database, audio, durationMs);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    // A claim of another client, and an overlap.
    if (code === "LT001") return code;
    if (code === "LT004" || code === "40P01") {
      await database.query("select fail_audio(id, claim_token, $2, 1) from audio where id = $1", [audio, message]);
      return code;
    }
    throw error;
  }
}

const refusals = ["NOT_FOUND", "CONFLICT", "INVALID_STATE", "BAD_USER_INPUT", "SCHEDULE_OVERLAP"];
const refusalsOfWorkers = ["LT001", "LT004", "40P01"];

/** Rows that contradict each other: none. */
async function expectSound(): Promise<void> {
  const { database } = lectern;
  expect(await wrongSums(database)).toEqual([]);
  const contradictions = await database.query(`
    select 'rank' as kind, id from playlist_tracks where rank !~ '^[0-9A-Za-z]{1,100}$'
    union all select 'same rank', max(id::text)::uuid from playlist_tracks group by playlist_id, rank having count(*) > 1
    union all select 'occurrence', s.id from schedules s join schedule_series q on q.id = s.series_id
      where not s.is_moved and (s.playlist_id, s.channel, s.starts_at) is distinct from
        (q.playlist_id, q.channel, instant_of(s.series_day::date + q.start_time::time, q.time_zone))
    union all select 'skipped day', s.id from schedules s join schedule_series q on q.id = s.series_id
      where s.series_day = any (q.skipped_days)
    union all select 'version', row_id from (
      select row_id, (payload->>'version')::int as version,
        lag((payload->>'version')::int) over (partition by row_id order by position) as before
      from outbox where topic in ('playlist', 'schedule', 'audio') and payload->>'change' <> 'deleted') v
      where v.version <= v.before`);
  expect(contradictions).toEqual([]);
  const findings = await integrityOf(lectern).examine();
  // Audio without a file is a shortcut of this test.
  const faults = findings.filter(({ isFault, complaint }) => isFault && !/file|ledger/.test(complaint));
  expect(faults.length).toBeGreaterThan(3);
  expect(countsIn(faults)).toEqual({});
}

describe("random changes by four clients at once", () => {
  it(`leave rows that agree with each other, ${rounds(25, 500)} times`, { timeout: 1_800_000 }, async () => {
    const outcomes = new Map<string, number>();
    const property = fc.asyncProperty(
      fc.array(fc.array(change, { minLength: 1, maxLength: 8 }), { minLength: 4, maxLength: 4 }),
      async (clients) => {
        const [{ count } = {}] = await lectern.database.query(
          "select count(*)::int from audio where status = 'COMPLETED'",
        );
        for (let missing = 5 - (count as number); missing > 0; missing--) await addAudio(lectern.database);
        await Promise.all(
          clients.map(async (changes) => {
            for (const one of changes) {
              const code = await make(one);
              const name = `${one.kind} ${code ?? "done"}`;
              outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
              if (code !== undefined) expect([...refusals, ...refusalsOfWorkers], name).toContain(code);
            }
          }),
        );
        await expectSound();
      },
    );
    const seed = Number(process.env.LECTERN_SEED ?? Date.now() % 2 ** 31);
    console.log(`random changes: LECTERN_SEED=${seed}`);
    await fc.assert(property, { seed, numRuns: rounds(25, 500), verbose: isLong ? 0 : 1, endOnFailure: true });
    // Most kinds of changes have happened, or the test would prove little. Chance may leave out one that is often refused.
    const names = [...new Set(kinds)];
    const done = names.filter((kind) => outcomes.has(`${kind} done`));
    expect(done.length, JSON.stringify([...outcomes])).toBeGreaterThan(names.length - 4);
  });
});

describe("a failure at any step", () => {
  let playlist: string;
  let ids: Record<"playlist" | "audio" | "track" | "series", string>;
  let version: number;

  beforeAll(async () => {
    const { database } = lectern;
    await database.query("truncate playlists, playlist_tracks, schedules, schedule_series cascade");
    const [once, twice] = [await addAudio(database), await addAudio(database)];
    playlist = await addPlaylist(database);
    for (const audio of [once, twice, twice]) await addTrack(database, playlist, audio);
    await database.query(
      "insert into schedules (playlist_id, channel, starts_at) select $1, 'Radio ' || n, '2100-01-01Z' from generate_series(1, 2) n",
      [playlist],
    );
    const [series] = await database.query(
      `insert into schedule_series (playlist_id, channel, time_zone, start_time, weekdays, first_day, last_day)
       values ($1, 'Radio 3', 'Europe/Berlin', '18:30:00', array['FRIDAY'], '2100-01-01', '2100-03-31') returning id`,
      [playlist],
    );
    const [[track] = [], [row] = []] = [
      await database.query("select id from playlist_tracks order by rank"),
      await database.query("select version from schedule_series"),
    ];
    version = row?.version as number;
    ids = {
      playlist: globalIdOf("Playlist", playlist),
      audio: globalIdOf("Audio", twice),
      track: globalIdOf("PlaylistTrack", track?.id as string),
      series: globalIdOf("ScheduleSeries", series?.id as string),
    };
  });

  const moved = "movedSchedules { endsAt playlist { durationMs } }";
  it.each<[string, () => string]>([
    [
      "addTracks",
      () =>
        `addTracks(input: { playlistId: "${ids.playlist}", audioIds: ["${ids.audio}"], beforeTrackId: "${ids.track}" }) { ${moved} }`,
    ],
    ["removeTrack", () => `removeTrack(input: { trackId: "${ids.track}" }) { ${moved} }`],
    ["deleteAudio", () => `deleteAudio(input: { id: "${ids.audio}", removeFromPlaylists: true }) { ${moved} }`],
    [
      "createSchedule",
      () => `createSchedule(input: { playlistId: "${ids.playlist}", channel: "Radio 4", startsAt: "2100-01-01T00:00:00Z",
        recurrence: { timeZone: "Europe/Berlin", lastDay: "2100-03-31" } }) { schedule { series { version } } }`,
    ],
    [
      "updateScheduleSeries",
      () =>
        `updateScheduleSeries(input: { id: "${ids.series}", expectedVersion: ${version}, weekdays: [MONDAY], channel: "Radio 5" }) { scheduleSeries { schedules { totalCount } } }`,
    ],
    ["deletePlaylist", () => `deletePlaylist(input: { id: "${ids.playlist}", removeSchedules: true }) { deletedId }`],
  ])("of %s leaves everything as it was", async (_name, field) => {
    const before = await dump(lectern.database);
    injected = undefined;
    // A dry run shows how many statements there are. Its last one checks the constraints, which COMMIT does otherwise.
    const dry = await send(field(), { "lectern-dry-run": "true" });
    expect([dry.errors, dry.data]).toEqual([undefined, expect.any(Object)]);
    const statements = (reached.statement ?? 0) - 1;
    expect(statements).toBeGreaterThan(1);
    const points = Array.from({ length: statements }, (_, index) => ({ point: "statement" as const, at: index + 1 }));
    for (const at of [...points, { point: "before_commit" as const, at: 1 }]) {
      injected = at;
      const { data, errors } = await send(field());
      expect([data, errors?.[0]?.extensions.code], JSON.stringify(at)).toEqual([null, "INTERNAL_SERVER_ERROR"]);
      expect(await dump(lectern.database), JSON.stringify(at)).toEqual(before);
    }
    injected = undefined;
    expect((await send(field(), { "lectern-dry-run": "true" })).errors).toBeUndefined();
  });
});
