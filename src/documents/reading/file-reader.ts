/** Reads received files on threads, so that no file blocks the server. */
import { join } from "node:path";
import type { Logger } from "pino";
import { ApplicationError } from "../../errors.ts";
import { BoundedThreads, LimitExceededError } from "../../processing/bounded-work.ts";
import { Budget } from "../../processing/budget.ts";
import type { FileStore, StagedFile } from "../../storage/file-store.ts";
import type { FileReading, FileToRead } from "./read-file.ts";

export interface FileReader {
  /**
   * @param hold receives a function that must be called when the text of the reading is not needed any more. Not called if
   *   there is nothing to give back
   * @throws FileMissingError if the file has been swept; ApplicationError OVERLOADED if there is no memory in time
   */
  read(file: StagedFile, hold: (release: () => void) => void): Promise<FileReading>;
}

export type FileReaderOptions = {
  files: Pick<FileStore, "readStaged">;
  /** Memory limit for reading one file. */
  memoryMb: number;
  /** Bytes of the largest file. */
  maxBytes: number;
  /** Timeout of a file that waits for memory. */
  memoryWaitMs: number;
  logger: Logger;
};

/** With two threads, one long file does not delay short ones; more would only compete for the processors. */
const threads = 2;
/** Starting a thread takes 0.2 s, a hundred times as long as reading a typical file; an idle one takes 10 MB. */
const idleMs = Number.POSITIVE_INFINITY;
/** The slowest case takes 7 s: 100 MB, the maximum of MAX_DOCUMENT_BYTES, in another encoding than UTF-8. */
const timeoutMs = 20_000;
/** Queued files are read with at least 15 MB/s, and those of concurrent operations have 40 MB by default. */
const waitMs = 10_000;
/** Memory budget of all files that are read whole, in multiples of the largest: their texts are in memory, too. */
const filesInMemory = 2;

export class ThreadedFileReader implements FileReader {
  readonly #files: Pick<FileStore, "readStaged">;
  readonly #threads: BoundedThreads<FileToRead, FileReading | null>;
  readonly #memory: Budget;
  readonly #logger: Logger;

  constructor({ files, memoryMb, maxBytes, memoryWaitMs, logger }: FileReaderOptions) {
    this.#files = files;
    this.#memory = new Budget({
      total: filesInMemory * maxBytes,
      waitMs: memoryWaitMs,
      refusal: () => new ApplicationError("OVERLOADED", "Too many files are being read: retry in a moment."),
    });
    this.#logger = logger;
    this.#threads = new BoundedThreads({
      filename: join(import.meta.dirname, "reading-thread.ts"),
      threads,
      idleMs,
      limits: { waitMs, timeoutMs, memoryMb },
      subject: "Reading the file",
      logger,
    });
  }

  /** Starts a thread, so that the first file need not wait for it. */
  async warmUp(): Promise<void> {
    await this.#run({ name: "", bytes: new Uint8Array(), isWhole: true });
  }

  async read(file: StagedFile, hold: (release: () => void) => void): Promise<FileReading> {
    const { name, head, sizeBytes } = file;
    try {
      // A copy, because it is transferred to the thread and a retry needs `head` again.
      const start = { name, bytes: new Uint8Array(head), isWhole: sizeBytes === head.length };
      const reading = await this.#run(start);
      if (reading) return reading;
      hold(await this.#memory.take(sizeBytes));
      const bytes = await this.#files.readStaged(file);
      return (await this.#run({ name, bytes, isWhole: true })) as FileReading;
    } catch (error) {
      if (!(error instanceof LimitExceededError)) throw error;
      this.#logger.warn({ err: error, file: file.id, sizeBytes }, "a file was not read");
      return { refusal: refusalOf(error) };
    }
  }

  close(): Promise<void> {
    return this.#threads.close();
  }

  #run(file: FileToRead & { bytes: Uint8Array<ArrayBuffer> }): Promise<FileReading | null> {
    return this.#threads.run(file, { transferList: [file.bytes.buffer] });
  }
}

function refusalOf({ message, isCertain }: LimitExceededError): {
  code: "UNSUPPORTED_MEDIA_TYPE" | "OVERLOADED";
  message: string;
} {
  return isCertain
    ? { code: "UNSUPPORTED_MEDIA_TYPE", message: `${message} Save it as UTF-8 text.` }
    : {
        code: "OVERLOADED",
        message: `${message} Retry in a moment; if that fails, save it as UTF-8 text first.`,
      };
}
