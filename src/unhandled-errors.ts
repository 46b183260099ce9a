/**
 * The last resort for an error that no code has handled: it is logged, and the process goes on. docs/decisions/0011 says
 * why it does not end.
 */
import type { Logger } from "pino";

export function surviveUnhandledErrors(logger: Logger): void {
  process.on("uncaughtException", (error) => logger.fatal({ err: error }, "unhandled error: a fault of ours"));
  process.on("unhandledRejection", (reason) => logger.fatal({ err: reason }, "unhandled rejection: a fault of ours"));
}
