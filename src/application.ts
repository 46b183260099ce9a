/** The parts of a server. They are created in order and closed in reverse order. */
import { hkdfSync } from "node:crypto";
import type { Logger } from "pino";
import { connect } from "./composition.ts";
import type { ReadConnections } from "./database/read-connections.ts";
import { downloadHandler } from "./downloads/download-handler.ts";
import { FileAddresses } from "./downloads/file-addresses.ts";
import { CursorCodec } from "./eager-loading/cursor.ts";
import type { Services } from "./graphql/context.ts";
import { buildSchema } from "./graphql/schema.ts";
import { type Housekeeping, startHousekeeping } from "./housekeeping.ts";
import { contextsOf } from "./operations/contexts.ts";
import { ChangeFeed } from "./outbox/change-feed.ts";
import { OutboxTailer } from "./outbox/tailer.ts";
import { crashProbe, openConnections, openFileStore, openUploads, unitsOfWork } from "./resources.ts";
import { createGraphQLServer } from "./server/graphql-server.ts";
import { type HttpServer, startHttpServer } from "./server/http-server.ts";
import { LoadGuard } from "./server/load-guard.ts";
import { readinessOf } from "./server/readiness.ts";
import type { Config } from "./settings.ts";
import { merged, type Slice } from "./slice.ts";
import { slices as allSlices } from "./slices.ts";
import type { FileStore } from "./storage/file-store.ts";
import type { Probe } from "./unit-of-work/transaction-guard.ts";
import type { Repositories, RunUnitOfWork, UnitOfWork } from "./unit-of-work/unit-of-work.ts";
import type { WriteDatabase } from "./unit-of-work/write-database.ts";
import type { ResumableUploads } from "./uploads/resumable-uploads.ts";
import { TusEndpoint } from "./uploads/tus-endpoint.ts";
import type { RequireRoom } from "./uploads/upload-plugin.ts";
import type { UploadRules } from "./uploads/upload-rules.ts";
import { isAdmin, type Viewer, type Viewers } from "./viewer.ts";

export type ApplicationOptions = {
  /** URL of the database. */
  url: string;
  /** Address at which clients reach the server; the issuer of tokens. */
  publicUrl: string;
  logger: Logger;
  /** Called at every point of every transaction; tests inject failures there. */
  probe?: Probe;
  slices?: readonly Slice[];
};

export type Application = {
  slices: readonly Slice[];
  run: RunUnitOfWork<Repositories>;
  /** The services of one unit of work, on behalf of a viewer. */
  services(uow: UnitOfWork & Repositories, viewer: Viewer): Services;
  viewers: Viewers;
  database: WriteDatabase;
  reads: ReadConnections;
  cursors: CursorCodec;
  addresses: FileAddresses;
  /** The subscriptions. */
  changes: ChangeFeed;
  files: FileStore;
  uploads: ResumableUploads;
  /** Runs from the start; stops with the application, or earlier. */
  housekeeping: Housekeeping;
  listen(at: { host: string; port: number; mayMovePort: boolean }): Promise<HttpServer>;
  /** Starts threads and the like before the first request needs them. */
  warmUp(): Promise<void>;
  close(): Promise<void>;
};

