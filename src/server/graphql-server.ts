/** GraphQL over HTTP: Yoga with Lectern's limits, execution and errors. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { maxTokensPlugin } from "@escape.tech/graphql-armor-max-tokens";
import { useCSRFPrevention } from "@graphql-yoga/plugin-csrf-prevention";
import { renderGraphiQL } from "@graphql-yoga/render-graphiql";
import {
  type DocumentNode,
  type GraphQLError,
  type GraphQLSchema,
  NoSchemaIntrospectionCustomRule,
  validate,
} from "graphql";
import { createYoga, type Plugin } from "graphql-yoga";
import { LRUCache } from "lru-cache";
import type { Logger } from "pino";
import { ApplicationError } from "../errors.ts";
import type { OperationContext } from "../graphql/context.ts";
import type { RequestContext, ServerContext } from "../operations/contexts.ts";
import { answerFor } from "../operations/error-answers.ts";
import { type MutationOptions, useMutations } from "../operations/mutation-plugin.ts";
import { isSameOrigin, preflightHeader, preflightHeaders } from "../operations/preflight.ts";
import { type QueryOptions, useQueries } from "../operations/query-plugin.ts";
import { type RequestLimits, useRequestLimits } from "../operations/request-limits.ts";
import { type SubscriptionOptions, useSubscriptions } from "../operations/subscription-plugin.ts";
import { useTrace } from "../operations/trace-plugin.ts";
import { useValidation } from "../operations/validation-plugin.ts";
import type { ClientConnection } from "../outbox/change-feed.ts";
import { type UploadContext, type UploadOptions, useUploads } from "../uploads/upload-plugin.ts";
import type { LoadGuard } from "./load-guard.ts";
import { createWebSockets } from "./websocket-server.ts";

export type GraphQLServerOptions = {
  schema: GraphQLSchema;
  context: (request: RequestContext) => Promise<OperationContext>;
  mutations: MutationOptions;
  queries: QueryOptions;
  subscriptions: SubscriptionOptions;
  /** The address of the server for clients. */
  publicUrl: string;
  load: Pick<LoadGuard, "refusesNext">;
  maxWebSockets: number;
  uploads: UploadOptions;
  limits: RequestLimits & { maxTokens: number };
  /** Examples for GraphiQL. */
  tabs: { query: string; headers?: string }[];
  /** True: GraphiQL, introspection and suggestions for everybody. False: only introspection, for signed-in users. */
  isOpen: boolean;
  mayTrace: (context: OperationContext) => boolean;
  logger: Logger;
};

