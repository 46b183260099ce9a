/** The mutations that create, change and delete labels of one type. */
import type { InputFieldBuilder, InputFieldRef, ObjectRef } from "@pothos/core";
import { builder } from "../graphql/builder.ts";
import type { Types } from "../graphql/builder-types.ts";
import { type OperationContext, type Services, servicesOf } from "../graphql/context.ts";
import { decodeGlobalId } from "../graphql/global-id.ts";
import { deletionPayload, rowInput, rowPayload, versionFields } from "../graphql/versioned-mutations.ts";
import { nounOf, withArticle } from "../type-names.ts";
import type { LabelRow } from "./label-repository.ts";
import type { LabelService } from "./label-service.ts";

type InputFields = InputFieldBuilder<Types, "InputObject">;

type LabelMutations<Row extends LabelRow, Details extends object> = {
  serviceOf: (services: Services) => LabelService<Row, Details>;
  /** The input fields for the details. */
  details: (t: InputFields) => { [Name in keyof Details]: InputFieldRef<Types, Details[Name]> };
};

export function labelMutations<Row extends LabelRow, Details extends object>(
  type: ObjectRef<Types, Row>,
  options: LabelMutations<Row, Details>,
): void;
export function labelMutations(
  type: ObjectRef<Types, LabelRow>,
  { serviceOf, details }: LabelMutations<LabelRow, Record<never, never>>,
): void {
  const noun = nounOf(type.name);
  const name = "1 to 200 characters. No two are the same; case and accents are ignored.";
  const serviceIn = (context: OperationContext) => serviceOf(servicesOf(context));
  const idOf = (id: string) => decodeGlobalId(type.name, id, ["input", "id"]);

  const CreateInput = builder.inputType(`Create${type.name}Input`, {
    description: `A new ${noun}.`,
    fields: (t) => ({ name: t.string({ required: true, description: name }), ...details(t) }),
  });
  const UpdateInput = builder.inputType(`Update${type.name}Input`, {
    description: `Changes of ${withArticle(type.name)}. Fields that are absent stay as they are.`,
    fields: (t) => ({ ...versionFields(t, type), name: t.string({ description: name }), ...details(t) }),
  });
  const DeleteInput = rowInput(`Delete${type.name}Input`, type, `The ${noun} to delete.`);
  const CreatePayload = rowPayload(`Create${type.name}Payload`, type, `The new ${noun}.`);
  const UpdatePayload = rowPayload(`Update${type.name}Payload`, type, `The ${noun} with its changes.`);
  const DeletePayload = deletionPayload(`Delete${type.name}Payload`, type);

  builder.mutationFields((t) => ({
    [`create${type.name}`]: t.field({
      type: CreatePayload,
      authScopes: { role: "EDITOR" },
      description: `Creates ${withArticle(type.name)}. For editors.`,
      args: { input: t.arg({ type: CreateInput, required: true, description: `The ${noun}.` }) },
      resolve: async (_root, { input }, context) => ({
        row: await serviceIn(context).create(input),
      }),
    }),
    [`update${type.name}`]: t.field({
      type: UpdatePayload,
      authScopes: { role: "EDITOR" },
      description: `Changes ${withArticle(type.name)}. For editors.`,
      args: { input: t.arg({ type: UpdateInput, required: true, description: "The changes." }) },
      resolve: async (_root, { input }, context) => ({
        row: await serviceIn(context).update({ ...input, id: idOf(input.id) }),
      }),
    }),
    [`delete${type.name}`]: t.field({
      type: DeletePayload,
      authScopes: { role: "EDITOR" },
      description: `Deletes ${withArticle(type.name)}. Objects that refer to it stay, without it. For editors.`,
      args: { input: t.arg({ type: DeleteInput, required: true, description: `The ${noun}.` }) },
      resolve: async (_root, { input }, context) => {
        await serviceIn(context).delete({ ...input, id: idOf(input.id) });
        return { deletedId: input.id };
      },
    }),
  }));
}
