/**
 * The field builder's words for relations: `t.one`, `t.page`, `t.rows`, `t.wide`, `t.lookup`, `t.same`. Each makes a
 * field whose resolver is one call of a loader, and says the same in `extensions.eager` for the plan to read.
 *
 * On a model's type, a field takes from the data model what stands there: the key, the type of the rows, whether it may
 * be null, and the description.
 */
import {
  type FieldKind,
  type InputFieldMap,
  type InputShapeFromFields,
  type ObjectRef,
  PothosSchemaError,
  RootFieldBuilder,
  type SchemaTypes,
} from "@pothos/core";
import { getRefFromModel, ObjectFieldBuilder, PrismaObjectRef } from "@pothos/plugin-prisma";
import { tables } from "../database/generated/tables.ts";
import { eagerExtensions, type FieldArguments, type Lookup } from "../eager-loading/field.ts";
import { defaultPageSize, maximumPageSize, type PageArguments } from "../eager-loading/page-arguments.ts";
import type { ColumnRelation, ListRelation, OneRelation, PageRelation } from "../eager-loading/relation.ts";
import { requireColumn } from "../eager-loading/table.ts";
import type { Viewer } from "../viewer.ts";
import type { Types as OurTypes } from "./builder-types.ts";
import { connectionOf } from "./connection-types.ts";
import { descriptionOf, type KeyOf, type ModelName, modelOf, referenceOf, type TextField } from "./models.ts";

type Described = { description: string };

declare global {
  namespace PothosSchemaTypes {
    interface RootFieldBuilder<Types extends SchemaTypes, ParentShape, Kind extends FieldKind = FieldKind> {
      /** The row whose key stands in one of the parent's fields: on a model's type, a foreign key of that model. */
      one<Row extends object>(
        relation: OneRelation<Row>,
        options: {
          by: KeyOf<NoInfer<Row>, ParentShape>;
          /** Absent: as the column is. */
          nullable?: boolean;
          /** Absent: the comment of the relation in the data model. */
          description?: string;
        },
      ): FieldRef<Types, unknown>;
      /** A page of rows: on a model's type of those that refer to the parent, elsewhere of a relation without a key. */
      page<Row extends object, Arguments extends object, Args extends InputFieldMap = Record<never, never>>(
        relation: PageRelation<Row, Arguments>,
        options: Described & {
          /** The type of the rows; their connection type is made when first used. */
          type: ObjectRef<Types, Row>;
          /** Arguments beside the page's own. An `orderBy` of `{ field, direction }` orders the page. */
          args?: Args;
          /** True where there is no way back: no `last` and `before`. */
          isForwardOnly?: boolean;
          /** From the field's arguments to the relation's. Absent: none. */
          toArguments?: (args: InputShapeFromFields<Args>) => Arguments;
        },
      ): FieldRef<Types, unknown>;
      /** All rows of a list relation. */
      rows<Row extends object, Arguments extends object, Args extends InputFieldMap>(
        relation: ListRelation<Row, Arguments>,
        options: Described & {
          type: ObjectRef<Types, Row>;
          /** The parent's field that holds the key. */
          by: TextField<ParentShape>;
          args: Args;
          toArguments: (args: InputShapeFromFields<Args>) => Arguments;
          /** How many rows at most, for the query's cost. */
          size: (args: InputShapeFromFields<Args>) => number;
        },
      ): FieldRef<Types, unknown>;
      /** On a model's type, a text of the parent's own row that is too wide to come with it. */
      wide(relation: ColumnRelation<string> | ColumnRelation<string | null>): FieldRef<Types, unknown>;
      /** One row whose key the arguments or the viewer say. */
      lookup<Row extends object, Args extends InputFieldMap = Record<never, never>>(
        relation: OneRelation<Row>,
        options: Described & {
          args?: Args;
          nullable?: boolean;
          /** The row's key; null when there is none to look for. */
          key: (args: InputShapeFromFields<Args>, viewer: Viewer) => string | null;
        },
      ): FieldRef<Types, unknown>;
      /** The parent's own row, as another type. */
      same<Row extends object>(
        options: Described & { type: ParentShape extends Row ? ObjectRef<Types, Row> : never },
      ): FieldRef<Types, unknown>;
    }
  }
}

type Parent = Record<string, string>;
type Fields = PothosSchemaTypes.RootFieldBuilder<OurTypes, Parent, "Object">;
type RowType = ObjectRef<OurTypes, object>;

// biome-ignore lint/suspicious/noExplicitAny: whether it may be null is known when the schema is built, not to tsc.
type Value = any;

const fields = RootFieldBuilder.prototype as Fields;

fields.one = function one(
  relation: OneRelation<object>,
  { by, nullable, description }: { by: string; nullable?: boolean; description?: string },
) {
  const model = modelOfFieldsIn(this);
  if (model) requireReference(model, by, relation);
  return this.field({
    type: typeOf(this, relation),
    nullable: nullable ?? (model !== undefined && requireColumn(tables[model], by).isNullable),
    description: description ?? (model && descriptionOf(this.builder, model, by)),
    extensions: eagerExtensions({ kind: "one", relation, by }),
    resolve: (parent, _args, { loaders }): Value => loaders.one(relation, parent[by]),
  });
};

