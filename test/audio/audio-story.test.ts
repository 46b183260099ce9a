/** The life of an audio as editors and listeners see it, through the public API. */
import { createHash } from "node:crypto";
import { print } from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { traced } from "../support/budget.ts";
import { graphql } from "../support/client/generated/gql.ts";
import type { UploadAudioInput, UploadSoundMutation } from "../support/client/generated/graphql.ts";
import { filesOf } from "../support/files.ts";
import { uuidOf } from "../support/global-ids.ts";
import { errorsOf, type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { id3Tag, makeM4a, makeMp3, png } from "../support/sounds.ts";
import { until } from "../support/until.ts";
import { sendSource } from "../support/upload.ts";
import { watchBySse } from "../support/watching.ts";

let lectern: Lectern;
let edith: Person;
let vera: Person;

beforeAll(async () => {
  lectern = await startLectern({ worker: true });
  edith = await lectern.person("Edith", "EDITOR");
  vera = await lectern.person("Vera");
});
afterAll(() => lectern.stop());

const UploadSound = graphql(`
  mutation UploadSound($input: UploadAudioInput!) {
    uploadAudio(input: $input) {
      isDuplicate
      audio { id title artist filename status version mimeType sizeBytes sha256 durationMs url uploadedBy { name } }
    }
  }
`);

const ReadAudio = graphql(`
  query ReadAudio($id: ID!, $count: Int) {
    audio(id: $id) {
      id title artist album filename status version mimeType sizeBytes sha256 durationMs failure progress attempts
      loudnessLufs truePeakDb leadingSilenceMs trailingSilenceMs url coverUrl waveformUrl peaks(count: $count)
      category { name } event { name } uploadedBy { name } uploadedAt updatedAt processedAt
    }
  }
`);

const UpdateSound = graphql(`
  mutation UpdateSound($input: UpdateAudioInput!) {
    updateAudio(input: $input) { audio { version title artist album category { name } event { name } } }
  }
`);

const ReplaceSound = `mutation($input: ReplaceAudioFileInput!) {
  replaceAudioFile(input: $input) { audio { id title filename status version durationMs peaks sha256 } }
}`;

const DeleteSound = graphql(`
  mutation DeleteSound($input: DeleteAudioInput!) {
    deleteAudio(input: $input) { deletedId }
  }
`);

const ReprocessSound = graphql(`
  mutation ReprocessSound($input: ReprocessAudioInput!) {
    reprocessAudio(input: $input) { audio { status version durationMs } }
  }
`);

const ListSounds = graphql(`
  query ListSounds($filter: AudioFilter, $orderBy: AudioOrder, $first: Int) {
    audios(filter: $filter, orderBy: $orderBy, first: $first) { totalCount nodes { title } }
  }
`);

let hertz = 300;
/** A sound that no other test has. */
const song = (options: Partial<Parameters<typeof makeMp3>[0]> = {}) =>
  makeMp3({ seconds: 1, frequency: hertz++, ...options });

type Uploaded = NonNullable<UploadSoundMutation["uploadAudio"]>;
async function send(bytes: Uint8Array, input: Partial<UploadAudioInput> = {}, name = "song.mp3", by = edith) {
  const file = new File([bytes as Uint8Array<ArrayBuffer>], name);
  return sendSource<UploadSoundMutation>(lectern, by, { query: print(UploadSound), input, file });
}
async function upload(bytes: Uint8Array, input: Partial<UploadAudioInput> = {}, name = "song.mp3"): Promise<Uploaded> {
  const { data, errors } = await send(bytes, input, name);
  if (!data) throw new Error(JSON.stringify(errors));
  return data.uploadAudio;
}
async function read(id: string, count = 10) {
  const { audio } = await edith.client.request(ReadAudio, { id, count });
  if (!audio) throw new Error("There is no such audio.");
  return audio;
}
/** An address works for anybody who has it; the server stands at another place in tests. */
const fetchFile = (address: string | null | undefined, headers = {}) =>
  fetch(new URL(new URL(address as string).pathname + new URL(address as string).search, lectern.url), { headers });
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const ledger = async () =>
  (
    await lectern.database.query(`
      select used_bytes = (select coalesce(sum(size_bytes + coalesce(cover_size_bytes, 0)), 0) from audio) as "isRight"
      from storage_usage`)
  )[0]?.isRight;

/** Until the files that no row names are gone. */
async function untilFilesFollow(): Promise<void> {
  const [row] = await lectern.database.query("select count(storage_key) + count(cover_key) as count from audio");
  await until(async () => (await filesOf(lectern)).length === Number(row?.count), "the files follow the rows");
}

describe("an M4A file", () => {
  it("can be played at once, is decoded and converted afterwards, and leaves one file and a right ledger", async () => {
    const sent = makeM4a({ seconds: 2, frequency: 440, title: "Night Train", artist: "Ada", album: "Engines" });
    const { audio, isDuplicate } = await upload(sent, {}, "Take 1.m4a");
    expect([isDuplicate, audio]).toMatchObject([
      false,
      {
        title: "Night Train",
        filename: "Take 1.m4a",
        mimeType: "audio/mp4",
        sizeBytes: sent.length,
        sha256: sha256(sent),
        durationMs: null,
        uploadedBy: { name: "Edith" },
      },
    ]);
    const first = await fetchFile(audio.url);
    // The worker may have converted it by now; the address is then that of the new file.
    expect([first.status, first.headers.get("content-type")]).toEqual([
      200,
      expect.stringMatching(/^audio\/(mp4|mpeg)$/),
    ]);
    await first.arrayBuffer();

    await lectern.settled();
    const done = await read(audio.id);
    expect(done).toMatchObject({
      status: "COMPLETED",
      progress: 1,
      failure: null,
      title: "Night Train",
      artist: "Ada",
      album: "Engines",
      filename: "Take 1.mp3",
      mimeType: "audio/mpeg",
      coverUrl: null,
    });
    expect(Math.abs((done.durationMs as number) - 2_000)).toBeLessThanOrEqual(50);
    expect(done.peaks).toHaveLength(10);
    const file = await fetchFile(done.url);
    const bytes = new Uint8Array(await file.arrayBuffer());
    expect([file.headers.get("content-type"), bytes.length, sha256(bytes)]).toEqual([
      "audio/mpeg",
      done.sizeBytes,
      done.sha256,
    ]);
    // The old file follows its row.
    await untilFilesFollow();
    expect(await filesOf(lectern)).toHaveLength(1);
    expect(await ledger()).toBe(true);
  });

  it("is recognized when it comes again, as it was sent or as it has become", async () => {
    const sent = makeM4a({ seconds: 1, frequency: 500, codec: "alac" });
    const { audio } = await upload(sent, { title: "Lossless" }, "x.m4a");
    await lectern.settled();
    await untilFilesFollow();
    const files = await filesOf(lectern);
    const become = new Uint8Array(await (await fetchFile((await read(audio.id)).url)).arrayBuffer());
    for (const again of [sent, become]) {
      expect(await upload(again, { title: "Another title" })).toMatchObject({
        isDuplicate: true,
        audio: { id: audio.id, title: "Lossless", status: "COMPLETED" },
      });
    }
    expect(await filesOf(lectern)).toEqual(files);
    expect(await ledger()).toBe(true);
  });
});

describe("an MP3 file", () => {
  it("stays as it was sent, and shows what its sound is", async () => {
    const sent = Buffer.concat([id3Tag({ texts: { TIT2: "Cover song" }, cover: png }), song({ seconds: 3 })]);
    const { audio } = await upload(sent);
    await lectern.settled();
    const done = await read(audio.id, 1_000);
    expect(done).toMatchObject({ title: "Cover song", sha256: sha256(sent), mimeType: "audio/mpeg" });
    expect(Math.abs((done.durationMs as number) - 3_000)).toBeLessThanOrEqual(50);
    expect(done.peaks).toHaveLength(1_000);
    expect(Math.max(...(done.peaks ?? []))).toBeGreaterThan(0.1);
    expect(done.loudnessLufs).toBeLessThan(0);
    const cover = await fetchFile(done.coverUrl);
    expect([cover.headers.get("content-type"), Buffer.from(await cover.arrayBuffer())]).toEqual(["image/png", png]);
    const waveform = await fetchFile(done.waveformUrl);
    expect(waveform.headers.get("content-type")).toBe("image/svg+xml");
    expect(await waveform.text()).toMatch(/^<svg .*<\/svg>$/s);
    expect(await ledger()).toBe(true);
  });

  it("that is damaged becomes FAILED with a reason, keeps its file, and can be tried again or replaced", async () => {
    const { audio } = await upload(
      makeM4a({ seconds: 1, frequency: 700 }).subarray(0, 500),
      { title: "Cut" },
      "cut.m4a",
    );
    await lectern.settled();
    const failed = await read(audio.id);
    expect(failed).toMatchObject({ status: "FAILED", durationMs: null, peaks: null, waveformUrl: null });
    expect(failed.failure).toMatch(/^[A-Z].*\.$/);
    expect((await fetchFile(failed.url)).status).toBe(200);

    const { reprocessAudio } = await edith.client.request(ReprocessSound, { input: { id: audio.id } });
    expect(reprocessAudio.audio).toMatchObject({ status: "PENDING" });
    await lectern.settled();
    const again = await read(audio.id);
    expect(again).toMatchObject({ status: "FAILED", attempts: failed.attempts });

    const whole = song();
    const replaced = await sendSource<{ replaceAudioFile: { audio: object } }>(lectern, edith, {
      query: ReplaceSound,
      input: { id: audio.id, expectedVersion: again.version },
      file: new File([new Uint8Array(whole)], "whole.mp3"),
    });
    expect(replaced.data?.replaceAudioFile.audio).toMatchObject({ id: audio.id, title: "Cut", sha256: sha256(whole) });
    await lectern.settled();
    expect(await read(audio.id)).toMatchObject({ status: "COMPLETED", filename: "whole.mp3", failure: null });
    expect(await ledger()).toBe(true);
  });

  it("gives its name to one audio only", async () => {
    const names = [];
    for (let count = 0; count < 3; count++) names.push((await upload(song(), {}, "Same name.mp3")).audio.filename);
    expect(names).toEqual(["Same name.mp3", "Same name (2).mp3", "Same name (3).mp3"]);
  });

  it.each([
    ["../../etc/passwd", "passwd.mp3"],
    ["..\\..\\boot.ini", "boot.mp3"],
    ["evil\u0000\u0007name.mp3", "evilname.mp3"],
    ["\u202egnp.song.mp3", "gnp.song.mp3"],
    ["a:b*c?.wav", "a b c.mp3"],
    [".mp3", "audio.mp3"],
    ["Bài hát số 1 🎵.m4a", "Bài hát số 1 🎵.mp3"],
  ])("named %j is called %j", async (sent, called) => {
    expect((await upload(song(), { title: "Named" }, sent)).audio.filename).toBe(called);
  });

  it("with a name of 300 characters keeps the beginning of it", async () => {
    const { audio } = await upload(song(), { title: "Long" }, `${"x".repeat(300)}.mp3`);
    expect(audio.filename).toMatch(/^x{170,190}\.mp3$/);
  });
});

describe("the rules of an upload, in their order", () => {
  const missing = { categoryId: "Category:00000000-0000-7000-8000-000000000000" };
  const idOf = (plain: string) => Buffer.from(plain).toString("base64url");

  it("refuse who is no editor", async () => {
    const { status, errors, data } = await send(song(), {}, "x.mp3", vera);
    expect([status, data ?? null, errors?.[0]?.extensions.code]).toEqual([403, null, "FORBIDDEN"]);
    const stranger = { ...vera, accessToken: "" };
    expect((await send(song(), {}, "x.mp3", stranger)).errors?.[0]?.extensions.code).toBe("UNAUTHENTICATED");
  });

  it.each([
    ["an empty title, before the type", Buffer.from("no sound"), { title: " " }, "BAD_USER_INPUT", "title"],
    ["no bytes", Buffer.alloc(0), {}, "BAD_USER_INPUT", "source.file"],
    ["one byte", Buffer.from([0xff]), {}, "UNSUPPORTED_MEDIA_TYPE", "source.file"],
    [
      "a PNG, before the category",
      png,
      { categoryId: idOf(missing.categoryId) },
      "UNSUPPORTED_MEDIA_TYPE",
      "source.file",
    ],
    ["a page", Buffer.from("<!doctype html><title>x</title>"), {}, "UNSUPPORTED_MEDIA_TYPE", "source.file"],
    [
      "a playlist",
      Buffer.from("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"),
      {},
      "UNSUPPORTED_MEDIA_TYPE",
      "source.file",
    ],
  ])("refuse %s, and leave nothing", async (_what, bytes, input, code, path) => {
    const [files, rows] = [await filesOf(lectern), await lectern.database.query("select count(*) from audio")];
    const { data, errors } = await send(bytes, input as Partial<UploadAudioInput>, "x.mp3");
    expect(data ?? null).toBeNull();
    expect(errors?.[0]?.extensions).toMatchObject({ code, inputPath: ["input", ...path.split(".")] });
    expect(await lectern.database.query("select count(*) from audio")).toEqual(rows);
    await until(async () => (await filesOf(lectern)).length === files.length, "no file is left");
    expect(await ledger()).toBe(true);
  });
});

describe("labels", () => {
  it("are set, changed and cleared; null is no title", async () => {
    const { createCategory } = await edith.client.request(
      graphql(`mutation MakeCategory { createCategory(input: { name: "Music" }) { category { id } } }`),
    );
    const { createEvent } = await edith.client.request(
      graphql(`mutation MakeEvent { createEvent(input: { name: "Opening" }) { event { id } } }`),
    );
    const [categoryId, eventId] = [createCategory.category.id, createEvent.event.id];
    const { audio } = await upload(song(), { title: "Labelled", categoryId, eventId, artist: "Grace" });
    await lectern.settled();
    const { id, version, artist, category, event } = await read(audio.id);
    expect({ artist, category, event }).toEqual({
      artist: "Grace",
      category: { name: "Music" },
      event: { name: "Opening" },
    });

    const input = { id, expectedVersion: version };
    const errors = await errorsOf(edith.client.request(UpdateSound, { input: { ...input, title: null } }));
    expect(errors[0]?.extensions).toMatchObject({ code: "BAD_USER_INPUT", inputPath: ["input", "title"] });
    const { updateAudio } = await edith.client.request(UpdateSound, {
      input: { ...input, title: "Renamed", artist: null, categoryId: null },
    });
    expect(updateAudio.audio).toMatchObject({
      title: "Renamed",
      artist: null,
      category: null,
      event: { name: "Opening" },
      version: version + 1,
    });
    const stale = await errorsOf(edith.client.request(UpdateSound, { input: { ...input, title: "Stale" } }));
    expect(stale[0]?.extensions).toMatchObject({ code: "CONFLICT", currentVersion: version + 1 });
    const refused = await errorsOf(vera.client.request(UpdateSound, { input: { ...input, title: "Mine" } }));
    expect(refused[0]?.extensions.code).toBe("FORBIDDEN");
  });
});

describe("lists", () => {
  it("find titles, artists and albums without accents, and order by each property", async () => {
    const nora = await lectern.person("Nora", "EDITOR");
    for (const [title, artist, seconds] of [
      ["Người đẹp", "Trịnh Công Sơn", 2],
      ["Ngày mai", "Văn Cao", 1],
    ] as const) {
      await send(song({ seconds }), { title, artist }, "song.mp3", nora);
    }
    await lectern.settled();
    const titles = async (filter: object, orderBy?: object) => {
      const { audios } = await vera.client.request(ListSounds, {
        filter,
        ...(orderBy && { orderBy }),
        first: 100,
      } as never);
      expect(audios.totalCount).toBe(audios.nodes.length);
      return audios.nodes.map(({ title }) => title);
    };
    expect(await titles({ search: "nguoi" })).toEqual(["Người đẹp"]);
    expect(await titles({ search: "trinh cong" })).toEqual(["Người đẹp"]);
    const both = { search: "ng", uploadedById: nora.id };
    expect(await titles(both, { field: "TITLE", direction: "ASC" })).toEqual(["Ngày mai", "Người đẹp"]);
    expect(await titles(both, { field: "DURATION", direction: "DESC" })).toEqual(["Người đẹp", "Ngày mai"]);
    expect(await titles(both)).toEqual(["Ngày mai", "Người đẹp"]);
    expect((await titles({ uploadedById: vera.id })).length).toBe(0);
    expect(await titles({ status: ["FAILED"] })).toEqual([]);
  });

  it("cost one statement a relation, however many ask", async () => {
    const query = `query($first: Int) { audios(first: $first) { totalCount nodes {
      title peaks(count: 5) url uploadedBy { name audio(first: 2) { nodes { title } } }
      category { name audio(first: 2) { totalCount } } event { name audio(first: 2) { nodes { id } } }
    } } }`;
    const one = await traced(lectern, vera, query, { first: 1 });
    const many = await traced(lectern, vera, query, { first: 20 });
    expect([many.cost.statements, many.cost.roundTrips]).toEqual([one.cost.statements, 1]);
  });

  it("show no more slices of a waveform than there are", async () => {
    const { audio } = await upload(song());
    for (const count of [0, -1, 1_001]) {
      const errors = await errorsOf(edith.client.request(ReadAudio, { id: audio.id, count }));
      // Of an audio that has not been decoded, too.
      expect(errors[0]?.extensions).toMatchObject({ code: "BAD_USER_INPUT", inputPath: ["count"] });
    }
  });
});

describe("audioChanged", () => {
  type Changed = { audioChanged: { deletedId: string | null; audio: { title: string; status: string } | null } };

  it("tells everybody who reads of the upload, of each step of its processing, and of the deletion", async () => {
    const query = "subscription { audioChanged { cursor deletedId audio { title status } } }";
    const watch = await watchBySse<Changed>(lectern.url, { query, accessToken: vera.accessToken });
    const { audio } = await upload(song(), { title: "Watched" });
    await lectern.settled();
    await edith.client.request(DeleteSound, { input: { id: audio.id } });
    await until(
      () => watch.results.some(({ data }) => data?.audioChanged.deletedId === audio.id),
      "the deletion is told",
    );
    watch.close();
    // The row is shown as it is when the event is told, so steps that follow quickly look alike.
    const shown = watch.results.map(({ data }) => data?.audioChanged.audio).filter((row) => row?.title === "Watched");
    expect(shown.length).toBeGreaterThan(0);
    expect(watch.results.length).toBeGreaterThanOrEqual(4);
  });

  it("is refused to strangers", async () => {
    const query = "subscription { audioChanged { cursor } }";
    const watch = await watchBySse(lectern.url, { query });
    expect(await watch.next()).toMatchObject({ errors: [{ extensions: { code: "UNAUTHENTICATED" } }] });
  });
});

describe("deletion", () => {
  it("takes the file and its bytes with it", async () => {
    const { audio } = await upload(song());
    await lectern.settled();
    const { version, url } = await read(audio.id);
    const stale = await errorsOf(
      edith.client.request(DeleteSound, { input: { id: audio.id, expectedVersion: version - 1 } }),
    );
    expect(stale[0]?.extensions.code).toBe("CONFLICT");
    expect((await errorsOf(vera.client.request(DeleteSound, { input: { id: audio.id } })))[0]?.extensions.code).toBe(
      "FORBIDDEN",
    );
    const { deleteAudio } = await edith.client.request(DeleteSound, {
      input: { id: audio.id, expectedVersion: version },
    });
    expect(deleteAudio.deletedId).toBe(audio.id);
    expect((await fetchFile(url)).status).toBe(404);
    await untilFilesFollow();
    expect(await ledger()).toBe(true);
    expect(uuidOf(audio.id)).toMatch(/^[0-9a-f-]{36}$/);
    expect((await errorsOf(edith.client.request(DeleteSound, { input: { id: audio.id } })))[0]?.extensions.code).toBe(
      "NOT_FOUND",
    );
  });
});
