/**
 * Execution of a subscription: its root field determines the events, and each event is executed like a query, with new
 * loaders and the reloaded viewer.
 *
 * If the client does not end it, the last result holds `errors` with a code. docs/watching.md describes the codes.
 */
import {
  createSourceEventStream,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type GraphQLError,
  getOperationAST,
} from "graphql";
import { isAsyncIterable, mapAsyncIterator, type Plugin } from "graphql-yoga";
import type { Row } from "../eager-loading/answers.ts";
import { compile } from "../eager-loading/compile-plan.ts";
import { runPlan } from "../eager-loading/run-plan.ts";
import { ApplicationError } from "../errors.ts";
import type { OperationContext, WatchOptions } from "../graphql/context.ts";
import type { SubscribeOptions } from "../outbox/change-feed.ts";
import type { Subscription } from "../outbox/subscription.ts";
import type { Viewer } from "../viewer.ts";
import { type Variables, variablesOf } from "./operation-variables.ts";
import { type QueryOptions, requireAffordable } from "./query-plugin.ts";
import { type TraceOptions, withTrace } from "./trace-plugin.ts";

export type SubscriptionOptions = {
  subscribe<Result>(options: SubscribeOptions<Result>): Promise<Subscription<Result>>;
  /** Reloads a viewer; null when the session has ended. */
  currentViewer(viewer: NonNullable<Viewer>): Promise<Viewer>;
  /** The context of one event. */
  contextFor(operation: OperationContext, viewer: Viewer): OperationContext;
};

type PluginOptions = SubscriptionOptions &
  QueryOptions &
  TraceOptions & { show(error: unknown, requestId: string): GraphQLError };

/** Input of the executor for one event. */
type Delivery = { rootValue: unknown; context: OperationContext };

export function useSubscriptions(options: PluginOptions): Plugin<OperationContext> {
  return {
    onSubscribe({ args, setSubscribeFn }) {
      const variables = variablesOf(args);
      requireAffordable(args, options);
      setSubscribeFn((subscribeArgs: ExecutionArgs) => subscribe(options, subscribeArgs, variables));
    },
  };
}

async function subscribe(options: PluginOptions, args: ExecutionArgs, variables: Variables) {
  const outer = args.contextValue as OperationContext;
  const show = (error: unknown) => options.show(error, outer.requestId);
  const shown = ({ errors, ...result }: ExecutionResult) => ({
    ...result,
    ...(errors && { errors: errors.map(show) }),
  });
  const plan = planOf(options, args, variables);
  const subscription = { watch: (what: WatchOptions) => watch(options, outer, what, plan) };
  const contextValue: OperationContext = { ...outer, subscription };
  const source = await createSourceEventStream({ ...args, contextValue });
  if (!isAsyncIterable(source)) return shown(source as ExecutionResult);
  // Proxies must not buffer the response.
  outer.setHeader("x-accel-buffering", "no");
  return mapAsyncIterator(
    source as AsyncIterableIterator<Delivery>,
    async ({ rootValue, context }) => {
      const result = await execute({ ...args, rootValue, contextValue: context });
      return withTrace(shown(result), context, options);
    },
    (error: Error) => shown({ errors: [error as GraphQLError] }),
  );
}

type ReadAhead = (shown: Row, context: OperationContext) => Promise<void>;

/** Returns a function that reads the rows for an event in one round trip. */
function planOf({ plan: limits }: PluginOptions, args: ExecutionArgs, variables: Variables): ReadAhead | undefined {
  const { schema, document, operationName } = args;
  const operation = getOperationAST(document, operationName);
  if (!limits || !operation) return undefined;
  const plan = compile(schema, document, operation);
  return (shown, { loaders }) => runPlan(plan, variables, loaders, limits, shown);
}

function watch(
  { subscribe, currentViewer, contextFor }: SubscriptionOptions,
  outer: OperationContext,
  { topic, rowId, after, toChange }: WatchOptions,
  readAhead: ReadAhead | undefined,
): Promise<AsyncIterable<unknown>> {
  const viewerNow = async (): Promise<Viewer> => {
    if (!outer.viewer) return null;
    const viewer = await currentViewer(outer.viewer);
    if (!viewer) throw new ApplicationError("UNAUTHENTICATED", "The session has ended: sign in again.");
    return viewer;
  };
  return subscribe<Delivery>({
    subscriber: outer.viewer?.id ?? null,
    after,
    of: { topic, rowId: rowId ?? null },
    async deliver(event, cursor) {
      const viewer = await viewerNow();
      const change = toChange(event, viewer);
      if (!change) return null;
      const context = contextFor(outer, viewer);
      const { shown, row } = change;
      if (row) {
        await readAhead?.(shown, context);
        if ((await context.loaders.one(row.relation, row.key)) === null) return null;
      }
      return { rootValue: { ...shown, cursor }, context };
    },
    check: async () => void (await viewerNow()),
    connection: outer.connection,
  });
}
