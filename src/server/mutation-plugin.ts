/**
 * How a mutation runs: the whole operation inside one unit of work, and its answer after the commit.
 *
 * The operation fails, and everything is undone, when its answer has no data: GraphQL nulls a failed root field up to
 * `data`, since all of them are non-null. A nullable field below that fails is reported and undoes nothing, unless a
 * statement failed in the transaction, which the unit of work notices by itself.
 */
import {
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
  OperationTypeNode,
} from "graphql";
import type { Plugin } from "graphql-yoga";
import type { Isolation, UnitOfWork, UnitOfWorkOptions } from "../database/unit-of-work.ts";
import { ApplicationError } from "../errors.ts";
import type { OperationContext } from "../graphql/context.ts";

declare module "graphql" {
  // biome-ignore lint/suspicious/noExplicitAny: the parameters must be those of the original declaration.
  interface GraphQLFieldExtensions<_TSource, _TContext, _TArgs = any> {
    /** The isolation that a mutation field needs; an operation takes the strictest of its fields. */
    isolation?: Isolation;
  }
}

/** What the plugin needs of the program: a unit of work, and the context of one try inside it. */
export type MutationOptions = {
  run<Result>(options: UnitOfWorkOptions, work: (uow: UnitOfWork) => Promise<Result>): Promise<Result>;
  contextFor(operation: OperationContext, uow: UnitOfWork): OperationContext;
};

/** The root fields of one try that have begun, in order: all but the last have succeeded. */
type Progress = { begun: (string | number)[] };
const progressOf = new WeakMap<OperationContext, Progress>();

export function useMutations({ run, contextFor }: MutationOptions): Plugin {
  const prepared = new WeakSet<GraphQLSchema>();
  return {
    onSchemaChange({ schema }) {
      if (!prepared.has(schema as GraphQLSchema)) watchRootFields(schema as GraphQLSchema);
      prepared.add(schema as GraphQLSchema);
    },
    onExecute({ args, executeFn, setExecuteFn }) {
      const { schema, document, operationName, contextValue } = args as ExecutionArgs;
      const operation = getOperationAST(document, operationName);
      if (operation?.operation !== OperationTypeNode.MUTATION) return;
      const outer = contextValue as OperationContext;
      setExecuteFn(async (executionArgs: ExecutionArgs) => {
        const progress: Progress = { begun: [] };
        try {
          const options = {
            name: operation.name?.value ?? "anonymous mutation",
            signal: outer.request.signal,
            ...isolationOf(schema, operation),
          };
          return await run(options, async (uow) => {
            progress.begun = [];
            const context = contextFor(outer, uow);
            progressOf.set(context, progress);
            const result: ExecutionResult = await executeFn({ ...executionArgs, contextValue: context });
            if (result.data == null) throw new FailedOperation(result);
            return result;
          });
        } catch (error) {
          return failedResult(error, progress);
        }
      });
    },
  };
}

/** Thrown through the unit of work to undo it. */
class FailedOperation extends Error {
  readonly result: ExecutionResult;
  /** For the unit of work, which looks among them for conflicts worth another try. */
  readonly causes: unknown[];

  constructor(result: ExecutionResult) {
    super("The operation failed.");
    this.result = result;
    this.causes = (result.errors ?? []).map((error) => error.originalError ?? error);
  }
}

function failedResult(error: unknown, { begun }: Progress): ExecutionResult {
  const failed = error instanceof FailedOperation;
  const causes = failed ? (error.result.errors ?? []) : [asGraphQLError(error)];
  // An operation that failed at its end had succeeded in all its fields.
  const succeeded = failed ? begun.slice(0, -1) : begun;
  const rolledBack = succeeded.map(
    (key) =>
      new GraphQLError("This was undone, because another part of the operation failed.", {
        path: [key],
        originalError: new ApplicationError(
          "ROLLED_BACK",
          "This was undone, because another part of the operation failed.",
        ),
      }),
  );
  return { data: null, errors: [...causes, ...rolledBack] };
}

function asGraphQLError(error: unknown): GraphQLError {
  const originalError = error instanceof Error ? error : new Error(String(error));
  return new GraphQLError(originalError.message, { originalError });
}

/** Before each root field, what was read before it is forgotten, since it may have been changed since. */
function watchRootFields(schema: GraphQLSchema): void {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    const resolve = field.resolve;
    if (!resolve) continue;
    field.resolve = (source, args, context: OperationContext, info) => {
      progressOf.get(context)?.begun.push(info.path.key);
      context.loaders.clear();
      return resolve(source, args, context, info);
    };
  }
}

const strictness: Isolation[] = ["ReadCommitted", "RepeatableRead", "Serializable"];

function isolationOf(schema: GraphQLSchema, operation: OperationDefinitionNode): { isolation?: Isolation } {
  const fields = schema.getMutationType()?.getFields() ?? {};
  let strictest = 0;
  for (const selection of operation.selectionSet.selections) {
    if (selection.kind !== "Field") continue;
    const declared = fields[selection.name.value]?.extensions.isolation;
    if (declared) strictest = Math.max(strictest, strictness.indexOf(declared));
  }
  return strictest === 0 ? {} : { isolation: strictness[strictest] as Isolation };
}
