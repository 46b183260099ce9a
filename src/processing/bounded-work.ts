/**
 * Work on threads, bounded in number, time and memory. Input from outside may be made to take hours, or all the memory
 * there is: a thread can be ended, a function on the event loop cannot.
 */
import type { Transferable } from "node:worker_threads";
import type { Logger } from "pino";
import { Piscina } from "piscina";
import { Budget } from "./budget.ts";

export type WorkLimits = {
  /** How long work waits for a thread. */
  waitMs: number;
  /** How long it may then take. */
  timeoutMs: number;
  /** Memory that it may take. The process may grow by twice that meanwhile: others work in it as well. */
  memoryMb: number;
};

export type BoundedThreadsOptions = {
  /** The path of the module whose default export takes a task and returns its answer. */
  filename: string;
  /** How many of them there are at most. Each begins when work needs it. */
  threads: number;
  /** How long a thread without work is kept. */
  idleMs: number;
  limits: WorkLimits;
  /** The work as the subject of error messages: "Reading the file". */
  subject: string;
  logger: Logger;
};

/** The work was ended, or not begun, because of a limit. The message says which. */
export class LimitExceededError extends Error {
  override name = "LimitExceededError";
  readonly limit: keyof WorkLimits;
  /** True when the work itself exceeded the limit; other work in the process may have caused it otherwise. */
  readonly isCertain: boolean;

  constructor(message: string, limit: keyof WorkLimits, { isCertain = false, cause }: ErrorOptions = {}) {
    super(message, { cause });
    this.limit = limit;
    this.isCertain = isCertain;
  }
}
type ErrorOptions = { isCertain?: boolean; cause?: unknown };

export type RunOptions = {
  /** Ends the work, and the thread with it. */
  signal?: AbortSignal;
  transferList?: Transferable[];
};

/** How often time and memory are looked at. */
const checkMs = 100;

export class BoundedThreads<Task, Answer> {
  readonly #options: BoundedThreadsOptions;
  readonly #pool: Piscina<Task, Answer>;
  /** Work waits here and not in the pool, so that the time in the queue does not count as time of the work. */
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
      // The last resort: V8 may abort the whole process when a thread reaches this limit. The check of the process's
      // memory ends the thread before that.
      resourceLimits: { maxOldGenerationSizeMb: 4 * limits.memoryMb },
    });
    // A thread that fails without a task emits this, and without a listener it would end the process.
    this.#pool.on("error", (error) => logger.error({ err: error }, "a thread ended"));
    this.#pool.setMaxListeners(threads + 1);
  }

  /**
   * The thread's answer, or its error.
   *
   * @throws LimitExceededError
   */
  async run(task: Task, options: RunOptions = {}): Promise<Answer> {
    const giveBack = await this.#turns.take(1);
    try {
      return await this.#runNow(task, options);
    } finally {
      giveBack();
    }
  }

  /** Ends all threads, whatever they do. */
  close(): Promise<void> {
    return this.#pool.destroy();
  }

  async #runNow(task: Task, { signal, transferList }: RunOptions): Promise<Answer> {
    const ended = new AbortController();
    const stopWatching = this.#watchLimits((error) => ended.abort(error));
    // It may be the thread that this task waits for: one that fails while it begins never takes a task.
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
      // The reason says more than the pool's own error, that the task was aborted.
      throw ended.signal.aborted && !signal?.aborted ? ended.signal.reason : error;
    } finally {
      this.#pool.off("error", onThreadError);
      stopWatching();
    }
  }

  /** Looks at the memory of the process as a whole, since what libraries allocate belongs to no thread. */
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
