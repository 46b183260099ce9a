/**
 * First half of a plan, compiled once per document: a tree of the fields that ask relations. `run-plan.ts` applies the
 * variables: arguments, `@skip` and `@include`.
 */
import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionSetNode,
} from "graphql";
import { type EagerField, eagerOf } from "./field.ts";
import { fragmentsOf } from "./fragments.ts";

/** Directives on the path to a selection, which applies only if all of them allow it. */
export type Conditions = readonly DirectiveNode[];

export type Step = {
  eager: Exclude<EagerField, { kind: "same" }>;
  field: GraphQLField<unknown, unknown>;
  node: FieldNode;
  conditions: Conditions;
  /** Steps keyed by columns of this step's rows, by the object type of the rows. */
  children: Map<string, Step[]>;
  /** The selected parts of a connection. */
  selected: { part: "page" | "count" | "previous" | "next"; conditions: Conditions }[];
};

export type Plan = { schema: GraphQLSchema; steps: Step[] };

export function compile(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode): Plan {
  const root = schema.getRootType(operation.operation);
  if (!root) return { schema, steps: [] };
  const compiler = new Compiler(schema, fragmentsOf(document));
  // The root field of a subscription asks no relation. Its event is the row whose columns are the keys of the steps.
  if (operation.operation === OperationTypeNode.SUBSCRIPTION) {
    return { schema, steps: compiler.stepsBelowFieldsOf(root, operation.selectionSet) };
  }
  return { schema, steps: compiler.stepsOf(root, operation.selectionSet, [], false) };
}

type SelectedField = { node: FieldNode; conditions: Conditions };

/**
 * Maximum number of compiled selections; the loaders read the rest. Nested fragments grow exponentially when each
 * spreads the next one twice, so a short query could otherwise block the server.
 */
const maxSelections = 10_000;

class Compiler {
  readonly #schema: GraphQLSchema;
  readonly #fragments: Map<string, FragmentDefinitionNode>;
  #selectionsLeft = maxSelections;

  constructor(schema: GraphQLSchema, fragments: Map<string, FragmentDefinitionNode>) {
    this.#schema = schema;
    this.#fragments = fragments;
  }

  /** @param hasRow false if the parent is not a database row, so keys cannot be read from it */
  stepsOf(type: GraphQLObjectType, selections: SelectionSetNode, above: Conditions, hasRow: boolean): Step[] {
    const steps: Step[] = [];
    for (const { node, conditions } of this.#fieldsOf(type, selections, above)) {
      const field = type.getFields()[node.name.value];
      if (!field) continue;
      const eager = eagerOf(field);
      if (!eager) {
        steps.push(...this.#stepsBelow(field.type, node, conditions, false));
      } else if (eager.kind === "same") {
        steps.push(...this.#stepsBelow(field.type, node, conditions, hasRow));
      } else if (hasRow || !("by" in eager) || eager.by === undefined) {
        steps.push(this.#step(eager, field, node, conditions));
      }
    }
    return steps;
  }

  stepsBelowFieldsOf(root: GraphQLObjectType, selections: SelectionSetNode): Step[] {
    return [...this.#fieldsOf(root, selections, [])].flatMap(({ node, conditions }) => {
      const field = root.getFields()[node.name.value];
      return field ? this.#stepsBelow(field.type, node, conditions, true) : [];
    });
  }

  /** For objects that show their parent's row under another type, or have no row: `viewer { user { … } }`. */
  #stepsBelow(type: GraphQLOutputType, node: FieldNode, conditions: Conditions, hasRow: boolean): Step[] {
    const named = getNamedType(type);
    if (!isObjectType(named) || !node.selectionSet) return [];
    return this.stepsOf(named, node.selectionSet, conditions, hasRow);
  }

  #step(eager: Step["eager"], field: GraphQLField<unknown, unknown>, node: FieldNode, conditions: Conditions): Step {
    const step: Step = { eager, field, node, conditions, children: new Map(), selected: [] };
    const type = getNamedType(field.type);
    if (!node.selectionSet) return step;
    if (eager.kind === "page") {
      if (isObjectType(type)) this.#selectConnection(step, type, node.selectionSet);
      return step;
    }
    const types = isAbstractType(type) ? this.#schema.getPossibleTypes(type) : isObjectType(type) ? [type] : [];
    for (const each of types) step.children.set(each.name, this.stepsOf(each, node.selectionSet, [], true));
    return step;
  }

  #selectConnection(step: Step, type: GraphQLObjectType, selections: SelectionSetNode): void {
    for (const { node, conditions } of this.#fieldsOf(type, selections, [])) {
      switch (node.name.value) {
        case "totalCount":
          step.selected.push({ part: "count", conditions });
          break;
        case "nodes":
          this.#selectRows(step, type, node, conditions);
          break;
        case "edges":
          step.selected.push({ part: "page", conditions });
          this.#selectEdges(step, type, node, conditions);
          break;
        case "pageInfo":
          this.#selectPageInfo(step, type, node, conditions);
          break;
      }
    }
  }

  #selectRows(step: Step, parent: GraphQLObjectType, node: FieldNode, conditions: Conditions): void {
    step.selected.push({ part: "page", conditions });
    const type = getNamedType(parent.getFields()[node.name.value]?.type);
    if (!isObjectType(type) || !node.selectionSet) return;
    const steps = this.stepsOf(type, node.selectionSet, conditions, true);
    step.children.set(type.name, [...(step.children.get(type.name) ?? []), ...steps]);
  }

  #selectEdges(step: Step, parent: GraphQLObjectType, node: FieldNode, above: Conditions): void {
    const edge = getNamedType(parent.getFields().edges?.type);
    if (!isObjectType(edge) || !node.selectionSet) return;
    for (const { node: inner, conditions } of this.#fieldsOf(edge, node.selectionSet, above)) {
      if (inner.name.value === "node") this.#selectRows(step, edge, inner, conditions);
    }
  }

  #selectPageInfo(step: Step, parent: GraphQLObjectType, node: FieldNode, above: Conditions): void {
    const pageInfo = getNamedType(parent.getFields().pageInfo?.type);
    if (!isObjectType(pageInfo) || !node.selectionSet) return;
    for (const { node: inner, conditions } of this.#fieldsOf(pageInfo, node.selectionSet, above)) {
      const name = inner.name.value;
      if (name === "hasNextPage") step.selected.push({ part: "next", conditions });
      if (name === "hasPreviousPage") step.selected.push({ part: "previous", conditions });
      if (name.endsWith("Cursor")) step.selected.push({ part: "page", conditions });
    }
  }

  /** The fields selected on an object of this type, including those in fragments that apply to it. */
  *#fieldsOf(type: GraphQLObjectType, selections: SelectionSetNode, above: Conditions): Generator<SelectedField> {
    for (const selection of selections.selections) {
      if (this.#selectionsLeft-- <= 0) return;
      const own = (selection.directives ?? []).filter(({ name }) => name.value === "skip" || name.value === "include");
      const conditions = own.length === 0 ? above : [...above, ...own];
      if (selection.kind === Kind.FIELD) {
        yield { node: selection, conditions };
        continue;
      }
      const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : this.#fragments.get(selection.name.value);
      if (fragment && this.#applies(type, fragment.typeCondition?.name.value)) {
        yield* this.#fieldsOf(type, fragment.selectionSet, conditions);
      }
    }
  }

  #applies(type: GraphQLObjectType, condition: string | undefined): boolean {
    if (condition === undefined || condition === type.name) return true;
    const other = this.#schema.getType(condition);
    return isAbstractType(other) && this.#schema.isSubType(other, type);
  }
}
