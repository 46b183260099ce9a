/**
 * The interface of file stores. A file is staged while it is received, kept under a storage key before a row names it,
 * and removed after its row:
 *
 *   receiving → staged → kept → removed
 *                  └──► discarded
 *
 * Because of this order, rows only name existing files. A crash leaves at most files without a row, which a sweep
 * removes (file-sweep.ts). The store generates the keys; file names of clients are never part of a path.
 *
 * A method that fails throws FileStoreError and leaves nothing behind.
 */
import { ApplicationError } from "../errors.ts";

export interface FileStore {
  /**
   * Receives a whole file. If this throws, the partial file has been removed.
   *
   * @throws FileTooLargeError as soon as the file exceeds `maxBytes`; also the errors of the source
   */
  stage(source: AsyncIterable<Uint8Array>, file: { name: string; maxBytes: number }): Promise<StagedFile>;
  /**
   * Stages the file that `write` creates at the path, which no file has yet. If this throws, the file has been removed.
   *
   * @throws FileTooLargeError if it exceeds `maxBytes`; also the errors of `write`
   */
  stageWritten(
    file: { name: string; maxBytes: number },
    write: (path: string) => Promise<unknown>,
  ): Promise<StagedFile>;
  /** The contents of a staged file. @throws FileMissingError if it has been swept */
  readStaged(file: StagedFile): Promise<Buffer<ArrayBuffer>>;
  /** Calls `use` with the path of a staged file, for programs that need one. @throws FileMissingError if it has been swept */
  withStagedFile<Result>(file: StagedFile, use: (path: string) => Promise<Result>): Promise<Result>;
  /**
   * Keeps a staged file durably. Returns its key.
   *
   * @param key that the file has in another store, from which it is copied; unset: a new one
   * @throws FileMissingError if it has been swept
   */
  keep(file: StagedFile, key?: string): Promise<string>;
  /** Removes a staged file. No effect on a file that has been kept. */
  discard(file: StagedFile): Promise<void>;
  /** The contents of a kept file. @throws FileMissingError */
  read(key: string): Promise<Buffer<ArrayBuffer>>;
  /** The contents of a kept file as a stream; of a part of it if a range is given. @throws FileMissingError */
  pieces(key: string, range?: ByteRange): AsyncIterable<Uint8Array>;
  /**
   * Calls `use` with the path of a local file with the contents of a kept file, for programs that need one. The file must
   * not be changed, and may be gone afterwards.
   *
   * @throws FileMissingError; also the errors of `use`
   */
  withLocalFile<Result>(key: string, use: (path: string) => Promise<Result>): Promise<Result>;
  /**
   * Resets the age of a kept file that a row is about to name, so that it is not swept before the commit.
   *
   * @throws FileMissingError if it has been swept
   */
  touch(key: string): Promise<void>;
  /** Milliseconds since a file was kept or touched; null if there is none. */
  age(key: string): Promise<number | null>;
  /** Size of a kept file in bytes; null if there is none. */
  size(key: string): Promise<number | null>;
  /** Removes a kept file, if it exists. */
  remove(key: string): Promise<void>;
  /** All kept and staged files, in any order. */
  list(): AsyncIterable<StoredFile>;
  /**
   * Address from which a client may download a kept file by itself, without further credentials. Absent if the store has
   * none. A missing file has one, too.
   */
  presignedUrl?(key: string, options: PresignedUrlOptions): Promise<string>;
  /** Removes a staged file from `list` whose server has ended. */
  removeStaged(id: string): Promise<void>;
  /** Checks that the store accepts files, by writing and removing a small one. @throws FileStoreError */
  requireUsable(): Promise<void>;
  /** How long the result of such a check is worth keeping, if checks cost money. */
  readonly usableMs?: number;
}

/** Positions of bytes, from 0; `end` is exclusive. */
export type ByteRange = { start: number; end: number };

export type PresignedUrlOptions = {
  /** How long the address is valid. */
  expiresSeconds: number;
  /** Content-Type of the download. */
  mimeType: string;
  /** Content-Disposition of the download. */
  disposition: string;
};

