/**
 * Execution of a query: its cost is computed; an expensive query then waits for its share of the cost budget, so that
 * it does not delay cheap ones; then its plan reads the rows for the resolvers in one round trip.
 */
import { complexityFromQuery } from "@pothos/plugin-complexity";
import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  getOperationAST,
  type OperationDefinitionNode,
  OperationTypeNode,
  visit,
} from "graphql";
import type { Plugin } from "graphql-yoga";
import { compile, type Plan } from "../eager-loading/compile-plan.ts";
import { fragmentsOf } from "../eager-loading/fragments.ts";
import { type PlanLimits, runPlan } from "../eager-loading/run-plan.ts";
import { ApplicationError, tooBusy } from "../errors.ts";
import type { OperationContext } from "../graphql/context.ts";
import { Budget } from "../processing/budget.ts";
import { variablesOf } from "./operation-variables.ts";

export type QueryLimits = { maxCost: number; maxDepth: number };

export type QueryOptions = QueryLimits & {
  /** Cost budget of all concurrent queries, and timeout of waiting for it. */
  together: { maxCost: number; waitMs: number };
  /** Absent: no plans; resolvers read level by level. */
  plan?: PlanLimits;
};

type Execute = (args: ExecutionArgs) => Promise<ExecutionResult>;

/** Queries up to this cost take a few milliseconds and do not wait for the budget. */
const cheapCost = 50;

export function useQueries({ plan: limits, together, ...bounds }: QueryOptions): Plugin<OperationContext> {
  const plans = new WeakMap<OperationDefinitionNode, Plan>();
  const turns = new Budget({
    total: together.maxCost,
    waitMs: together.waitMs,
    refusal: () => new ApplicationError("OVERLOADED", tooBusy),
  });

  async function readAhead(operation: OperationDefinitionNode, args: ExecutionArgs): Promise<void> {
    const { loaders, canRead } = args.contextValue as OperationContext;
    if (!limits || !canRead) return;
    let plan = plans.get(operation);
    if (!plan) {
      plan = compile(args.schema, args.document, operation);
      plans.set(operation, plan);
    }
    await runPlan(plan, variablesOf(args), loaders, limits);
  }

  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      const operation = getOperationAST(args.document, args.operationName);
      if (!operation) return;
      const cost = requireAffordable(args, bounds);
      if (operation.operation !== OperationTypeNode.QUERY) return;
      const execute: Execute = executeFn;
      setExecuteFn(async (ownArgs: ExecutionArgs) => {
        const release = cost > cheapCost ? await turns.take(cost) : () => {};
        try {
          await readAhead(operation, args);
          return await execute(ownArgs);
        } finally {
          release();
        }
      });
    },
  };
}

/**
 * Returns the cost of an operation.
 *
 * @throws ApplicationError if the operation is too expensive or too deep, or its variables are invalid
 */
export function requireAffordable(args: ExecutionArgs, { maxCost, maxDepth }: QueryLimits): number {
  const { schema, operationName, variableValues } = args;
  // First, because the library below also coerces variables, and its errors contain their values.
  variablesOf(args);
  const document = withoutIntrospection(args.document);
  const operation = getOperationAST(document, operationName);
  if (!operation) return 0;
  const { complexity, depth } = complexityFromQuery(
    { ...document, definitions: [operation, ...fragmentsOf(document).values()] },
    { schema, variables: variableValues ?? {} },
  );
  if (complexity > maxCost) {
    throw new ApplicationError(
      "BAD_USER_INPUT",
      `The operation may read ${complexity} objects, the maximum is ${maxCost}: use smaller pages or fewer levels.`,
      { cost: complexity, maxCost, http: { status: 400 } },
    );
  }
  if (depth > maxDepth) {
    throw new ApplicationError("BAD_USER_INPUT", `The operation has ${depth} levels, the maximum is ${maxDepth}.`, {
      depth,
      maxDepth,
      http: { status: 400 },
    });
  }
  return complexity;
}

const reduced = new WeakMap<DocumentNode, DocumentNode>();

/** Removes `__typename` and its like: they read no objects, but the library below counts one for each. */
function withoutIntrospection(document: DocumentNode): DocumentNode {
  const known = reduced.get(document);
  if (known) return known;
  const made: DocumentNode = visit(document, {
    Field: ({ name }) => (name.value.startsWith("__") ? null : undefined),
  });
  reduced.set(document, made);
  return made;
}
