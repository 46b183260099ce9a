/**
 * The composition root: names every slice once, and wires what they need to what there is. Nothing else in the program
 * knows all slices.
 */
import "./graphql/scalars.ts";
import "./graphql/relation-fields.ts";
import "./graphql/node.ts";
import "./users/user.schema.ts";
import "./users/user.mutations.ts";
import "./documents/document.schema.ts";
import "./documents/chunk.schema.ts";
import "./documents/document.mutations.ts";
import "./documents/document.subscriptions.ts";
import { hkdfSync } from "node:crypto";
import type { Logger } from "pino";
import type { Config } from "./config.ts";
import { openConnections } from "./connections.ts";
import type { ReadConnections } from "./database/read-connections.ts";
import { type DocumentRepository, documentRepository } from "./documents/document.repository.ts";
import { DocumentService } from "./documents/document.service.ts";
import { ThreadedFileReader } from "./documents/reading/file-reader.ts";
import { CursorCodec } from "./eager-loading/cursor.ts";
import { Loaders } from "./eager-loading/loaders.ts";
import { Trace } from "./eager-loading/trace.ts";
import { builder } from "./graphql/builder.ts";
import type { OperationContext, Services } from "./graphql/context.ts";
import { type Housekeeping, startHousekeeping } from "./housekeeping.ts";
import { ChangeFeed } from "./outbox/change-feed.ts";
import { OutboxTailer } from "./outbox/tailer.ts";
import { createGraphQLServer, type GraphQLServer, type RequestContext } from "./server/graphql-server.ts";
import { LoadGuard } from "./server/load-guard.ts";
import { type Readiness, readinessOf } from "./server/readiness.ts";
import type { FileStore } from "./storage/file-store.ts";
import { unitOfWorkRunner } from "./unit-of-work/runner.ts";
import { crashAt, type Probe } from "./unit-of-work/transaction-guard.ts";
import type { RunUnitOfWork, UnitOfWork } from "./unit-of-work/unit-of-work.ts";
import type { WriteDatabase } from "./unit-of-work/write-database.ts";
import { Authentication } from "./users/authentication.ts";
import { argon2Passwords } from "./users/passwords.ts";
import { viewerOfRequest } from "./users/request-viewer.ts";
import { Tokens } from "./users/tokens.ts";
import {
  type SessionRepository,
  sessionRepository,
  type UserRepository,
  userRepository,
} from "./users/user.repository.ts";
import { UserService } from "./users/user.service.ts";
import { isAdmin, type Viewer } from "./viewer.ts";
import { openFileStore } from "./workers.ts";

export const schema = builder.toSchema();

/** Every slice's repositories, bound to one unit of work. */
export type Repositories = {
  users: UserRepository;
  sessions: SessionRepository;
  documents: DocumentRepository;
};

const repositories = (uow: UnitOfWork): Repositories => ({
  users: userRepository(uow),
  sessions: sessionRepository(uow),
  documents: documentRepository(uow),
});

export type Application = {
  graphql: GraphQLServer;
  run: RunUnitOfWork<Repositories>;
  /** The services of one unit of work, on behalf of a viewer. */
  services(uow: UnitOfWork & Repositories, viewer: Viewer): Services;
  database: WriteDatabase;
  reads: ReadConnections;
  cursors: CursorCodec;
  /** Who watches what. */
  changes: ChangeFeed;
  files: FileStore;
  /** Asked by servers before each operation. */
  load: LoadGuard;
  reader: ThreadedFileReader;
  /** Runs from the beginning; ends with the application, or earlier. */
  housekeeping: Housekeeping;
  /** After roles or sessions were changed by other means than the API. */
  forgetSessions(): void;
  readiness(): Promise<Readiness>;
  close(): Promise<void>;
};

/**
 * @param url of the database
 * @param publicUrl where clients reach the server: what tokens are issued for
 * @param probe told of every point of every transaction: tests make work fail there
 */
