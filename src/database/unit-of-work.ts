/**
 * The unit of work: one transaction for one operation, which commits once or not at all.
 *
 * Life of one: idle → (first call of `transaction()`) open → committing → committed | aborted | unknown. An operation
 * that never asks for its transaction never has one. When another transaction was in the way (SQLSTATE 40001, 40P01)
 * the whole work runs again, with a new transaction and new repositories; only what `prepare` made is kept.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "pino";
import type { Reader } from "../eager-loading/loaders.ts";
import type { Sql } from "../eager-loading/sql.ts";
import { type PrismaTransaction, TransactionClosedError, type TransactionState, type WriteDatabase } from "./prisma.ts";
import { rowTypes } from "./read-connections.ts";
import { isConnectionLoss, isRetryable, sqlStateOf } from "./sql-errors.ts";

export type Isolation = "ReadCommitted" | "RepeatableRead" | "Serializable";

export interface UnitOfWork {
  /** The operation's name, for logs. */
  readonly name: string;
  /** 1 for the first try. */
  readonly attempt: number;
  /** The transaction, begun by the first call. */
  transaction(): Promise<PrismaTransaction>;
  /** Reads what the transaction wrote; before it has begun, reads without holding a connection. */
  readonly reader: Reader;
  /**
   * Slow work that needs no transaction and must not be repeated by a retry: a password's hash, a received file.
   *
   * @param label distinguishes it from other such work of the operation
   */
  prepare<Result>(label: string, make: () => Promise<Result>): Promise<Result>;
  /** Runs when the commit is certain. Its failure is logged and changes nothing. */
  afterCommit(effect: () => unknown): void;
  /** Runs when it is certain that nothing was committed; never when nobody knows. */
  afterAbort(effect: () => unknown): void;
}

export type UnitOfWorkLimits = {
  /** How long the transaction waits for a connection, and how long it may then be open. */
  waitMs: number;
  timeoutMs: number;
  /** Tries of the whole operation, and the time within which another may begin. */
  maxAttempts: number;
  maxRetryMs: number;
};

export type UnitOfWorkOptions = {
  name: string;
  isolation?: Isolation;
  /** Aborted when nobody waits for the answer any more: the work is then undone. */
  signal?: AbortSignal;
};

/** Other transactions were in the way at every try. */
export class RetriesExhaustedError extends Error {
  override name = "RetriesExhaustedError";
}

/** The connection broke at COMMIT, and the database could not be asked what became of it. */
export class UnknownOutcomeError extends Error {
  override name = "UnknownOutcomeError";
}

/** The client hung up, so the work was undone. */
export class AbandonedError extends Error {
  override name = "AbandonedError";
}

export type RunUnitOfWork<Repositories> = <Result>(
  options: UnitOfWorkOptions,
  work: (uow: UnitOfWork & Repositories) => Promise<Result>,
) => Promise<Result>;

export type UnitOfWorkParts<Repositories> = {
  database: WriteDatabase;
  /** Used before the transaction has begun. */
  reads: Reader;
  /** Every slice's repositories, bound to one unit of work. */
  repositories: (uow: UnitOfWork) => Repositories;
  limits: UnitOfWorkLimits;
  logger: Logger;
};

export function unitOfWorkRunner<Repositories extends object>(
  parts: UnitOfWorkParts<Repositories>,
): RunUnitOfWork<Repositories> {
  return async (options, work) => {
    const { limits, logger } = parts;
    const prepared = new Map<string, Promise<unknown>>();
    const started = performance.now();
    for (let attempt = 1; ; attempt++) {
      const attempted = new Attempt(parts, options, attempt, prepared);
      const outcome = await attempted.run(async () => work(attempted.withRepositories()));
      const ms = performance.now() - started;
      const log = { operation: options.name, attempt, statements: attempted.statements, ms, outcome: outcome.kind };
      if (outcome.kind === "committed") {
        logger.debug(log, "unit of work");
        return outcome.result;
      }
      const { error } = outcome;
      const again = outcome.kind === "aborted" && causesOf(error).some(isRetryable);
      logger.info({ ...log, sqlState: sqlStateOf(error), err: error, again }, "unit of work undone");
      if (!again) throw error;
      if (attempt >= limits.maxAttempts || ms > limits.maxRetryMs) {
        throw new RetriesExhaustedError("Others were changing the same rows at every try.", { cause: error });
      }
      // Full jitter: whoever collided must not collide again.
      await pause(Math.random() * 10 * 2 ** attempt);
    }
  };
}

/** The errors behind an error that stands for several. */
function causesOf(error: unknown): unknown[] {
  const causes = (error as { causes?: unknown[] } | null)?.causes;
  return Array.isArray(causes) ? [error, ...causes] : [error];
}

type Outcome<Result> = { kind: "committed"; result: Result } | { kind: "aborted" | "unknown"; error: unknown };

class Attempt<Repositories extends object> implements UnitOfWork {
  readonly name: string;
  readonly attempt: number;
  readonly reader: Reader;
  readonly #parts: UnitOfWorkParts<Repositories>;
  readonly #options: UnitOfWorkOptions;
  readonly #prepared: Map<string, Promise<unknown>>;
  readonly #state: TransactionState = { isClosed: false, statements: 0 };
  readonly #commitEffects: (() => unknown)[] = [];
  readonly #abortEffects: (() => unknown)[] = [];
  #opened: Promise<PrismaTransaction> | undefined;
  /** Lets the open transaction end: resolved to commit, rejected to roll back. */
  #verdict = Promise.withResolvers<void>();
  /** Settled when the transaction has ended. */
  #ended: Promise<void> = Promise.resolve();