export async function openApplication(config: Config, options: ApplicationOptions): Promise<Application> {
  const { url, publicUrl, logger, probe = crashProbe(config), slices = allSlices } = options;
  const schema = await buildSchema(slices);
  const files = await openFileStore(config);
  const resumable = openUploads(config, files);
  const { uploads } = resumable;
  const connections = openConnections(config, url, logger);
  const { database, reads } = connections;
  const run = unitsOfWork(config, connections, slices, logger, probe);
  const isSecure = publicUrl.startsWith("https:");
  const open = slices.map((slice) => slice.open?.({ config, publicUrl, isSecure, run, reads, files, uploads, logger }));
  const viewers = open.find((slice) => slice?.viewers)?.viewers;
  if (!viewers) throw new Error("No slice provides viewers: one slice of accounts is needed.");
  try {
    for (const slice of open) await slice?.start?.();
  } catch (error) {
    await connections.close();
    throw error;
  }
  const services = (uow: UnitOfWork & Repositories, viewer: Viewer) =>
    connect(merged<Services>(open.map((slice) => slice?.services?.(uow, viewer))));

  const cursors = new CursorCodec(derivedSecret(config, "lectern cursor"));
  const addresses = new FileAddresses({
    publicUrl,
    secret: derivedSecret(config, "lectern file address"),
    lifetimeSeconds: config.FILE_URL_SECONDS,
  });
  const tailer = new OutboxTailer({
    url,
    capacity: config.WATCH_EVENTS,
    onError: (error) => logger.warn({ err: error }, "the outbox could not be followed; trying again"),
  });
  const changes = new ChangeFeed({
    tailer,
    reader: reads,
    cursors,
    maxPerSubscriber: config.WATCHES_PER_USER,
    maxSubscriptions: config.WATCHES,
  });
  viewers.onForget(() => changes.checkAll());
  const housekeeping = startHousekeeping(config, { slices, run, reads, database, files, uploads, logger });
  tailer.onEvents(() => housekeeping.wake());

  const load = new LoadGuard({ maxDelayMs: config.MAX_EVENT_LOOP_DELAY_MS, logger });
  const rules: UploadRules = new Map(slices.flatMap((slice) => Object.entries(slice.uploads?.(config) ?? {})));
  const maxFileBytes = Math.max(0, ...[...rules.values()].map(({ maxBytes }) => maxBytes));
  const requireRoom: RequireRoom = async (viewer, bytes) => {
    for (const slice of open) await slice?.requireRoom?.(viewer, bytes);
  };
  const viewerOf = async (request: Pick<Request, "headers">) => (await viewers.ofRequest(request)).viewer;
  const limits = {
    maxTokens: config.MAX_QUERY_TOKENS,
    maxQueryCharacters: config.MAX_QUERY_CHARACTERS,
    maxVariableValues: config.MAX_VARIABLE_VALUES,
  };
  const contexts = contextsOf({
    viewers,
    isPublic: config.PUBLIC_READ,
    isSecure,
    reads,
    cursors,
    addresses,
    services,
  });
  const serveFile = downloadHandler({
    downloads: slices.flatMap(({ downloads = [] }) => downloads),
    addresses,
    viewers,
    reader: reads,
    files,
    isPublic: config.PUBLIC_READ,
    delivery: config.STORAGE_DELIVERY,
    logger,
  });
  const graphql = createGraphQLServer({
    schema,
    context: contexts.ofRequest,
    mutations: {
      run,
      retentionHours: config.IDEMPOTENCY_HOURS,
      ...(probe ? { probe } : {}),
      contextFor: contexts.ofAttempt,
    },
    queries: {
      maxCost: config.MAX_QUERY_COST,
      maxDepth: config.MAX_QUERY_DEPTH,
      together: { maxCost: config.QUERY_COST_TOGETHER, waitMs: config.QUERY_WAIT_MS },
      ...(config.EAGER_PLAN ? { plan: { timeoutMs: config.EAGER_PLAN_TIMEOUT_MS } } : {}),
    },
    subscriptions: {
      subscribe: (subscription) => changes.subscribe(subscription),
      currentViewer: (viewer) => viewers.reload(viewer),
      contextFor: contexts.ofEvent,
    },
    publicUrl,
    load,
    maxWebSockets: config.WATCHES,
    uploads: {
      store: files,
      rules,
      limits: { ...limits, maxFieldBytes: config.MAX_JSON_BYTES },
      viewerOf,
      requireRoom,
      logger,
    },
    limits,
    tabs: slices.flatMap(({ tabs = [] }) => tabs),
    isOpen: !config.isProduction,
    mayTrace: ({ viewer }) => !config.isProduction || isAdmin(viewer),
    logger,
  });

  const tus = new TusEndpoint({ ...resumable, rules, viewerOf, requireRoom, logger });

  return {
    slices,
    run,
    services,
    viewers,
    database,
    reads,
    cursors,
    addresses,
    changes,
    files,
    uploads,
    housekeeping,
    async listen(at) {
      const server = await startHttpServer({
        ...at,
        graphql,
        serveFile,
        uploads: tus,
        maxBodyBytes: { json: config.MAX_JSON_BYTES, upload: maxFileBytes + config.MAX_JSON_BYTES },
        load,
        ready: readinessOf({ reads, database, files, logger }),
        endSubscriptions: () => changes.stop(),
        logger,
      });
      addresses.movePort({ from: at.port, to: server.port });
      return server;
    },
    warmUp: async () => void (await Promise.all(open.map((slice) => slice?.warmUp?.()))),
    async close() {
      load.stop();
      await changes.stop();
      await housekeeping.stop();
      for (const slice of open.toReversed()) await slice?.close?.();
      await connections.close();
    },
  };
}

/** Each purpose has its own secret, so that a signature is valid for one purpose only. */
function derivedSecret({ AUTH_SECRET }: Config, purpose: string): string {
  return Buffer.from(hkdfSync("sha256", AUTH_SECRET, "", purpose, 32)).toString("hex");
}
