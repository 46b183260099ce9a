/**
 * Relations: the only ways to rows. Each is declared once, by the part of the program that owns the rows, and says
 * which rows belong to a key, in which order, and what a viewer may see. How many parents ask, and whether they ask
 * through a plan or one level at a time, is none of its business.
 */
import type { Columns, Sql } from "./sql.ts";
import type { AnyTable, PassedThrough, Table } from "./table.ts";

/** Arguments of a relation beyond its key and page: filters, a search text. Plain JSON. */
export type RelationArguments = Readonly<Record<string, unknown>>;

export type Direction = "ASC" | "DESC";

type Shared<Viewer> = {
  /** Shown in traces: `DocumentsByOwner`. Unique. */
  name: string;
  table: AnyTable;
  /** The column that the key is compared with; absent for a root relation, which has one page for everybody. */
  key?: string;
  /** Rows that the viewer may see. Rows stand as `t`. Absent: everybody may see all. */
  visible?: (viewer: Viewer, columns: Columns) => Sql;
};

export type AnyShared = Shared<PassedThrough>;

/** At most one row per key. */
export type OneRelation<Row = unknown> = AnyShared & { kind: "one"; key: string; readonly row?: Row };

/** Pages of rows per key, their count, and whether there are rows beyond a cursor. */
export type PageRelation<Row = unknown, Arguments = object> = AnyShared & {
  kind: "page";
  /** Rows that match the arguments. Rows stand as `t`. The viewer is for filters that look at other rows. */
  filter?: (args: PassedThrough, columns: Columns, viewer: PassedThrough) => Sql | undefined;
  /** Which rows are counted, where the pages hold only some of those that match. Absent: those of the filter. */
  counted?: (args: PassedThrough, columns: Columns) => Sql;
  /** True where finding the page is work that should not be done again for each of its children. */
  isExpensive?: boolean;
  /** Where a key's rows are replaced all at once: its cursors hold until then. */
  generation?: Generation;
  /** Named orders. Each ends in the primary key, which is added. */
  orders: Readonly<Record<string, readonly string[]>>;
  defaultOrder: { field: string; direction: Direction };
  /** Values beside the columns, computed per row and usable in an order. */
  computed: Readonly<Record<string, Computed>>;
  /** Values computed for the rows of the page only. Rows stand as `r`, with the names that a row has. */
  decorated: Readonly<Record<string, (args: PassedThrough) => Sql>>;
  readonly row?: Row;
  readonly args?: Arguments;
};

/** Tells the rows of a key from those that replace them. A walk over their pages keeps to one generation, or ends. */
export type Generation = {
  /** The column of a row that says which generation it is of. Not null. */
  column: string;
  /** A query for the generation that a key's rows are of now, also when there are none; no row: the key is gone. */
  current: (key: Sql) => Sql;
  /** What somebody is told who comes with a cursor of another one. */
  outOfDate: string;
};

export type Computed = { type: string; sql: (args: PassedThrough, columns: Columns) => Sql };

/** All rows that match a key, few by nature, without pages. */
export type ListRelation<Row = unknown, Arguments = object> = AnyShared & {
  kind: "list";
  keyType: string;
  /** Which rows belong to the key. Rows stand as `t`. */
  match: (key: Sql, args: PassedThrough, columns: Columns) => Sql;
  order: readonly string[];
  readonly row?: Row;
  readonly args?: Arguments;
};

/** One omitted column of one row per key: a value too wide to come along with its row. */
export type ColumnRelation<Value = unknown> = AnyShared & {
  kind: "column";
  key: string;
  column: string;
  readonly value?: Value;
};

type NameOf<RowTable> = RowTable extends Table<infer _, infer All> ? keyof All & string : never;
type RowOf<RowTable> = RowTable extends Table<infer Row, infer _> ? Row : never;
type AllOf<RowTable> = RowTable extends Table<infer _, infer All> ? All : never;

type Declaration<Viewer, RowTable> = {
  name: string;
  table: RowTable;
  visible?: (viewer: Viewer, columns: Columns<NameOf<RowTable>>) => Sql;
};

/**
 * The words to declare relations with, for one type of viewer.
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
      declaration: Declaration<Viewer, RowTable> & {
        key?: NameOf<RowTable>;
        filter?: (args: Arguments, columns: Columns<NameOf<RowTable>>, viewer: Viewer) => Sql | undefined;
        counted?: (args: Arguments, columns: Columns<NameOf<RowTable>>) => Sql;
        isExpensive?: boolean;
        generation?: Generation & { column: NameOf<RowTable> };
        orders: Orders;
        defaultOrder: { field: keyof Orders & string; direction: Direction };
        computed?: Record<string, { type: string; sql: (args: Arguments, columns: Columns<NameOf<RowTable>>) => Sql }>;
        decorated?: Record<string, (args: Arguments) => Sql>;
        /** Never set: the type of what `computed` and `decorated` add to a row. */
        extra?: Extra;
      },
    ): PageRelation<RowOf<RowTable> & Extra, Arguments> {
      const relation = { kind: "page" as const, computed: {}, decorated: {}, ...declaration };
      if (relation.generation && relation.key === undefined) {
        throw new Error(`${declaration.name} has no key, so its rows cannot be of the key's generation.`);
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
        keyType: string;
        match: (key: Sql, args: Arguments, columns: Columns<NameOf<RowTable>>) => Sql;
        order: readonly NameOf<RowTable>[];
      },
    ): ListRelation<RowOf<RowTable>, Arguments> {
      return { kind: "list", ...declaration };
    },

    column<RowTable extends AnyTable, const Column extends NameOf<RowTable>>(
      declaration: Declaration<Viewer, RowTable> & { key: NameOf<RowTable>; column: Column },
    ): ColumnRelation<AllOf<RowTable>[Column]> {
      return { kind: "column", ...declaration };
    },
  };
}
