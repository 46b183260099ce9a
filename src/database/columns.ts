/** Columns of a table and their values as SQL, for statements that write the values of an object. */
import { identifier, join, raw, type Sql, sql } from "../eager-loading/sql.ts";
import { type AnyTable, requireColumn } from "../eager-loading/table.ts";

/** `"starts_at"`: the column of a value by its name in a row. */
export const columnOf = (table: AnyTable, name: string): Sql => raw(identifier(requireColumn(table, name).name));

const parameterOf = (table: AnyTable, name: string, value: unknown): Sql =>
  sql`${value}::${raw(requireColumn(table, name).type)}`;

/** `("channel", "starts_at") values ($1::text, $2::timestamptz)`, for an insertion. */
export function columnsAndValues(table: AnyTable, values: object): Sql {
  const entries = Object.entries(values);
  const columns = entries.map(([name]) => columnOf(table, name));
  return sql`(${join(columns)}) values (${join(entries.map(([name, value]) => parameterOf(table, name, value)))})`;
}

/** `"channel" = $1::text, "starts_at" = $2::timestamptz`, for an update. */
export const assignments = (table: AnyTable, values: object): Sql =>
  join(
    Object.entries(values).map(([name, value]) => sql`${columnOf(table, name)} = ${parameterOf(table, name, value)}`),
  );
