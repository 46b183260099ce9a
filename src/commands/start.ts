import { relative } from "node:path";
import type { Logger } from "pino";
import { openApplication } from "../application.ts";
import { loadEnvironmentFile, readConfig } from "../config.ts";
import { UserError } from "../errors.ts";
import { createLogger } from "../logger.ts";
import { migrate } from "../postgres/migrations.ts";
import { openFileStore } from "../resources.ts";
import {
  demoPassword,
  demoUsers,
  loadProcessedSamplesMeanwhile,
  loadSampleLibrary,
  untilProcessed,
} from "../sample-library.ts";
import type { Config } from "../settings.ts";
import type { Slice } from "../slice.ts";
import { slices } from "../slices.ts";
import { FileStoreError } from "../storage/file-store.ts";
import { surviveUnhandledErrors } from "../unhandled-errors.ts";
import { startWorkers } from "../worker-process.ts";
import { connectAs, openDatabase } from "./database-session.ts";
import { stopAll } from "./stop-all.ts";
import { untilSignal } from "./until-signal.ts";

/** Starts all parts in order, and stops them in reverse order. */
export async function start(): Promise<void> {
  loadEnvironmentFile();
  const config = readConfig();
  const signal = untilSignal();
  const logger = createLogger({ level: config.LOG_LEVEL, format: config.LOG_FORMAT });
  surviveUnhandledErrors(logger);
  const stops: (() => Promise<void>)[] = [];
  try {
    const database = await openDatabase(config);
    stops.push(database.stop);
    await requireFileStore(config, logger);
    const applied = await migrate(database.ownerUrl);
    if (applied.length > 0) logger.info({ applied }, "migrated");
    const publicUrl = config.PUBLIC_URL ?? `http://${config.HOST}:${config.PORT}`;
    const url = await connectAs(database, "lectern_server", logger);
    const application = await openApplication(config, { url, publicUrl, logger });
    stops.push(application.close);
    const isFirstStart = !config.isProduction && (await loadSampleLibrary(application));
    if (config.WORKERS > 0) {
      const workerUrl = await connectAs(database, "lectern_worker", logger);
      const startQueuesOf = async (some: readonly Slice[]) => {
        const worker = await startWorkers(config, { url: workerUrl, slots: config.WORKERS, logger, slices: some });
        stops.push(worker.stop);
      };
      // The others after that, so that their samples do not delay a first start.
      await startQueuesOf(slices.filter(({ needsProcessing }) => needsProcessing));
      if (isFirstStart) await untilProcessed(application);
      await startQueuesOf(slices.filter(({ needsProcessing }) => !needsProcessing));
    }
    const { HOST: host, PORT: port } = config;
    const server = await application.listen({ host, port, mayMovePort: !config.isProduction });
    stops.push(server.stop);
    if (isFirstStart) stops.push(loadProcessedSamplesMeanwhile(application, logger));
    // Not awaited: if it fails, only the first requests that need it wait.
    application.warmUp().catch((error) => logger.warn({ err: error }, "a part could not be started in advance"));
    const address = `http://${config.HOST.includes(":") ? `[${config.HOST}]` : config.HOST}:${server.port}/graphql`;
    if (config.LOG_FORMAT === "json") logger.info({ address }, "ready");
    else announce(config.isProduction, address, database.isEmbedded ? config.DATA_DIR : null);
    await signal;
  } finally {
    await stopAll(stops, logger);
  }
}

/** @throws UserError if the store cannot be written at all; a full or busy one still serves readers */
async function requireFileStore(config: Config, logger: Logger): Promise<void> {
  try {
    await (await openFileStore(config)).requireUsable();
  } catch (error) {
    if (!(error instanceof FileStoreError)) throw error;
    if (error.isFull || error.mayPass) return logger.error({ err: error }, "the file store accepts no files");
    const { code, message } = error.cause as NodeJS.ErrnoException;
    throw new UserError(
      config.STORAGE_URL === undefined || !error.path.startsWith("s3:")
        ? `Files cannot be stored in DATA_DIR: ${message}. Set it to another folder.`
        : `Files cannot be stored in STORAGE_URL, ${error.path}: ${code}: ${message}. Check the bucket and the login.`,
    );
  }
}

function announce(isProduction: boolean, address: string, dataDir: string | null): void {
  const lines = [`Lectern is ready: ${address}`];
  if (!isProduction) {
    lines.push(
      "",
      `  GraphiQL   ${address}`,
      `  Sign in    ${Object.values(demoUsers)
        .map(({ email }) => email)
        .join(", ")}`,
      `             password: ${demoPassword} (development only)`,
    );
  }
  if (dataDir) lines.push(`  Data       ${relative(process.cwd(), dataDir) || dataDir}`);
  lines.push("", "Ctrl-C stops it.");
  console.log(`\n${lines.join("\n")}\n`);
}
