/** How long a test waits for what must come: it tells a test that hangs from one that waits on a busy machine. */
const patienceMs = 30_000;

/** Waits until the condition holds. Fails after a while. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`In ${patienceMs} ms it did not happen that ${what}.`);
    await new Promise((resume) => setTimeout(resume, 10));
  }
}
