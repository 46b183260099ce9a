/**
 * The field builder's words for relations: `t.one`, `t.page`, `t.rows`, `t.wide`, `t.lookup`. Each makes a
 * field whose resolver is one call of a loader, and says the same in `extensions.eager` for the plan to read.
 */
import {
  type ArgumentRef,
  type FieldKind,
  type FieldRef,
  type InputFieldMap,
  type InputShapeFromFields,
  RootFieldBuilder,
  type SchemaTypes,
} from "@pothos/core";
import type { EagerField } from "../eager-loading/field.ts";
import { defaultPageSize, maximumPageSize, type PageArguments } from "../eager-loading/page-arguments.ts";
import type { ColumnRelation, ListRelation, OneRelation, PageRelation } from "../eager-loading/relation.ts";
import type { Viewer } from "../viewer.ts";
import { builder } from "./builder.ts";
import type { OperationContext } from "./context.ts";

type Described = { description: string };
/** A type whose objects are rows of this shape. */
type TypeOf<Row> = { readonly name: string; readonly $inferType: Row };
type PageField<Row, Arguments, ParentShape, Args extends InputFieldMap> = Described & {
  /** The type of the rows; their connection type is made when first used. */
  type: TypeOf<Row>;
  /** The parent's field that holds the key; absent for a root page. */
  by?: keyof ParentShape & string;
  /** Arguments beside the page's own. An `orderBy` of `{ field, direction }` orders the page. */
  args?: Args;
  /** True where there is no way back: no `last` and `before`. */
  isForwardOnly?: boolean;
  /** From the field's arguments to the relation's. Absent: none. */
  toArguments?: (args: InputShapeFromFields<Args>) => Arguments;
};

declare global {
  namespace PothosSchemaTypes {
    interface RootFieldBuilder<Types extends SchemaTypes, ParentShape, Kind extends FieldKind = FieldKind> {
      /** The row whose key stands in one of the parent's fields. */
      one<Row>(
        relation: OneRelation<Row>,
        options: Described & { type: TypeOf<Row>; by: keyof ParentShape & string; nullable?: boolean },
      ): FieldRef<Types, unknown>;
      /** A page of rows. */
      page<Row, Arguments extends object, Args extends InputFieldMap>(
        relation: PageRelation<Row, Arguments>,
        options: PageField<Row, Arguments, ParentShape, Args>,
      ): FieldRef<Types, unknown>;
      /** All rows of a list relation. */
      rows<Row, Arguments extends object, Args extends InputFieldMap>(
        relation: ListRelation<Row, Arguments>,
        options: Described & {
          type: TypeOf<Row>;
          by: keyof ParentShape & string;
          args: Args;
          toArguments: (args: InputShapeFromFields<Args>) => Arguments;
          /** How many rows at most, for the query's cost. */
          size: (args: InputShapeFromFields<Args>) => number;
        },
      ): FieldRef<Types, unknown>;
      /** A value too wide to come with its row. */
      wide<Value>(
        relation: ColumnRelation<Value>,
        options: Described & { type: "String"; by: keyof ParentShape & string },
      ): FieldRef<Types, unknown>;
      /** One row whose key the arguments or the viewer say. */
      lookup<Row, Args extends InputFieldMap>(
        relation: OneRelation<Row>,
        options: Described & {
          type: TypeOf<Row>;
          args?: Args;
          nullable?: boolean;
          /** The row's key; null when there is none to look for. */
          key: (args: InputShapeFromFields<Args>, viewer: Viewer) => string | null;
        },
      ): FieldRef<Types, unknown>;
      /** The parent's own row, as another type. */
      same<Row>(options: Described & { type: ParentShape extends Row ? TypeOf<Row> : never }): FieldRef<Types, unknown>;
    }
  }
}

// The declarations above are what callers see; inside, Pothos' own types would hide the few lines that matter.
type Loose = {
  // biome-ignore lint/suspicious/noExplicitAny: see above.
  field(options: any): FieldRef<SchemaTypes, unknown>;
  arg: {
    int(options: Described): ArgumentRef<SchemaTypes, unknown>;
    string(options: Described): ArgumentRef<SchemaTypes, unknown>;
  };
};
// biome-ignore lint/suspicious/noExplicitAny: see above.
type Options = any;
type Parent = Record<string, string>;
// biome-ignore lint/suspicious/noExplicitAny: see above.
type Resolve = (parent: Parent, args: any, context: OperationContext) => unknown;

