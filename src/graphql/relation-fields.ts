/**
 * Methods of the field builder for relations: `t.one`, `t.page`, `t.rows`, `t.wide`, `t.lookup`, `t.same`. Each creates
 * a field whose resolver calls a loader once, and declares the same relation in `extensions.eager` for the plan.
 *
 * On the type of a model, the key, the type of the rows, the nullability and the description come from the data model.
 */
import {
  type FieldKind,
  type InputFieldMap,
  type InputShapeFromFields,
  type ObjectRef,
  PothosSchemaError,
  RootFieldBuilder,
  type SchemaTypes,
  type ShapeFromTypeParam,
  type TypeParam,
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
      /** The row whose key is the value of the parent's field `by`: on the type of a model, a foreign key. */
      one<Row extends object>(
        relation: OneRelation<Row>,
        options: {
          by: KeyOf<NoInfer<Row>, ParentShape>;
          /** Default: as the column. */
          nullable?: boolean;
          /** Default: the comment of the relation in the data model. */
          description?: string;
        },
      ): FieldRef<Types, unknown>;
      /** A page of rows: on the type of a model, those that refer to the parent; elsewhere, a relation without a key. */
      page<Row extends object, Arguments extends object, Args extends InputFieldMap = Record<never, never>>(
        relation: PageRelation<Row, Arguments>,
        options: Described & {
          /** The type of the rows. Its connection type is created when first used. */
          type: ObjectRef<Types, Row>;
          /** Arguments beside the page's own. An `orderBy` of `{ field, direction }` orders the page. */
          args?: Args;
          /** True to omit the arguments `last` and `before`. */
          isForwardOnly?: boolean;
          /** The parent's field that holds the key of a relation with `match`. */
          by?: TextField<ParentShape>;
          /** Maps the field's arguments to the relation's. */
          toArguments?: (args: InputShapeFromFields<Args>) => Arguments;
        },
      ): FieldRef<Types, unknown>;
      /** All rows of a list relation. */
      rows<Row extends object, Arguments extends object, Args extends InputFieldMap = Record<never, never>>(
        relation: ListRelation<Row, Arguments>,
        options: Described & {
          type: ObjectRef<Types, Row>;
          /** The parent's field that holds the key; absent for a root list. */
          by?: TextField<ParentShape>;
          args?: Args;
          toArguments?: (args: InputShapeFromFields<Args>) => Arguments;
          /** Maximum number of rows, for the query's cost. */
          size: number | ((args: InputShapeFromFields<Args>) => number);
        },
      ): FieldRef<Types, unknown>;
      /** A wide column or computed value of the parent's own row, on its model's type. Default: a text, as it is. */
      wide(relation: ColumnRelation<string> | ColumnRelation<string | null>): FieldRef<Types, unknown>;
      wide<Column, Type extends TypeParam<Types>, Args extends InputFieldMap = Record<never, never>>(
        relation: ColumnRelation<Column>,
        options: Described & {
          type: Type;
          args?: Args;
          /** Makes the field's value from the column's. */
          toValue: (value: Column | null, args: InputShapeFromFields<Args>) => ShapeFromTypeParam<Types, Type, true>;
        },
      ): FieldRef<Types, unknown>;
      /** One row whose key comes from the arguments or the viewer. */
      lookup<Row extends object, Args extends InputFieldMap = Record<never, never>>(
        relation: OneRelation<Row>,
        options: Described & {
          args?: Args;
          nullable?: boolean;
          /** The row's key; null if there is none. */
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

// biome-ignore lint/suspicious/noExplicitAny: the nullability is known when the schema is built, not to tsc.
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
  by?: string;
  toArguments?: (args: FieldArguments) => object;
};

fields.page = function page(
  relation: PageRelation<object>,
  { type, args, isForwardOnly, toArguments = () => ({}), description, ...options }: PageOptions,
) {
  requireKey(relation, options.by);
  const by = relation.key === undefined ? options.by : requireReferred(modelOfFieldsIn(this), relation.key, relation);
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
  by?: string;
  args?: InputFieldMap;
  toArguments?: (args: FieldArguments) => object;
  size: number | ((args: FieldArguments) => number);
};

fields.rows = function rows(relation: ListRelation<object>, options: RowsOptions) {
  const { type, by, args, toArguments = () => ({}), size, description } = options;
  requireKey(relation, by);
  return this.field({
    type: [type],
    description,
    args,
    complexity: (args) => (typeof size === "number" ? costOf(size) : rowsCost(size(args))),
    extensions: eagerExtensions({ kind: "list", relation, by, toArguments }),
    resolve: (parent, args, { loaders }) => loaders.list(relation, toArguments(args), by && parent[by]),
  });
};

type WideOptions = Partial<Described> & {
  type: TypeParam<OurTypes>;
  args?: InputFieldMap;
  toValue: (value: unknown, args: FieldArguments) => unknown;
};

const asText: WideOptions = { type: "String", toValue: (value) => value };

fields.wide = function wide(
  relation: ColumnRelation<unknown>,
  { type, args, toValue, description }: WideOptions = asText,
) {
  const model = modelOf(relation.table);
  if (modelOfFieldsIn(this) !== model) {
    throw new PothosSchemaError(`${relation.name} is a column of ${model}: no other type shows it.`);
  }
  const { key: by, column } = relation;
  const isComputed = typeof column !== "string";
  return this.field({
    type,
    nullable: isComputed ? false : requireColumn(relation.table, column).isNullable,
    description: description ?? (isComputed ? undefined : descriptionOf(this.builder, model, column)),
    args,
    extensions: eagerExtensions({ kind: "column", relation, by }),
    resolve: async (parent, args, { loaders }): Promise<Value> =>
      toValue(await loaders.column(relation, parent[by]), args),
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

/** The model of the type whose fields the builder creates; undefined for other types. */
function modelOfFieldsIn(t: Fields): ModelName | undefined {
  return t instanceof ObjectFieldBuilder ? (t.model as ModelName) : undefined;
}

/** The type that shows the rows of a relation: that of their model. */
function typeOf(t: Fields, { table }: OneRelation): RowType {
  const type = getRefFromModel(modelOf(table), t.builder);
  if (type instanceof PrismaObjectRef) return type;
  throw new PothosSchemaError(`${type.name} is an interface: a row is shown as an object.`);
}

/** @throws PothosSchemaError unless the field says by what it finds the keys of a relation that no column refers to */
function requireKey({ name, keyType }: Pick<PageRelation, "name" | "keyType">, by: string | undefined): void {
  if ((by === undefined) === (keyType === undefined)) return;
  const reason = by === undefined ? "finds rows by a key: say `by`" : "has no key of its own: omit `by`";
  throw new PothosSchemaError(`${name} ${reason}.`);
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

/** The resolver refuses more rows than a page may have. */
const rowsCost = (asked: number) => costOf(Math.min(Math.max(asked, 0), maximumPageSize));

/** Each row costs itself and its selection. */
const costOf = (rows: number) => ({ field: rows, multiplier: rows });

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
