/** The event loop meanwhile: for how long at a stretch nothing else has had a turn. */

/**
 * The longest stretch of CPU time, in ms, that this thread's event loop has spent on one turn while the work was under
 * way. CPU time, because a busy machine makes wall-clock time longer; it is counted in steps of up to 4 ms.
 */
export async function longestTurn<Result>(work: () => Promise<Result>): Promise<{ result: Result; turnMs: number }> {
  let turnMs = 0;
  let before = process.threadCpuUsage();
  const endTurn = () => {
    const { user, system } = process.threadCpuUsage(before);
    turnMs = Math.max(turnMs, (user + system) / 1_000);
    before = process.threadCpuUsage();
  };
  const everyTurn = () => {
    endTurn();
    next = setImmediate(everyTurn);
  };
  let next = setImmediate(everyTurn);
  try {
    const result = await work();
    endTurn();
    return { result, turnMs };
  } finally {
    clearImmediate(next);
  }
}
