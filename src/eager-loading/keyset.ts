/** The SQL of orders and cursors: columns, directions, and comparisons with a cursor. */
import type { PageWindow } from "./ask.ts";
import type { Cursor } from "./cursor.ts";
import type { Direction, PageRelation } from "./relation.ts";
import { columnsOf, join, raw, type Sql, sql } from "./sql.ts";
import { requireColumn } from "./table.ts";

export type OrderTerm = { name: string; sql: Sql; type: string; isNullable: boolean };

/** The names of the order's values. The last one is the primary key, which makes the order total. */
export function orderNames(relation: PageRelation, field: string): string[] {
  return [...(relation.orders[field] ?? []), relation.table.primaryKey];
}

/** The names of the values in a cursor. */
export function cursorNames(relation: PageRelation, field: string): string[] {
  return [...orderNames(relation, field), ...(relation.generation ? [relation.generation.column] : [])];
}

/** The order's values as SQL. The rows have the alias `t`. */
export function orderTerms(relation: PageRelation, args: object, field: string): OrderTerm[] {
  const { table, computed } = relation;
  const columns = columnsOf(table, "t");
  return orderNames(relation, field).map((name) => {
    const own = computed[name];
    if (own) return { name, sql: own.sql(args, columns), type: own.type, isNullable: false };
    const { type, isNullable } = requireColumn(table, name);
    return { name, sql: columns[name] as Sql, type, isNullable };
  });
}

/** The scope of this order's cursors, see `CursorCodec`. */
export function cursorScope(relation: PageRelation, order: PageWindow["order"]): string {
  return `${relation.name} ${order.field} ${order.direction}`;
}

export function opposite(direction: Direction): Direction {
  return direction === "ASC" ? "DESC" : "ASC";
}

export function orderBy(terms: readonly OrderTerm[], direction: Direction): Sql {
  return join(
    terms.map((term) => sql`${term.sql} ${raw(direction)}`),
    ", ",
  );
}

/** Rows strictly after the cursor in the given direction. */
export function beyond(terms: readonly OrderTerm[], direction: Direction, cursor: Cursor): Sql {
  if (terms.every((term) => !term.isNullable)) return compareRows(terms, direction === "ASC" ? ">" : "<", cursor);
  const values = parameters(terms, cursor);
  const alternatives = terms.map((term, index) => {
    const equals = terms
      .slice(0, index)
      .map((earlier, position) =>
        cursor[position] === null ? sql`${earlier.sql} is null` : sql`${earlier.sql} = ${values[position]}`,
      );
    return sql`(${join([...equals, isBeyond(term, direction, cursor[index] ?? null, values[index] as Sql)], " and ")})`;
  });
  return sql`(${join(alternatives, " or ")})`;
}

/** The complement of `beyond`: rows at the cursor or before it. */
export function notBeyond(terms: readonly OrderTerm[], direction: Direction, cursor: Cursor): Sql {
  if (terms.every((term) => !term.isNullable)) return compareRows(terms, direction === "ASC" ? "<=" : ">=", cursor);
  return sql`${beyond(terms, direction, cursor)} is not true`;
}

/** A row comparison, which an index supports as one range scan. Wrong for nullable columns. */
function compareRows(terms: readonly OrderTerm[], operator: ">" | "<" | ">=" | "<=", cursor: Cursor): Sql {
  return sql`(${join(terms.map((term) => term.sql))}) ${raw(operator)} (${join(parameters(terms, cursor))})`;
}

function parameters(terms: readonly OrderTerm[], cursor: Cursor): Sql[] {
  return terms.map((term, index) => sql`${cursor[index] ?? null}::text::${raw(term.type)}`);
}

/** Nulls sort as the largest value. */
function isBeyond(term: OrderTerm, direction: Direction, value: string | null, parameter: Sql): Sql {
  if (direction === "ASC") {
    if (value === null) return sql`false`;
    return term.isNullable ? sql`(${term.sql} > ${parameter} or ${term.sql} is null)` : sql`${term.sql} > ${parameter}`;
  }
  return value === null ? sql`${term.sql} is not null` : sql`${term.sql} < ${parameter}`;
}
