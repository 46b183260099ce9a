/**
 * Resumable uploads, as operations use them: a file is sent in pieces first (tus-endpoint.ts), and an operation then
 * names it by its id.
 *
 *   created → (bytes are appended) → complete → staged by an operation, as often as it is attempted → removed
 *        └──────────────┴────────────────┴──► removed by its client, or when it has not been used for some hours
 *
 * An upload is removed only after the commit of the operation that used it, so a failed operation can be repeated.
 */
import { randomUUID } from "node:crypto";
import { ApplicationError } from "../errors.ts";
import { type FileStore, FileStoreError, type StagedFile } from "../storage/file-store.ts";
import type { Viewer } from "../viewer.ts";
import { isUploadId, type PartialUpload, type UploadFolder, type UploadKey } from "./upload-folder.ts";
import type { UploadLocks } from "./upload-locks.ts";

export type ResumableUploadsOptions = {
  folder: UploadFolder;
  locks: UploadLocks;
  store: Pick<FileStore, "stage">;
  /** Time after its last use after which an upload is removed. */
  lifetimeMs: number;
  /** Maximum number of a user's uploads, and sum of their lengths. */
  perUser: { count: number; bytes: number };
};

/** Uploads that a request may be about to use are not swept. */
const sweepSlackMs = 60_000;
const inputPath = ["input", "source", "uploadId"];

export class ResumableUploads {
  readonly #options: ResumableUploadsOptions;
  /** The last creation of each user, which the next one waits for. */
  readonly #creating = new Map<string, Promise<unknown>>();

  constructor(options: ResumableUploadsOptions) {
    this.#options = options;
  }

  newKey({ id: userId }: NonNullable<Viewer>): UploadKey {
    return { userId, id: randomUUID() };
  }

  /** @throws ApplicationError QUOTA_EXCEEDED if the user has too many uploads; FileStoreError */
  async create(key: UploadKey, upload: Pick<PartialUpload, "length" | "name">): Promise<void> {
    const { userId } = key;
    // One at a time, so that each sees those before it.
    const created = (this.#creating.get(userId) ?? Promise.resolve()).then(() => this.#create(key, upload));
    const settled = created.catch(() => {});
    this.#creating.set(userId, settled);
    await created.finally(() => this.#creating.get(userId) === settled && this.#creating.delete(userId));
  }

  async #create(key: UploadKey, upload: Pick<PartialUpload, "length" | "name">): Promise<void> {
    const { folder, perUser } = this.#options;
    const present = [];
    for (const other of await folder.keysOf(key.userId)) {
      const found = await this.find(other);
      if (found) present.push(found.length);
    }
    const bytes = present.reduce((sum, length) => sum + length, upload.length);
    if (present.length >= perUser.count || bytes > perUser.bytes) {
      const limits = `${perUser.count} uploads, of ${perUser.bytes} bytes together`;
      const message = `You have at most ${limits}: use or delete one of them, and create this one again.`;
      throw new ApplicationError("QUOTA_EXCEEDED", message, { http: { status: 429 } });
    }
    await folder.create(key, upload);
  }

  /** @returns null if there is none, or its time is over */
  async find(key: UploadKey): Promise<PartialUpload | null> {
    const found = await this.#options.folder.find(key);
    return found && Date.now() - found.usedAt.getTime() <= this.#options.lifetimeMs ? found : null;
  }

  /**
   * Copies a complete upload of the viewer into the store. The caller keeps or discards the staged file.
   *
   * @param maxBytes of the file; larger ones are not copied
   * @throws ApplicationError NOT_FOUND, PAYLOAD_TOO_LARGE, or INVALID_STATE if it is not complete; FileStoreError
   */
  async stage(
    uploadId: string,
    viewer: NonNullable<Viewer>,
    maxBytes: number = Number.POSITIVE_INFINITY,
  ): Promise<StagedFile> {
    const { folder, store } = this.#options;
    const key = { userId: viewer.id, id: uploadId };
    const found = isUploadId(uploadId) ? await this.find(key) : null;
    if (!found) throw notFound();
    const { length, received, name } = found;
    if (length > maxBytes) {
      const message = `A file has at most ${maxBytes} bytes, not ${length}.`;
      throw new ApplicationError("PAYLOAD_TOO_LARGE", message, { inputPath });
    }
    if (received !== length) {
      const message = `The upload is not complete: ${received} of ${length} bytes. Send the rest first.`;
      throw new ApplicationError("INVALID_STATE", message, { inputPath });
    }
    try {
      // Its time begins again, for this attempt of the operation and for the next.
      await folder.touch(key);
      return await store.stage(folder.pieces(key), { name, maxBytes: length });
    } catch (error) {
      // Another operation has used it since it was found.
      if (error instanceof FileStoreError && error.reason === "ENOENT") throw notFound();
      throw error;
    }
  }

  /** Removes an upload, if it exists. To be called after the commit of the operation that used it. */
  async remove(uploadId: string, viewer: NonNullable<Viewer>): Promise<void> {
    if (isUploadId(uploadId)) await this.#options.folder.remove({ userId: viewer.id, id: uploadId });
  }

  /**
   * Removes uploads whose time is over. Returns how many.
   *
   * @throws FileStoreError of the first that could not be removed, after all others have been tried
   */
  async sweep(): Promise<number> {
    const { folder, locks, lifetimeMs } = this.#options;
    let removed = 0;
    let failure: unknown;
    for (const userId of await folder.userIds()) {
      const keys = await folder.keysOf(userId);
      for (const key of keys) {
        try {
          const ageMs = await folder.ageMs(key);
          if (ageMs === null || ageMs <= lifetimeMs + sweepSlackMs || locks.isHeld(lockIdOf(key))) continue;
          await folder.remove(key);
          removed++;
        } catch (error) {
          failure ??= error;
        }
      }
      if (keys.length === 0) await folder.removeEmpty(userId);
    }
    if (failure) throw failure;
    return removed;
  }
}

/** The name of an upload for its lock and for the protocol's library. */
export const lockIdOf = ({ userId, id }: UploadKey): string => `${userId}/${id}`;

const notFound = () =>
  new ApplicationError("NOT_FOUND", "You have no such upload, or its time is over: send the file again.", {
    inputPath,
  });
