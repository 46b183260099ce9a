/**
 * Validates documents within limits. The number of selections with all fragments expanded is checked first. If two
 * fields each spread the next fragment, the number doubles with every level: a kilobyte of text can mean billions of
 * fields.
 */
import {
  type ASTVisitor,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  Kind,
  type SelectionSetNode,
  type ValidationRule,
  validate,
} from "graphql";
import type { Plugin } from "graphql-yoga";
import { fragmentsOf } from "../eager-loading/fragments.ts";
import { ApplicationError } from "../errors.ts";

/** Ten for each token of the longest query, which is enough for the fragments of many components. */
const maxSelections = 10_000;
/** Introspection has no cost and its lists have no pages, so its selections count more. */
const introspectionFactor = 15;
/** Maximum errors per response: locating each one is expensive. */
const maxErrors = 10;

export type ValidationOptions = {
  /** Removes suggestions of similar names from errors. */
  hideSuggestions: boolean;
};

export function useValidation({ hideSuggestions }: ValidationOptions): Plugin {
  const validateWithLimits = (schema: GraphQLSchema, document: DocumentNode, rules?: readonly ValidationRule[]) =>
    validate(schema, document, rules, { maxErrors, hideSuggestions });
  return {
    onValidate({ addValidationRule, setValidationFn }) {
      addValidationRule(MaxSelectionsRule);
      setValidationFn(validateWithLimits);
    },
    onExecute({ args }) {
      Object.assign(args, { hideSuggestions });
    },
    onSubscribe({ args }) {
      Object.assign(args, { hideSuggestions });
    },
  };
}

/** Throws instead of reporting, so that no other rule runs on a document that is too large. */
function MaxSelectionsRule(): ASTVisitor {
  return {
    Document(document) {
      if (countSelections(document) <= maxSelections) return;
      const message = `With all fragments expanded, a query selects at most ${maxSelections} fields.`;
      throw new ApplicationError("BAD_USER_INPUT", `${message} Spread fragments less often.`, {
        http: { status: 400 },
      });
    },
  };
}

/**
 * Number of selections with all fragments expanded: of all operations, or of the largest fragment, since validation
 * also visits unused fragments. As in execution, repeated spreads in one selection set count once, and spreads below
 * different fields count each time.
 */
export function countSelections(document: DocumentNode): number {
  const counter = new SelectionCounter(document);
  let inOperations = 0;
  let inFragment = 0;
  for (const definition of document.definitions) {
    if (!("selectionSet" in definition)) continue;
    const count = counter.count(definition.selectionSet);
    if (definition.kind === Kind.OPERATION_DEFINITION) inOperations += count;
    else inFragment = Math.max(inFragment, count);
  }
  return Math.max(inOperations, inFragment);
}

class SelectionCounter {
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Number of selections below each field, which is the same on every path to it. */
  readonly #below = new Map<FieldNode, number>();

  constructor(document: DocumentNode) {
    this.#fragments = fragmentsOf(document);
  }

  count({ selections }: SelectionSetNode, visited = new Set<string>()): number {
    let count = selections.length;
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        count += this.#countBelow(selection);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        count += this.count(selection.selectionSet, visited);
      } else if (!visited.has(selection.name.value)) {
        visited.add(selection.name.value);
        const fragment = this.#fragments.get(selection.name.value);
        if (fragment) count += this.count(fragment.selectionSet, visited);
      }
    }
    return count;
  }

  #countBelow(field: FieldNode): number {
    if (!field.selectionSet) return 0;
    const known = this.#below.get(field);
    if (known !== undefined) return known;
    // A rule of GraphQL refuses fragment cycles; this only ends the recursion.
    this.#below.set(field, 0);
    const factor = field.name.value.startsWith("__") ? introspectionFactor : 1;
    const count = this.count(field.selectionSet) * factor;
    this.#below.set(field, count);
    return count;
  }
}
