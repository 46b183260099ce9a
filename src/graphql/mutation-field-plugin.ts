/**
 * A Pothos plugin for the fields of `Mutation`: the options that they declare, and the steps around each resolver.
 *
 * A mutation field is non-null, since a nullable one could fail without undoing its operation. The fields of an
 * operation run one after the other; after the first failure the others do not run.
 */
import SchemaBuilder, {
  BasePlugin,
  type FieldNullability,
  type InputFieldMap,
  type InputShapeFromFields,
  type PothosOutputFieldConfig,
  PothosSchemaError,
  type SchemaTypes,
  type TypeParam,
} from "@pothos/core";
import type { GraphQLField, GraphQLFieldResolver } from "graphql";
import { type OperationContext, scopeOf } from "./context.ts";

declare global {
  namespace PothosSchemaTypes {
    interface Plugins<Types extends SchemaTypes> {
      mutationFields: MutationFieldPlugin<Types>;
    }

    interface MutationFieldOptions<
      Types extends SchemaTypes,
      Type extends TypeParam<Types>,
      Nullable extends FieldNullability<Type>,
      Args extends InputFieldMap,
      ResolveReturnShape,
    > {
      /**
       * Slow work through `UnitOfWork.prepare`, done before the transaction of the operation begins. An error ends the
       * preparations; the resolver meets it again and reports it.
       */
      prepare?: (args: InputShapeFromFields<Args>, context: Types["Context"]) => Promise<unknown>;
      /** True if the response contains secrets such as tokens, which must not be stored for an `Idempotency-Key`. */
      hasSecretAnswer?: boolean;
      /** True if the response grants access although nothing was written, such as a token. */
      forbidsDryRun?: boolean;
    }
  }
}

export type MutationFieldDeclaration = {
  prepare?: (args: Record<string, unknown>, context: object) => Promise<unknown>;
  hasSecretAnswer?: boolean;
  forbidsDryRun?: boolean;
};

/** The name of the extension that holds the declaration in the finished schema. */
const extension = "mutationField";

/** The options with which a field of `Mutation` was declared. */
export function declarationOf(field: GraphQLField<unknown, unknown>): MutationFieldDeclaration {
  return (field.extensions[extension] ?? {}) as MutationFieldDeclaration;
}

/** Thrown by root fields after a failed statement. They do not run, and the error is not reported. */
export class SkippedError extends Error {
  override name = "SkippedError";
}

export class MutationFieldPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  /** @throws PothosSchemaError when the field may be null */
  override onOutputFieldConfig(config: PothosOutputFieldConfig<Types>): PothosOutputFieldConfig<Types> {
    if (config.kind !== "Mutation") return config;
    if (config.type.nullable) {
      throw new PothosSchemaError(
        `${config.parentType}.${config.name} must be non-null: a nullable field could fail without undoing its operation.`,
      );
    }
    const { prepare, hasSecretAnswer, forbidsDryRun } = config.pothosOptions;
    return {
      ...config,
      extensions: { ...config.extensions, [extension]: { prepare, hasSecretAnswer, forbidsDryRun } },
    };
  }

  override wrapResolve(
    resolve: GraphQLFieldResolver<unknown, Types["Context"], object>,
    { kind }: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types["Context"], object> {
    if (kind !== "Mutation") return resolve;
    return (parent, args, context, info) => {
      const { mutation, loaders } = context as OperationContext;
      const { progress } = scopeOf(mutation, "A field of Mutation is resolved in a mutation only.");
      if (progress.hasFailed()) throw new SkippedError("The operation has failed already.");
      progress.begun.push(info.path.key);
      // The previous field may have changed rows that the loaders hold.
      loaders.clear();
      return resolve(parent, args, context, info);
    };
  }
}

SchemaBuilder.registerPlugin("mutationFields", MutationFieldPlugin);
