/**
 * The unit of work, as services, repositories and the server see it: one transaction for one operation, which commits
 * once or not at all. docs/transactions.md states the guarantees for clients; runner.ts implements them.
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
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** The error of the first failed statement. The transaction cannot commit then, even if the work catches it. */
  readonly failure: unknown;
  /** Returns the transaction; the first call begins it. */
  transaction(): Promise<PrismaTransaction>;
  /** Runs a writing statement in the transaction, which it begins if necessary. Returns the statement's rows. */
  write(statement: Sql): Promise<Row[]>;
  /** Reads inside the transaction; before it has begun, on a read connection. */
  readonly reader: Reader;
  /**
   * Runs slow work that needs no transaction, once for all attempts: hashing a password, storing a received file.
   *
   * @param label identifies the result, so it contains everything that the result depends on
   * @param discard undoes the work if the operation's last attempt has certainly not committed
   */
  prepare<Result>(label: string, make: () => Promise<Result>, discard?: (result: Result) => unknown): Promise<Result>;
  /** Discards the prepared results after this attempt: an earlier request has executed the operation. */
  doWithoutPreparations(): void;
  /** Runs the effect when the commit is certain. A failure of the effect is only logged. */
  afterCommit(effect: () => unknown): void;
  /** Runs the effect when it is certain that this attempt did not commit; never if the outcome is unknown. */
  afterAbort(effect: () => unknown): void;
  /** Runs the effect when the last attempt has ended, whatever its outcome: memory of prepared results is given back. */
  afterEnd(effect: () => void): void;
}

/** The repositories of all slices. Each slice adds its own by declaration merging. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by the slices.
export interface Repositories {}

export type UnitOfWorkLimits = {
  /** Timeout for a connection. */
  waitMs: number;
  /** Timeout of the open transaction. */
  timeoutMs: number;
  maxAttempts: number;
  /** Time since the first attempt within which another may begin. */
  maxRetryMs: number;
};

export type UnitOfWorkOptions = {
  name: string;
  isolation?: Isolation;
  /** Aborted when the client disconnects; the work is rolled back. */
  signal?: AbortSignal;
  /** Runs everything, checks what COMMIT would check, and rolls back. */
  isDryRun?: boolean;
};

/** Every attempt collided with other transactions. */
export class RetriesExhaustedError extends Error {
  override name = "RetriesExhaustedError";
}

/** The connection broke at COMMIT, and the database did not report the outcome. */
export class UnknownOutcomeError extends Error {
  override name = "UnknownOutcomeError";
}

/** The client disconnected, so the work was rolled back. */
export class AbandonedError extends Error {
  override name = "AbandonedError";
}

export type RunUnitOfWork<Repositories> = <Result>(
  options: UnitOfWorkOptions,
  work: (uow: UnitOfWork & Repositories) => Promise<Result>,
) => Promise<Result>;

export type UnitOfWorkParts<Repositories> = {
  database: WriteDatabase;
  /** Reader for use before the transaction begins. */
  reads: Reader;
  /** Every slice's repositories, bound to one unit of work. */
  repositories: (uow: UnitOfWork) => Repositories;
  limits: UnitOfWorkLimits;
  logger: Logger;
  /** Called at each point of every transaction; may throw, wait, or end the process. */
  probe?: Probe;
};
