/** Loggers for parts that are tested without a server. `startLectern` has its own way: `log`. */
import { type Logger, pino } from "pino";

export const silent: Logger = pino({ level: "silent" });

export type Line = Record<string, unknown>;

/** A logger, and the lines that it was given so far. */
export function collectedLog(level = "debug"): { logger: Logger; lines: Line[] } {
  const lines: Line[] = [];
  return { logger: pino({ level, base: null }, { write: (line) => void lines.push(JSON.parse(line)) }), lines };
}
