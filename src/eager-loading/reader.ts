/** The engine's interface to the database. */
import type { Row } from "./answers.ts";
import type { Sql } from "./sql.ts";

/** Runs statements on a read connection or on the connection of a transaction. */
export interface Reader {
  read(statement: Sql): Promise<Row[]>;
  /**
   * Runs all statements in one round trip and one snapshot; each has its own outcome. Absent if the connection also
   * writes, since writes must not be pipelined.
   *
   * @param timeoutMs timeout of each statement
   */
  readTogether?(statements: readonly Sql[], timeoutMs: number): Promise<ReadOutcome[]>;
}

/** `ms`: time since the previous outcome, because the statements run one after the other. */
export type ReadOutcome = { rows: Row[]; ms: number } | { error: unknown; ms: number };
