/**
 * Validates documents within limits. A document is bounded by its size with all fragments written out, before anything
 * else walks it: where each of two fields spreads the next fragment, the fields double with every level, so a kilobyte
 * of text can stand for billions of them.
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

/** Ten for each token of the longest query: enough for the fragments of many components. */
const maxSelections = 10_000;
/** Introspection costs nothing otherwise and its lists have no pages, so its selections count more. */
const introspectionFactor = 15;
/** Errors that an answer lists: each costs a search for its line, and a client mends one after the other. */
const maxErrors = 10;

export type ValidationOptions = {
  /** Errors do not name the fields, arguments and values that a wrong name resembles. */
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

/** Throws where others report, so that none of the rules that compare selections begins. */
function MaxSelectionsRule(): ASTVisitor {
  return {
    Document(document) {
      if (countSelections(document) <= maxSelections) return;
      const message = `With its fragments written out, a query selects at most ${maxSelections} fields.`;
      throw new ApplicationError("BAD_USER_INPUT", `${message} Spread fragments less often.`, {
        http: { status: 400 },
      });
    },
  };
}

/**
 * Selections that executing all operations means, fragments written out; or those of the largest fragment, since
 * validation walks also fragments that no operation uses. As in execution, a fragment counts once in a selection,
 * however often it is spread there, and again below each field that spreads it.
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
  /** Below each field. The same for every path that leads to it, so it is counted once. */
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
    // A field below itself, through fragments, is refused by a rule of GraphQL's own.
    this.#below.set(field, 0);
    const factor = field.name.value.startsWith("__") ? introspectionFactor : 1;
    const count = this.count(field.selectionSet) * factor;
    this.#below.set(field, count);
    return count;
  }
}
