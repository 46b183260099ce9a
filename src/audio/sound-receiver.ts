/** Receives the file of an audio: checks its format, size and room, and keeps it. */
import { ApplicationError, badInput } from "../errors.ts";
import { type FileStore, requireThere, type StagedFile } from "../storage/file-store.ts";
import { requireRoom } from "../storage/quota.ts";
import type { UnitOfWork } from "../unit-of-work/unit-of-work.ts";
import type { ResumableUploads } from "../uploads/resumable-uploads.ts";
import type { Viewer } from "../viewer.ts";
import type { AudioRepository } from "./audio.repository.ts";
import { audioFilename, titleOfName } from "./filename.ts";
import { type AudioFormat, detectFormat } from "./sound/format.ts";
import type { TagReader } from "./sound/tag-reader.ts";

/** Exactly one: a file of the request, or an upload that was sent before. */
export type AudioSource = { file?: StagedFile | null; uploadId?: string | null };

export type SentSound = {
  /** Null if an audio has the same bytes already, so the file was not kept. */
  storageKey: string | null;
  mimeType: AudioFormat;
  sizeBytes: bigint;
  sha256: string;
  filename: string;
  /** From the file's tags or its name. */
  title: string;
};

export type SoundReceiverParts = {
  uow: Pick<UnitOfWork, "prepare" | "afterCommit" | "reader"> & { audio: Pick<AudioRepository, "isPresent"> };
  files: Pick<FileStore, "keep" | "touch" | "remove" | "discard" | "withStagedFile">;
  uploads: Pick<ResumableUploads, "stage" | "remove">;
  tags: TagReader;
  viewer: NonNullable<Viewer>;
  /** Bytes of a file. */
  maxBytes: number;
};

export class SoundReceiver {
  readonly #parts: SoundReceiverParts;

  constructor(parts: SoundReceiverParts) {
    this.#parts = parts;
  }

  /**
   * Runs once for all attempts of the operation.
   *
   * @param checkLabels runs between the check of the format and that of the size
   */
  receive({ file, uploadId }: AudioSource, checkLabels: () => Promise<void>): Promise<SentSound> {
    const { uow, files, uploads, viewer } = this.#parts;
    return uow.prepare(
      `sound of ${file?.id ?? uploadId}`,
      async () => {
        if (file) return this.#keep(file, ["input", "source", "file"], checkLabels);
        const staged = await uploads.stage(uploadId ?? "", viewer);
        try {
          return await this.#keep(staged, ["input", "source", "uploadId"], checkLabels);
        } finally {
          // No effect if it was kept.
          await files.discard(staged);
        }
      },
      ({ storageKey }) => storageKey === null || files.remove(storageKey),
    );
  }

  async #keep(file: StagedFile, inputPath: string[], checkLabels: () => Promise<void>): Promise<SentSound> {
    const { uow, files, tags, maxBytes } = this.#parts;
    const { name, sizeBytes, sha256 } = file;
    if (sizeBytes === 0) throw badInput(inputPath, "The file is empty.");
    const format = await detectFormat(file.head);
    if (format.mimeType === null) {
      const message = `MP3 and M4A (AAC or ALAC) are supported, not ${format.reason}.`;
      throw new ApplicationError("UNSUPPORTED_MEDIA_TYPE", message, { inputPath });
    }
    await checkLabels();
    if (sizeBytes > maxBytes) {
      const message = `A file has at most ${maxBytes} bytes, not ${sizeBytes}.`;
      throw new ApplicationError("PAYLOAD_TOO_LARGE", message, { inputPath });
    }
    await requireRoom(uow.reader, sizeBytes);
    const isPresent = await uow.audio.isPresent(sha256);
    const { title } = await requireThere(files.withStagedFile(file, (path) => tags.read(path, format.mimeType)));
    return {
      storageKey: isPresent ? null : await requireThere(files.keep(file)),
      mimeType: format.mimeType,
      sizeBytes: BigInt(sizeBytes),
      sha256,
      filename: audioFilename(name, format.mimeType),
      title: title ?? titleOfName(name),
    };
  }
}
