/** The uploads, as the library of the protocol sees them: by ids that contain the user's. */
import type { Readable } from "node:stream";
import { DataStore, ERRORS, Upload } from "@tus/server";
import { FileStoreError } from "../storage/file-store.ts";
import type { ResumableUploads } from "./resumable-uploads.ts";
import type { UploadFolder, UploadKey } from "./upload-folder.ts";
import type { UploadLocks } from "./upload-locks.ts";

export type TusStoreParts = {
  uploads: ResumableUploads;
  folder: UploadFolder;
  locks: UploadLocks;
  lifetimeMs: number;
};

export class TusStore extends DataStore {
  override extensions = ["creation", "creation-with-upload", "termination", "expiration"];
  readonly #parts: TusStoreParts;

  constructor(parts: TusStoreParts) {
    super();
    this.#parts = parts;
  }

  override async create(upload: Upload): Promise<Upload> {
    const { id, size = 0, metadata } = upload;
    await this.#parts.uploads.create(keyOf(id), { length: size, name: metadata?.filename ?? "" });
    return upload;
  }

  override async getUpload(id: string): Promise<Upload> {
    const found = await this.#parts.uploads.find(keyOf(id));
    if (!found) throw ERRORS.FILE_NOT_FOUND;
    const { length, received, name, usedAt } = found;
    return new Upload({
      id,
      size: length,
      offset: received,
      ...(name && { metadata: { filename: name } }),
      // The library counts the lifetime from here.
      creation_date: usedAt.toISOString(),
    });
  }

  override async write(source: Readable, id: string, offset: number): Promise<number> {
    const { folder, locks } = this.#parts;
    try {
      return await folder.append(keyOf(id), offset, source, () => locks.noteBytes(id));
    } catch (error) {
      if (error instanceof FileStoreError && error.reason === "ENOENT") throw ERRORS.FILE_NOT_FOUND;
      throw error;
    }
  }

  override async remove(id: string): Promise<void> {
    if (!(await this.#parts.uploads.find(keyOf(id)))) throw ERRORS.FILE_NOT_FOUND;
    await this.#parts.folder.remove(keyOf(id));
  }

  override getExpiration(): number {
    return this.#parts.lifetimeMs;
  }
}

/** The reverse of `lockIdOf`. */
function keyOf(id: string): UploadKey {
  const [userId = "", own = ""] = id.split("/");
  return { userId, id: own };
}
