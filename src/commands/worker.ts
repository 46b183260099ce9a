import { openFileStore, workerLimits } from "../composition.ts";
import { loadEnvironmentFile, readConfig } from "../config.ts";
import { startDocumentWorker } from "../documents/document.processor.ts";
import { createLogger } from "../logger.ts";
import { openDatabase } from "./database-session.ts";
import { untilSignal } from "./until-signal.ts";

export async function worker(): Promise<void> {
  loadEnvironmentFile();
  const config = readConfig();
  const logger = createLogger({ level: config.LOG_LEVEL, format: config.LOG_FORMAT });
  const signal = untilSignal();
  const database = await openDatabase(config);
  try {
    const running = await startDocumentWorker({
      url: database.url,
      files: openFileStore(config),
      places: Math.max(1, config.WORKERS),
      ...workerLimits(config),
      logger,
    });
    logger.info("the worker waits for documents; Ctrl-C stops it");
    await signal;
    await running.stop();
  } finally {
    await database.stop();
  }
}
