/**
 * Resolves at Ctrl-C or SIGTERM. Called first thing, so that a start that is cut short also stops in order; a third
 * signal does not wait.
 */
export function untilSignal(): Promise<void> {
  return new Promise<void>((resume) => {
    let signals = 0;
    const onSignal = () => {
      signals++;
      resume();
      if (signals > 2) process.exit(1);
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
  });
}
