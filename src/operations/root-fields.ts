/** The root fields that a mutation selects, and the slow work that they declare. */
import {
  type ExecutionArgs,
  type FieldNode,
  type GraphQLField,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  getArgumentValues,
  getDirectiveValues,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from "graphql";
import { fragmentsOf } from "../eager-loading/fragments.ts";
import type { OperationContext } from "../graphql/context.ts";
import { declarationOf } from "../graphql/mutation-field-plugin.ts";
import type { Variables } from "./operation-variables.ts";

export type RootField = { node: FieldNode; field: GraphQLField<unknown, unknown> };

/** The root fields that the operation selects, in order. Each fragment is visited once, as by the executor. */
export function rootFieldsOf(
  { schema, document }: ExecutionArgs,
  operation: OperationDefinitionNode,
  variables: Variables,
): RootField[] {
  const fragments = fragmentsOf(document);
  const known = schema.getMutationType()?.getFields() ?? {};
  const found: RootField[] = [];
  const visited = new Set<string>();
  const visit = ({ selections }: SelectionSetNode) => {
    for (const selection of selections) {
      if (getDirectiveValues(GraphQLSkipDirective, selection, variables)?.if === true) continue;
      if (getDirectiveValues(GraphQLIncludeDirective, selection, variables)?.if === false) continue;
      if (selection.kind === Kind.FIELD) {
        const field = known[selection.name.value];
        if (field) found.push({ node: selection, field });
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        visit(selection.selectionSet);
      } else if (!visited.has(selection.name.value)) {
        visited.add(selection.name.value);
        const fragment = fragments.get(selection.name.value);
        if (fragment) visit(fragment.selectionSet);
      }
    }
  };
  visit(operation.selectionSet);
  return found;
}

/**
 * Runs the slow work of all fields without a database connection. Stops at the first error, so that an operation full of
 * wrong passwords costs one hash.
 */
export async function prepareAll(
  fields: readonly RootField[],
  variables: Variables,
  context: OperationContext,
): Promise<void> {
  try {
    for (const { node, field } of fields) {
      await declarationOf(field).prepare?.(getArgumentValues(field, node, variables), context);
    }
  } catch {
    // The field's resolver meets the error again and reports it.
  }
}
