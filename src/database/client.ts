/**
 * Every connection to PostgreSQL is a DatabaseClient, alone or in a DatabasePool: nothing else makes one
 * (test/architecture.test.ts).
 *
 * A client emits `error` when its connection ends by itself: a failover, a restart, an administrator (57P01). Node ends
 * a process in which nobody listens for that. Listeners of borrowers are not enough: pg-pool takes its own off when it
 * hands a client out, a borrower adds one a microtask later at best, and a FATAL that arrives in one piece with the
 * ReadyForQuery before it is emitted in between.
 */
import pg from "pg";

export class DatabaseClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    // Heard, not handled: the statement under way, or else the next one, fails with the loss of the connection.
    this.on("error", () => {});
  }
}

export class DatabasePool extends pg.Pool {
  /** @param onError told of connections that ended while nobody had borrowed them; the pool opens others when asked */
  constructor(config: pg.PoolConfig, onError: (error: Error) => void, Client: typeof DatabaseClient = DatabaseClient) {
    super({ ...config, Client });
    this.on("error", onError);
  }
}
