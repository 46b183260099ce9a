/** Waits for Ctrl-C or SIGTERM, then stops things in order; a second signal does not wait. */
export async function untilSignal(stop: () => Promise<void>): Promise<void> {
  await new Promise<void>((resume) => {
    let signals = 0;
    const onSignal = () => {
      signals++;
      if (signals === 1) resume();
      else if (signals > 2) process.exit(1);
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
  });
  await stop();
}
