/**
 * The connections that queries read through: a few, each pipelined, each read-only by the database's own word, so
 * that losing one or repeating a statement can harm nothing.
 *
 * Statements go to the ready connection that answers soonest; when all are as deep as they may be, the read is refused,
 * since a longer queue would only make everybody late.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Row } from "../eager-loading/answers.ts";
import type { Reader, ReadOutcome } from "../eager-loading/reader.ts";
import type { Sql } from "../eager-loading/sql.ts";
import { ReadConnection, type ReadConnectionOptions, ReadOverloadError } from "./read-connection.ts";
import { isConnectionLoss } from "./sql-errors.ts";

export type ReadConnectionsOptions = ReadConnectionOptions & {
  /** How many connections. Two carry what a pool of ten does. */
  count: number;
};

export class ReadConnections implements Reader {
  readonly #connections: ReadConnection[];

  constructor(options: ReadConnectionsOptions) {
    this.#connections = Array.from({ length: options.count }, () => new ReadConnection(options));
  }

  read(statement: Sql): Promise<Row[]> {
    return this.#repeatable((connection) => connection.read(statement));
  }

  /** All statements in one flush, in one snapshot: REPEATABLE READ, READ ONLY. */
  readTogether(statements: readonly Sql[], timeoutMs?: number): Promise<ReadOutcome[]> {
    return this.#repeatable((connection) => connection.readTogether(statements, timeoutMs));
  }

  /** For health and metrics. */
  get state(): { ready: number; underWay: number } {
    return {
      ready: this.#connections.filter(({ isReady }) => isReady).length,
      underWay: this.#connections.reduce((sum, { depth }) => sum + depth, 0),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.close()));
  }

  /** A read that a lost connection took with it is repeated once, on another. */
  async #repeatable<Result>(read: (connection: ReadConnection) => Promise<Result>): Promise<Result> {
    // No await while one is free: the next to choose must see this one's statements.
    const connection = this.#leastBusy() ?? (await this.#firstReady());
    try {
      return await read(connection);
    } catch (error) {
      if (!isConnectionLoss(error)) throw error;
      // What broke one may have broken the others: by then they know.
      await pause(10, undefined, { ref: false });
      return read(this.#leastBusy(connection) ?? (await this.#firstReady(connection)));
    }
  }

  /**
   * The ready connection that answers soonest, as far as one can tell, or undefined when none is ready: not one where
   * a statement has been running for a while, since it holds up all behind it, and then the one with the fewest.
   *
   * @throws ReadOverloadError when some are ready, but all as deep as they may be
   */
  #leastBusy(except?: ReadConnection): ReadConnection | undefined {
    const ready = this.#candidates(except).filter(({ isReady }) => isReady);
    if (ready.length === 0) return undefined;
    const best = ready.reduce((one, other) => (other.load < one.load ? other : one));
    if (!best.canTakeMore) throw new ReadOverloadError("All read connections are busy.");
    return best;
  }

  async #firstReady(except?: ReadConnection): Promise<ReadConnection> {
    try {
      return await Promise.any(this.#candidates(except).map((connection) => connection.ready()));
    } catch (error) {
      throw (error as AggregateError).errors[0];
    }
  }

  /** All but one, unless it is the only one. */
  #candidates(except?: ReadConnection): ReadConnection[] {
    const others = this.#connections.filter((connection) => connection !== except);
    return others.length === 0 ? this.#connections : others;
  }
}
