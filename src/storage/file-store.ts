/**
 * Where files live, as the rest of the program sees it. A file is staged while it is received, kept under a key when a
 * row is about to name it, and removed when no row does any more:
 *
 *   receiving → staged → kept → removed
 *                  └──► discarded
 *
 * File first, then row; row first, then file. So a row never names a file that is not there, and a crash leaves at most
 * files that no row names, which a sweep finds (file-sweep.ts). Keys are made by the store. What clients call a file is
 * never part of a path.
 *
 * A store that cannot do what it is asked for throws FileStoreError, and leaves nothing of what it began.
 */
import { ApplicationError } from "../errors.ts";

export interface FileStore {
  /**
   * Receives a file to its end. What was received of one that fails is gone when this throws.
   *
   * @throws FileTooLargeError as soon as more than `maxBytes` have come, or whatever the source throws
   */
  stage(source: AsyncIterable<Uint8Array>, file: { name: string; maxBytes: number }): Promise<StagedFile>;
  /** All bytes of a staged file. @throws FileMissingError when it has been swept already */
  readStaged(file: StagedFile): Promise<Buffer<ArrayBuffer>>;
  /**
   * Keeps a staged file for good, also when the power fails just after. Returns its key.
   *
   * @throws FileMissingError when it has been swept already
   */
  keep(file: StagedFile): Promise<string>;
  /** Removes a staged file; nothing happens to one that has been kept. */
  discard(file: StagedFile): Promise<void>;
  /** All bytes of a kept file. @throws FileMissingError */
  read(key: string): Promise<Buffer<ArrayBuffer>>;
  /** A kept file, piece by piece. @throws FileMissingError */
  pieces(key: string): AsyncIterable<Uint8Array>;
  /**
   * Says that a row is about to name a kept file, which counts as new from here on: however long it took to come so far,
   * the file is there and will not be swept.
   *
   * @throws FileMissingError when it has been swept already
   */
  claim(key: string): Promise<void>;
  /** Milliseconds since a file was kept or claimed, or null when there is none. */
  age(key: string): Promise<number | null>;
  /** Bytes of a kept file, or null when there is none. */
  size(key: string): Promise<number | null>;
  /** Removes a kept file; it need not exist. */
  remove(key: string): Promise<void>;
  /** Kept files and staged ones, in no order. */
  list(): AsyncIterable<StoredFile>;
  /** Removes a staged file that `list` showed, whose server is gone. */
  removeStaged(id: string): Promise<void>;
  /** Takes a small file in and forgets it, to see whether it could take somebody's. @throws FileStoreError */
  requireUsable(): Promise<void>;
}

export type StoredFile = {
  /** Of a kept file its key, of a staged one its id. */
  id: string;
  isStaged: boolean;
  /** Since it was last written to, kept or claimed. */
  ageMs: number;
};

/** Points at which tests end the process, in the order in which a file passes them. */
export type FilePoint = "after_part_write" | "after_fsync" | "after_rename" | "before_unlink" | "after_unlink";

/** How much of a file's beginning is at hand without reading it: enough for all who tell formats apart. */
export const headBytes = 65_536;

/** A file that was received whole. A class, so that no input can look like one. */
export class StagedFile {
  readonly id: string;
  /** What its sender calls it, without folders: for people, never for paths. */
  readonly name: string;
  readonly sizeBytes: number;
  /** In hex. */
  readonly sha256: string;
  /** Its first bytes, at most `headBytes`. */
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

/** The disk is full, or the part of it that our user may fill. */
const fullReasons = new Set(["ENOSPC", "EDQUOT"]);
/** Resources that others hold and give back: open files, memory, a lock. */
const passingReasons = new Set(["EMFILE", "ENFILE", "EAGAIN", "EBUSY", "EINTR", "ENOMEM", "ETIMEDOUT"]);

/**
 * The store cannot do what it was asked for. The message is for the API's user. The log finds the path here, and the
 * operating system's own words in the cause.
 */
export class FileStoreError extends ApplicationError {
  override name = "FileStoreError";
  readonly path: string;
  /** As the operating system calls it: ENOSPC, EACCES, EIO. */
  readonly reason: string;

  constructor(path: string, cause: NodeJS.ErrnoException) {
    const reason = cause.code ?? "unknown";
    super(fullReasons.has(reason) ? "INSUFFICIENT_STORAGE" : "STORAGE_UNAVAILABLE", messageFor(reason), {}, cause);
    this.path = path;
    this.reason = reason;
  }

  get isFull(): boolean {
    return fullReasons.has(this.reason);
  }

  /** Another try may succeed without anybody's doing. */
  get mayPass(): boolean {
    return passingReasons.has(this.reason);
  }
}

function messageFor(reason: string): string {
  if (fullReasons.has(reason)) return "The disk for files is full: nothing happened. Send it again when there is room.";
  if (passingReasons.has(reason)) return "The storage of files is too busy: nothing happened, try again in a moment.";
  return "Files cannot be stored or read just now: nothing happened. Try again later.";
}
