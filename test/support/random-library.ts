/** A small library full of what is awkward: equal titles, equal times, nulls, empty documents, private ones. */
import type { TestDatabase } from "./database.ts";

const titles = ["Đường xưa", "duong xua", "Ngõ", "ngo", "Ångström", "zebra", "Zebra", "a", "A", "á"];
const words = ["zebra", "người", "nguoi", "đường", "duong", "lectern", "chunk", "river", "sông", "song"];

/** @param random a number from 0 to 1, from a seed, so that a library can be made again */
export async function fillLibrary(database: TestDatabase, random: () => number, size: LibrarySize): Promise<void> {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const times = Array.from({ length: 5 }, (_, index) => `2026-01-0${index + 1}T00:00:00.00${index}Z`);
  const sentence = () => Array.from({ length: 12 }, () => pick(words)).join(" ");
  const owners = await database.query("select id from users order by id");
  for (let index = 0; index < size.documents; index++) {
    const [document] = await database.query(
      `insert into documents (owner_id, title, visibility, mime_type, size_bytes, sha256, text, created_at)
       values ($1, $2, $3, 'text/plain', 10, $4, $5, $6) returning id`,
      [
        pick(owners).id,
        pick(titles),
        pick(["PRIVATE", "SHARED"]),
        `${index}`.padStart(64, "0"),
        sentence(),
        pick(times),
      ],
    );
    await move(database, "documents", document?.id as string, pick(["PENDING", "PROCESSING", "COMPLETED", "FAILED"]));
    const chunks = Math.floor(random() * (size.chunks + 1));
    for (let place = 0; place < chunks; place++) {
      await database.query(
        `insert into chunks (document_id, index, text, start_offset, end_offset, token_count)
         values ($1, $2, $3, $4, $5, $6)`,
        [document?.id, place, sentence(), place * 10, place * 10 + 9, Math.floor(random() * 50)],
      );
    }
  }
}

/** Categories and events, some of which start at the same time or at none. */
export async function fillLabels(database: TestDatabase): Promise<void> {
  const names = ["Đường", "ngo", "Ångström", "Zebra", "a", "á b"];
  await database.query("insert into categories (name) select unnest($1::text[])", [names]);
  const starts = ["2026-01-02T00:00:00.001Z", null, "2026-01-01T00:00:00.000Z"];
  for (const [index, name] of names.entries()) {
    await database.query("insert into events (name, starts_at) values ($1, $2)", [name, starts[index % 3]]);
  }
}

export type LibrarySize = { documents: number /** Per document, at most. */; chunks: number };

const filenames = ["Song.mp3", "song.m4a", "Bài hát (1).m4a", "a'b.c.mp3", "100 %.mp3"];
const day = 86_400_000;

