/**
 * Processes with limits of number, time and memory, for work with native code on hostile input. A crash of native code
 * ends its whole process, so a thread would take the server with it.
 *
 * Each task has a process of its own: starting → working (answers, or crashes, or is killed) → ended. The caller gets the
 * outcome after the process has ended, so nothing writes to the caller's files any more. A process leads a group,
 * which is killed as a whole with the programs that the task has started.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { LimitExceededError, type WorkLimits } from "./bounded-work.ts";
import { Budget } from "./budget.ts";
import type { Reply } from "./process-task.ts";

export type BoundedProcessesOptions = {
  /** The path of the module that answers a task by `answerTask` (process-task.ts). */
  filename: string;
  /** Maximum number of processes. */
  processes: number;
  /** `memoryMb` is all memory of the process and of its programs, without shared code; Node takes 50 MB of it. */
  limits: WorkLimits;
  /** The work as the subject of error messages: "Reading the file". */
  subject: string;
};

export type ProcessRunOptions = {
  /** Kills the task's process. */
  signal?: AbortSignal;
  /** Takes the task's progress from 0 to 1. */
  report?: (progress: number) => void;
};

/** Interval of checks of memory. */
const checkMs = 100;

export class BoundedProcesses<Task extends object, Answer> {
  readonly #options: BoundedProcessesOptions;
  /** The queue for processes. Waiting does not count towards `timeoutMs`. */
  readonly #turns: Budget;
  readonly #running = new Set<ChildProcess>();

  constructor(options: BoundedProcessesOptions) {
    this.#options = options;
    const { subject, processes, limits } = options;
    const { waitMs } = limits;
    this.#turns = new Budget({
      total: processes,
      waitMs,
      refusal: () => new LimitExceededError(`${subject} did not begin within ${waitMs / 1_000} s.`, "waitMs"),
    });
  }

  /**
   * @param task is cloned, like the answer
   * @throws LimitExceededError, the reason of the signal, or an Error with the message of the work's error
   */
  async run(task: Task, options: ProcessRunOptions = {}): Promise<Answer> {
    const release = await this.#turns.take(1);
    try {
      options.signal?.throwIfAborted();
      return await this.#runNow(task, options);
    } finally {
      release();
    }
  }

  /** Kills all processes, even during work, and waits for their end. */
  async close(): Promise<void> {
    await Promise.all([...this.#running].map(end));
  }

  async #runNow(task: Task, { signal, report }: ProcessRunOptions): Promise<Answer> {
    const { filename, limits, subject } = this.#options;
    const child = fork(filename, {
      // Neither secrets nor flags of this process.
      env: {},
      execArgv: [],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      detached: true,
    });
    this.#running.add(child);
    const outcome = Promise.withResolvers<Answer>();
    const fail = outcome.reject;
    const abort = () => fail(signal?.reason);
    signal?.addEventListener("abort", abort);
    const timer = setTimeout(
      () => fail(new LimitExceededError(`${subject} took longer than ${limits.timeoutMs / 1_000} s.`, "timeoutMs")),
      limits.timeoutMs,
    );
    const stopWatching = this.#watchMemory(child, fail);
    child.on("message", (reply: Reply<Answer>) => {
      if ("progress" in reply) report?.(reply.progress);
      else if ("answer" in reply) outcome.resolve(reply.answer);
      else fail(new Error(reply.failure));
    });
    child.on("error", (error) => fail(new Error(`${subject} could not begin: ${error.message}`, { cause: error })));
    child.on("exit", (code, signalName) =>
      fail(new Error(`${subject} ended unexpectedly (${signalName ?? `exit code ${code}`}).`)),
    );
    // The callback takes the error of a process that has ended already, which "exit" reports.
    child.send(task, () => {});
    try {
      return await outcome.promise;
    } finally {
      clearTimeout(timer);
      stopWatching();
      signal?.removeEventListener("abort", abort);
      await end(child);
      this.#running.delete(child);
    }
  }

  #watchMemory(child: ChildProcess, fail: (error: Error) => void): () => void {
    const { limits, subject } = this.#options;
    const timer = setInterval(async () => {
      if ((await memoryOf(child.pid)) <= limits.memoryMb * 1_000_000) return;
      const message = `${subject} takes more than ${limits.memoryMb} MB of memory.`;
      // The memory is that of the task alone, unlike that of a thread.
      fail(new LimitExceededError(message, "memoryMb", { isCertain: true }));
    }, checkMs);
    return () => clearInterval(timer);
  }
}

/** Kills the process and its programs, and waits for its end. */
async function end(child: ChildProcess): Promise<void> {
  const hasEnded = child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  const ended = hasEnded ? undefined : once(child, "exit");
  // Also after its end: its programs may still run.
  killGroup(child.pid);
  await ended;
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/**
 * Bytes of memory of a process and of the programs that it has started, from Linux' `/proc`. Elsewhere 0: the process
 * then only has the limit of time.
 */
async function memoryOf(pid: number | undefined): Promise<number> {
  const [status, children] = await Promise.all(
    ["status", `task/${pid}/children`].map((name) => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "")),
  );
  const own = Number(/^RssAnon:\s+(\d+) kB$/m.exec(status ?? "")?.[1] ?? 0) * 1_024;
  const others = await Promise.all((children ?? "").split(" ").filter(Boolean).map(Number).map(memoryOf));
  return others.reduce((sum, bytes) => sum + bytes, own);
}
