/**
 * Executes a mutation in one unit of work and sends the response after the commit.
 *
 * The operation fails, and is rolled back, if its result has no data: all root fields are non-null
 * (graphql/mutation-field-plugin.ts), so a failed one nulls `data`. An error of a nullable field below is reported
 * without a rollback, unless a statement of the transaction failed. docs/transactions.md describes this for clients.
 */
import {
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  OperationTypeNode,
  visit,
} from "graphql";
import type { Plugin } from "graphql-yoga";
import { ApplicationError, StaleVersionError } from "../errors.ts";
import { type OperationContext, type Progress, scopeOf } from "../graphql/context.ts";
import { declarationOf, SkippedError } from "../graphql/mutation-field-plugin.ts";
import type { Probe } from "../unit-of-work/transaction-guard.ts";
import {
  type Repositories,
  RetriesExhaustedError,
  type RunUnitOfWork,
  type UnitOfWork,
  type UnitOfWorkOptions,
  UnknownOutcomeError,
} from "../unit-of-work/unit-of-work.ts";
import { currentObject } from "./current-object.ts";
import { executeOnce, type KeyedOptions, keyOf, oneAtATime } from "./idempotency-header.ts";
import { type Variables, variablesOf } from "./operation-variables.ts";
import { prepareAll, type RootField, rootFieldsOf } from "./root-fields.ts";

export type MutationOptions = {
  run: RunUnitOfWork<Repositories>;
  contextFor(operation: OperationContext, uow: UnitOfWork & Repositories): OperationContext;
  /** Time for which responses to an `Idempotency-Key` are stored. */
  retentionHours: number;
  probe?: Probe;
};

export function useMutations(options: MutationOptions & Pick<KeyedOptions, "show">): Plugin<OperationContext> {
  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      const { document, operationName } = args;
      if (getOperationAST(document, operationName)?.operation !== OperationTypeNode.MUTATION) return;
      const execute: (args: ExecutionArgs) => Promise<ExecutionResult> = executeFn;
      const variables = variablesOf(args);
      setExecuteFn((executionArgs: ExecutionArgs) => runMutation(options, executionArgs, variables, execute));
    },
  };
}

async function runMutation(
  options: MutationOptions & Pick<KeyedOptions, "show">,
  args: ExecutionArgs,
  variables: Variables,
  execute: (args: ExecutionArgs) => Promise<ExecutionResult>,
): Promise<ExecutionResult> {
  const { schema, document, operationName, contextValue } = args;
  const outer = contextValue as OperationContext;
  const operation = getOperationAST(document, operationName);
  if (!operation) return execute(args);
  let progress: Progress = { begun: [], hasFailed: () => false };
  try {
    refuseStreaming(args);
    const fields = rootFieldsOf(args, operation, variables);
    const isDryRun = wantsDryRun(outer, fields);
    const key = keyOf(
      args,
      outer,
      fields.some(({ field }) => declarationOf(field).hasSecretAnswer === true),
    );
    const name = operation.name?.value ?? "anonymous mutation";
    const unit: UnitOfWorkOptions = { name, signal: outer.request.signal, isDryRun };

    const attempt = async (uow: UnitOfWork & Repositories): Promise<{ result: ExecutionResult; isReplay: boolean }> => {
      const context = options.contextFor(outer, uow);
      progress = scopeOf(context.mutation, "The context of an attempt is a mutation's.").progress;
      await prepareAll(fields, variables, context);
      const executeAll = async () => {
        const result = await execute({ ...args, contextValue: context });
        await failIfUndone(result, progress, schema, context);
        return result;
      };
      // The response of a dry run is not stored, since the dry run changes nothing.
      if (key && !isDryRun) return executeOnce(uow, key, options, executeAll);
      return { result: await executeAll(), isReplay: false };
    };
    const run = () => options.run(unit, attempt);
    const { result, isReplay } = await (key && !isDryRun ? oneAtATime(key, run) : run());

    await options.probe?.("before_answer", name);
    if (isReplay) outer.setHeader("idempotent-replay", "true");
    return isDryRun ? { ...result, extensions: { ...result.extensions, lectern: { dryRun: true } } } : result;
  } catch (error) {
    return failedResult(error, progress);
  }
}

