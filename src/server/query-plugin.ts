/** How a query runs: first its price is found, then its plan reads in one round trip what the resolvers will ask. */
import { complexityFromQuery } from "@pothos/plugin-complexity";
import { type ExecutionArgs, getOperationAST, Kind, type OperationDefinitionNode, OperationTypeNode } from "graphql";
import type { Plugin } from "graphql-yoga";
import { type PlanLimits, runPlan } from "../eager-loading/plan.ts";
import { compile, type Plan } from "../eager-loading/plan-steps.ts";
import { ApplicationError } from "../errors.ts";
import type { OperationContext } from "../graphql/context.ts";
import { variablesOf } from "./operation-variables.ts";

export type QueryLimits = { maxCost: number; maxDepth: number };

export type QueryOptions = QueryLimits & {
  /** Absent: no plan, every level is batched when it is reached. */
  plan?: PlanLimits;
};

export function useQueries({ plan: limits, ...bounds }: QueryOptions): Plugin {
  const plans = new WeakMap<OperationDefinitionNode, Plan>();
  return {
    async onExecute({ args }) {
      const { schema, document, operationName, contextValue } = args as ExecutionArgs;
      const operation = getOperationAST(document, operationName);
      if (!operation) return;
      const variables = variablesOf(args as ExecutionArgs);
      requireAffordable(args as ExecutionArgs, bounds);
      const { loaders, canRead } = contextValue as OperationContext;
      if (!limits || !canRead || operation.operation !== OperationTypeNode.QUERY) return;
      let plan = plans.get(operation);
      if (!plan) {
        plan = compile(schema, document, operation);
        plans.set(operation, plan);
      }
      await runPlan(plan, variables, loaders, limits);
    },
  };
}

/** @throws ApplicationError before a statement is sent */
export function requireAffordable(
  { schema, document, operationName, variableValues }: ExecutionArgs,
  { maxCost, maxDepth }: QueryLimits,
): void {
  const operation = getOperationAST(document, operationName);
  if (!operation) return;
  const fragments = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION);
  const { complexity, depth } = complexityFromQuery(
    { ...document, definitions: [operation, ...fragments] },
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
}