export function compose(
  config: Config,
  url: string,
  publicUrl: string,
  logger: Logger,
  probe: Probe | undefined = config.CRASH_AT && crashAt(config.CRASH_AT),
): Application {
  const files = openFileStore(config);
  const reader = new ThreadedFileReader({ files, memoryMb: config.WORKER_MEMORY_MB, logger });
  const { database, reads } = openConnections(config, url, logger);
  const run = unitOfWorkRunner<Repositories>({
    database,
    reads,
    repositories,
    limits: {
      waitMs: config.WRITE_WAIT_MS,
      timeoutMs: config.TRANSACTION_TIMEOUT_MS,
      maxAttempts: config.TRANSACTION_ATTEMPTS,
      maxRetryMs: config.TRANSACTION_RETRY_MS,
    },
    logger,
    ...(probe ? { probe } : {}),
  });
  const tokens = new Tokens({
    secret: config.AUTH_SECRET,
    issuer: publicUrl,
    accessSeconds: config.ACCESS_TOKEN_SECONDS,
    refreshSeconds: config.REFRESH_TOKEN_SECONDS,
  });
  const authentication = new Authentication(tokens, reads);
  const passwords = argon2Passwords();
  const cursors = new CursorCodec(
    Buffer.from(hkdfSync("sha256", config.AUTH_SECRET, "", "lectern cursor", 32)).toString("hex"),
  );
  const isSecure = publicUrl.startsWith("https:");
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

  const load = new LoadGuard({ maxDelayMs: config.MAX_EVENT_LOOP_DELAY_MS, logger });

  const forgetSessions = () => {
    authentication.forget();
    changes.checkAll();
  };

  const services = (uow: UnitOfWork & Repositories, viewer: Viewer): Services => ({
    users: new UserService({
      uow,
      passwords,
      tokens,
      isSignUpOpen: config.SIGN_UP === "open",
      endSession: async (sessionId) => {
        await run({ name: "end a stolen session" }, ({ sessions }) => sessions.revoke(sessionId));
        forgetSessions();
      },
      forgetSessions,
    }),
    documents: new DocumentService({ uow, viewer, files, reader, maxBytes: config.MAX_DOCUMENT_BYTES }),
  });

  const findViewer = (request: Request) => viewerOfRequest(authentication, request, isSecure);
  const housekeeping = startHousekeeping(config, { run, reads, database, files, logger });
  tailer.onEvents(() => housekeeping.wake());

  const graphql = createGraphQLServer({
    schema,
    async context(request: RequestContext): Promise<OperationContext> {
      const { viewer, hasBadToken } = await findViewer(request.request);
      const trace = new Trace();
      const { res } = request;
      return Object.assign(request, {
        viewer,
        trace,
        isSecure,
        hasBadToken,
        canRead: viewer !== null || (config.PUBLIC_READ && !hasBadToken),
        loaders: new Loaders({ viewer, reader: reads, cursors, trace }),
        services: {} as Services,
        become: () => {
          throw new Error("Only a mutation signs somebody in.");
        },
        watch: () => {
          throw new Error("Only a subscription watches.");
        },
        setHeader: (name: string, value: string) => void res?.setHeader(name, value),
        setCookie: (cookie: string) => void res?.appendHeader("set-cookie", cookie),
      });
    },
    mutations: {
      run: run as never,
      keptHours: config.IDEMPOTENCY_HOURS,
      ...(probe ? { probe } : {}),
      contextFor(operation, uow) {
        const { viewer, trace } = operation;
        const loadersOf = (who: Viewer) => new Loaders({ viewer: who, reader: uow.reader, cursors, trace });
        const servicesOf = (who: Viewer) => services(uow as UnitOfWork & Repositories, who);
        const context: OperationContext = {
          ...operation,
          loaders: loadersOf(viewer),
          services: servicesOf(viewer),
          become(who) {
            Object.assign(context, {
              viewer: who,
              canRead: true,
              hasBadToken: false,
              loaders: loadersOf(who),
              services: servicesOf(who),
            });
          },
          // A cookie is part of the answer: it leaves only when the work stands.
          setCookie: (cookie) => uow.afterCommit(() => operation.setCookie(cookie)),
        };
        return context;
      },
    },
    queries: {
      maxCost: config.MAX_QUERY_COST,
      maxDepth: config.MAX_QUERY_DEPTH,
      together: { maxCost: config.QUERY_COST_TOGETHER, waitMs: config.QUERY_WAIT_MS },
      ...(config.EAGER_PLAN ? { plan: { timeoutMs: config.EAGER_PLAN_TIMEOUT_MS } } : {}),
    },
    subscriptions: {
      subscribe: (options) => changes.subscribe(options),
      currentViewer: ({ id: userId, sessionId }) => authentication.viewerOf({ userId, sessionId }),
      contextFor(operation, viewer) {
        const trace = new Trace();
        return { ...operation, viewer, trace, loaders: new Loaders({ viewer, reader: reads, cursors, trace }) };
      },
    },
    publicUrl,
    load,
    maxWebSockets: config.WATCHES,
    uploads: {
      store: files,
      limits: {
        maxFieldBytes: config.MAX_JSON_BYTES,
        maxFileBytes: config.MAX_DOCUMENT_BYTES,
        maxVariableValues: config.MAX_VARIABLE_VALUES,
      },
      waitMs: config.UPLOAD_WAIT_MS,
      isSignedIn: async (request) => (await findViewer(request)).viewer !== null,
      logger,
    },
    limits: {
      maxTokens: config.MAX_QUERY_TOKENS,
      maxQueryCharacters: config.MAX_QUERY_CHARACTERS,
      maxVariableValues: config.MAX_VARIABLE_VALUES,
    },
    isOpen: !config.isProduction,
    mayTrace: ({ viewer }) => !config.isProduction || isAdmin(viewer),
    logger,
  });

  return {
    graphql,
    run,
    services,
    database,
    reads,
    cursors,
    changes,
    files,
    load,
    reader,
    housekeeping,
    forgetSessions,
    readiness: readinessOf({ reads, database, files, logger }),
    async close() {
      load.stop();
      await changes.stop();
      await housekeeping.stop();
      await reader.close();
      await reads.close();
      await database.close();
    },
  };
}
