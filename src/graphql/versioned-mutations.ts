/** Inputs and payloads that all mutations of existing rows share. */
import type { InputFieldBuilder, ObjectRef } from "@pothos/core";
import { fieldNameOf, nounOf } from "../type-names.ts";
import { builder } from "./builder.ts";
import type { Types } from "./builder-types.ts";

const outOfDate = "The version that you have read; when it is out of date, the answer is a CONFLICT.";

type Named = { readonly name: string };
type RowFields = PothosSchemaTypes.ObjectFieldBuilder<Types, { row: object }>;
type InputFields = InputFieldBuilder<Types, "InputObject">;

/** Fields for the id and the version of a row; the client must have read the current version. */
export const versionFields = (t: InputFields, type: Named) => ({
  id: t.id({ required: true, description: `The ${nounOf(type.name)}.` }),
  expectedVersion: t.int({ required: true, description: outOfDate }),
});

/** Fields for the id of a row and, optionally, its version. */
export const rowFields = (t: InputFields, type: Named) => ({
  id: t.id({ required: true, description: `The ${nounOf(type.name)}.` }),
  expectedVersion: t.int({ description: `${outOfDate} Default: any.` }),
});

/** An input of a row's id and, optionally, its version. */
export const rowInput = (name: string, type: Named, description: string) =>
  builder.inputType(name, { description, fields: (t) => rowFields(t, type) });

/** A payload with the row, in a field with the name of its type. */
export function rowPayload<Row extends object>(
  name: string,
  type: ObjectRef<Types, Row>,
  description: string,
): ObjectRef<Types, { row: Row }>;
export function rowPayload(name: string, type: ObjectRef<Types, object>, description: string) {
  return builder.objectRef<{ row: object }>(name).implement({
    description,
    fields: (t) => ({ [fieldNameOf(type.name)]: currentRow(t, type) }),
  });
}

/** The field with the row, for payloads with more fields. */
export const currentRow = (t: RowFields, type: ObjectRef<Types, object>) =>
  t.field({
    type,
    description: `The ${nounOf(type.name)}, as it is after the operation.`,
    resolve: ({ row }) => row,
  });

/** `More` is what fields of other slices show of the deletion. */
export function deletionPayload<More extends object = object>(
  name: string,
  type: Named,
): ObjectRef<Types, { deletedId: string } & More>;
export function deletionPayload(name: string, type: Named) {
  return builder.objectRef<{ deletedId: string }>(name).implement({
    description: `The deleted ${nounOf(type.name)}.`,
    fields: (t) => ({ deletedId: t.exposeID("deletedId", { description: "Its id." }) }),
  });
}
