/**
 * A few pipelined connections for queries. Their sessions are read-only, so a statement of a lost connection can be
 * repeated.
 *
 * Each statement goes to the ready connection with the lowest load. If all are at their limit, the read is refused:
 * a longer queue would delay all reads.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Row } from "../eager-loading/answers.ts";
import type { Reader, ReadOutcome } from "../eager-loading/reader.ts";
import type { Sql } from "../eager-loading/sql.ts";
import { ReadConnection, type ReadConnectionOptions, ReadOverloadError } from "./read-connection.ts";
import { isConnectionLoss } from "./sql-errors.ts";

export type ReadConnectionsOptions = ReadConnectionOptions & {
  /** Number of connections. Two pipelined ones have the throughput of a pool of ten. */
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

  /** Runs all statements in one round trip and one snapshot (REPEATABLE READ, READ ONLY). */
  readTogether(statements: readonly Sql[], timeoutMs?: number): Promise<ReadOutcome[]> {
    return this.#repeatable((connection) => connection.readTogether(statements, timeoutMs));
  }

  /** Numbers of ready connections and of pending statements. */
  get state(): { ready: number; underWay: number } {
    return {
      ready: this.#connections.filter(({ isReady }) => isReady).length,
      underWay: this.#connections.reduce((sum, { depth }) => sum + depth, 0),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.close()));
  }

  /** Repeats a read once, on another connection, if its connection was lost. */
  async #repeatable<Result>(read: (connection: ReadConnection) => Promise<Result>): Promise<Result> {
    // No await while one is free: the next choice must count this read.
    const connection = this.#leastBusy() ?? (await this.#firstReady());
    try {
      return await read(connection);
    } catch (error) {
      if (!isConnectionLoss(error)) throw error;
      // Waits a moment: other connections may have failed too.
      await delay(10, undefined, { ref: false });
      return read(this.#leastBusy(connection) ?? (await this.#firstReady(connection)));
    }
  }

  /**
   * The ready connection with the lowest load; undefined if none is ready. Blocked connections count as fully loaded,
   * because a long statement delays all after it.
   *
   * @throws ReadOverloadError if all ready connections are at their limit
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

  /** All connections except one, unless it is the only one. */
  #candidates(except?: ReadConnection): ReadConnection[] {
    const others = this.#connections.filter((connection) => connection !== except);
    return others.length === 0 ? this.#connections : others;
  }
}
