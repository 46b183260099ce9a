import { type Logger, pino } from "pino";
import pretty from "pino-pretty";

export type LoggerOptions = { level: string; format: "pretty" | "json" };

/** Logs one line per event. Redaction is a precaution, since no code logs secrets. */
export function createLogger({ level, format }: LoggerOptions): Logger {
  const options = {
    level,
    redact: ["password", "*.password", "accessToken", "refreshToken", "headers.authorization", "headers.cookie"],
  };
  return format === "json"
    ? pino(options)
    : pino(options, pretty({ colorize: process.stdout.isTTY, ignore: "pid,hostname", sync: true }));
}
