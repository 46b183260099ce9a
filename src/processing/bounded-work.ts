/**
 * Threads with limits of number, time and memory. Hostile input may take hours, or all memory: a thread can be
 * terminated, a function on the event loop cannot.
 */
import type { Transferable } from "node:worker_threads";
import type { Logger } from "pino";
import { Piscina } from "piscina";
import { Budget } from "./budget.ts";

export type WorkLimits = {
  /** Timeout for a free thread. */
  waitMs: number;
  /** Timeout of the work itself. */
  timeoutMs: number;
  /** Memory limit of the work. The whole process may grow by twice as much, because it does other work too. */
  memoryMb: number;
};

export type BoundedThreadsOptions = {
  /** The path of the module whose default export processes a task. */
  filename: string;
  /** Maximum number of threads, which are started on demand. */
  threads: number;
  /** Time after which an idle thread ends. */
  idleMs: number;
  limits: WorkLimits;
  /** The work as the subject of error messages: "Reading the file". */
  subject: string;
  logger: Logger;
};

/** The work was terminated, or not started, because of a limit. */
export class LimitExceededError extends Error {
  override name = "LimitExceededError";
  readonly limit: keyof WorkLimits;
  /** True if the work itself exceeded the limit; false if other work in the process may have caused it. */
  readonly isCertain: boolean;

  constructor(message: string, limit: keyof WorkLimits, { isCertain = false, cause }: ErrorOptions = {}) {
    super(message, { cause });
    this.limit = limit;
    this.isCertain = isCertain;
  }
}
type ErrorOptions = { isCertain?: boolean; cause?: unknown };

export type RunOptions = {
  /** Terminates the work's thread. */
  signal?: AbortSignal;
  transferList?: Transferable[];
};

/** Interval of checks of time and memory. */
const checkMs = 100;

export class BoundedThreads<Task, Answer> {
  readonly #options: BoundedThreadsOptions;
  readonly #pool: Piscina<Task, Answer>;
  /** The queue for threads. It is not the pool's, so that waiting does not count towards `timeoutMs`. */
  readonly #turns: Budget;

  constructor(options: BoundedThreadsOptions) {
    const { filename, threads, idleMs, limits, subject, logger } = options;
    this.#options = options;
    const { waitMs } = limits;
    this.#turns = new Budget({
      total: threads,
      waitMs,
      refusal: () => new LimitExceededError(`${subject} did not begin within ${waitMs / 1_000} s.`, "waitMs"),
    });
    this.#pool = new Piscina<Task, Answer>({
      filename,
      minThreads: 0,
      maxThreads: threads,
      idleTimeout: idleMs,
      // Last resort, because V8 may abort the whole process at this limit. The check of the process's memory should
      // terminate the thread earlier.
      resourceLimits: { maxOldGenerationSizeMb: 4 * limits.memoryMb },
    });
    // Emitted by a thread that fails without a task. Without a listener it would end the process.
    this.#pool.on("error", (error) => logger.error({ err: error }, "a thread ended"));
    this.#pool.setMaxListeners(threads + 1);
  }

  /** @throws LimitExceededError, or the error of the work */
  async run(task: Task, options: RunOptions = {}): Promise<Answer> {
    const release = await this.#turns.take(1);
    try {
      return await this.#runNow(task, options);
    } finally {
      release();
    }
  }

  /** Terminates all threads, even during work. */
  close(): Promise<void> {
    return this.#pool.destroy();
  }

  async #runNow(task: Task, { signal, transferList }: RunOptions): Promise<Answer> {
    const ended = new AbortController();
    const stopWatching = this.#watchLimits((error) => ended.abort(error));
    // It may be this task's thread: one that fails during its start never takes a task.
    const onThreadError = (error: Error) =>
      ended.abort(new Error(`A thread ended: ${error.message}`, { cause: error }));
    this.#pool.on("error", onThreadError);
    try {
      return await this.#pool.run(task, {
        signal: signal ? AbortSignal.any([signal, ended.signal]) : ended.signal,
        transferList,
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ERR_WORKER_OUT_OF_MEMORY") {
        throw this.#tooMuchMemory({ isCertain: true, cause: error });
      }
      // The signal's reason names the limit; the pool's error only says that the task was aborted.
      throw ended.signal.aborted && !signal?.aborted ? ended.signal.reason : error;
    } finally {
      this.#pool.off("error", onThreadError);
      stopWatching();
    }
  }

  /** Checks the memory of the whole process: native memory cannot be attributed to threads. */
  #watchLimits(end: (error: LimitExceededError) => void): () => void {
    const { limits, subject } = this.#options;
    const rssBefore = process.memoryUsage.rss();
    const started = performance.now();
    const timer = setInterval(() => {
      if (performance.now() - started > limits.timeoutMs) {
        end(new LimitExceededError(`${subject} took longer than ${limits.timeoutMs / 1_000} s.`, "timeoutMs"));
      }
      if (process.memoryUsage.rss() - rssBefore > 2 * limits.memoryMb * 1_000_000) end(this.#tooMuchMemory());
    }, checkMs);
    return () => clearInterval(timer);
  }

  #tooMuchMemory(options?: ErrorOptions): LimitExceededError {
    const { limits, subject } = this.#options;
    return new LimitExceededError(`${subject} takes more than ${limits.memoryMb} MB of memory.`, "memoryMb", options);
  }
}