  constructor(
    parts: UnitOfWorkParts<Repositories>,
    options: UnitOfWorkOptions,
    attempt: number,
    prepared: Map<string, Promise<unknown>>,
  ) {
    this.#parts = parts;
    this.#options = options;
    this.#prepared = prepared;
    this.name = options.name;
    this.attempt = attempt;
    this.reader = { read: (statement) => this.#read(statement) };
    this.#verdict.promise.catch(() => {});
  }

  get statements(): number {
    return this.#state.statements;
  }

  withRepositories(): UnitOfWork & Repositories {
    return Object.assign(this, this.#parts.repositories(this));
  }

  transaction(): Promise<PrismaTransaction> {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  prepare<Result>(label: string, make: () => Promise<Result>): Promise<Result> {
    const known = this.#prepared.get(label) ?? make();
    this.#prepared.set(label, known);
    return known as Promise<Result>;
  }

  afterCommit(effect: () => unknown): void {
    this.#commitEffects.push(effect);
  }

  afterAbort(effect: () => unknown): void {
    this.#abortEffects.push(effect);
  }

  async run<Result>(work: () => Promise<Result>): Promise<Outcome<Result>> {
    const outcome = await this.#runAndEnd(work);
    if (outcome.kind === "committed") await this.#runEffects(this.#commitEffects);
    if (outcome.kind === "aborted") await this.#runEffects(this.#abortEffects);
    return outcome;
  }

  async #runAndEnd<Result>(work: () => Promise<Result>): Promise<Outcome<Result>> {
    let result: Result;
    let transactionId: string | null = null;
    try {
      result = await work();
      if (this.#state.failure !== undefined) throw this.#state.failure;
      if (this.#options.signal?.aborted) throw new AbandonedError("The client hung up before the answer.");
      transactionId = await this.#transactionId();
    } catch (error) {
      this.#verdict.reject(error);
      await this.#ended.catch(() => {});
      this.#state.isClosed = true;
      return { kind: "aborted", error };
    }
    this.#verdict.resolve();
    try {
      await this.#ended;
      return { kind: "committed", result };
    } catch (error) {
      if (!isConnectionLoss(error) || transactionId === null) return { kind: "aborted", error };
      return this.#resolveUnknown(result, transactionId, error);
    } finally {
      this.#state.isClosed = true;
    }
  }

  /** Prisma wants a callback around the transaction; here the transaction stays open until the verdict is in. */
  #open(): Promise<PrismaTransaction> {
    if (this.#state.isClosed) return Promise.reject(new TransactionClosedError());
    const { database, limits } = this.#parts;
    const opened = Promise.withResolvers<PrismaTransaction>();
    this.#ended = database.noting(this.#state, () =>
      database.prisma.$transaction(
        async (transaction) => {
          opened.resolve(transaction as unknown as PrismaTransaction);
          await this.#verdict.promise;
        },
        {
          maxWait: limits.waitMs,
          timeout: limits.timeoutMs,
          ...(this.#options.isolation ? { isolationLevel: this.#options.isolation } : {}),
        },
      ),
    );
    // A transaction that could not begin fails whoever asked for it; the verdict then finds it ended already.
    this.#ended.catch(opened.reject);
    return opened.promise;
  }

  async #read(statement: Sql): Promise<Record<string, unknown>[]> {
    if (!this.#opened) return this.#parts.reads.read(statement);
    await this.#opened;
    const { client } = this.#state;
    if (this.#state.isClosed || !client) throw new TransactionClosedError();
    this.#state.statements++;
    try {
      const { text, values } = statement;
      return (await client.query({ text, values, types: rowTypes })).rows;
    } catch (error) {
      this.#state.failure ??= error;
      throw error;
    }
  }

  /** By which the database can be asked later what became of the transaction; null when it wrote nothing. */
  async #transactionId(): Promise<string | null> {
    if (!this.#opened) return null;
    await this.#opened;
    const { client } = this.#state;
    if (this.#state.isClosed || !client) throw new TransactionClosedError();
    const { rows } = await client.query("select pg_current_xact_id_if_assigned()::text as id");
    return rows[0].id;
  }

  /** COMMIT was sent and the connection broke: ask the database, on another one, what became of the transaction. */
  async #resolveUnknown<Result>(result: Result, transactionId: string, error: unknown): Promise<Outcome<Result>> {
    for (let tries = 0; tries < 10; tries++) {
      try {
        const { rows } = await this.#parts.database.pool.query("select pg_xact_status($1::xid8) as status", [
          transactionId,
        ]);
        if (rows[0].status === "committed") return { kind: "committed", result };
        if (rows[0].status === "aborted") return { kind: "aborted", error };
      } catch (failure) {
        this.#parts.logger.warn({ err: failure, transactionId }, "asking for a transaction's outcome failed");
      }
      await pause(50 * (tries + 1));
    }
    return {
      kind: "unknown",
      error: new UnknownOutcomeError("The connection to the database broke at the end; it may have committed.", {
        cause: error,
      }),
    };
  }

  async #runEffects(effects: readonly (() => unknown)[]): Promise<void> {
    for (const effect of effects) {
      try {
        await effect();
      } catch (error) {
        this.#parts.logger.error({ err: error, operation: this.name }, "an effect after the unit of work failed");
      }
    }
  }
}
