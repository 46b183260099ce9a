/**
 * Relations are the only way to read rows. The owner of the rows declares which rows belong to a key, in which orders,
 * and which of them a viewer may see. A relation does not depend on the number of parents, nor on whether a plan or a
 * loader reads it.
 */
import type { Columns, Sql } from "./sql.ts";
import type { AnyTable, PassedThrough, Table } from "./table.ts";

/** Arguments of a relation beyond its key and page: filters, a search text. Plain JSON. */
export type RelationArguments = Readonly<Record<string, unknown>>;

export type Direction = "ASC" | "DESC";

type Shared<Viewer> = {
  /** Unique name, shown in traces: `DocumentsByOwner`. */
  name: string;
  table: AnyTable;
  /** The column that is compared with the key; absent for a root relation, which has no parents. */
  key?: string;
  /** Condition for rows (alias `t`) that the viewer may see. Without it, everybody sees all rows. */
  visible?: (viewer: Viewer, columns: Columns) => Sql;
};

export type AnyShared = Shared<PassedThrough>;

/** At most one row per key. */
export type OneRelation<Row = unknown> = AnyShared & { kind: "one"; key: string; readonly row?: Row };

/** Pages of rows per key, with their count. */
export type PageRelation<Row = unknown, Arguments = object> = AnyShared & {
  kind: "page";
  /** With `match`, for rows that refer to their keys through another table. */
  keyType?: string;
  /** Which rows belong to the key. Rows stand as `t`. Instead of `key`. */
  match?: (key: Sql, columns: Columns) => Sql;
  /** Condition for rows (alias `t`) that match the arguments. Filters that read other rows need the viewer. */
  filter?: (args: PassedThrough, columns: Columns, viewer: PassedThrough) => Sql | undefined;
  /** Replaces `filter` in the count, for relations whose pages are limited to a part of the matching rows. */
  counted?: (args: PassedThrough, columns: Columns) => Sql;
  /** True if finding the page is too expensive to repeat it in the statements of child asks. */
  isExpensive?: boolean;
  /** For keys whose rows are replaced all at once, which makes their cursors invalid. */
  generation?: Generation;
  /** Columns of each named order. The primary key is appended. */
  orders: Readonly<Record<string, readonly string[]>>;
  defaultOrder: { field: string; direction: Direction };
  /** Additional values of each row; orders may use them. */
  computed: Readonly<Record<string, Computed>>;
  /** Values computed for the rows of the page only. Rows stand as `r`, with the names that a row has. */
  decorated: Readonly<Record<string, (args: PassedThrough) => Sql>>;
  readonly row?: Row;
  readonly args?: Arguments;
};

/** Distinguishes the rows of a key from their replacements. Cursors never continue in another generation. */
export type Generation = {
  /** The column of a row that holds its generation. Not null. */
  column: string;
  /** Query for the current generation of a key, also if it has no rows. Returns no row if the key does not exist. */
  current: (key: Sql) => Sql;
  /** Error message for a cursor of an old generation. */
  outOfDate: string;
};

export type Computed = { type: string; sql: (args: PassedThrough, columns: Columns) => Sql };

/** All rows that match a key, few by nature, without pages. A root list has no key: it holds all rows of the table. */
export type ListRelation<Row = unknown, Arguments = object> = AnyShared & {
  kind: "list";
  keyType?: string;
  /** Which rows belong to the key. Rows stand as `t`. Present if there is a key. */
  match?: (key: Sql, args: PassedThrough, columns: Columns) => Sql;
  order: readonly string[];
  readonly row?: Row;
  readonly args?: Arguments;
};

/** One value of one row per key that is not loaded with every row: an omitted column, or a computed value. */
export type ColumnRelation<Value = unknown> = AnyShared & {
  kind: "column";
  key: string;
  /** Or a query for the keys and their values; the keys are in the column `key` of a table. */
  column: string | ((keys: Sql) => Sql);
  readonly value?: Value;
};

