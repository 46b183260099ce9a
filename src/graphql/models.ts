/**
 * The part of the data model (prisma/schema.prisma) that the GraphQL schema uses: the shapes of rows, the
 * descriptions of models and columns, and which column leads to which model.
 *
 * Pothos' Prisma plugin makes types of it. It loads nothing: its types know no relation, and it has no client
 * (docs/decisions/0002-types-from-prisma-models-loading-by-relations.md).
 */
import { PothosSchemaError, type SchemaTypes } from "@pothos/core";
import { getModel, type prismaModelName } from "@pothos/plugin-prisma";
import { foreignKeys, type Rows, tables } from "../database/generated/tables.ts";
import type { AnyTable } from "../eager-loading/table.ts";

export type ModelName = keyof Rows;

/** The models as the plugin is told of them: rows without relations, so that there is nothing it could load. */
export type ModelTypes = {
  [Name in ModelName]: {
    Name: Name;
    Shape: Rows[Name];
    Include: never;
    Select: never;
    OrderBy: never;
    Where: never;
    WhereUnique: { id: string };
    Create: never;
    Update: never;
    RelationName: never;
    ListRelations: never;
    Relations: Record<never, never>;
  };
};

/** The parent of a field of a model's type, as the plugin marks it. */
type ModelOfParent<Parent> = typeof prismaModelName extends keyof Parent
  ? NonNullable<Parent[typeof prismaModelName]>
  : never;

type ForeignKeys = typeof foreignKeys;
type ForeignKeyTo<Row, Name> = Name extends keyof ForeignKeys
  ? {
      [Column in keyof ForeignKeys[Name] & string]: ForeignKeys[Name][Column] extends {
        model: infer To extends ModelName;
      }
        ? Rows[To] extends Row
          ? Column
          : never
        : never;
    }[keyof ForeignKeys[Name] & string]
  : never;

/** The names of the parent's fields that hold a text or null. */
export type TextField<Parent> = {
  [Name in keyof Parent & string]: Parent[Name] extends string | null ? Name : never;
}[keyof Parent & string];

/** The parent's fields that may hold the key of such a row: where the parent is a model, foreign keys to its table. */
export type KeyOf<Row, Parent> = [ModelOfParent<Parent>] extends [never]
  ? TextField<Parent>
  : ForeignKeyTo<Row, ModelOfParent<Parent>>;

/** @throws PothosSchemaError for a table that is not of the data model */
export function modelOf(table: AnyTable): ModelName {
  for (const [name, known] of Object.entries(tables)) if (known === table) return name as ModelName;
  throw new PothosSchemaError(`The table ${table.name} is of no model, so that no type shows its rows.`);
}

/** The model and the column that a foreign key leads to; undefined where the column is none. */
export function referenceOf(model: ModelName, column: string): { model: ModelName; column: string } | undefined {
  const keys: Record<string, { model: ModelName; column: string }> = foreignKeys[model];
  return keys[column];
}

/** The comment of a column in the data model, or of the relation that a foreign key makes. */
export function descriptionOf<Types extends SchemaTypes>(
  builder: PothosSchemaTypes.SchemaBuilder<Types>,
  model: ModelName,
  column: string,
): string | undefined {
  const { fields } = getModel(model, builder);
  const field = fields.find(({ relationFromFields }) => relationFromFields?.includes(column));
  const described = field ?? fields.find(({ name }) => name === column);
  return described?.documentation?.replace("@omit", "").trim() || undefined;
}
