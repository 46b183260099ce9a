import { setTimeout as pause } from "node:timers/promises";
import { loadEnvironmentFile, readConfig } from "../config.ts";
import { isConnectionLoss, isUnavailable } from "../database/sql-errors.ts";
import { withClient } from "../database/with-client.ts";
import { createLogger } from "../logger.ts";
import { slices } from "../slices.ts";
import { surviveUnhandledErrors } from "../unhandled-errors.ts";
import { startWorkers } from "../worker-process.ts";
import { connectAs, type DatabaseSession, openDatabase } from "./database-session.ts";
import { untilSignal } from "./until-signal.ts";

export async function worker(): Promise<void> {
  loadEnvironmentFile();
  const config = readConfig();
  const logger = createLogger({ level: config.LOG_LEVEL, format: config.LOG_FORMAT });
  const signal = untilSignal();
  surviveUnhandledErrors(logger);
  const database = await openDatabase(config);
  try {
    if (!(await isMigrated(database))) {
      logger.warn("the database is not migrated: waiting for `migrate`, or for a server to start");
      while (!(await isMigrated(database).catch(notYet))) {
        if (await Promise.race([signal.then(() => true), pause(1_000, false)])) return;
      }
    }
    const url = await connectAs(database, "lectern_worker", logger);
    const running = await startWorkers(config, { url, slots: Math.max(1, config.WORKERS), logger });
    logger.info("the worker waits for work; Ctrl-C stops it");
    await signal;
    await running.stop();
  } finally {
    await database.stop();
  }
}

/** False while the database restarts or fails over. */
function notYet(error: unknown): false {
  if (isConnectionLoss(error) || isUnavailable(error)) return false;
  throw error;
}

/**
 * Whether the functions of every queue exist. A worker's login may see that, but not the list of migrations. On the
 * embedded database the roles come after the tables, and always; elsewhere an administrator may never make them.
 */
async function isMigrated({ ownerUrl, isEmbedded }: DatabaseSession): Promise<boolean> {
  const functions = slices.flatMap(({ queue }) => (queue ? [`complete_${queue.noun}`] : []));
  const { rows } = await withClient(ownerUrl, (client) =>
    client.query(
      `select bool_and(to_regproc(name) is not null) as "hasContract", to_regrole('lectern_worker') is not null as "hasRoles"
       from unnest($1::text[]) as name`,
      [functions],
    ),
  );
  const [{ hasContract, hasRoles }] = rows as [{ hasContract: boolean; hasRoles: boolean }];
  return hasContract && (hasRoles || !isEmbedded);
}
