/** The rules of audio, in the order in which they are checked: docs/audio.md lists them with their codes. */
import type { AudioRow, ScheduleRow } from "../database/generated/tables.ts";
import { ApplicationError, badInput, findStaleness } from "../errors.ts";
import { withHolder } from "../processing/holder.ts";
import { requireShortText } from "../short-text.ts";
import { type FileStore, requireThere } from "../storage/file-store.ts";
import type { UnitOfWork } from "../unit-of-work/unit-of-work.ts";
import { type FileSource, removeUploadAfterCommit } from "../uploads/file-source.ts";
import { requireRole, type Viewer } from "../viewer.ts";
import type { AudioDetails, AudioRepository, LockedAudio } from "./audio.repository.ts";
import { type SentSound, SoundReceiver, type SoundReceiverParts } from "./sound-receiver.ts";

/** Absent: unchanged, or the file's own; null: none. */
export type Details = { title?: string | null; artist?: string | null; album?: string | null } & Labels;
type Labels = { categoryId?: string | null; eventId?: string | null };
export type UploadAudio = Details & { source: FileSource };
export type ExistingAudio = { id: string; expectedVersion?: number | null };
export type UpdateAudio = Details & { id: string; expectedVersion: number };
export type ReplaceAudioFile = ExistingAudio & { source: FileSource };
export type DeleteAudio = ExistingAudio & { removeFromPlaylists?: boolean | null };

export type AudioServiceParts = Omit<SoundReceiverParts, "viewer"> & {
  uow: Pick<UnitOfWork, "afterCommit"> & { audio: AudioRepository };
  files: Pick<FileStore, "touch">;
  viewer: Viewer;
};

/** Called in the unit of work of a change. An error of a follower undoes the change. */
export interface AudioFollowers {
  /**
   * Before the deletion. Returns the schedules that end at another time.
   *
   * @param options.removeFromPlaylists true to remove it from its playlists; otherwise they forbid the deletion
   * @throws ApplicationError INVALID_STATE that names the playlists
   */
  beforeAudioDeletion(audio: AudioRow, options: { removeFromPlaylists: boolean }): Promise<readonly ScheduleRow[]>;
}

export class AudioService {
  readonly #parts: AudioServiceParts;
  followers: AudioFollowers = { beforeAudioDeletion: async () => [] };

  constructor(parts: AudioServiceParts) {
    this.#parts = parts;
  }

  /** Slow part of `upload`: runs once, before the transaction. */
  async prepareUpload(input: UploadAudio): Promise<void> {
    const editor = this.#requireEditor();
    changesOf(input);
    await this.#receive(input, editor);
  }

