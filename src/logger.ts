import { type Logger, pino } from "pino";
import pretty from "pino-pretty";

export type LoggerOptions = { level: string; format: "pretty" | "json" };

/** One line per event. Secrets are not logged; should one come near a log line, it is struck out. */
export function createLogger({ level, format }: LoggerOptions): Logger {
  const options = {
    level,
    redact: ["password", "*.password", "accessToken", "refreshToken", "headers.authorization", "headers.cookie"],
  };
  return format === "json"
    ? pino(options)
    : pino(options, pretty({ colorize: process.stdout.isTTY, ignore: "pid,hostname", sync: true }));
}
