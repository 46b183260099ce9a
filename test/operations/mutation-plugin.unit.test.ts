/** The answers of failed mutations, without a database: the unit of work is a function of the test. */
import { buildSchema, type ExecutionArgs, type ExecutionResult, execute, parse } from "graphql";
import { describe, expect, it } from "vitest";
import { ApplicationError } from "../../src/errors.ts";
import type { OperationContext } from "../../src/graphql/context.ts";
import { answerFor } from "../../src/operations/error-answers.ts";
import { type MutationOptions, useMutations } from "../../src/operations/mutation-plugin.ts";
import { AbandonedError, RetriesExhaustedError, UnknownOutcomeError } from "../../src/unit-of-work/unit-of-work.ts";
import { silent } from "../support/logs.ts";

type Run = (attempt: () => Promise<unknown>) => Promise<unknown>;

const schema = buildSchema("type Query { a: Int } type Mutation { works: Int!, fails: Int!, maybe: Int }");

/** Executes a mutation; `hasFailed` says whether a statement of its transaction has failed by its end. */
async function mutate(query: string, run: Run, hasFailed = false): Promise<ExecutionResult> {
  const begun: string[] = [];
  const root = (resolve: () => number) => (_args: object, _context: object, info: { path: { key: string } }) => {
    begun.push(info.path.key);
    return resolve();
  };
  const fails = () => {
    throw new ApplicationError("INVALID_STATE", "Broken.");
  };
  const rootValue = { works: root(() => 1), fails: root(fails), maybe: root(fails) };
  const mutation = { progress: { begun, hasFailed: () => hasFailed }, services: {}, become: () => {} };
  const { onExecute } = useMutations({
    run: ((_unit: object, attempt: () => Promise<unknown>) => run(attempt)) as MutationOptions["run"],
    contextFor: (operation) => ({ ...operation, mutation }) as unknown as OperationContext,
    retentionHours: 24,
    show: (error) => answerFor(error, "mine", silent),
  });
  const contextValue = { request: new Request("http://lectern.test"), viewer: null };
  const args = { schema, document: parse(query), rootValue, contextValue } as unknown as ExecutionArgs;
  let executeMutation = execute as (args: ExecutionArgs) => Promise<ExecutionResult>;
  const setExecuteFn = (given: typeof executeMutation) => {
    executeMutation = given;
  };
  await onExecute?.({ args, executeFn: execute, setExecuteFn } as never);
  return executeMutation(args);
}

const told = ({ data, errors }: ExecutionResult) => [
  data,
  ...(errors ?? []).map((error) => [error.path?.join("."), answerFor(error, "mine", silent).extensions.code]),
];
const two = "mutation { a: works b: works }";

describe("a mutation", () => {
  it("that failed as a whole says of each field that it was undone", async () => {
    const abandoned: Run = async (attempt) => {
      await attempt();
      throw new AbandonedError("The client has gone.");
    };
    expect(told(await mutate(two, abandoned))).toEqual([
      null,
      [undefined, "ROLLED_BACK"],
      ["a", "ROLLED_BACK"],
      ["b", "ROLLED_BACK"],
    ]);
  });

  it("whose outcome is unknown says of no field that it was undone", async () => {
    const lost: Run = async (attempt) => {
      await attempt();
      throw new UnknownOutcomeError("The connection is gone.");
    };
    expect(told(await mutate(two, lost))).toEqual([null, [undefined, "UNKNOWN_OUTCOME"]]);
  });

  it("that failed in every attempt has the path of the last one's failure", async () => {
    const exhausted: Run = async (attempt) => {
      const cause = await attempt().catch((error) => error);
      throw new RetriesExhaustedError("In vain.", { cause });
    };
    expect(told(await mutate("mutation { a: works b: fails c: works }", exhausted))).toEqual([
      null,
      ["b", "CONFLICT"],
      ["a", "ROLLED_BACK"],
    ]);
  });

  it("keeps its data when a nullable field failed, unless a statement of the transaction did", async () => {
    const query = "mutation { a: works b: maybe }";
    expect(told(await mutate(query, (attempt) => attempt()))).toEqual([{ a: 1, b: null }, ["b", "INVALID_STATE"]]);
    expect(told(await mutate(query, (attempt) => attempt(), true))).toEqual([
      null,
      ["b", "INVALID_STATE"],
      ["a", "ROLLED_BACK"],
    ]);
  });
});
