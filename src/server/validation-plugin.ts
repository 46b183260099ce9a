/**
 * Validates documents within limits. A document is bounded by its size with all fragments written out, before anything else walks
 * it: fragments that spread each other twice double with every level, so a kilobyte of text can stand for billions of
 * fields. Behind this limit every walk over a selection is bounded, whoever writes it.
 */
import {
  type ASTVisitor,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  Kind,
  type SelectionSetNode,
  type ValidationRule,
  validate,
} from "graphql";
import type { Plugin } from "graphql-yoga";
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
      setValidationFn(validateWithLimits as never);
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
 * Fields and fragments of all operations, fragments written out, or of the largest fragment, since validation walks also
 * those that no operation uses. Each fragment is walked once, however often it is spread.
 */
export function countSelections(document: DocumentNode): number {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const counted = new Map<string, number>();
  const countOf = ({ selections }: SelectionSetNode): number => {
    let count = selections.length;
    for (const selection of selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        count += countOfFragment(selection.name.value);
      } else if (selection.selectionSet) {
        const isIntrospection = selection.kind === Kind.FIELD && selection.name.value.startsWith("__");
        count += countOf(selection.selectionSet) * (isIntrospection ? introspectionFactor : 1);
      }
    }
    return count;
  };
  const countOfFragment = (name: string): number => {
    const known = counted.get(name);
    if (known !== undefined) return known;
    // A fragment that contains itself is refused by a rule of GraphQL's own.
    counted.set(name, 0);
    const fragment = fragments.get(name);
    const count = fragment ? countOf(fragment.selectionSet) : 0;
    counted.set(name, count);
    return count;
  };
  let inOperations = 0;
  let inFragment = 0;
  for (const definition of document.definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION) inOperations += countOf(definition.selectionSet);
    if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      inFragment = Math.max(inFragment, countOfFragment(definition.name.value));
    }
  }
  return Math.max(inOperations, inFragment);
}
