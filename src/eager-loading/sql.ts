/** SQL as values: fragments nest, parameters number themselves, and nothing a user sent ever becomes text. */
import { raw, type Sql } from "sql-template-tag";
import type { AnyTable } from "./table.ts";

export { default as sql, empty, join, raw, Sql } from "sql-template-tag";

/**
 * Stands in a part of a statement whose best plan depends on its values, as a search's does: a word may be rare or on
 * every page. Statements with it are planned each time; of a named one PostgreSQL soon keeps one plan for all values.
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

/** `t."owner_id" as "ownerId", …`: all columns but the omitted ones, named as a row names them. */
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
