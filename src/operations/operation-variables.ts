/** Coerces an operation's variables, once for all plugins, up to the first error. Messages never contain values. */
import {
  coerceInputValue,
  type ExecutionArgs,
  type GraphQLInputType,
  type GraphQLNamedType,
  getNamedType,
  getOperationAST,
  isEnumType,
  isInputObjectType,
  isInputType,
  isNonNullType,
  isSpecifiedScalarType,
  typeFromAST,
  type VariableDefinitionNode,
  valueFromAST,
} from "graphql";
import { ApplicationError } from "../errors.ts";

/** Coerced values by name, including defaults. A variable without value and default is absent. */
export type Variables = Record<string, unknown>;

type Path = readonly (string | number)[];

const coerced = new WeakMap<ExecutionArgs, Variables>();

/** @throws ApplicationError BAD_USER_INPUT with the variable and the path in it */
export function variablesOf(args: ExecutionArgs): Variables {
  const known = coerced.get(args);
  if (known) return known;
  const operation = getOperationAST(args.document, args.operationName);
  // Without a prototype, because a variable may be named `__proto__`.
  const variables: Variables = Object.create(null);
  for (const definition of operation?.variableDefinitions ?? []) coerce(args, definition, variables);
  coerced.set(args, variables);
  return variables;
}

function coerce(
  { schema, variableValues, hideSuggestions }: ExecutionArgs,
  { variable, type: typeNode, defaultValue }: VariableDefinitionNode,
  variables: Variables,
): void {
  const name = variable.name.value;
  const type = typeFromAST(schema, typeNode);
  if (!isInputType(type)) throw new Error(`Validation let $${name} pass, whose type is not for input.`);
  if (!variableValues || !Object.hasOwn(variableValues, name)) {
    if (defaultValue) variables[name] = valueFromAST(defaultValue, type);
    else if (isNonNullType(type)) throw invalid(name, [], `A value of type ${type} is required.`);
    return;
  }
  const refuse = (path: Path, value: unknown, { message }: Error) => {
    throw invalid(name, path, reasonOf(type, path, value, message));
  };
  variables[name] = coerceInputValue(variableValues[name], type, refuse, hideSuggestions ?? false);
}

/** Built-in scalars and enums quote the value in their errors; other errors only name types and fields. */
function reasonOf(type: GraphQLInputType, path: Path, value: unknown, reason: string): string {
  const expected = namedTypeAt(type, path);
  const repeatsValue = value != null && (isSpecifiedScalarType(expected) || isEnumType(expected));
  return repeatsValue ? `Expected a value of type ${expected}.` : cut(reason);
}

function namedTypeAt(type: GraphQLInputType, path: Path): GraphQLNamedType {
  let at = type;
  for (const key of path) {
    // Lists need no step of their own: the named type is that of their items.
    const named = getNamedType(at);
    if (isInputObjectType(named)) at = named.getFields()[key]?.type ?? at;
  }
  return getNamedType(at);
}

function invalid(name: string, path: Path, reason: string): ApplicationError {
  const suffix = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`)).join("");
  return new ApplicationError("BAD_USER_INPUT", `Variable "$${name}${suffix}" is invalid: ${reason}`, {
    inputPath: [name, ...path.map(String)],
    // As for GraphQL's own errors: 200 for the older media type, 400 for the newer one.
    http: { spec: true, status: 400 },
  });
}

const longestReason = 300;

/** Unknown field names in the reason may be long. */
const cut = (reason: string) => (reason.length <= longestReason ? reason : `${reason.slice(0, longestReason)}…`);
