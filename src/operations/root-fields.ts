/** What the fields of a mutation say of themselves, and what is done around each of them. */
import {
  type ExecutionArgs,
  type FieldNode,
  type GraphQLField,
  GraphQLIncludeDirective,
  type GraphQLSchema,
  GraphQLSkipDirective,
  getArgumentValues,
  getDirectiveValues,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  responsePathAsArray,
  type SelectionSetNode,
} from "graphql";
import { fragmentsOf } from "../eager-loading/fragments.ts";
import { ApplicationError } from "../errors.ts";
import type { OperationContext } from "../graphql/context.ts";
import type { Isolation } from "../unit-of-work/unit-of-work.ts";
import type { Variables } from "./operation-variables.ts";

declare module "graphql" {
  // biome-ignore lint/suspicious/noExplicitAny: the parameters must be those of the original declaration.
  interface GraphQLFieldExtensions<_TSource, _TContext, _TArgs = any> {
    /** The isolation that a mutation field needs; an operation takes the strictest of its fields. */
    isolation?: Isolation;
    /** Slow work that `UnitOfWork.prepare` keeps, done before the transaction of the whole operation begins. */
    prepare?: (args: _TArgs, context: OperationContext) => Promise<unknown>;
    /** True where the answer holds tokens or the like, which must not be kept. */
    hasSecretAnswer?: boolean;
    /** True where the answer has power of its own, though nothing was written: a token for a session that exists. */
    forbidsDryRun?: boolean;
  }
  // biome-ignore lint/suspicious/noExplicitAny: the parameters must be those of the original declaration.
  interface GraphQLObjectTypeExtensions<_TSource = any, _TContext = any> {
    /** The type is an error that is returned as data: an operation whose answer holds one is undone. */
    isFailure?: boolean;
  }
}

export type RootField = { node: FieldNode; field: GraphQLField<unknown, unknown> };

/** The root fields that the operation selects, in order: like the executor, each fragment is followed once. */
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

const strictness: Isolation[] = ["ReadCommitted", "RepeatableRead", "Serializable"];

export function isolationOf(fields: readonly RootField[]): { isolation?: Isolation } {
  const ranks = fields.map(({ field }) => strictness.indexOf(field.extensions.isolation ?? "ReadCommitted"));
  const strictest = Math.max(0, ...ranks);
  return strictest === 0 ? {} : { isolation: strictness[strictest] as Isolation };
}

/**
 * Does what takes long while no connection is held. What fails here will fail again where its field stands; nothing
 * after it is prepared then, so that an operation full of wrong passwords costs no more than its first.
 */
export async function prepareAll(
  fields: readonly RootField[],
  variables: Variables,
  context: OperationContext,
): Promise<void> {
  try {
    for (const { node, field } of fields) {
      await field.extensions.prepare?.(getArgumentValues(field, node, variables), context);
    }
  } catch {
    // Told by the field.
  }
}

/** How far one try is: the root fields that have begun, in order. All but the last have succeeded. */
export type Progress = {
  begun: (string | number)[];
  /** An error that was returned as data. */
  returned?: { error: Error; path: readonly (string | number)[] };
  /** Whether a statement of the transaction has failed. */
  hasFailed(): boolean;
};

/** What a root field meets that comes after the operation's failure: it does not run, and is not told of. */
export class SkippedError extends Error {
  override name = "SkippedError";
}

const progressOf = new WeakMap<OperationContext, Progress>();

export function follow(context: OperationContext, hasFailed: () => boolean): Progress {
  const progress: Progress = { begun: [], hasFailed };
  progressOf.set(context, progress);
  return progress;
}

/**
 * Before each root field, what was read before it is forgotten, since it may have been changed since.
 *
 * @throws when a mutation field may be null: it could fail without undoing the operation
 */
export function watchRootFields(schema: GraphQLSchema): void {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    if (!isNonNullType(field.type)) throw new Error(`Mutation.${field.name} must be non-null.`);
    const resolve = field.resolve;
    if (!resolve) continue;
    field.resolve = (source, args, context: OperationContext, info) => {
      const progress = progressOf.get(context);
      if (progress?.returned || progress?.hasFailed()) throw new SkippedError("The operation has failed already.");
      progress?.begun.push(info.path.key);
      context.loaders.clear();
      return resolve(source, args, context, info);
    };
  }
}

/** An object of a type that is a failure is noted when it becomes part of the answer. */
export function watchFailures(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || !type.extensions.isFailure) continue;
    const isTypeOf = type.isTypeOf;
    type.isTypeOf = (value: { message?: string }, context: OperationContext, info) => {
      const progress = progressOf.get(context);
      if (progress) {
        const error =
          value instanceof Error ? value : new ApplicationError("INVALID_STATE", value.message ?? `A ${type.name}.`);
        progress.returned ??= { error, path: responsePathAsArray(info.path) };
      }
      return isTypeOf ? isTypeOf.call(type, value, context, info) : true;
    };
  }
}
