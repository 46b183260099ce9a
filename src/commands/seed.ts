import { openApplication } from "../application.ts";
import { loadEnvironmentFile, readConfig } from "../config.ts";
import { UserError } from "../errors.ts";
import { createLogger } from "../logger.ts";
import { migrate } from "../postgres/migrations.ts";
import { loadProcessedSamples, loadSampleLibrary } from "../sample-library.ts";
import { startWorkers } from "../worker-process.ts";
import { connectAs, withDatabase } from "./database-session.ts";

export async function seedCommand(): Promise<void> {
  loadEnvironmentFile();
  const config = readConfig();
  if (config.isProduction) throw new UserError("The sample library is for development: its passwords are public.");
  const logger = createLogger({ level: config.LOG_LEVEL, format: config.LOG_FORMAT });
  await withDatabase(config, async (database) => {
    await migrate(database.ownerUrl);
    const url = await connectAs(database, "lectern_server", logger);
    const application = await openApplication(config, { url, publicUrl: "http://localhost", logger });
    try {
      if (!(await loadSampleLibrary(application))) {
        console.log("There are users already: nothing was loaded.");
        return;
      }
      console.log("The sample library is loaded. Workers process it, which takes some seconds.");
      const workerUrl = await connectAs(database, "lectern_worker", logger);
      const workers = await startWorkers(config, { url: workerUrl, slots: Math.max(1, config.WORKERS), logger });
      try {
        if (!(await loadProcessedSamples(application))) {
          throw new UserError("The workers have not processed it in ten minutes: a part of it is missing.");
        }
      } finally {
        await workers.stop();
      }
      console.log("It is complete.");
    } finally {
      await application.close();
    }
  });
}
