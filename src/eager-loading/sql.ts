/** SQL as composable values. Values of users are always parameters, never part of the text. */
import { raw, type Sql } from "sql-template-tag";
import type { AnyTable } from "./table.ts";

export { default as sql, empty, join, raw, Sql } from "sql-template-tag";

/**
 * Marker for SQL whose best plan depends on the values, such as a search for a rare or a frequent word. Statements with
 * it stay unnamed, because PostgreSQL may use one generic plan for all executions of a named statement.
 */
export const plannedEachTime = raw("/* planned each time */");

/** The columns of one table under one alias, as SQL: `columns.ownerId` is `t."owner_id"`. */
export type Columns<Names extends string = string> = Readonly<Record<Names, Sql>>;

const known = new WeakMap<AnyTable, Map<string, Columns>>();

export function columnsOf(table: AnyTable, alias: string): Columns {
  const byAlias = known.get(table) ?? new Map<string, Columns>();
  known.set(table, byAlias);
  let columns = byAlias.get(alias);
  if (!columns) {
    columns = Object.fromEntries(
      Object.entries(table.columns).map(([name, column]) => [name, raw(`${alias}.${identifier(column.name)}`)]),
    );
    byAlias.set(alias, columns);
  }
  return columns;
}

/** `t."owner_id" as "ownerId", …`: all columns except omitted ones, under their names in a row. */
export function selectList(table: AnyTable, alias: string): Sql {
  return raw(
    Object.entries(table.columns)
      .filter(([, column]) => !column.isOmitted)
      .map(([name, column]) => `${alias}.${identifier(column.name)} as ${identifier(name)}`)
      .join(", "),
  );
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
