/** The SQL of orders and cursors: which columns, in which direction, and what lies beyond a cursor. */
import type { PageWindow } from "./ask.ts";
import type { Cursor } from "./cursor.ts";
import type { Direction, PageRelation } from "./relation.ts";
import { columnsOf, join, raw, type Sql, sql } from "./sql.ts";
import { requireColumn } from "./table.ts";

export type OrderTerm = { name: string; sql: Sql; type: string; isNullable: boolean };

/** The names of the order's values, ending in the primary key, so that no two rows are equal. */
export function orderNames(relation: PageRelation, field: string): string[] {
  return [...(relation.orders[field] ?? []), relation.table.primaryKey];
}

/** The names of the values that a cursor holds. */
export function cursorNames(relation: PageRelation, field: string): string[] {
  return [...orderNames(relation, field), ...(relation.generation ? [relation.generation.column] : [])];
}

/** The order's values as SQL. Rows stand as `t`. */
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

/** What a cursor of this order belongs to. */
export function cursorPlace(relation: PageRelation, order: PageWindow["order"]): string {
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
      .map((earlier, place) =>
        cursor[place] === null ? sql`${earlier.sql} is null` : sql`${earlier.sql} = ${values[place]}`,
      );
    return sql`(${join([...equals, isBeyond(term, direction, cursor[index] ?? null, values[index] as Sql)], " and ")})`;
  });
  return sql`(${join(alternatives, " or ")})`;
}

/** All other rows: at the cursor, or before it. */
export function notBeyond(terms: readonly OrderTerm[], direction: Direction, cursor: Cursor): Sql {
  if (terms.every((term) => !term.isNullable)) return compareRows(terms, direction === "ASC" ? "<=" : ">=", cursor);
  return sql`${beyond(terms, direction, cursor)} is not true`;
}

/** One comparison of rows, which an index answers in one step; right only where nothing is null. */
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
