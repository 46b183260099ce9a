/** Description of a table, usually generated from the data model. */
export type Table<Row = Record<string, unknown>, AllColumns = Row> = {
  /** The table's name in SQL. */
  name: string;
  primaryKey: keyof Row & string;
  /** By the name of the value in a row. */
  columns: Record<keyof AllColumns & string, Column>;
  /** Only a type, never set. */
  readonly row?: Row;
};

export type Column = {
  /** The column's name in SQL. */
  name: string;
  /** The column's type in SQL, for casts of parameters: `uuid`, `timestamptz`, `"work_status"`. */
  type: string;
  isNullable: boolean;
  /** Not loaded with its row, because it is wide or secret. Filters may use it. */
  isOmitted?: boolean;
};

/**
 * The type of values that the engine only passes through: viewers, arguments and rows. They are typed where a relation is
 * declared and where a field asks it.
 */
// biome-ignore lint/suspicious/noExplicitAny: see above.
export type PassedThrough = any;

export type AnyTable = Table<PassedThrough, PassedThrough>;

/** @throws Error when the table has no such column */
export function requireColumn(table: AnyTable, name: string): Column {
  const column = table.columns[name];
  if (!column) throw new Error(`${table.name} has no column ${name}.`);
  return column;
}
