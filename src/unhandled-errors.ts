/** Logs unhandled errors and keeps the process running. docs/decisions/0011 explains why. */
import type { Logger } from "pino";

export function surviveUnhandledErrors(logger: Logger): void {
  process.on("uncaughtException", (error) => logger.fatal({ err: error }, "unhandled error"));
  process.on("unhandledRejection", (reason) => logger.fatal({ err: reason }, "unhandled rejection"));
}
