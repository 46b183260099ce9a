/** The rules of audio that the database keeps by itself, for a worker or an editor in any program. */
import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { withClient } from "../../src/database/with-client.ts";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { addUser } from "../support/rows.ts";
import { until } from "../support/until.ts";

let database: TestDatabase;
let editor: string;

beforeAll(async () => {
  database = await freshDatabase();
  editor = await addUser(database);
});
afterAll(() => database.drop());
beforeEach(() => database.query("delete from audio"));

type Row = Record<string, unknown>;
const insertion = `
  insert into audio (title, filename, uploaded_by_id, mime_type, size_bytes, sha256, sent_sha256, storage_key)
  values ($1, $2, $3, 'audio/mp4', 1000, $4, $4, $5) returning id`;
const valuesOf = (filename: string) => [`About ${filename}`, filename, editor, randomUUID(), randomUUID()];

async function add(filename = "tone.m4a"): Promise<string> {
  return (await database.query(insertion, valuesOf(filename)))[0]?.id as string;
}
const read = async (id: string) => (await database.query("select * from audio where id = $1", [id]))[0] as Row;
const filenames = async () =>
  (await database.query("select filename from audio order by id")).map(({ filename }) => filename);
const usedBytes = async () => Number((await database.query("select used_bytes from storage_usage"))[0]?.used_bytes);

type Claimed = { id: string; claim: string; mime_type: string; storage_key: string };
async function claimOne(): Promise<Claimed> {
  const [claimed] = await database.query("select * from claim_audio('a worker', 1, '30 seconds')");
  return claimed as Claimed;
}

const sound = {
  durationMs: 1_234,
  peaks: Buffer.from([0, 128, 255]).toString("base64"),
  loudnessLufs: -14.5,
  truePeakDb: -1.25,
  leadingSilenceMs: 10,
  trailingSilenceMs: 20,
  artist: "Ada",
  album: "Engines",
};
const fileOf = (sizeBytes: number, mimeType = "audio/mpeg") => ({
  storageKey: randomUUID(),
  mimeType,
  sizeBytes,
  sha256: randomUUID(),
});
async function complete(
  { id, claim }: Pick<Claimed, "id" | "claim">,
  file?: object,
  cover?: object,
  said: object = sound,
) {
  const values = [id, claim, said, file ?? null, cover ?? null];
  return (await database.query("select complete_audio($1, $2, $3, $4, $5) as stands", values))[0]?.stands;
}

