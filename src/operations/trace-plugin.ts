/** Reports an operation's statements: a sum in `Server-Timing`, and, if allowed, a list in `extensions.lectern`. */
import type { ExecutionResult } from "graphql";
import type { Plugin } from "graphql-yoga";
import type { OperationContext } from "../graphql/context.ts";

export type TraceOptions = {
  /** Whether this operation's client may see its statements. */
  mayTrace(context: OperationContext): boolean;
};

export function useTrace(options: TraceOptions): Plugin<OperationContext> {
  return {
    onExecute({ args }) {
      const context = args.contextValue;
      return {
        onExecuteDone({ result, setResult }) {
          const { statements, ms } = context.trace;
          context.setHeader("server-timing", `db;dur=${ms.toFixed(1)};desc="${statements} statements"`);
          setResult(withTrace(result as ExecutionResult, context, options));
        },
      };
    },
  };
}

/** Adds the statements to the result if the client has requested them and may see them. */
export function withTrace(
  result: ExecutionResult,
  context: OperationContext,
  { mayTrace }: TraceOptions,
): ExecutionResult {
  if (context.request.headers.get("lectern-trace") !== "1" || !mayTrace(context)) return result;
  const { statements, rows, roundTrips, ms, batches } = context.trace;
  const more = result.extensions?.lectern as object | undefined;
  const lectern = { ...more, statements, rows, roundTrips, ms: round(ms), batches: batches.map(rounded) };
  return { ...result, extensions: { ...result.extensions, lectern } };
}

const round = (ms: number) => Math.round(ms * 100) / 100;
const rounded = <Entry extends { ms: number }>(batch: Entry): Entry => ({ ...batch, ms: round(batch.ms) });
