/**
 * One attempt of a unit of work.
 *
 * States: idle → (first call of `transaction()`) open → closed (accepts no statements) → committed | rolled back on
 * purpose (dry run) | aborted | unknown. An attempt that never calls `transaction()` begins none.
 */

import { rowTypes } from "../database/row-types.ts";
import { isConnectionLoss, mayBeCrash } from "../database/sql-errors.ts";
import type { Row } from "../eager-loading/answers.ts";
import type { Reader } from "../eager-loading/reader.ts";
import type { Sql } from "../eager-loading/sql.ts";
import { TransactionClosedError, TransactionState } from "./transaction-guard.ts";
import { findOutcome, type Outcome } from "./transaction-outcome.ts";
import { AbandonedError, type UnitOfWork, type UnitOfWorkOptions, type UnitOfWorkParts } from "./unit-of-work.ts";
import type { PrismaTransaction } from "./write-database.ts";

/** Prepared results by label, shared by all attempts of an operation. */
export type Preparations = Map<string, { result: Promise<unknown>; discard?: (result: unknown) => unknown }>;

/** Makes Prisma roll back the transaction of a dry run. */
const dryRunOver = new Error("The dry run has ended.");

export class Attempt<Repositories extends object> implements UnitOfWork {
  readonly name: string;
  readonly attempt: number;
  readonly reader: Reader;
  isWithoutPreparations = false;
  readonly #parts: UnitOfWorkParts<Repositories>;
  readonly #options: UnitOfWorkOptions;
  readonly #preparations: Preparations;
  readonly #endEffects: (() => void)[];
  readonly #state: TransactionState;
  readonly #commitEffects: (() => unknown)[] = [];
  readonly #abortEffects: (() => unknown)[] = [];
  #opened: Promise<PrismaTransaction> | undefined;
  /** Ends the open transaction: resolved to commit, rejected to roll back. */
  #verdict = Promise.withResolvers<void>();
  /** Settles when the transaction has ended. */
  #ended: Promise<void> = Promise.resolve();

