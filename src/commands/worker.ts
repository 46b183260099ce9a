import { loadEnvironmentFile, readConfig } from "../config.ts";
import { createLogger } from "../logger.ts";
import { startWorkers } from "../workers.ts";
import { openDatabase } from "./database-session.ts";
import { untilSignal } from "./until-signal.ts";

export async function worker(): Promise<void> {
  loadEnvironmentFile();
  const config = readConfig();
  const logger = createLogger({ level: config.LOG_LEVEL, format: config.LOG_FORMAT });
  const signal = untilSignal();
  const database = await openDatabase(config);
  try {
    const running = await startWorkers(config, database.url, Math.max(1, config.WORKERS), logger);
    logger.info("the worker waits for documents; Ctrl-C stops it");
    await signal;
    await running.stop();
  } finally {
    await database.stop();
  }
}
