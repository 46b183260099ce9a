/**
 * What is known of one transaction while it runs, and the guard that stands before its statements.
 *
 * Life of a transaction: waiting (for a connection) → open → closed (takes no more statements) → ended (COMMIT or
 * ROLLBACK was answered). Prisma alone would let a multi-statement write run on after its transaction's timeout, even
 * into the next request's transaction on the same connection; the guard refuses such late statements. It also refuses
 * to call a transaction committed when PostgreSQL answered COMMIT with a silent ROLLBACK.
 */
import type { SqlQuery, Transaction } from "@prisma/driver-adapter-utils";
import type pg from "pg";
import { onDatabaseError, processIdOf, streamOf } from "../database/pg-internals.ts";

/** Something of the transaction is about to happen: tests fail or stop the work here, `CRASH_AT` ends the process. */
export type TransactionPoint = "begin" | "statement" | "before_commit" | "after_commit" | "before_answer";
export type Probe = (point: TransactionPoint, operation: string) => void | Promise<void>;

/** Ends the process, as a power cut would, when anything first comes to this point. */
export function crashAt(fatal: string): (point: string) => void {
  return (point) => {
    if (point === fatal) process.kill(process.pid, "SIGKILL");
  };
}

export class TransactionClosedError extends Error {
  override name = "TransactionClosedError";

  constructor() {
    super("The transaction has ended: this statement came too late and was not run.");
  }
}

export class TransactionState {
  /** The name of the operation, for whoever is blocked by it. */
  readonly operation: string;
  readonly #probe: Probe | undefined;
  readonly #operationOf: (processId: number) => string | undefined;
  client: pg.PoolClient | undefined;
  /** As SQL says it; undefined: the database's own. */
  isolation: string | undefined;
  /** By which the database can be asked later what became of the transaction. Known once it has begun. */
  id: string | undefined;
  /** The first error of a statement: PostgreSQL ignores all that follows, and COMMIT would silently roll back. */
  failure: unknown;
  /** What the database says of a collision, which process waited for which, and whose processes they were. */
  collision: { detail: string; with: string[] } | undefined;
  /** Why nobody wants the transaction any more; it takes no more statements and will not commit. */
  abandoned: Error | undefined;
  isClosed = false;
  statements = 0;
  #watchdog: NodeJS.Timeout | undefined;
  /** Settled when the statement before has been answered. */
  #turn: Promise<void> = Promise.resolve();

  /** @param operationOf names the operation of ours that runs on a connection, by its process in the database */
  constructor(
    operation: string,
    probe?: Probe,
    operationOf: (processId: number) => string | undefined = () => undefined,
  ) {
    this.operation = operation;
    this.#probe = probe;
    this.#operationOf = operationOf;
  }

  /** Lets a test act before a statement; nothing to wait for otherwise. */
  probe(point: TransactionPoint): void | Promise<void> {
    return this.#probe?.(point, this.operation);
  }

  /**
   * Sends a statement, if one may be sent now; in the same turn as it is admitted, before a ROLLBACK can slip in.
   *
   * @throws TransactionClosedError when it is late, which says nothing about the transaction
   */
  async run<Result>(send: () => Promise<Result>): Promise<Result> {
    const before = this.#turn;
    const { promise, resolve: passOn } = Promise.withResolvers<void>();
    this.#turn = promise;
    try {
      // One statement at a time: pg will take no second one while the first is under way.
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

  /** Waits until the statements that were sent, by whomever, have been answered. */
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

  /** Breaks the connection after so long: the only way out when the network swallows everything. */
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

/** The adapter drops the details of errors, where PostgreSQL says who blocked whom: so they are noted on their way in. */
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
      // A statement that nobody waited for failed before COMMIT: PostgreSQL has rolled back and calls that a success.
      if (state.failure === undefined) return result;
    } else {
      // Prisma sends no ROLLBACK after a COMMIT that was refused: it only gives the connection back.
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
