/**
 * Resolves at Ctrl-C or SIGTERM. Must be called first, so that an interrupted start also stops in order. A third signal
 * ends the process at once.
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
