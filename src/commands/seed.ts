import { openApplication } from "../application.ts";
import { loadEnvironmentFile, readConfig } from "../config.ts";
import { UserError } from "../errors.ts";
import { createLogger } from "../logger.ts";
import { migrate } from "../postgres/migrations.ts";
import { loadSampleLibrary } from "../sample-library.ts";
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
      const loaded = await loadSampleLibrary(application);
      console.log(loaded ? "The sample library is loaded." : "There are users already: nothing was loaded.");
    } finally {
      await application.close();
    }
  });
}