describe("complete_audio", () => {
  it("saves what the sound has shown, with the converted file and the cover", async () => {
    const id = await add("A song.m4a");
    const claimed = await claimOne();
    expect(claimed).toMatchObject({ id, mime_type: "audio/mp4", storage_key: (await read(id)).storage_key });
    const [file, cover] = [fileOf(700), fileOf(50, "image/png")];
    expect(await complete(claimed, file, cover)).toBe(true);
    expect(await read(id)).toMatchObject({
      status: "COMPLETED",
      progress: 1,
      duration_ms: 1_234,
      peaks: Buffer.from([0, 128, 255]),
      loudness_lufs: -14.5,
      true_peak_db: -1.25,
      leading_silence_ms: 10,
      trailing_silence_ms: 20,
      artist: "Ada",
      album: "Engines",
      filename: "A song.mp3",
      mime_type: "audio/mpeg",
      storage_key: file.storageKey,
      size_bytes: "700",
      sha256: file.sha256,
      cover_key: cover.storageKey,
      cover_mime_type: "image/png",
      cover_size_bytes: "50",
      cover_sha256: cover.sha256,
    });
    expect(await usedBytes()).toBe(750);
  });

  it("keeps artist and album that an editor has set", async () => {
    const id = await add();
    await database.query("update audio set artist = 'Grace' where id = $1", [id]);
    await complete(await claimOne(), fileOf(1));
    expect(await read(id)).toMatchObject({ artist: "Grace", album: "Engines" });
  });

  it("changes nothing again under the same claim, nor under a lost one", async () => {
    const id = await add();
    const claimed = await claimOne();
    await complete(claimed, fileOf(700));
    const before = await read(id);
    expect(await complete(claimed, fileOf(900))).toBe(true);
    expect(await complete({ id, claim: randomUUID() }, fileOf(900))).toBe(false);
    expect(await complete({ id: randomUUID(), claim: claimed.claim }, fileOf(900))).toBe(false);
    expect(await read(id)).toEqual(before);
  });

  it("needs a duration, peaks, and a file that is MP3", async () => {
    await add();
    const claimed = await claimOne();
    const refused = { code: "23514", constraint: "audio_sound_when_completed" };
    await expect(complete(claimed)).rejects.toMatchObject(refused);
    await expect(complete(claimed, fileOf(1), undefined, { ...sound, durationMs: null })).rejects.toMatchObject(
      refused,
    );
    await expect(complete(claimed, fileOf(1), undefined, { ...sound, peaks: "" })).rejects.toMatchObject(refused);
    expect(await complete(claimed, fileOf(1))).toBe(true);
  });

  it("is not refused for want of room, unlike a new file", async () => {
    onTestFinished(async () => {
      await database.query("update storage_usage set limit_bytes = 10737418240");
    });
    const id = await add();
    await database.query("update storage_usage set limit_bytes = 1000");
    expect(await complete(await claimOne(), fileOf(1_700))).toBe(true);
    expect(await usedBytes()).toBe(1_700);
    await expect(add("more.m4a")).rejects.toMatchObject({ code: "LT003" });
    await expect(
      database.query("update audio set storage_key = $2, size_bytes = 1701, status = 'PENDING' where id = $1", [
        id,
        randomUUID(),
      ]),
    ).rejects.toMatchObject({ code: "LT003" });
  });

  it("is refused while a schedule would overlap another: with a reason for people, and the claim stands", async () => {
    onTestFinished(async () => {
      await database.query("delete from playlists");
    });
    const id = await add();
    await complete(await claimOne(), fileOf(1));
    const scheduled = async (name: string, startsAt: string) => {
      const make = "insert into playlists (name, owner_id) values ($1, $2) returning id";
      const [row] = await database.query(make, [name, editor]);
      const values = [row?.id, id, startsAt];
      await database.query("insert into playlist_tracks (playlist_id, audio_id, rank) values ($1, $2, 'V')", [
        ...values.slice(0, 2),
      ]);
      await database.query("insert into schedules (playlist_id, channel, starts_at) values ($1, 'Radio', $2)", [
        values[0],
        startsAt,
      ]);
      return row?.id;
    };
    await scheduled("Morning", "2030-01-01T08:00:00Z");
    const noon = await scheduled("Noon", "2030-01-01T08:00:02Z");
    await database.query("update audio set status = 'PENDING' where id = $1", [id]);
    const claimed = await claimOne();
    const before = await read(id);
    const longer = { ...sound, durationMs: 3_000 };
    const refusal = (await complete(claimed, fileOf(1), undefined, longer).catch((error) => error)) as pg.DatabaseError;
    expect(refusal.code).toBe("LT004");
    const { code, message, schedule } = JSON.parse(refusal.message);
    expect([code, schedule.playlist]).toEqual(["SCHEDULE_OVERLAP", { __typename: "Playlist", id: noon, name: "Noon" }]);
    expect(message).toBe(
      'The schedule from 2030-01-01T08:00:00.000Z to 2030-01-01T08:00:03.000Z would overlap that of the playlist "Noon" from 2030-01-01T08:00:02.000Z to 2030-01-01T08:00:05.000Z on the channel "Radio": choose another time, or move that one.',
    );
    expect(await read(id)).toEqual(before);
    await database.query("select fail_audio($1, $2, $3, 1)", [id, claimed.claim, message]);
    expect(await read(id)).toMatchObject({ status: "FAILED", failure: message, duration_ms: 1_234 });
  });

  it("is for workers, and the sound for nobody else", async () => {
    const id = await add();
    const claimed = await claimOne();
    const as = (role: string, statement: string, values: unknown[]) =>
      withClient(new pg.Client(database.url), async (client) => {
        await client.query(`set role ${role}`);
        return client.query(statement, values);
      });
    const call = "select complete_audio($1, $2, $3, $4) as stands";
    const values = [id, claimed.claim, sound, fileOf(1)];
    const refused = { code: "42501" };
    await expect(as("lectern_server", call, values)).rejects.toMatchObject(refused);
    await expect(as("lectern_server", "update audio set duration_ms = 1 where id = $1", [id])).rejects.toMatchObject(
      refused,
    );
    await expect(as("lectern_worker", "update audio set title = 'x' where id = $1", [id])).rejects.toMatchObject(
      refused,
    );
    await expect(as("lectern_worker", "delete from audio where id = $1", [id])).rejects.toMatchObject(refused);
    await expect(as("lectern_server", "update storage_usage set used_bytes = 0", [])).rejects.toMatchObject(refused);
    await expect(as("lectern_server", "select charge_storage(-1)", [])).rejects.toMatchObject(refused);
    expect((await as("lectern_worker", call, values)).rows).toEqual([{ stands: true }]);
  });
});