  /** Creates an audio, or returns the one of the same bytes. */
  async upload(input: UploadAudio): Promise<{ audio: AudioRow; isDuplicate: boolean }> {
    const editor = this.#requireEditor();
    const changes = changesOf(input);
    const sound = await this.#receive(input, editor);
    await this.#requireLabels(input);
    const audio = { ...noDetails, ...changes, title: changes.title ?? sound.title, uploadedById: editor.id };
    const created = await this.#createUnlessPresent(audio, sound);
    removeUploadAfterCommit(input.source, { ...this.#parts, viewer: editor });
    if (created) return { audio: created, isDuplicate: false };
    const present = await this.#parts.uow.audio.findByHash(sound.sha256);
    if (!present) throw deletedMeanwhile();
    await this.#dropUnlessUsed(sound, present);
    return { audio: present, isDuplicate: true };
  }

  async #createUnlessPresent(
    audio: AudioDetails & { uploadedById: string },
    sound: SentSound,
  ): Promise<AudioRow | null> {
    const { uow, files } = this.#parts;
    const { title: _title, storageKey, ...file } = sound;
    if (storageKey === null || (await uow.audio.findByHash(sound.sha256))) return null;
    const created = await uow.audio.createUnlessPresent({ ...audio, ...file, storageKey });
    if (created) await requireThere(files.touch(storageKey));
    return created;
  }

  /** Slow part of `replaceFile`: runs once, before the transaction. */
  async prepareReplaceFile(input: ReplaceAudioFile): Promise<void> {
    await this.#receive(input, this.#requireEditor());
  }

  /** Swaps the sound. Id, title and labels stay. */
  async replaceFile(input: ReplaceAudioFile): Promise<AudioRow> {
    const { uow, files } = this.#parts;
    const editor = this.#requireEditor();
    const { title: _title, storageKey, ...file } = await this.#receive(input, editor);
    const audio = await this.#lock(input);
    if (audio.status === "PROCESSING") throw invalidState(audio, "Its file cannot be replaced");
    removeUploadAfterCommit(input.source, { ...this.#parts, viewer: editor });
    const present = await uow.audio.findByHash(file.sha256);
    if (present && present.id !== audio.id) {
      const message = `The file is that of the audio ${JSON.stringify(present.title)}: use that one, or delete it first.`;
      throw new ApplicationError("DUPLICATE", message, { inputPath: ["input", "source"] });
    }
    if (present) {
      await this.#dropUnlessUsed({ storageKey }, present);
      return present;
    }
    if (storageKey === null) throw deletedMeanwhile();
    const replaced = await uow.audio.replaceFile(audio.id, { ...file, storageKey });
    await requireThere(files.touch(storageKey));
    return replaced;
  }

  async update({ id, expectedVersion, ...input }: UpdateAudio): Promise<AudioRow> {
    this.#requireEditor();
    const changes = changesOf(input);
    if (changes.title === null) throw badInput(["input", "title"], "An audio always has a title.");
    await this.#requireLabels(input);
    const audio = await this.#lock({ id, expectedVersion });
    const { title, ...others } = changes;
    const all = title === undefined ? others : { ...others, title };
    return Object.keys(all).length === 0 ? audio : this.#parts.uow.audio.update(id, all);
  }

  /** Returns the schedules that end at another time because the audio has left their playlists. */
  async delete({ removeFromPlaylists, ...input }: DeleteAudio): Promise<readonly ScheduleRow[]> {
    this.#requireEditor();
    // Until the end, nobody adds it to a playlist: a new track waits for the row.
    const audio = await this.#lock(input);
    const options = { removeFromPlaylists: removeFromPlaylists ?? false };
    const movedSchedules = await this.followers.beforeAudioDeletion(audio, options);
    await this.#parts.uow.audio.delete(input.id);
    return movedSchedules;
  }

  async reprocess(input: ExistingAudio): Promise<AudioRow> {
    this.#requireEditor();
    const audio = await this.#lock(input);
    // Stricter than the database, which allows PROCESSING → PENDING for expired leases.
    if (audio.status !== "COMPLETED" && audio.status !== "FAILED") {
      throw invalidState(audio, "It cannot be processed again");
    }
    return this.#parts.uow.audio.makePending(input.id);
  }

  #receive({ source, ...labels }: Labels & { source: FileSource }, viewer: NonNullable<Viewer>): Promise<SentSound> {
    return new SoundReceiver({ ...this.#parts, viewer }).receive(source, () => this.#requireLabels(labels));
  }

  /** Removes the kept file, unless another field of this operation has used it. */
  async #dropUnlessUsed({ storageKey }: Pick<SentSound, "storageKey">, present: AudioRow): Promise<void> {
    const { uow, files } = this.#parts;
    if (storageKey === null || (await uow.audio.hasFile(present.id, storageKey))) return;
    uow.afterCommit(() => files.remove(storageKey));
  }

  async #requireLabels({ categoryId, eventId }: Labels): Promise<void> {
    const { audio } = this.#parts.uow;
    if (categoryId != null && !(await audio.categoryExists(categoryId))) {
      throw new ApplicationError("NOT_FOUND", "The category does not exist.", { inputPath: ["input", "categoryId"] });
    }
    if (eventId != null && !(await audio.eventExists(eventId))) {
      throw new ApplicationError("NOT_FOUND", "The event does not exist.", { inputPath: ["input", "eventId"] });
    }
  }

  /** Locks the audio, and checks that the viewer has read its current version. */
  async #lock({ id, expectedVersion }: ExistingAudio): Promise<LockedAudio> {
    const audio = await this.#parts.uow.audio.lock(id);
    if (!audio) throw new ApplicationError("NOT_FOUND", "The audio does not exist.", { inputPath: ["input", "id"] });
    const stale = findStaleness("Audio", audio, expectedVersion);
    if (stale) throw withHolder("audio", audio, stale);
    return audio;
  }

  #requireEditor(): NonNullable<Viewer> {
    return requireRole(this.#parts.viewer, "EDITOR");
  }
}

const noDetails = { artist: null, album: null, categoryId: null, eventId: null };

/** The given details, checked. */
function changesOf({ title, artist, album, categoryId, eventId }: Details) {
  return {
    ...(title == null ? { title } : { title: requireShort("title", title) }),
    ...(artist === undefined ? {} : { artist: artist && requireShort("artist", artist) }),
    ...(album === undefined ? {} : { album: album && requireShort("album", album) }),
    ...(categoryId === undefined ? {} : { categoryId }),
    ...(eventId === undefined ? {} : { eventId }),
  };
}

const requireShort = (field: "title" | "artist" | "album", text: string) =>
  requireShortText(text, { field, longest: 500 });

const deletedMeanwhile = () => new ApplicationError("CONFLICT", "The same audio was deleted meanwhile: retry.");

function invalidState(audio: LockedAudio, refusal: string): ApplicationError {
  const message = `The audio is ${audio.status}. ${refusal}: wait until it is COMPLETED or FAILED.`;
  return withHolder("audio", audio, new ApplicationError("INVALID_STATE", message, { inputPath: ["input", "id"] }));
}