/** Refuses incremental delivery, which would send data before COMMIT. */
function refuseStreaming({ document }: ExecutionArgs): void {
  visit(document, {
    Directive({ name }) {
      if (name.value !== "defer" && name.value !== "stream") return;
      throw new ApplicationError(
        "BAD_USER_INPUT",
        `A mutation is answered as a whole: @${name.value} is for queries.`,
        {
          http: { status: 400 },
        },
      );
    },
  });
}

function wantsDryRun({ request }: OperationContext, fields: readonly RootField[]): boolean {
  const value = request.headers.get("lectern-dry-run");
  if (value === null || value === "false") return false;
  const firm = fields.find(({ field }) => declarationOf(field).forbidsDryRun === true)?.field;
  if (firm) throw new ApplicationError("BAD_USER_INPUT", `${firm.name} has no dry run.`, { http: { status: 400 } });
  if (value === "true") return true;
  // A misspelled header must not cause a real run.
  throw new ApplicationError("BAD_USER_INPUT", "Lectern-Dry-Run is `true` or `false`.", { http: { status: 400 } });
}

/** Thrown out of the unit of work to roll it back. */
class FailedOperation extends Error {
  readonly errors: readonly GraphQLError[];
  /** The root field that failed. */
  readonly failedField: string | number | undefined;
  /** Original errors, in which the unit of work looks for collisions that justify a retry. */
  readonly causes: unknown[];

  constructor(errors: readonly GraphQLError[], failedField: string | number | undefined) {
    super("The operation failed.");
    this.errors = errors;
    this.failedField = failedField;
    this.causes = errors.map((error) => error.originalError ?? error);
  }
}

async function failIfUndone(
  { data, errors = [] }: ExecutionResult,
  { begun, hasFailed }: Progress,
  schema: GraphQLSchema,
  context: OperationContext,
): Promise<void> {
  const causes = errors.filter(({ originalError }) => !(originalError instanceof SkippedError));
  // A failed statement fails the operation, at the field where it happened, even if that field is nullable.
  if (hasFailed() && causes.length > 0) throw new FailedOperation(causes, begun.at(-1));
  // Without GraphQL errors, the unit of work itself reports the failed statement.
  if (data != null || causes.length === 0) return;
  const shown = await Promise.all(causes.map((error) => withCurrentObject(error, schema, context)));
  throw new FailedOperation(shown, begun.at(-1));
}

/** Adds the current object to a version conflict. */
async function withCurrentObject(
  error: GraphQLError,
  schema: GraphQLSchema,
  context: OperationContext,
): Promise<GraphQLError> {
  const { originalError, message, nodes, path } = error;
  if (!(originalError instanceof StaleVersionError)) return error;
  const current = await currentObject(schema, originalError.current, context).catch(() => null);
  const details = { ...originalError.details, current };
  const shown = new ApplicationError(originalError.code, message, details, originalError);
  return new GraphQLError(message, { nodes, path, originalError: shown });
}

function failedResult(error: unknown, { begun }: Progress): ExecutionResult {
  const operation = error instanceof RetriesExhaustedError ? error.cause : error;
  const failed = operation instanceof FailedOperation ? operation : undefined;
  let causes = failed?.errors ?? [];
  if (!failed || operation !== error) {
    // The operation failed as a whole; the error gets the path of the last attempt's failure.
    causes = [asGraphQLError(error, causes.find(({ path }) => path?.[0] === failed?.failedField)?.path)];
  }
  // It is unknown whether the other fields were rolled back.
  if (error instanceof UnknownOutcomeError) return { data: null, errors: causes };
  const succeeded = failed ? begun.filter((key) => key !== failed.failedField) : begun;
  return { data: null, errors: [...causes, ...succeeded.map(rolledBack)] };
}

function asGraphQLError(error: unknown, path?: readonly (string | number)[]): GraphQLError {
  const originalError = error instanceof Error ? error : new Error(String(error));
  return new GraphQLError(originalError.message, { originalError, path });
}

function rolledBack(field: string | number): GraphQLError {
  const message = "This was undone, because another part of the operation failed.";
  return new GraphQLError(message, { path: [field], originalError: new ApplicationError("ROLLED_BACK", message) });
}