type PageOptions = Described & {
  type: RowType;
  args?: InputFieldMap;
  isForwardOnly?: boolean;
  toArguments?: (args: FieldArguments) => object;
};

fields.page = function page(
  relation: PageRelation<object>,
  { type, args, isForwardOnly, toArguments = () => ({}), description }: PageOptions,
) {
  const by = relation.key === undefined ? undefined : requireReferred(modelOfFieldsIn(this), relation.key, relation);
  return this.field({
    type: connectionOf(this.builder, type),
    description,
    args: { ...pageArguments(this, isForwardOnly), ...args },
    complexity: ({ first, last }: PageArguments) => rowsCost(first ?? last ?? defaultPageSize),
    extensions: eagerExtensions({ kind: "page", relation, by, toArguments }),
    resolve: (parent, args, { loaders }): Value => loaders.page(relation, toArguments(args), args, by && parent[by]),
  });
};

type RowsOptions = Described & {
  type: RowType;
  by: string;
  args: InputFieldMap;
  toArguments: (args: FieldArguments) => object;
  size: (args: FieldArguments) => number;
};

fields.rows = function rows(relation: ListRelation<object>, options: RowsOptions) {
  const { type, by, args, toArguments, size, description } = options;
  return this.field({
    type: [type],
    description,
    args,
    complexity: (args) => rowsCost(size(args)),
    extensions: eagerExtensions({ kind: "list", relation, by, toArguments }),
    resolve: (parent, args, { loaders }) => loaders.list(relation, toArguments(args), parent[by]),
  });
};

fields.wide = function wide(relation: ColumnRelation<string | null>) {
  const model = modelOf(relation.table);
  if (modelOfFieldsIn(this) !== model) {
    throw new PothosSchemaError(`${relation.name} is a column of ${model}: no other type shows it.`);
  }
  const { key: by, column } = relation;
  return this.field({
    type: "String",
    nullable: requireColumn(relation.table, column).isNullable,
    description: descriptionOf(this.builder, model, column),
    extensions: eagerExtensions({ kind: "column", relation, by }),
    resolve: (parent, _args, { loaders }): Value => loaders.column(relation, parent[by]),
  });
};

type LookupOptions = Described & {
  args?: InputFieldMap;
  nullable?: boolean;
  key: (args: FieldArguments, viewer: Viewer) => string | null;
};

fields.lookup = function lookup(relation: OneRelation<object>, { args, nullable, key, description }: LookupOptions) {
  const type = typeOf(this, relation);
  const find = (args: FieldArguments, viewer: unknown): Lookup[] => {
    const found = key(args, viewer as Viewer);
    return found === null ? [] : [{ relation, typename: type.name, keys: [found] }];
  };
  return this.field({
    type,
    nullable,
    description,
    args,
    extensions: eagerExtensions({ kind: "lookup", find }),
    resolve: (_parent, args, { loaders, viewer }): Value => loaders.one(relation, key(args, viewer)),
  });
};

fields.same = function same({ type, description }: Described & { type: RowType }) {
  return this.field({ type, description, extensions: eagerExtensions({ kind: "same" }), resolve: (parent) => parent });
};

/** The model whose type the builder makes fields of; undefined for other types. */
function modelOfFieldsIn(t: Fields): ModelName | undefined {
  return t instanceof ObjectFieldBuilder ? (t.model as ModelName) : undefined;
}

/** The type that shows the rows of a relation: that of their model. */
function typeOf(t: Fields, { table }: OneRelation): RowType {
  const type = getRefFromModel(modelOf(table), t.builder);
  if (type instanceof PrismaObjectRef) return type;
  throw new PothosSchemaError(`${type.name} is an interface: a row is shown as an object.`);
}

/** @throws PothosSchemaError unless the column holds the keys that the relation looks for */
function requireReference(model: ModelName, column: string, { name, table, key }: OneRelation): void {
  const reference = referenceOf(model, column);
  if (reference?.model === modelOf(table) && reference.column === key) return;
  throw new PothosSchemaError(
    `${name} finds rows by ${table.name}.${key}, which ${model}.${column} does not refer to.`,
  );
}

/** The parent's column that the key of the relation's rows refers to. */
function requireReferred(parent: ModelName | undefined, key: string, { name, table }: PageRelation): string {
  const reference = referenceOf(modelOf(table), key);
  if (reference && reference.model === parent) return reference.column;
  throw new PothosSchemaError(
    `${name} finds rows by ${table.name}.${key}, which does not refer to ${parent ?? "this"}.`,
  );
}

/** Each row costs itself and what is selected on it. More rows than a page may have are refused where they are asked. */
function rowsCost(asked: number): { field: number; multiplier: number } {
  const rows = Math.min(Math.max(asked, 0), maximumPageSize);
  return { field: rows, multiplier: rows };
}

function pageArguments(t: Fields, isForwardOnly = false) {
  const forward = {
    first: t.arg.int({
      description: "The number of rows from the start, or after `after`. 20 by default, 100 at most.",
    }),
    after: t.arg.string({ description: "Only rows after this cursor." }),
  };
  const backward = {
    last: t.arg.int({
      description: "The number of rows from the end, or before `before`; instead of `first`. 100 at most.",
    }),
    before: t.arg.string({ description: "Only rows before this cursor." }),
  };
  return isForwardOnly ? forward : { ...forward, ...backward };
}
