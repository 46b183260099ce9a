/** What the engine needs of a database: something that runs its statements. */
import type { Row } from "./answers.ts";
import type { Sql } from "./sql.ts";

/** Where statements go: a read connection, or the connection of a transaction. */
export interface Reader {
  read(statement: Sql): Promise<Row[]>;
  /**
   * All statements in one round trip and one snapshot, each with its own outcome. Absent where the statements share
   * a connection with writes, which must never be pipelined.
   *
   * @param timeoutMs how long each statement may run, since nobody waits for it longer
   */
  readTogether?(statements: readonly Sql[], timeoutMs: number): Promise<ReadOutcome[]>;
}

/** `ms`: from the answer before it to its own, since the statements are answered one after the other. */
export type ReadOutcome = { rows: Row[]; ms: number } | { error: unknown; ms: number };
