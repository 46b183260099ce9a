/**
 * The state of one transaction, and the guard of its statements.
 *
 * States: waiting (for a connection) → open → closed (accepts no statements) → ended (COMMIT or ROLLBACK was answered).
 * Prisma alone would continue a write of several statements after the transaction's timeout, even inside the next
 * request's transaction on the same connection; the guard refuses late statements. It also reports a failure if
 * PostgreSQL answers COMMIT with a ROLLBACK, which Prisma takes for success.
 */
import type { SqlQuery, Transaction } from "@prisma/driver-adapter-utils";
import type pg from "pg";
import { onDatabaseError, processIdOf, streamOf } from "../database/pg-internals.ts";

/** Points of a transaction at which tests stop or fail the work, and `CRASH_AT` ends the process. */
export type TransactionPoint = "begin" | "statement" | "before_commit" | "after_commit" | "before_answer";
export type Probe = (point: TransactionPoint, operation: string) => void | Promise<void>;

/** Kills the process, like a power failure, when this point is first reached. */
export function crashAt(fatal: string): (point: string) => void {
  return (point) => {
    if (point === fatal) process.kill(process.pid, "SIGKILL");
  };
}

export class TransactionClosedError extends Error {
  override name = "TransactionClosedError";

  constructor() {
    super("The transaction has ended: this statement was too late and did not run.");
  }
}

export class TransactionState {
  /** The name of the operation, for the log of operations that it blocks. */
  readonly operation: string;
  readonly #probe: Probe | undefined;
  readonly #operationOf: (processId: number) => string | undefined;
  client: pg.PoolClient | undefined;
  /** SQL's name of the isolation level; undefined: the database's default. */
  isolation: string | undefined;
  /** Transaction id for `pg_xact_status`; set after BEGIN. */
  id: string | undefined;
  /** The first error of a statement. PostgreSQL refuses later statements, and COMMIT would silently roll back. */
  failure: unknown;
  /** Error detail of a deadlock, and our operations that were involved. */
  collision: { detail: string; with: string[] } | undefined;
  /** Why the transaction was abandoned; it accepts no statements and will not commit. */
  abandoned: Error | undefined;
  isClosed = false;
  statements = 0;
  #watchdog: NodeJS.Timeout | undefined;
  /** Settles when the previous statement has been answered. */
  #turn: Promise<void> = Promise.resolve();

  /** @param operationOf names our operation that runs in a process of the database */
  constructor(
    operation: string,
    probe?: Probe,
    operationOf: (processId: number) => string | undefined = () => undefined,
  ) {
    this.operation = operation;
    this.#probe = probe;
    this.#operationOf = operationOf;
  }

  /** Returns a promise only if a test makes the work wait. */
  probe(point: TransactionPoint): void | Promise<void> {
    return this.#probe?.(point, this.operation);
  }

  /**
   * Sends a statement if the transaction is open. Check and send are synchronous, so that no ROLLBACK comes between.
   *
   * @throws TransactionClosedError if the statement is late; this does not make the transaction fail
   */
  async run<Result>(send: () => Promise<Result>): Promise<Result> {
    const before = this.#turn;
    const { promise, resolve: passOn } = Promise.withResolvers<void>();
    this.#turn = promise;
    try {
      // One statement at a time: pg deprecates `query` during another query.
      await before;
      const pending = this.probe("statement");
      if (pending) await pending;
      if (this.abandoned) throw this.abandoned;
      if (this.isClosed) throw new TransactionClosedError();
      this.statements++;
      return await send();
    } catch (error) {
      if (!(error instanceof TransactionClosedError) && error !== this.abandoned) this.#fail(error);
      throw error;
    } finally {
      passOn();
    }
  }

  /** Resolves when all sent statements have been answered. */
  async settled(): Promise<void> {
    await this.#turn;
  }

  #fail(error: unknown): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    const detail = this.client && lastErrorDetails.get(this.client);
    const own = this.client && processIdOf(this.client);
    const blockers = [...(detail?.matchAll(/blocked by process (\d+)/g) ?? [])].map(([, id]) => Number(id));
    if (!detail || blockers.length === 0) return;
    const others = blockers.filter((id) => id !== own);
    this.collision = { detail, with: others.map((id) => this.#operationOf(id) ?? `process ${id}`) };
  }

  /** Breaks the connection after `ms`: nothing else ends a transaction if the network drops packets. */
  watch(ms: number): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.breakConnection(), ms);
  }

  ended(): void {
    this.isClosed = true;
    clearTimeout(this.#watchdog);
  }

  breakConnection(): void {
    if (this.client) streamOf(this.client).destroy();
  }
}

/** Details of errors, which name the processes in a deadlock. The adapter drops them, so they are recorded here. */
const lastErrorDetails = new WeakMap<object, string>();

export function noteErrorDetails(client: pg.PoolClient): void {
  onDatabaseError(client, ({ detail }) => {
    if (detail) lastErrorDetails.set(client, detail);
    else lastErrorDetails.delete(client);
  });
}

export function guard(transaction: Transaction, state: TransactionState): Transaction {
  const [query, execute] = [transaction.queryRaw.bind(transaction), transaction.executeRaw.bind(transaction)];
  const guarded =
    <Result>(run: (query: SqlQuery) => Promise<Result>) =>
    async (statement: SqlQuery): Promise<Result> => {
      if (/^\s*commit\s*$/i.test(statement.sql)) return commit(() => run(statement));
      if (/^\s*rollback\s*$/i.test(statement.sql)) return rollback(() => run(statement));
      return state.run(() => run(statement));
    };
  const commit = async <Result>(run: () => Promise<Result>): Promise<Result> => {
    state.isClosed = true;
    const obstacle = state.abandoned ?? state.failure;
    if (obstacle === undefined) {
      const result = await run();
      // A statement that was not awaited failed before COMMIT, so PostgreSQL answered COMMIT with a ROLLBACK.
      if (state.failure === undefined) return result;
    } else {
      // After a refused COMMIT, Prisma sends no ROLLBACK: it only releases the connection.
      await execute({ sql: "ROLLBACK", args: [], argTypes: [] });
    }
    throw obstacle ?? state.failure;
  };
  const rollback = <Result>(run: () => Promise<Result>): Promise<Result> => {
    state.isClosed = true;
    return run();
  };
  transaction.queryRaw = guarded(query);
  transaction.executeRaw = guarded(execute);
  const releasing = (release: () => Promise<void>) => async () => {
    state.ended();
    await release();
  };
  transaction.commit = releasing(transaction.commit.bind(transaction));
  transaction.rollback = releasing(transaction.rollback.bind(transaction));
  return transaction;
}
