/**
 * How long a test waits for an event, and how often it looks at least: on a busy machine a look takes longer, and so does
 * the event.
 */
const [patienceMs, leastLooks] = [10_000, 200];

/**
 * Waits until the condition holds. Fails after a while.
 *
 * @param atLeastMs for an event that takes much processor time, such as the start of a process
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  atLeastMs = patienceMs,
): Promise<void> {
  const begun = performance.now();
  for (let looks = 0; !(await condition()); looks++) {
    const ms = performance.now() - begun;
    if (ms > atLeastMs && looks > leastLooks)
      throw new Error(`In ${Math.round(ms)} ms it did not happen that ${what}.`);
    await new Promise((resume) => setTimeout(resume, 10));
  }
}
