/** Receives the file of an audio: checks its format, size and room, and keeps it. */
import { ApplicationError, badInput } from "../errors.ts";
import { type FileStore, requireThere, type StagedFile } from "../storage/file-store.ts";
import { requireRoom } from "../storage/quota.ts";
import type { UnitOfWork } from "../unit-of-work/unit-of-work.ts";
import { type FileSource, type FileSourceParts, sourceLabel, withSourceFile } from "../uploads/file-source.ts";
import type { AudioRepository } from "./audio.repository.ts";
import { audioFilename, titleOfName } from "./filename.ts";
import { type AudioFormat, detectFormat } from "./sound/format.ts";
import type { TagReader } from "./sound/tag-reader.ts";

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

export type SoundReceiverParts = Pick<FileSourceParts, "uploads" | "viewer" | "maxBytes"> & {
  uow: Pick<UnitOfWork, "prepare" | "reader"> & { audio: Pick<AudioRepository, "isPresent"> };
  files: Pick<FileStore, "keep" | "remove" | "discard" | "withStagedFile">;
  tags: TagReader;
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
  receive(source: FileSource, checkLabels: () => Promise<void>): Promise<SentSound> {
    const { uow, files } = this.#parts;
    return uow.prepare(
      `sound of ${sourceLabel(source)}`,
      () => withSourceFile(source, this.#parts, (file, inputPath) => this.#keep(file, inputPath, checkLabels)),
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
