/**
 * The unit of work, as services, repositories and the server see it: one transaction for one operation, which commits
 * once or not at all. docs/transactions.md says what clients may rely on; unit-of-work-runner.ts makes it so.
 */
import type { Logger } from "pino";
import type { Row } from "../eager-loading/answers.ts";
import type { Reader } from "../eager-loading/reader.ts";
import type { Sql } from "../eager-loading/sql.ts";
import type { Probe } from "./transaction-guard.ts";
import type { PrismaTransaction, WriteDatabase } from "./write-database.ts";

export type Isolation = "ReadCommitted" | "RepeatableRead" | "Serializable";

export interface UnitOfWork {
  /** The operation's name, for logs. */
  readonly name: string;
  /** 1 for the first try. */
  readonly attempt: number;
  /** The first statement of the transaction that failed; it will not commit then, whatever the work makes of it. */
  readonly failure: unknown;
  /** The transaction, begun by the first call. */
  transaction(): Promise<PrismaTransaction>;
  /** Runs a statement that writes, in the transaction, which it begins if need be. Returns the statement's rows. */
  write(statement: Sql): Promise<Row[]>;
  /** Reads what the transaction wrote; before it has begun, reads on a read-only connection of the pool. */
  readonly reader: Reader;
  /**
   * Slow work that needs no transaction and must not be repeated by a retry: a password's hash, a received file.
   *
   * @param label distinguishes it from other such work of the operation: it names all that the result depends on
   * @param discard undoes it when the operation, after its last try, has certainly not happened
   */
  prepare<Result>(label: string, make: () => Promise<Result>, discard?: (result: Result) => unknown): Promise<Result>;
  /** Says that this try needs nothing of what was prepared: the operation had happened before. It is then discarded. */
  doWithoutPreparations(): void;
  /** Runs when the commit is certain. Its failure is logged and changes nothing. */
  afterCommit(effect: () => unknown): void;
  /** Runs when it is certain that nothing was committed by this try; never when nobody knows. */
  afterAbort(effect: () => unknown): void;
}

/** The repositories of all slices. Each slice adds its own by declaration merging. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by the slices.
export interface Repositories {}

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
  /** Runs everything, checks what COMMIT would check, and rolls back. */
  isDryRun?: boolean;
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
  /** Told of the points of every transaction; may throw, wait, or end the process. */
  probe?: Probe;
};