describe("another file", () => {
  it("makes forgotten what was known of the former sound, but not what an editor says", async () => {
    const id = await add();
    await complete(await claimOne(), fileOf(700), fileOf(50, "image/png"));
    const key = randomUUID();
    await database.query(
      "update audio set storage_key = $2, size_bytes = 300, sha256 = 'a', status = 'PENDING' where id = $1",
      [id, key],
    );
    expect(await read(id)).toMatchObject({
      status: "PENDING",
      storage_key: key,
      artist: "Ada",
      duration_ms: null,
      peaks: null,
      loudness_lufs: null,
      true_peak_db: null,
      leading_silence_ms: null,
      trailing_silence_ms: null,
      cover_key: null,
      cover_mime_type: null,
      cover_size_bytes: null,
      cover_sha256: null,
    });
    expect(await usedBytes()).toBe(300);
  });

  it("is no other file when only the status changes: the sound stays until it is decoded again", async () => {
    const id = await add();
    await complete(await claimOne(), fileOf(700));
    await database.query("update audio set status = 'PENDING' where id = $1", [id]);
    expect(await read(id)).toMatchObject({ status: "PENDING", duration_ms: 1_234 });
  });

  it("removes both files in the outbox's view: of the sound and of the cover", async () => {
    const id = await add();
    await complete(await claimOne(), fileOf(700), fileOf(50, "image/png"));
    const { storage_key: storageKey, cover_key: coverKey } = await read(id);
    await database.query("delete from audio where id = $1", [id]);
    const events = await database.query("select payload from outbox where row_id = $1 order by position", [id]);
    expect(events.at(-1)?.payload).toMatchObject({ change: "deleted", storageKey, coverKey });
    expect(await usedBytes()).toBe(0);
  });
});

describe("a filename", () => {
  it("gets a counter where another audio has it", async () => {
    for (let count = 0; count < 3; count++) await add("tone.mp3");
    await add("no ending");
    await add("no ending");
    expect(await filenames()).toEqual(["tone.mp3", "tone (2).mp3", "tone (3).mp3", "no ending", "no ending (2)"]);
  });

  it("keeps its ending and the limit of its length", async () => {
    const long = `${"x".repeat(196)}.mp3`;
    await add(long);
    await add(long);
    expect(await filenames()).toEqual([long, `${"x".repeat(186)} (2).mp3`]);
  });

  it("gets a counter when a conversion changes its ending", async () => {
    await add("tone.mp3");
    await database.query("update audio set next_attempt_at = now() + interval '1 hour'");
    const id = await add("tone.m4a");
    await complete(await claimOne(), fileOf(700));
    expect((await read(id)).filename).toBe("tone (2).mp3");
  });

  it("is unique when two are added at the same time", async () => {
    await withClient(new pg.Client(database.url), async (first) => {
      await first.query("begin");
      await first.query(insertion, valuesOf("tone.mp3"));
      const second = add("tone.mp3");
      const isWaiting =
        "select 1 from pg_stat_activity where wait_event = 'advisory' and query like '%insert into audio%'";
      await until(async () => (await database.query(isWaiting)).length > 0, "the second insertion waits");
      await first.query("commit");
      await second;
    });
    expect(await filenames()).toEqual(["tone.mp3", "tone (2).mp3"]);
  });

  it.each(["a/b.mp3", "a\\b.mp3", "a\nb.mp3", "", "x".repeat(201)])("is none: %j", async (filename) => {
    await expect(add(filename)).rejects.toMatchObject({ constraint: "audio_filename_form" });
  });
});

describe("the queue of audio", () => {
  it("wakes those who listen to audio_pending", async () => {
    const heard: string[] = [];
    await withClient(new pg.Client(database.url), async (client) => {
      client.on("notification", ({ channel }) => heard.push(channel));
      await client.query("listen audio_pending");
      await add();
      await until(() => heard.length > 0, "the listener is told");
    });
    expect(heard).toEqual(["audio_pending"]);
  });

  it("makes an audio FAILED after its last attempt, with the reason and its file", async () => {
    const id = await add();
    const { claim, storage_key } = await claimOne();
    await database.query("select fail_audio($1, $2, 'It cannot be decoded.', 1)", [id, claim]);
    expect(await read(id)).toMatchObject({ status: "FAILED", failure: "It cannot be decoded.", storage_key });
  });
});

it("lives on without its category and its event, but not without its uploader", async () => {
  const [category] = await database.query("insert into categories (name) values ('Gone') returning id");
  const [event] = await database.query("insert into events (name) values ('Over') returning id");
  const id = await add();
  await database.query("update audio set category_id = $2, event_id = $3 where id = $1", [id, category?.id, event?.id]);
  await database.query("delete from categories");
  await database.query("delete from events");
  expect(await read(id)).toMatchObject({ category_id: null, event_id: null, version: 4 });
  await expect(database.query("delete from users where id = $1", [editor])).rejects.toMatchObject({
    constraint: "audio_uploaded_by_id_fkey",
  });
});
