import type { Logger } from "pino";

/** Stops parts in the reverse order of their start. One that fails is logged; the others stop even so. */
export async function stopAll(stops: readonly (() => Promise<void>)[], logger: Logger): Promise<void> {
  for (const stop of stops.toReversed()) {
    await stop().catch((error) => logger.error({ err: error }, "a part did not stop well"));
  }
}
