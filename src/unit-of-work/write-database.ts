/**
 * Prisma over a pool. It adds three things to Prisma's adapter: the pg connection of each transaction, on which
 * relations read the transaction's writes; a guard of each transaction's statements (transaction-guard.ts); and a check
 * that no connection returns to the pool inside a transaction.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { PrismaPg } from "@prisma/adapter-pg";
import type pg from "pg";
import { DatabaseClient, DatabasePool } from "../database/client.ts";
import { PrismaClient } from "../database/generated/prisma/client.ts";
import { omittedColumns } from "../database/generated/tables.ts";
import { isEnding, processIdOf } from "../database/pg-internals.ts";
import { sessionSettings } from "../database/session-settings.ts";
import { guard, noteErrorDetails, TransactionState } from "./transaction-guard.ts";

/** Prisma's client within one transaction, without the omitted columns, for repositories. */
export type PrismaTransaction = Parameters<Parameters<WriteDatabase["prisma"]["$transaction"]>[0]>[0];

export type WritePoolOptions = {
  url: string;
  size: number;
  /** Timeout for a connection. */
  waitMs: number;
  /** Maximum number of transactions that wait for a connection; more are refused. Default: unlimited. */
  queueLength?: number;
  lockTimeoutMs: number;
  statementTimeoutMs: number;
  transactionTimeoutMs: number;
  onError?: (error: Error) => void;
};

/** No connection is free, and the queue is full. */
export class WriteOverloadError extends Error {
  override name = "WriteOverloadError";
}

/** Time after which the database enforces this process's limits. */
const serverGraceMs = 1_000;
/** Time after which the connection is broken, because not even the database's error arrives. */
const networkGraceMs = 2_000;

const currentTransaction = new AsyncLocalStorage<TransactionState>();

export class WriteDatabase {
  readonly pool: pg.Pool;
  readonly prisma: PrismaClient<never, typeof omittedColumns>;
  readonly #open: Map<number, TransactionState>;

  constructor(options: WritePoolOptions) {
    const config: pg.PoolConfig = {
      // The database enforces the same limits, in case this process cannot.
      ...sessionSettings(options.url, {
        statement_timeout: options.statementTimeoutMs,
        lock_timeout: options.lockTimeoutMs,
        idle_in_transaction_session_timeout: options.transactionTimeoutMs + serverGraceMs,
      }),
      application_name: "lectern write",
      max: options.size,
      connectionTimeoutMillis: options.waitMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      // Only PostgreSQL 17 and later have this setting; earlier ones refuse a connection with it.
      onConnect: async (client: pg.ClientBase) => {
        await client.query("select set_config(name, $1, false) from pg_settings where name = 'transaction_timeout'", [
          String(options.transactionTimeoutMs + serverGraceMs),
        ]);
      },
    };
    const pool = new NotingPool(config, options);
    pool.on("connect", noteErrorDetails);
    pool.on("release", (_error, client) => closeIfInTransaction(client));
    this.pool = pool;
    this.#open = pool.open;
    this.prisma = new PrismaClient({
      adapter: new GuardedPrismaPg(pool, options.waitMs, options.transactionTimeoutMs),
      omit: omittedColumns,
    });
  }

  /** Runs `work`; a transaction that it opens records its connection and id in `state`. */
  noting<Result>(state: TransactionState, work: () => Result): Result {
    return currentTransaction.run(state, work);
  }

  /** The operation of this server that runs in the given process of the database. */
  operationOf(processId: number): string | undefined {
    return this.#open.get(processId)?.operation;
  }

  async close(): Promise<void> {
    await this.prisma.$disconnect();
    await this.pool.end();
  }
}

/** Its next user would otherwise run statements inside another operation's transaction. */
function closeIfInTransaction(client: pg.PoolClient): void {
  if (client.getTransactionStatus() === "I" || isEnding(client)) return;
  // The pool drops a client that is ending.
  void client.end();
}

/** Combines BEGIN with the isolation level and the transaction's id: separate statements would cost round trips. */
class WriteClient extends DatabaseClient {
  // biome-ignore lint/suspicious/noExplicitAny: query has many overloads, whose parameters are passed through.
  override query(...parameters: any[]): any {
    const state = currentTransaction.getStore();
    const query = super.query.bind(this) as (...parameters: unknown[]) => unknown;
    if (!state || parameters[0]?.text !== "BEGIN") return query(...parameters);
    const begin = state.isolation ? `BEGIN ISOLATION LEVEL ${state.isolation}` : "BEGIN";
    const answers = query(`${begin}; SELECT pg_current_xact_id()::text AS id`) as Promise<
      [pg.QueryResult, pg.QueryResult]
    >;
    return answers.then(([begun, { rows }]) => {
      state.id = rows[0].id;
      return begun;
    });
  }
}

class NotingPool extends DatabasePool {
  readonly open = new Map<number, TransactionState>();
  readonly #queueLength: number;

  constructor(config: pg.PoolConfig, { onError, queueLength }: Pick<WritePoolOptions, "onError" | "queueLength">) {
    super(config, (error) => onError?.(error), WriteClient);
    this.#queueLength = queueLength ?? Number.POSITIVE_INFINITY;
    this.on("release", (_error, client) => this.open.delete(processIdOf(client)));
  }

  // biome-ignore lint/suspicious/noExplicitAny: connect has an overload with a callback, which is passed through.
  override connect(callback?: any): any {
    if (callback) return super.connect(callback);
    // Requests that will get an idle connection also enter the queue briefly.
    if (this.waitingCount >= this.#queueLength + this.idleCount && this.totalCount === this.options.max) {
      return Promise.reject(new WriteOverloadError("The queue of transactions that wait for a connection is full."));
    }
    const state = currentTransaction.getStore();
    return super.connect().then((client) => {
      if (!state) return client;
      state.client = client;
      this.open.set(processIdOf(client), state);
      return client;
    });
  }
}

class GuardedPrismaPg extends PrismaPg {
  readonly #waitMs: number;
  readonly #timeoutMs: number;

  constructor(pool: pg.Pool, waitMs: number, timeoutMs: number) {
    super(pool);
    this.#waitMs = waitMs;
    this.#timeoutMs = timeoutMs;
  }

  override async connect() {
    const adapter = await super.connect();
    const start = adapter.startTransaction.bind(adapter);
    adapter.startTransaction = async (isolation) => {
      const state = currentTransaction.getStore() ?? new TransactionState("unnamed");
      state.isolation = isolation;
      state.watch(this.#waitMs + networkGraceMs);
      try {
        const transaction = guard(await currentTransaction.run(state, start), state);
        state.watch(this.#timeoutMs + networkGraceMs);
        return transaction;
      } catch (error) {
        state.ended();
        throw error;
      }
    };
    return adapter;
  }
}