export type GraphQLServer = {
  /** @param requestId included in every error of the response and in the logs */
  handle(req: IncomingMessage, res: ServerResponse, requestId: string): Promise<void>;
  /** Opens a WebSocket. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  closeWebSockets(): Promise<void>;
};

export function createGraphQLServer(options: GraphQLServerOptions): GraphQLServer {
  const { logger, isOpen, limits } = options;
  // Errors are masked where no GraphQL context is available.
  const requestIds = new AsyncLocalStorage<string>();
  const requestId = () => requestIds.getStore() ?? "unknown";
  const answer = (error: unknown, id = requestId()) => answerFor(error, id, logger);
  const yoga = createYoga<ServerContext, OperationContext>({
    schema: options.schema,
    context: (initial) => {
      const connection = initial.res ? connectionOf(initial.res) : undefined;
      return options.context({
        ...(connection && { connection }),
        ...initial,
        requestId: requestId(),
      } as RequestContext);
    },
    graphqlEndpoint: "/graphql",
    landingPage: false,
    logging: false,
    batching: false,
    cors: false,
    parserAndValidationCache: { documentCache: documentCache(), errorCache: errorCache() },
    // http-server.ts limits the body, at a lower cost.
    maxRequestBodySize: false,
    // Yoga's own parser would hold files in memory.
    multipart: false,
    maskedErrors: { maskError: (error) => answer(error) },
    graphiql: isOpen
      ? {
          title: "Lectern",
          defaultTabs: options.tabs,
          shouldPersistHeaders: true,
          // CSRF protection would refuse GraphiQL's subscriptions, which are GET requests, without it.
          additionalHeaders: { [preflightHeader]: "1" },
        }
      : false,
    renderGraphiQL,
    plugins: [
      useCsrfProtection(),
      useUploads(options.uploads),
      useRequestLimits(limits),
      maxTokensPlugin({ n: limits.maxTokens, onReject: [() => refuseTokens(limits.maxTokens)] }) as Plugin,
      useValidation({ hideSuggestions: !isOpen }),
      ...(isOpen ? [] : [useClosedSchema()]),
      useQueries(options.queries),
      useMutations({ ...options.mutations, show: answer }),
      useSubscriptions({ ...options.subscriptions, ...options.queries, mayTrace: options.mayTrace, show: answer }),
      useTrace({ mayTrace: options.mayTrace }),
      useAnswers(answer),
    ],
  });
  const sockets = createWebSockets({
    yoga,
    show: answer,
    within: (id, work) => requestIds.run(id, work),
    publicUrl: options.publicUrl,
    maxConnections: options.maxWebSockets,
    limits,
    load: options.load,
    logger,
  });
  return {
    async handle(req, res, id) {
      const atEnd: UploadContext["atEnd"] = [];
      try {
        await requestIds.run(id, () => yoga(req, res, { atEnd }));
      } finally {
        for (const end of atEnd) await end();
      }
    },
    upgrade: sockets.upgrade,
    closeWebSockets: sockets.close,
  };
}

/** Memory of a parsed document per character of its text; an upper bound, for short field names. */
const bytesPerCharacter = 200;
const documentCacheBytes = 100_000_000;
const errorCacheCharacters = 1_000_000;

/** Keyed by text. Limited by memory, not by number: clients determine the length of documents. */
function documentCache(): LRUCache<string, DocumentNode> {
  return new LRUCache({
    maxSize: documentCacheBytes,
    sizeCalculation: (_document, text) => text.length * bytesPerCharacter + 1,
  });
}

/** Syntax errors, each of which holds the whole text. */
function errorCache(): LRUCache<string, Error> {
  return new LRUCache({ maxSize: errorCacheCharacters, sizeCalculation: (_error, text) => text.length + 1 });
}

function connectionOf(res: ServerResponse): ClientConnection {
  return {
    onClose(listener) {
      if (res.closed) listener();
      else res.once("close", listener);
    },
    destroy: () => res.destroy(),
  };
}

/** CSRF protection; same-origin requests are exempt, because `EventSource` cannot send the header. */
function useCsrfProtection(): Plugin {
  const { onRequestParse } = useCSRFPrevention({ requestHeaders: preflightHeaders }) as Plugin;
  return {
    onRequestParse(payload) {
      if (isSameOrigin(payload.request.headers)) return;
      return onRequestParse?.(payload);
    },
  };
}

function refuseTokens(maxTokens: number): never {
  throw new ApplicationError("BAD_USER_INPUT", `A query has at most ${maxTokens} tokens.`, {
    http: { status: 400 },
  });
}

/** Masks all errors, including those of validation, for which Yoga does not call `maskError`. */
function useAnswers(answer: (error: unknown) => GraphQLError): Plugin {
  return {
    // Yoga adds entries for every media type in the client's header, which may be long and full of repetitions.
    onResultProcess({ acceptableMediaTypes }) {
      const distinct = [...new Set(acceptableMediaTypes)];
      acceptableMediaTypes.length = 0;
      acceptableMediaTypes.push(...distinct);
    },
    onExecutionResult({ result, setResult }) {
      if (!result || Array.isArray(result) || !("errors" in result) || !result.errors) return;
      setResult({ ...result, errors: result.errors.map((error) => answer(error)) });
    },
  };
}

/** Refuses introspection to strangers. */
function useClosedSchema(): Plugin<OperationContext> {
  return {
    onExecute({ args: { schema, document, contextValue } }) {
      if (contextValue.viewer !== null) return;
      if (validate(schema, document, [NoSchemaIntrospectionCustomRule]).length > 0) {
        throw new ApplicationError("UNAUTHENTICATED", "Sign in to read the schema.");
      }
    },
  };
}