type NameOf<RowTable> = RowTable extends Table<infer _, infer All> ? keyof All & string : never;
type RowOf<RowTable> = RowTable extends Table<infer Row, infer _> ? Row : never;
type AllOf<RowTable> = RowTable extends Table<infer _, infer All> ? All : never;

/** How the rows of a page belong to keys. A root relation has none. */
type Keyed<RowTable> =
  | { key?: NameOf<RowTable>; keyType?: never; match?: never }
  | { key?: never; keyType: string; match: (key: Sql, columns: Columns<NameOf<RowTable>>) => Sql };

type Declaration<Viewer, RowTable> = {
  name: string;
  table: RowTable;
  visible?: (viewer: Viewer, columns: Columns<NameOf<RowTable>>) => Sql;
};

/**
 * Returns functions that declare relations for one type of viewer.
 *
 * ```ts
 * const relations = relationsFor<Viewer>();
 * export const userById = relations.one({ name: "UserById", table: tables.User, key: "id" });
 * ```
 */
export function relationsFor<Viewer>() {
  return {
    one<RowTable extends AnyTable>(
      declaration: Declaration<Viewer, RowTable> & { key: NameOf<RowTable> },
    ): OneRelation<RowOf<RowTable>> {
      return { kind: "one", ...declaration };
    },

    page<
      RowTable extends AnyTable,
      const Orders extends Record<string, readonly string[]>,
      Arguments = RelationArguments,
      Extra = unknown,
    >(
      declaration: Declaration<Viewer, RowTable> &
        Keyed<RowTable> & {
          filter?: (args: Arguments, columns: Columns<NameOf<RowTable>>, viewer: Viewer) => Sql | undefined;
          counted?: (args: Arguments, columns: Columns<NameOf<RowTable>>) => Sql;
          isExpensive?: boolean;
          generation?: Generation & { column: NameOf<RowTable> };
          orders: Orders;
          defaultOrder: { field: keyof Orders & string; direction: Direction };
          computed?: Record<
            string,
            { type: string; sql: (args: Arguments, columns: Columns<NameOf<RowTable>>) => Sql }
          >;
          decorated?: Record<string, (args: Arguments) => Sql>;
          /** Only a type, never set: the values that `computed` and `decorated` add to a row. */
          extra?: Extra;
        },
    ): PageRelation<RowOf<RowTable> & Extra, Arguments> {
      const relation = { kind: "page" as const, computed: {}, decorated: {}, ...declaration };
      if (relation.generation && relation.key === undefined) {
        throw new Error(`${declaration.name} has a generation but no key.`);
      }
      for (const column of Object.values(declaration.orders).flat()) {
        if (!(column in relation.table.columns) && !(column in relation.computed)) {
          throw new Error(`${declaration.name} cannot be ordered by ${column}: no such column or computed value.`);
        }
      }
      return relation;
    },

    list<RowTable extends AnyTable, Arguments = RelationArguments>(
      declaration: Declaration<Viewer, RowTable> & {
        order: readonly NameOf<RowTable>[];
      } & (
          | { keyType: string; match: (key: Sql, args: Arguments, columns: Columns<NameOf<RowTable>>) => Sql }
          | { keyType?: never; match?: never }
        ),
    ): ListRelation<RowOf<RowTable>, Arguments> {
      return { kind: "list", ...declaration };
    },

    column<RowTable extends AnyTable, const Column extends NameOf<RowTable>>(
      declaration: Declaration<Viewer, RowTable> & { key: NameOf<RowTable>; column: Column },
    ): ColumnRelation<AllOf<RowTable>[Column]> {
      return { kind: "column", ...declaration };
    },

    /**
     * A value that is computed from the row and others, such as its rank, for all keys together.
     *
     * @param declaration.values returns a query with two columns, the key and its value; keys that were not asked are
     * ignored. `keys` is a table with the column `key`
     */
    value<Value>() {
      return <RowTable extends AnyTable>({
        values,
        ...declaration
      }: Declaration<Viewer, RowTable> & {
        key: NameOf<RowTable>;
        values: (keys: Sql) => Sql;
      }): ColumnRelation<Value> => ({ kind: "column", ...declaration, column: values });
    },
  };
}
