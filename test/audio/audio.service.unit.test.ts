/** The rules of audio and their order, without a database, a disk or a decoder. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { AudioRepository, LockedAudio, NewAudio } from "../../src/audio/audio.repository.ts";
import { AudioService, type AudioServiceParts } from "../../src/audio/audio.service.ts";
import type { AudioRow, ScheduleRow } from "../../src/database/generated/tables.ts";
import { ApplicationError } from "../../src/errors.ts";
import { FileMissingError, headBytes, StagedFile } from "../../src/storage/file-store.ts";
import type { Viewer } from "../../src/viewer.ts";
import { makeM4a, makeMp3, png } from "../support/sounds.ts";

const editor: NonNullable<Viewer> = { id: "edith", role: "EDITOR", sessionId: "a session" };
const listener: NonNullable<Viewer> = { id: "vera", role: "VIEWER", sessionId: "a session" };
const maxBytes = 100_000;

class AudioInMemory implements AudioRepository {
  readonly rows = new Map<string, LockedAudio & { storageKey: string; sentSha256: string }>();
  readonly labels = new Set(["music", "opening"]);

  async createUnlessPresent({ storageKey, ...audio }: NewAudio) {
    const id = `audio-${this.rows.size + 1}`;
    const now = new Date(0);
    const row = {
      ...{ durationMs: null, loudnessLufs: null, truePeakDb: null, leadingSilenceMs: null, trailingSilenceMs: null },
      ...{ coverMimeType: null, coverSizeBytes: null, coverSha256: null, failure: null, claimedBy: null },
      ...{ claimToken: null, leaseUntil: null, processedAt: null, nextAttemptAt: now, uploadedAt: now, updatedAt: now },
      ...{ status: "PENDING" as const, version: 1, attempts: 0, progress: 0 },
      ...{ ...audio, id, storageKey, sentSha256: audio.sha256 },
    };
    this.rows.set(id, row);
    return row;
  }
  async isPresent(sha256: string) {
    return (await this.findByHash(sha256)) !== null;
  }
  async findByHash(hash: string) {
    return [...this.rows.values()].find(({ sha256, sentSha256 }) => sha256 === hash || sentSha256 === hash) ?? null;
  }
  async hasFile(id: string, storageKey: string) {
    return this.rows.get(id)?.storageKey === storageKey;
  }
  async lock(id: string) {
    return this.rows.get(id) ?? null;
  }
  async update(id: string, changes: object) {
    return this.#change(id, changes);
  }
  async replaceFile(id: string, file: object) {
    return this.#change(id, { ...file, status: "PENDING" });
  }
  async delete(id: string) {
    this.rows.delete(id);
  }
  async makePending(id: string) {
    return this.#change(id, { status: "PENDING" });
  }
  categoryExists = async (id: string) => this.labels.has(id);
  eventExists = async (id: string) => this.labels.has(id);

  #change(id: string, changes: object): AudioRow {
    const row = this.rows.get(id) as LockedAudio & { storageKey: string; sentSha256: string };
    return Object.assign(row, changes, { version: row.version + 1 });
  }
}

let files = 0;
function staged(bytes: Uint8Array, name = "song.mp3"): StagedFile {
  const id = `file-${++files}`;
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return new StagedFile({ id, name, sizeBytes: bytes.length, sha256, head: bytes.subarray(0, headBytes) });
}

function setUp({ viewer = editor as Viewer, usedBytes = 0, limitBytes = 1_000_000 } = {}) {
  const audio = new AudioInMemory();
  const kept = new Set<string>();
  const uploads = new Map<string, StagedFile>();
  const log: string[] = [];
  const afterCommit: (() => unknown)[] = [];
  const prepared = new Map<string, Promise<unknown>>();
  const parts: AudioServiceParts = {
    viewer,
    maxBytes,
    uow: {
      audio,
      reader: { read: async () => [{ used: BigInt(usedBytes), limit: BigInt(limitBytes) }] },
      prepare<Result>(label: string, make: () => Promise<Result>) {
        if (!prepared.has(label)) prepared.set(label, make());
        return prepared.get(label) as Promise<Result>;
      },
      afterCommit: (effect) => void afterCommit.push(effect),
    },
    files: {
      async keep({ id }) {
        kept.add(`key of ${id}`);
        return `key of ${id}`;
      },
      async touch(key) {
        if (!kept.has(key)) throw new FileMissingError(key);
      },
      remove: async (key) => void kept.delete(key),
      discard: async ({ id }) => void log.push(`discard ${id}`),
      withStagedFile: (_file, use) => use("a path"),
    },
    uploads: {
      async stage(uploadId) {
        return uploads.get(uploadId) as StagedFile;
      },
      remove: async (uploadId, { id }) => void log.push(`remove ${uploadId} of ${id}`),
    },
    tags: {
      read: async (_path, mimeType) => ({
        title: mimeType === "audio/mp4" ? "Tagged" : null,
        artist: null,
        album: null,
      }),
    },
  };
  const commit = async () => {
    for (const effect of afterCommit.splice(0)) await effect();
  };
  return { service: new AudioService(parts), audio, kept, uploads, log, commit };
}

const mp3 = () => makeMp3({ seconds: 1 });
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "no error",
    (error: ApplicationError) => [error.code, error.details.inputPath?.join(".")].filter(Boolean).join(" "),
  );

describe("an upload", () => {
  it("keeps the file and creates the row, once in an operation", async () => {
    const { service, audio, kept } = setUp();
    const file = staged(mp3(), "My song.MP3");
    await service.prepareUpload({ source: { file } });
    expect([...kept]).toEqual([`key of ${file.id}`]);
    const created = await service.upload({ source: { file } });
    expect(created).toMatchObject({
      isDuplicate: false,
      audio: { title: "My song", filename: "My song.mp3", mimeType: "audio/mpeg", uploadedById: "edith" },
    });
    expect([kept.size, audio.rows.size]).toEqual([1, 1]);
  });

  it("has the title that was given, that of the tags, or that of the name, in this order", async () => {
    const { service } = setUp();
    const m4a = makeM4a({ seconds: 1 });
    expect((await service.upload({ source: { file: staged(m4a, "x.m4a") }, title: " Given " })).audio.title).toBe(
      "Given",
    );
    const other = makeM4a({ seconds: 1, frequency: 500 });
    expect((await service.upload({ source: { file: staged(other, "x.m4a") } })).audio.title).toBe("Tagged");
  });

  it("of the same bytes is the audio that is there, and keeps nothing", async () => {
    const { service, kept, commit } = setUp();
    const first = await service.upload({ source: { file: staged(mp3()) } });
    expect(await service.upload({ source: { file: staged(mp3()) }, title: "Again" })).toEqual({
      audio: first.audio,
      isDuplicate: true,
    });
    await commit();
    expect(kept.size).toBe(1);
  });

  it("of bytes that a conversion has made is the audio that is there", async () => {
    const { service, audio } = setUp();
    const { audio: first } = await service.upload({ source: { file: staged(makeM4a({ seconds: 1 })) } });
    await audio.update(first.id, { sha256: staged(mp3()).sha256 });
    expect((await service.upload({ source: { file: staged(mp3()) } })).isDuplicate).toBe(true);
  });

  it("that meets the same bytes only in its transaction removes its kept file after the commit, unless it is used", async () => {
    const { service, kept, commit } = setUp();
    const [one, other] = [staged(mp3()), staged(mp3())];
    await service.prepareUpload({ source: { file: one } });
    await service.prepareUpload({ source: { file: other } });
    await service.upload({ source: { file: one } });
    // A second field of the operation with the same file.
    await service.upload({ source: { file: one } });
    await service.upload({ source: { file: other } });
    expect(kept.size).toBe(2);
    await commit();
    expect([...kept]).toEqual([`key of ${one.id}`]);
  });

  it("whose duplicate is deleted meanwhile is told to retry", async () => {
    const { service, audio } = setUp();
    const { audio: first } = await service.upload({ source: { file: staged(mp3()) } });
    const again = staged(mp3());
    await service.prepareUpload({ source: { file: again } });
    await audio.delete(first.id);
    expect(await codeOf(service.upload({ source: { file: again } }))).toBe("CONFLICT");
  });

  it("sent before is discarded, and removed only after the commit", async () => {
    const { service, uploads, log, commit } = setUp();
    const file = staged(mp3());
    uploads.set("upload-1", file);
    await service.upload({ source: { uploadId: "upload-1" } });
    expect(log).toEqual([`discard ${file.id}`]);
    await commit();
    expect(log).toEqual([`discard ${file.id}`, "remove upload-1 of edith"]);
  });

  it("sent before that is refused stays", async () => {
    const { service, uploads, log, commit } = setUp();
    uploads.set("upload-1", staged(png));
    expect(await codeOf(service.prepareUpload({ source: { uploadId: "upload-1" } }))).toBe(
      "UNSUPPORTED_MEDIA_TYPE input.source.uploadId",
    );
    await commit();
    expect(log.filter((line) => line.startsWith("remove"))).toEqual([]);
  });

  it("whose file was swept is told so", async () => {
    const { service, kept } = setUp();
    const file = staged(mp3());
    await service.prepareUpload({ source: { file } });
    kept.clear();
    expect(await codeOf(service.upload({ source: { file } }))).toBe("TRANSACTION_TIMEOUT");
  });
});

describe("the rules are checked in their order:", () => {
  const wrong = { title: " ", categoryId: "none", eventId: "none" };
  const large = Buffer.concat([mp3(), Buffer.alloc(maxBytes)]);
  it.each([
    ["the role", { viewer: listener, file: png, ...wrong }, "FORBIDDEN"],
    ["the title", { file: png, ...wrong }, "BAD_USER_INPUT input.title"],
    ["the artist", { file: png, ...wrong, title: "T", artist: "\u0007" }, "BAD_USER_INPUT input.artist"],
    ["an empty file", { file: Buffer.alloc(0), ...wrong, title: "T" }, "BAD_USER_INPUT input.source.file"],
    ["the type", { file: png, ...wrong, title: "T" }, "UNSUPPORTED_MEDIA_TYPE input.source.file"],
    ["the category", { file: large, ...wrong, title: "T" }, "NOT_FOUND input.categoryId"],
    ["the event", { file: large, ...wrong, title: "T", categoryId: "music" }, "NOT_FOUND input.eventId"],
    ["the size", { file: large, title: "T", limitBytes: 1 }, "PAYLOAD_TOO_LARGE input.source.file"],
    ["the room", { file: mp3(), title: "T", limitBytes: 1 }, "QUOTA_EXCEEDED"],
  ])("%s", async (_what, { viewer, file, limitBytes, ...input }: Case, code) => {
    const { service, kept, audio } = setUp({ viewer: viewer ?? editor, limitBytes: limitBytes ?? 1_000_000 });
    expect(await codeOf(service.prepareUpload({ ...input, source: { file: staged(file) } }))).toBe(code);
    expect(await codeOf(service.upload({ ...input, source: { file: staged(file) } }))).toBe(code);
    expect([kept.size, audio.rows.size]).toEqual([0, 0]);
  });
  type Case = { viewer?: Viewer; limitBytes?: number; file: Buffer; title?: string; artist?: string };

  it("a stranger is asked to sign in", async () => {
    const { service } = setUp({ viewer: null });
    expect(await codeOf(service.delete({ id: "audio-1" }))).toBe("UNAUTHENTICATED");
  });

  it("all of it needs an editor", async () => {
    const { service } = setUp({ viewer: listener });
    const source = { file: staged(mp3()) };
    for (const work of [
      service.prepareReplaceFile({ id: "audio-1", source }),
      service.replaceFile({ id: "audio-1", source }),
      service.update({ id: "audio-1", expectedVersion: 1, title: "T" }),
      service.delete({ id: "audio-1" }),
      service.reprocess({ id: "audio-1" }),
    ]) {
      expect(await codeOf(work)).toBe("FORBIDDEN");
    }
  });
});

describe("an existing audio", () => {
  async function withAudio(status: AudioRow["status"] = "COMPLETED") {
    const home = setUp();
    const { audio } = await home.service.upload({ source: { file: staged(mp3()) }, title: "First" });
    await home.audio.update(audio.id, { status, claimToken: "secret", claimedBy: "w", version: 4 });
    return { ...home, id: audio.id };
  }

  it("is changed where a change is given, and not without one", async () => {
    const { service, audio, id } = await withAudio();
    const { version } = audio.rows.get(id) as AudioRow;
    expect(await service.update({ id, expectedVersion: version })).toMatchObject({ version });
    const changes = { title: "New", artist: null, categoryId: "music" };
    expect(await service.update({ id, expectedVersion: version, ...changes })).toMatchObject({
      ...changes,
      version: version + 1,
    });
    expect(await codeOf(service.update({ id, expectedVersion: version, title: "Late" }))).toBe(
      "CONFLICT input.expectedVersion",
    );
    expect(await codeOf(service.update({ id, expectedVersion: version + 1, title: null }))).toBe(
      "BAD_USER_INPUT input.title",
    );
    expect(await codeOf(service.update({ id, expectedVersion: version + 1, eventId: "none" }))).toBe(
      "NOT_FOUND input.eventId",
    );
    expect(await codeOf(service.update({ id: "none", expectedVersion: 1 }))).toBe("NOT_FOUND input.id");
  });

  it.each([
    ["PENDING", "INVALID_STATE input.id", "no error"],
    ["PROCESSING", "INVALID_STATE input.id", "INVALID_STATE input.id"],
    ["COMPLETED", "no error", "no error"],
    ["FAILED", "no error", "no error"],
  ] as const)("that is %s: processed again %s, replaced %s", async (status, reprocessed, replaced) => {
    const one = await withAudio(status);
    expect(await codeOf(one.service.reprocess({ id: one.id }))).toBe(reprocessed);
    const other = await withAudio(status);
    const file = staged(makeMp3({ seconds: 1, frequency: 600 }));
    expect(await codeOf(other.service.replaceFile({ id: other.id, source: { file } }))).toBe(replaced);
  });

  it("gets another file, and keeps its title", async () => {
    const { service, id } = await withAudio();
    const file = staged(makeM4a({ seconds: 1 }), "other.m4a");
    expect(await service.replaceFile({ id, source: { file } })).toMatchObject({
      id,
      title: "First",
      filename: "other.m4a",
      mimeType: "audio/mp4",
      status: "PENDING",
    });
  });

  it("is not changed by its own file, and refuses that of another", async () => {
    const { service, audio, id } = await withAudio();
    const { version } = audio.rows.get(id) as AudioRow;
    expect(await service.replaceFile({ id, source: { file: staged(mp3()) } })).toMatchObject({ version });
    const other = makeMp3({ seconds: 1, frequency: 600 });
    await service.upload({ source: { file: staged(other) }, title: "Other" });
    expect(await codeOf(service.replaceFile({ id, source: { file: staged(other) } }))).toBe("DUPLICATE input.source");
  });

  it("is deleted, with the version that was read", async () => {
    const { service, audio, id } = await withAudio();
    const { version } = audio.rows.get(id) as AudioRow;
    expect(await codeOf(service.delete({ id, expectedVersion: version - 1 }))).toBe("CONFLICT input.expectedVersion");
    expect(await service.delete({ id, expectedVersion: version })).toEqual([]);
    expect(audio.rows.size).toBe(0);
  });

  it("that is to be deleted leaves its playlists first: the answer is the schedules that moved", async () => {
    const { service, audio, id } = await withAudio();
    const moved = [{ id: "schedule-1" } as ScheduleRow];
    const asked: unknown[] = [];
    service.followers = {
      async beforeAudioDeletion({ id: deleted }, options) {
        asked.push([deleted, options, audio.rows.has(deleted)]);
        return moved;
      },
    };
    expect(await service.delete({ id, removeFromPlaylists: true })).toBe(moved);
    expect(asked).toEqual([[id, { removeFromPlaylists: true }, true]]);
    expect(audio.rows.size).toBe(0);
  });

  it("that a playlist needs is not deleted: the refusal is the answer, and nothing else has happened", async () => {
    const { service, audio, id } = await withAudio();
    const before = { ...(audio.rows.get(id) as LockedAudio) };
    const refusal = new ApplicationError("INVALID_STATE", "The playlist needs it.", { inputPath: ["input", "id"] });
    const asked: unknown[] = [];
    service.followers = {
      async beforeAudioDeletion(_audio, options) {
        asked.push(options);
        throw refusal;
      },
    };
    for (const input of [{ id }, { id, removeFromPlaylists: null }]) {
      await expect(service.delete(input)).rejects.toBe(refusal);
    }
    expect(asked).toEqual(Array(2).fill({ removeFromPlaylists: false }));
    expect(audio.rows.get(id)).toEqual(before);
  });

  it("is not asked of its playlists when the viewer may not delete it or has read an older version", async () => {
    const { service, audio, id } = await withAudio();
    service.followers = { beforeAudioDeletion: () => expect.unreachable("The deletion is refused before.") };
    const { version } = audio.rows.get(id) as AudioRow;
    expect(await codeOf(service.delete({ id, expectedVersion: version - 1 }))).toBe("CONFLICT input.expectedVersion");
    expect(await codeOf(service.delete({ id: "none" }))).toBe("NOT_FOUND input.id");
  });

  it("names its holder for the log only", async () => {
    const { service, id } = await withAudio("PROCESSING");
    const error = (await service.reprocess({ id }).catch((failure) => failure)) as ApplicationError;
    expect(error.holder).toBe(`audio ${id} is PROCESSING in attempt 0, claimed by worker w with claim secret`);
    expect(error.message).not.toContain("secret");
  });
});
