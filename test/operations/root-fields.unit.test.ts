/** The root fields of a mutation and their slow work, on a schema without a database. */
import { type ExecutionArgs, GraphQLInt, GraphQLObjectType, GraphQLSchema, getOperationAST, parse } from "graphql";
import { describe, expect, it } from "vitest";
import type { OperationContext } from "../../src/graphql/context.ts";
import { variablesOf } from "../../src/operations/operation-variables.ts";
import { prepareAll, rootFieldsOf } from "../../src/operations/root-fields.ts";

let prepared: unknown[] = [];

const field = (prepare: (args: object) => Promise<unknown>) => ({
  type: GraphQLInt,
  args: { n: { type: GraphQLInt } },
  extensions: { mutationField: { prepare } },
});
const schema = new GraphQLSchema({
  query: new GraphQLObjectType({ name: "Query", fields: { nothing: { type: GraphQLInt } } }),
  mutation: new GraphQLObjectType({
    name: "Mutation",
    fields: {
      works: field(async (args) => prepared.push(args)),
      fails: field(async () => {
        prepared.push("failed");
        throw new Error("Wrong.");
      }),
    },
  }),
});

function argsOf(query: string, variableValues: Record<string, unknown> = {}): ExecutionArgs {
  return { schema, document: parse(query), variableValues };
}

function fieldsOf(args: ExecutionArgs) {
  const operation = getOperationAST(args.document);
  if (!operation) throw new Error("There is no operation.");
  return rootFieldsOf(args, operation, variablesOf(args));
}
const keysOf = (query: string, variables: Record<string, unknown> = {}) =>
  fieldsOf(argsOf(query, variables)).map(({ node }) => node.alias?.value ?? node.name.value);

describe("the root fields of a mutation", () => {
  it("are those that run, in order, each fragment once", () => {
    const query = `mutation { ...Two a: works ... on Mutation { b: works } ...Two __typename }
      fragment Two on Mutation { c: works ...Three } fragment Three on Mutation { d: fails }`;
    expect(keysOf(query)).toEqual(["c", "d", "a", "b"]);
  });

  it("are without those that @skip or @include leaves out, alone or with their fragment", () => {
    const query = `mutation($yes: Boolean!, $no: Boolean! = false) {
      a: works @skip(if: $yes)
      b: works @include(if: $no)
      ... @skip(if: $yes) { c: works }
      ...Late @include(if: $no)
      d: works @skip(if: $no) @include(if: $yes)
    } fragment Late on Mutation { e: works }`;
    expect(keysOf(query, { yes: true })).toEqual(["d"]);
  });
});

describe("slow work", () => {
  it("is given each field's arguments, and ends with the first that fails", async () => {
    prepared = [];
    const args = argsOf("mutation($n: Int) { a: works(n: $n) b: works(n: 2) c: fails d: works(n: 4) e: fails }", {
      n: 1,
    });
    await prepareAll(fieldsOf(args), variablesOf(args), {} as OperationContext);
    expect(prepared).toEqual([{ n: 1 }, { n: 2 }, "failed"]);
  });
});
