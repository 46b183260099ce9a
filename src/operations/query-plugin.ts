/**
 * How a query runs: first its price is found; then, if it is not cheap, it waits for its turn, so that no small request
 * waits behind many large ones; then its plan reads in one round trip what the resolvers will ask.
 */
import { complexityFromQuery } from "@pothos/plugin-complexity";
import {
  type ExecutionArgs,
  type ExecutionResult,
  getOperationAST,
  type OperationDefinitionNode,
  OperationTypeNode,
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
  /** Objects that all queries under way may read together, and how long others wait for their turn. */
  together: { maxCost: number; waitMs: number };
  /** Absent: no plan, every level is batched when it is reached. */
  plan?: PlanLimits;
};

type Execute = (args: ExecutionArgs) => Promise<ExecutionResult>;

/** Objects that are read in a few milliseconds. Such a query does not wait for its turn. */
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
        const giveBack = cost > cheapCost ? await turns.take(cost) : () => {};
        try {
          await readAhead(operation, args);
          return await execute(ownArgs);
        } finally {
          giveBack();
        }
      });
    },
  };
}

/**
 * The price of an operation.
 *
 * @throws ApplicationError before a statement is sent, for what is too expensive and for wrong variables
 */
export function requireAffordable(args: ExecutionArgs, { maxCost, maxDepth }: QueryLimits): number {
  const { schema, document, operationName, variableValues } = args;
  // The library below coerces them as well, and its errors repeat their values.
  variablesOf(args);
  const operation = getOperationAST(document, operationName);
  if (!operation) return 0;
  const { complexity, depth } = complexityFromQuery(
    { ...document, definitions: [operation, ...fragmentsOf(document).values()] },
    { schema, variables: variableValues ?? {} },
  );
  if (complexity > maxCost) {
    throw new ApplicationError(
      "BAD_USER_INPUT",
      `This may read ${complexity} objects, and ${maxCost} is the most: ask for smaller pages or fewer levels.`,
      { cost: complexity, maxCost, http: { status: 400 } },
    );
  }
  if (depth > maxDepth) {
    throw new ApplicationError("BAD_USER_INPUT", `This is ${depth} levels deep, and ${maxDepth} is the most.`, {
      depth,
      maxDepth,
      http: { status: 400 },
    });
  }
  return complexity;
}