  constructor(
    parts: UnitOfWorkParts<Repositories>,
    options: UnitOfWorkOptions,
    attempt: number,
    preparations: Preparations,
    endEffects: (() => void)[],
  ) {
    this.#parts = parts;
    this.#options = options;
    this.#preparations = preparations;
    this.#endEffects = endEffects;
    this.#state = new TransactionState(options.name, parts.probe, (id) => parts.database.operationOf(id));
    this.name = options.name;
    this.attempt = attempt;
    this.reader = { read: (statement) => this.#read(statement) };
    this.#verdict.promise.catch(() => {});
  }

  get statements(): number {
    return this.#state.statements;
  }

  /** Whether BEGIN succeeded. */
  get hasBegun(): boolean {
    return this.#state.id !== undefined;
  }

  get failure(): unknown {
    return this.#state.failure;
  }

  /** For the log: error detail of a deadlock, and our operations that were involved. */
  get collision(): { collision?: string; collidedWith?: string[] } {
    const { collision } = this.#state;
    return collision ? { collision: collision.detail, collidedWith: collision.with } : {};
  }

  withRepositories(): UnitOfWork & Repositories {
    return Object.assign(this, this.#parts.repositories(this));
  }

  transaction(): Promise<PrismaTransaction> {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  async write(statement: Sql): Promise<Row[]> {
    await this.transaction();
    return this.#query(statement);
  }

  prepare<Result>(label: string, make: () => Promise<Result>, discard?: (result: Result) => unknown): Promise<Result> {
    let known = this.#preparations.get(label);
    if (!known) {
      known = { result: make(), discard: discard && ((result) => discard(result as Result)) };
      this.#preparations.set(label, known);
    }
    return known.result as Promise<Result>;
  }

  afterCommit(effect: () => unknown): void {
    this.#commitEffects.push(effect);
  }

  afterAbort(effect: () => unknown): void {
    this.#abortEffects.push(effect);
  }

  afterEnd(effect: () => void): void {
    this.#endEffects.push(effect);
  }

  doWithoutPreparations(): void {
    this.isWithoutPreparations = true;
  }

  async run<Result>(work: () => Promise<Result>): Promise<Outcome<Result>> {
    const { signal } = this.#options;
    const abandon = () => {
      this.#state.abandoned ??= new AbandonedError("The client disconnected before the response.");
    };
    if (signal?.aborted) abandon();
    signal?.addEventListener("abort", abandon);
    const outcome = await this.#runAndEnd(work);
    signal?.removeEventListener("abort", abandon);
    if (outcome.kind === "committed") {
      await this.#state.probe("after_commit");
      await this.#runEffects(this.#commitEffects);
    } else if (outcome.kind !== "unknown") {
      await this.#runEffects(this.#abortEffects);
    }
    return outcome;
  }

  async #runAndEnd<Result>(work: () => Promise<Result>): Promise<Outcome<Result>> {
    let result: Result;
    try {
      if (this.#state.abandoned) throw this.#state.abandoned;
      result = await work();
      // Statements that the work did not await.
      await this.#state.settled();
      if (this.#state.failure !== undefined) throw this.#state.failure;
      if (this.#state.abandoned) throw this.#state.abandoned;
      if (this.#options.isDryRun) return await this.#endDryRun(result);
      if (this.#state.isClosed) throw new TransactionClosedError();
      await this.#state.probe("before_commit");
      this.#state.isClosed = true;
    } catch (error) {
      await this.#rollBack(error);
      return { kind: "aborted", error };
    }
    this.#verdict.resolve();
    try {
      await this.#ended;
      return { kind: "committed", result };
    } catch (error) {
      const { id: transactionId } = this.#state;
      const isAbort = !isConnectionLoss(error) && !mayBeCrash(error);
      if (isAbort || transactionId === undefined) return { kind: "aborted", error };
      const { database, limits, logger } = this.#parts;
      return findOutcome({ pool: database.pool, transactionId, result, error, waitMs: limits.timeoutMs, logger });
    }
  }

  /** Checks deferred constraints, as COMMIT would, and rolls back. */
  async #endDryRun<Result>(result: Result): Promise<Outcome<Result>> {
    if (this.#opened) await (await this.#opened).$executeRaw`set constraints all immediate`;
    await this.#rollBack(dryRunOver);
    return { kind: "dry-run", result };
  }

  async #rollBack(reason: unknown): Promise<void> {
    this.#state.isClosed = true;
    this.#verdict.reject(reason);
    await this.#ended.catch(() => {});
  }

  /** Prisma's transaction is a callback; this one stays open until the verdict. */
  #open(): Promise<PrismaTransaction> {
    if (this.#state.abandoned) return Promise.reject(this.#state.abandoned);
    if (this.#state.isClosed) return Promise.reject(new TransactionClosedError());
    const { database, limits } = this.#parts;
    const opened = Promise.withResolvers<PrismaTransaction>();
    const begin = async () => {
      await this.#state.probe("begin");
      await database.prisma.$transaction(
        async (transaction) => {
          opened.resolve(transaction);
          await this.#verdict.promise;
        },
        {
          maxWait: limits.waitMs,
          timeout: limits.timeoutMs,
          ...(this.#options.isolation ? { isolationLevel: this.#options.isolation } : {}),
        },
      );
    };
    this.#ended = database.noting(this.#state, begin);
    // If BEGIN fails, `transaction()` rejects; a later verdict has no effect.
    this.#ended.catch(opened.reject);
    return opened.promise;
  }

  async #read(statement: Sql): Promise<Row[]> {
    if (!this.#opened) {
      if (this.#state.abandoned) throw this.#state.abandoned;
      return this.#parts.reads.read(statement);
    }
    await this.#opened;
    return this.#query(statement);
  }

  #query({ text, values }: Sql): Promise<Row[]> {
    return this.#state.run(async () => {
      const { client } = this.#state;
      if (!client) throw new TransactionClosedError();
      return (await client.query({ text, values, types: rowTypes })).rows;
    });
  }

  async #runEffects(effects: readonly (() => unknown)[]): Promise<void> {
    for (const effect of effects) {
      try {
        await effect();
      } catch (error) {
        this.#parts.logger.error({ err: error, operation: this.name }, "an effect after commit or abort failed");
      }
    }
  }
}
