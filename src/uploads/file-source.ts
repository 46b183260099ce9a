/** The file that a mutation is given: sent in the same request, or uploaded before and named by its id. */
import type { FileStore, StagedFile } from "../storage/file-store.ts";
import type { UnitOfWork } from "../unit-of-work/unit-of-work.ts";
import type { Viewer } from "../viewer.ts";
import type { ResumableUploads } from "./resumable-uploads.ts";

/** One of both, as a field `source` of the mutation's input. */
export type FileSource = { file?: StagedFile | null; uploadId?: string | null };

export type FileSourceParts = {
  uow: Pick<UnitOfWork, "afterCommit">;
  files: Pick<FileStore, "discard">;
  uploads: Pick<ResumableUploads, "stage" | "remove">;
  viewer: NonNullable<Viewer>;
  /** Bytes of a file. */
  maxBytes: number;
};

/** Names the source in the label of `UnitOfWork.prepare`. */
export const sourceLabel = ({ file, uploadId }: FileSource) => (file ? `file ${file.id}` : `upload ${uploadId}`);

/**
 * Calls `use` with the file. An upload is staged for this, and discarded afterwards unless `use` has kept it.
 *
 * @param use is also given the path of the input field, for its errors
 */
export async function withSourceFile<Result>(
  { file, uploadId }: FileSource,
  { files, uploads, viewer, maxBytes }: Omit<FileSourceParts, "uow">,
  use: (file: StagedFile, inputPath: string[]) => Promise<Result>,
): Promise<Result> {
  if (file) return use(file, ["input", "source", "file"]);
  const staged = await uploads.stage(uploadId ?? "", viewer, maxBytes);
  try {
    return await use(staged, ["input", "source", "uploadId"]);
  } finally {
    // No effect on a kept file.
    await files.discard(staged);
  }
}

/** Removes an upload once the operation has committed; until then it can be used again. */
export function removeUploadAfterCommit(
  { uploadId }: FileSource,
  { uow, uploads, viewer }: Pick<FileSourceParts, "uow" | "uploads" | "viewer">,
): void {
  if (uploadId != null) uow.afterCommit(() => uploads.remove(uploadId, viewer));
}
