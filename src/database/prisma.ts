/**
 * Prisma over a pool of ours. Two things are added to what the adapter does: the pg connection of a transaction is
 * known, so that relations can read on it what the transaction wrote; and a transaction that has ended, or in which a
 * statement failed, takes no further statement (Prisma lets a multi-statement write run on after a timeout, even into
 * the next request's transaction on the same connection).
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { PrismaPg } from "@prisma/adapter-pg";
import type { SqlQuery, Transaction } from "@prisma/driver-adapter-utils";
import pg from "pg";
import { PrismaClient } from "./generated/prisma/client.ts";
import { omittedColumns } from "./generated/tables.ts";

/** What repositories are given: Prisma's client within one transaction, without the omitted columns. */
export type PrismaTransaction = Parameters<Parameters<WriteDatabase["prisma"]["$transaction"]>[0]>[0];

export type WritePoolOptions = {
  url: string;
  size: number;
  /** How long a transaction waits for a connection. */
  waitMs: number;
  statementTimeoutMs: number;
  transactionTimeoutMs: number;
  onError?: (error: Error) => void;
};

/** The connection of one transaction, and what became of it. */
export type TransactionState = {
  client?: pg.PoolClient;
  /** The first error of a statement: PostgreSQL ignores all that follows, and COMMIT would silently roll back. */
  failure?: unknown;
  isClosed: boolean;
  statements: number;
};

export class TransactionClosedError extends Error {
  override name = "TransactionClosedError";

  constructor() {
    super("The transaction has ended: this statement came too late and was not run.");
  }
}

const currentTransaction = new AsyncLocalStorage<TransactionState>();

export class WriteDatabase {
  readonly pool: pg.Pool;
  readonly prisma: PrismaClient<never, typeof omittedColumns>;

  constructor(options: WritePoolOptions) {
    this.pool = new NotingPool({
      connectionString: options.url,
      application_name: "lectern write",
      max: options.size,
      connectionTimeoutMillis: options.waitMs,
      keepAlive: true,
      // The database keeps the same limits, for the case that this process cannot.
      options: [
        `-c statement_timeout=${options.statementTimeoutMs}`,
        `-c idle_in_transaction_session_timeout=${options.transactionTimeoutMs + 1_000}`,
      ].join(" "),
    });
    this.pool.on("error", (error) => options.onError?.(error));
    this.prisma = new PrismaClient({ adapter: new GuardedPrismaPg(this.pool), omit: omittedColumns });
  }

  /** Runs `work` with a fresh state that the transaction opened inside it fills in. */
  noting<Result>(state: TransactionState, work: () => Result): Result {
    return currentTransaction.run(state, work);
  }

  async close(): Promise<void> {
    await this.prisma.$disconnect();
    await this.pool.end();
  }
}

class NotingPool extends pg.Pool {
  // biome-ignore lint/suspicious/noExplicitAny: connect has a form with a callback, which is passed on as it is.
  override connect(callback?: any): any {
    if (callback) return super.connect(callback);
    const state = currentTransaction.getStore();
    return super.connect().then((client) => {
      if (state) state.client = client;
      return client;
    });
  }
}

class GuardedPrismaPg extends PrismaPg {
  override async connect() {
    const adapter = await super.connect();
    const start = adapter.startTransaction.bind(adapter);
    adapter.startTransaction = async (isolation) => guard(await start(isolation), currentTransaction.getStore());
    return adapter;
  }
}

function guard(transaction: Transaction, state: TransactionState = { isClosed: false, statements: 0 }): Transaction {
  const guarded =
    <Result>(run: (query: SqlQuery) => Promise<Result>) =>
    async (query: SqlQuery): Promise<Result> => {
      const ends = /^\s*(commit|rollback)\s*$/i.test(query.sql);
      if (state.isClosed) throw new TransactionClosedError();
      if (ends) state.isClosed = true;
      else state.statements++;
      try {
        return await run(query);
      } catch (error) {
        state.failure ??= error;
        throw error;
      }
    };
  transaction.queryRaw = guarded(transaction.queryRaw.bind(transaction));
  transaction.executeRaw = guarded(transaction.executeRaw.bind(transaction));
  const release = (end: () => Promise<void>) => async () => {
    state.isClosed = true;
    await end();
  };
  transaction.commit = release(transaction.commit.bind(transaction));
  transaction.rollback = release(transaction.rollback.bind(transaction));
  return transaction;
}