export type StoredFile = {
  /** The key of a kept file, or the id of a staged one. */
  id: string;
  isStaged: boolean;
  /** Milliseconds since the file was last written, kept or touched. */
  ageMs: number;
};

const keyForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether a text has the form of a storage key, or of the id of a staged file. */
export const isKey = (text: string) => keyForm.test(text);

/** Keys come from the database, which other programs can write: they must not lead out of the store. */
export function requireKey(key: string): string {
  if (!isKey(key)) throw new Error(`A storage key is a UUID, not ${JSON.stringify(key.slice(0, 50))}.`);
  return key;
}

/** Points at which tests end the process, in the order of a file's life. */
export type FilePoint = "after_part_write" | "after_fsync" | "after_rename" | "before_unlink" | "after_unlink";

/** Size of `StagedFile.head`: enough to detect every format. */
export const headBytes = 65_536;

/** A completely received file. It is a class so that no client input can pass for one. */
export class StagedFile {
  readonly id: string;
  /** The client's name for the file, without folders. Only for display, never part of a path. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** The first bytes, at most `headBytes`. */
  readonly head: Uint8Array;

  constructor(file: Pick<StagedFile, "id" | "name" | "sizeBytes" | "sha256" | "head">) {
    this.id = file.id;
    this.name = file.name;
    this.sizeBytes = file.sizeBytes;
    this.sha256 = file.sha256;
    this.head = file.head;
  }
}

export class FileTooLargeError extends Error {
  override name = "FileTooLargeError";
  readonly maxBytes: number;

  constructor(maxBytes: number) {
    super(`A file has at most ${maxBytes} bytes.`);
    this.maxBytes = maxBytes;
  }
}

export class FileMissingError extends Error {
  override name = "FileMissingError";

  constructor(key: string, cause?: unknown) {
    super(`The file ${key} is not in the store.`, { cause });
  }
}

/** A very slow operation may find its file swept, because no row named it yet. */
export async function requireThere<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof FileMissingError)) throw error;
    const message = "The operation took too long and the file was deleted: send it again.";
    throw new ApplicationError("TRANSACTION_TIMEOUT", message, {}, error);
  }
}

/** `full`: an operator must make room. `passing`: a retry may succeed. `unavailable`: anything else. */
export type StoreTrouble = "full" | "passing" | "unavailable";

/** The disk is full, or its quota is used up. */
const fullReasons = new Set(["ENOSPC", "EDQUOT"]);
/** Transient shortages: open files, memory, locks. */
const passingReasons = new Set(["EMFILE", "ENFILE", "EAGAIN", "EBUSY", "EINTR", "ENOMEM", "ETIMEDOUT"]);

/** The trouble behind an error code of the operating system. */
function troubleOf(reason: string): StoreTrouble {
  if (fullReasons.has(reason)) return "full";
  return passingReasons.has(reason) ? "passing" : "unavailable";
}

/** A failure of the store. The message is for clients; path and cause are for the log. */
export class FileStoreError extends ApplicationError {
  override name = "FileStoreError";
  readonly path: string;
  /** Error code of the operating system, or of the service that keeps the files: ENOSPC, EACCES, SlowDown. */
  readonly reason: string;
  readonly #trouble: StoreTrouble;

  constructor(path: string, cause: NodeJS.ErrnoException, trouble?: StoreTrouble) {
    const reason = cause.code ?? "unknown";
    const certain = trouble ?? troubleOf(reason);
    super(certain === "full" ? "INSUFFICIENT_STORAGE" : "STORAGE_UNAVAILABLE", messages[certain], {}, cause);
    this.path = path;
    this.reason = reason;
    this.#trouble = certain;
  }

  get isFull(): boolean {
    return this.#trouble === "full";
  }

  /** True if a retry may succeed without an operator's action. */
  get mayPass(): boolean {
    return this.#trouble === "passing";
  }
}

const messages: Record<StoreTrouble, string> = {
  full: "The disk for files is full: nothing was changed. Retry when it has free space.",
  passing: "The file store is too busy: nothing was changed. Retry in a moment.",
  unavailable: "Files cannot be stored or read at the moment: nothing was changed. Retry later.",
};
