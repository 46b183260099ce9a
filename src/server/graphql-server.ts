/** GraphQL over HTTP: Yoga with our limits, our way of running operations, and our errors. */
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
  /** How clients reach the server. */
  publicUrl: string;
  load: Pick<LoadGuard, "refusesNext">;
  maxWebSockets: number;
  uploads: UploadOptions;
  limits: RequestLimits & { maxTokens: number };
  /** Examples for GraphiQL. */
  tabs: { query: string; headers?: string }[];
  /** True: GraphiQL, introspection and suggestions for everybody. False: introspection for who is signed in. */
  isOpen: boolean;
  mayTrace: (context: OperationContext) => boolean;
  logger: Logger;
};

export type GraphQLServer = {
  /** @param requestId in every error of the answer and in the logs */
  handle(req: IncomingMessage, res: ServerResponse, requestId: string): Promise<void>;
  /** The start of a WebSocket. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  closeWebSockets(): Promise<void>;
};

export function createGraphQLServer(options: GraphQLServerOptions): GraphQLServer {
  const { logger, isOpen, limits } = options;
  // Errors are made ready to leave where no context is at hand.
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
    // Counted before Yoga sees the request (http-server.ts), which costs less.
    maxRequestBodySize: false,
    // Yoga would hold files in memory.
    multipart: false,
    maskedErrors: { maskError: (error) => answer(error) },
    graphiql: isOpen
      ? {
          title: "Lectern",
          defaultTabs: options.tabs,
          shouldPersistHeaders: true,
          // For its subscriptions, which are GET requests.
          additionalHeaders: { [preflightHeader]: "1" },
        }
      : false,
    renderGraphiQL,
    plugins: [
      useCrossSiteRefusal(),
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

/** Bytes that a parsed document takes for each character of its text, where fields have short names. */
const bytesPerCharacter = 200;
const documentCacheBytes = 100_000_000;
const errorCacheCharacters = 1_000_000;

/** By their text. Bounded by memory: documents are as long as their senders make them. */
function documentCache(): LRUCache<string, DocumentNode> {
  return new LRUCache({
    maxSize: documentCacheBytes,
    sizeCalculation: (_document, text) => text.length * bytesPerCharacter + 1,
  });
}

/** Of texts that cannot be parsed, which an error holds whole. */
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

/** Makes a browser ask first, where it is sent from a page of somebody else. */
const preflightHeader = "graphql-require-preflight";

/** Refuses what any page could make a browser send along with our cookies; an `EventSource` of ours is not that. */
function useCrossSiteRefusal(): Plugin {
  const { onRequestParse } = useCSRFPrevention({ requestHeaders: [preflightHeader, "authorization"] }) as Plugin;
  return {
    onRequestParse(payload) {
      // Browsers say this themselves; no page can.
      if (payload.request.headers.get("sec-fetch-site") === "same-origin") return;
      return onRequestParse?.(payload);
    },
  };
}

function refuseTokens(maxTokens: number): never {
  throw new ApplicationError("BAD_USER_INPUT", `A query's text has at most ${maxTokens} tokens.`, {
    http: { status: 400 },
  });
}

/** Every error leaves as `answer` makes it, also those of validation, which Yoga does not show to `maskError`. */
function useAnswers(answer: (error: unknown) => GraphQLError): Plugin {
  return {
    // Yoga names them once for each media type that the client accepts, in a header of any length.
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

/** Strangers do not learn the schema. */
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