/** Categories, events and audio: with and without labels, tags and covers, in every state, some decoded before. */
export async function fillAudio(database: TestDatabase, random: () => number, size: { audio: number }): Promise<void> {
  const whole = (most: number) => Math.floor(random() * (most + 1));
  const pick = <Item>(items: readonly Item[]): Item => items[whole(items.length - 1)] as Item;
  const uploaders = await database.query("select id from users order by id");
  const categories = await database.query(
    "insert into categories (name) select unnest($1::text[]) returning id, name",
    [["Nhạc", "zebra", "Ångström", "B", "a"]],
  );
  const events = [];
  for (const name of ["Zebra", "ngày hội", "a", "Đêm", "b", "c"]) {
    const startsAt = pick([null, new Date(1_767_225_600_000), new Date(1_767_225_600_000 + day)]);
    const endsAt = pick([null, new Date((startsAt?.getTime() ?? 0) + day)]);
    events.push(
      ...(await database.query("insert into events (name, starts_at, ends_at) values ($1, $2, $3) returning id, name", [
        name,
        startsAt,
        endsAt,
      ])),
    );
  }
  // The last category and the last event have no audio.
  const [categoryIds, eventIds] = [categories, events].map((labels) => [
    null,
    ...labels.slice(0, -1).map(({ id }) => id),
  ]);
  for (let index = 0; index < size.audio; index++) {
    const hash = (kind: string) => `${kind}${index}`.padStart(64, "0");
    const status = pick(["PENDING", "PROCESSING", "COMPLETED", "COMPLETED", "FAILED", "decoded before"]);
    const [made] = await database.query(
      `insert into audio (title, artist, album, filename, uploaded_by_id, category_id, event_id, mime_type, size_bytes,
                          sha256, sent_sha256, storage_key, uploaded_at)
       values ($1, $2, $3, $4, $5, $6, $7, 'audio/mp4', $8, $9, $9, gen_random_uuid(), $10) returning id`,
      [
        pick(titles),
        pick([null, "Người hát", "zebra"]),
        pick([null, "xua", "Album"]),
        pick(filenames),
        pick(uploaders).id,
        pick(categoryIds ?? []),
        pick(eventIds ?? []),
        whole(10_000),
        hash("a"),
        `2026-02-0${1 + whole(3)}T00:00:00Z`,
      ],
    );
    const id = made?.id as string;
    if (status !== "COMPLETED" && status !== "decoded before") {
      await move(database, "audio", id, status);
      continue;
    }
    await move(database, "audio", id, "PROCESSING");
    const sound = {
      durationMs: pick([0, 1_000, 1_000, 2_000, 180_000]),
      peaks: Buffer.from(Array.from({ length: 1 + whole(20) }, () => whole(255))).toString("base64"),
      loudnessLufs: pick([null, -14.5, -30]),
      truePeakDb: pick([null, -1.25]),
      leadingSilenceMs: whole(5),
      trailingSilenceMs: whole(5),
    };
    const file = (kind: string, mimeType: string) => ({
      storageKey: crypto.randomUUID(),
      mimeType,
      sizeBytes: whole(10_000),
      sha256: hash(kind),
    });
    await database.query("select complete_audio(id, claim_token, $2, $3, $4) from audio where id = $1", [
      id,
      sound,
      file("b", "audio/mpeg"),
      pick([null, file("c", "image/png"), file("c", "image/jpeg")]),
    ]);
    if (status === "decoded before") await database.query("update audio set status = 'PENDING' where id = $1", [id]);
  }
}

/** Processes a document again, through the contract of the workers, into chunks of these texts. */
export async function processAgain(database: TestDatabase, id: string, texts: readonly string[]): Promise<void> {
  const chunks = texts.map((text, index) => ({ text, startOffset: index, endOffset: index + 1, tokenCount: 1 }));
  await database.query("update documents set status = 'PENDING' where id = $1 and status <> 'PENDING'", [id]);
  // The first in the queue.
  await database.query("update documents set next_attempt_at = '-infinity' where id = $1", [id]);
  const [done] = await database.query(
    `select c.id, complete_document(c.id, c.claim, $1) as is_complete from claim_documents('test', 1, '1 minute') c`,
    [JSON.stringify(chunks)],
  );
  if (done?.id !== id || done.is_complete !== true) throw new Error(`Document ${id} was not processed.`);
}

/** By the moves that the database allows. */
async function move(database: TestDatabase, table: "documents" | "audio", id: string, status: string): Promise<void> {
  if (status === "PENDING") return;
  await database.query(
    `update ${table} set status = 'PROCESSING', claimed_by = 'test', claim_token = gen_random_uuid(),
     lease_until = now() + interval '1 hour', attempts = 1 where id = $1`,
    [id],
  );
  if (status === "COMPLETED") {
    await database.query(`update ${table} set status = 'COMPLETED', progress = 1, processed_at = now() where id = $1`, [
      id,
    ]);
  }
  if (status === "FAILED") {
    await database.query(`update ${table} set status = 'FAILED', failure = 'a reason' where id = $1`, [id]);
  }
}

/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
