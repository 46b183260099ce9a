/** The other end of bounded-process.ts, in the process of the task. */
import { once } from "node:events";
import { setPriority } from "node:os";

export type Reply<Answer> = { progress: number } | { answer: Answer } | { failure: string };

/** Requests of the server come first; the value is that of the command `nice`. */
const niceness = 10;

/**
 * Waits for the task of this process and answers it by `work`. Errors lose their class between processes, so those that
 * the caller tells apart must be answers.
 */
export async function answerTask<Task, Answer>(
  work: (task: Task, report: (progress: number) => void) => Promise<Answer>,
): Promise<void> {
  // The parent has ended, perhaps by SIGKILL: end the programs of the task, too.
  process.on("disconnect", () => process.kill(-process.pid, "SIGKILL"));
  // An unhandled rejection inside a library would end the process, even if the task succeeds.
  process.on("unhandledRejection", () => {});
  setPriority(niceness);
  process.umask(0o077);
  const [task] = (await once(process, "message")) as [Task];
  const send = (reply: Reply<Answer>) => process.send?.(reply);
  try {
    send({ answer: await work(task, (progress) => send({ progress })) });
  } catch (error) {
    send({ failure: error instanceof Error ? error.message : String(error) });
  }
}
