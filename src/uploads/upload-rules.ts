/**
 * The mutation fields that take files, with their limits and roles. They are applied to the text of an operation before
 * its files are read: reading 100 MB only to refuse them would cost the disk, and the client's time.
 */
import {
  type DocumentNode,
  type FieldNode,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  parse,
  type SelectionSetNode,
  visit,
} from "graphql";
import type { Role } from "../database/generated/prisma/enums.ts";
import { fragmentsOf } from "../eager-loading/fragments.ts";
import { ApplicationError, type ErrorCode } from "../errors.ts";
import { type RequestLimits, type RequestParts, requireSmall } from "../operations/request-limits.ts";
import { hasRole, type Viewer } from "../viewer.ts";

/** `maxBytes`: of one file. `role`: the lowest that may send one. */
export type UploadRule = { maxBytes: number; role: Role };
/** By the names of mutation fields. */
export type UploadRules = ReadonlyMap<string, UploadRule>;

export type QueryLimits = RequestLimits & { maxTokens: number };

/** Bytes of the largest file that the viewer may send; 0 if none. */
export function largestFor(rules: UploadRules, viewer: Viewer): number {
  return Math.max(
    0,
    ...[...rules.values()].filter(({ role }) => hasRole(viewer, role)).map(({ maxBytes }) => maxBytes),
  );
}

/** The limit of the file that a variable holds. */
export type FileLimits = (variable: string) => number;

/**
 * Finds the limits of an operation's files. Conditions of fields (`@skip`, `@include`) count as met, because variables
 * are not validated yet.
 *
 * @throws ApplicationError BAD_USER_INPUT if no field takes files, FORBIDDEN if a field that does needs a higher role
 */
export function fileLimitsOf(
  operations: RequestParts,
  { rules, viewer, limits }: { rules: UploadRules; viewer: Viewer; limits: QueryLimits },
): FileLimits {
  requireSmall(operations, limits);
  const [document, operation] = operationOf(operations, limits);
  const fields = rootFieldsOf(document, operation).flatMap((node) => {
    const rule = operation.operation === OperationTypeNode.MUTATION ? rules.get(node.name.value) : undefined;
    return rule ? [{ name: node.name.value, rule, variables: variablesOf(node) }] : [];
  });
  if (fields.length === 0) {
    const known = [...rules.keys()].join(", ");
    throw refusal("BAD_USER_INPUT", 400, `No field of this operation takes a file. Fields that do: ${known}.`);
  }
  const forbidden = fields.find(({ rule }) => !hasRole(viewer, rule.role));
  if (forbidden) {
    const message = `Your role does not allow ${forbidden.name}: it needs the role ${forbidden.rule.role}.`;
    throw refusal("FORBIDDEN", 403, message);
  }
  return (variable) => {
    const fed = fields.filter(({ variables }) => variables.has(variable));
    return Math.max(...(fed.length > 0 ? fed : fields).map(({ rule }) => rule.maxBytes));
  };
}

function operationOf(
  { query, operationName }: RequestParts,
  { maxTokens }: QueryLimits,
): [DocumentNode, OperationDefinitionNode] {
  if (typeof query !== "string") throw refusal("BAD_USER_INPUT", 400, "The field operations has no query.");
  let document: DocumentNode;
  try {
    document = parse(query, { maxTokens });
  } catch (error) {
    throw refusal("BAD_USER_INPUT", 400, (error as Error).message);
  }
  const operation = getOperationAST(document, typeof operationName === "string" ? operationName : undefined);
  if (!operation) throw refusal("BAD_USER_INPUT", 400, "Name one of the query's operations in operationName.");
  return [document, operation];
}

/** Each fragment is visited once. */
function rootFieldsOf(document: DocumentNode, { selectionSet }: OperationDefinitionNode): FieldNode[] {
  const fragments = fragmentsOf(document);
  const found: FieldNode[] = [];
  const visited = new Set<string>();
  const collect = ({ selections }: SelectionSetNode) => {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) found.push(selection);
      else if (selection.kind === Kind.INLINE_FRAGMENT) collect(selection.selectionSet);
      else if (!visited.has(selection.name.value)) {
        visited.add(selection.name.value);
        const fragment = fragments.get(selection.name.value);
        if (fragment) collect(fragment.selectionSet);
      }
    }
  };
  collect(selectionSet);
  return found;
}

/** The variables in the field's arguments, on any level. */
function variablesOf({ arguments: nodes = [] }: FieldNode): Set<string> {
  const names = new Set<string>();
  for (const node of nodes) visit(node, { Variable: ({ name }) => void names.add(name.value) });
  return names;
}

/** unread-body.ts handles the rest of the body. */
export function refusal(
  code: ErrorCode,
  status: number,
  message: string,
  inputPath?: readonly string[],
): ApplicationError {
  return new ApplicationError(code, message, { ...(inputPath ? { inputPath } : {}), http: { status } });
}