function eagerField(this: Loose, options: Options, eager: EagerField, resolve: Resolve, more: object = {}) {
  const { relation: _, by: __, toArguments: ___, key: ____, size: _____, isForwardOnly: ______, ...rest } = options;
  return this.field({ ...rest, ...more, extensions: { eager }, resolve });
}

Object.assign(RootFieldBuilder.prototype, {
  one(this: Loose, relation: OneRelation, options: Options) {
    const eager: EagerField = { kind: "one", relation, by: options.by };
    return eagerField.call(this, options, eager, (parent, _args, { loaders }) =>
      loaders.one(relation, parent[options.by] ?? null),
    );
  },

  page(this: Loose, relation: PageRelation, options: Options) {
    const toArguments = options.toArguments ?? (() => ({}));
    const eager: EagerField = { kind: "page", relation, by: options.by, toArguments };
    const resolve: Resolve = (parent, args, { loaders }) =>
      loaders.page(relation, toArguments(args), args, options.by && parent[options.by]);
    return eagerField.call(this, options, eager, resolve, {
      type: connectionOf(options.type),
      args: { ...pageArguments(this, options.isForwardOnly), ...options.args },
      complexity: (args: PageArguments) => rowsCost(args.first ?? args.last ?? defaultPageSize),
    });
  },

  rows(this: Loose, relation: ListRelation, options: Options) {
    const eager: EagerField = { kind: "list", relation, by: options.by, toArguments: options.toArguments };
    const resolve: Resolve = (parent, args, { loaders }) =>
      loaders.list(relation, options.toArguments(args), parent[options.by] as string);
    return eagerField.call(this, options, eager, resolve, {
      type: [options.type],
      complexity: (args: object) => rowsCost(options.size(args)),
    });
  },

  wide(this: Loose, relation: ColumnRelation, options: Options) {
    const eager: EagerField = { kind: "column", relation, by: options.by };
    const resolve: Resolve = (parent, _args, { loaders }) => loaders.column(relation, parent[options.by] as string);
    return eagerField.call(this, options, eager, resolve, { nullable: true });
  },

  lookup(this: Loose, relation: OneRelation, options: Options) {
    const find = (args: object, viewer: unknown) => {
      const key = options.key(args, viewer);
      return key === null ? [] : [{ relation, typename: options.type.name, keys: [key] }];
    };
    const resolve: Resolve = (_parent, args, { loaders, viewer }) => loaders.one(relation, options.key(args, viewer));
    return eagerField.call(this, options, { kind: "lookup", find }, resolve);
  },

  same(this: Loose, options: Options) {
    return eagerField.call(this, options, { kind: "same" }, (parent) => parent);
  },
});

/** Each row costs itself and what is selected on it. More rows than a page may have are refused where they are asked. */
function rowsCost(asked: number): { field: number; multiplier: number } {
  const rows = Math.min(Math.max(asked, 0), maximumPageSize);
  return { field: rows, multiplier: rows };
}

function pageArguments(t: Loose, isForwardOnly = false) {
  const forward = {
    first: t.arg.int({ description: "How many rows from the start, or after `after`: 20 when left out, 100 at most." }),
    after: t.arg.string({ description: "The cursor to start behind." }),
  };
  if (isForwardOnly) return forward;
  return {
    ...forward,
    last: t.arg.int({ description: "How many rows from the end, or before `before`; instead of `first`." }),
    before: t.arg.string({ description: "The cursor to end before." }),
  };
}

const connections = new Map<string, unknown>();

/** `UserConnection` with its `UserEdge`, made once per type. */
function connectionOf(type: TypeOf<unknown>): unknown {
  const known = connections.get(type.name);
  if (known) return known;
  const connection = builder.connectionObject(
    {
      type: type as never,
      name: `${type.name}Connection`,
      description: `A page of rows of type ${type.name}.`,
      fields: (t) => ({
        totalCount: t.int({
          description: "How many rows there are on all pages; counted only when asked for.",
          resolve: (page) => (page as unknown as { totalCount: Promise<number> }).totalCount,
        }),
      }),
    },
    { name: `${type.name}Edge`, description: `A row of type ${type.name} with its cursor.` },
  );
  connections.set(type.name, connection);
  return connection;
}
