/**
 * The connections that queries read through: a few, each pipelined, each read-only by the database's own word, so
 * that losing one or repeating a statement can harm nothing.
 *
 * Life of a connection: connecting → ready → lost → (after a pause that doubles) connecting. Statements go to the
 * ready connection with the fewest under way; when all are as deep as they may be, the read is refused, since
 * a longer queue would only make everybody late.
 */
import { createHash } from "node:crypto";
import pg from "pg";
import type { Reader, ReadOutcome } from "../eager-loading/loaders.ts";
import type { Sql } from "../eager-loading/sql.ts";
import { isConnectionLoss } from "./sql-errors.ts";

export type ReadConnectionsOptions = {
  url: string;
  /** How many connections. Two carry what a pool of ten does. */
  count: number;
  /** Statements under way on one connection at most. */
  maxDepth: number;
  statementTimeoutMs: number;
  connectTimeoutMs: number;
  onError?: (error: Error) => void;
};

/** No connection can take more, or none is there. */
export class ReadOverloadError extends Error {
  override name = "ReadOverloadError";
}

type Row = Record<string, unknown>;

export class ReadConnections implements Reader {
  readonly #connections: ReadConnection[];

  constructor(options: ReadConnectionsOptions) {
    this.#connections = Array.from({ length: options.count }, () => new ReadConnection(options));
  }

  read(statement: Sql): Promise<Row[]> {
    return this.#repeatable((connection) => connection.read(statement));
  }

  /** All statements in one flush, in one snapshot: REPEATABLE READ, READ ONLY. */
  readTogether(statements: readonly Sql[]): Promise<ReadOutcome[]> {
    return this.#repeatable((connection) => connection.readTogether(statements));
  }

  /** For health and metrics. */
  get state(): { ready: number; underWay: number } {
    return {
      ready: this.#connections.filter(({ isReady }) => isReady).length,
      underWay: this.#connections.reduce((sum, { depth }) => sum + depth, 0),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.close()));
  }

  /** A read that a lost connection took with it is repeated once, on another. */
  async #repeatable<Result>(read: (connection: ReadConnection) => Promise<Result>): Promise<Result> {
    // No await while one is free: the next to choose must see this one's statements.
    const connection = this.#leastBusy() ?? (await this.#firstReady());
    try {
      return await read(connection);
    } catch (error) {
      if (!isConnectionLoss(error)) throw error;
      // What broke one may have broken the others: by then they know.
      await pause(10);
      return read(this.#leastBusy(connection) ?? (await this.#firstReady(connection)));
    }
  }

  /**
   * The ready connection with the fewest statements under way, or undefined when none is ready.
   *
   * @throws ReadOverloadError when some are ready, but all as deep as they may be
   */
  #leastBusy(except?: ReadConnection): ReadConnection | undefined {
    const ready = this.#candidates(except).filter(({ isReady }) => isReady);
    if (ready.length === 0) return undefined;
    const best = ready.reduce((one, other) => (other.depth < one.depth ? other : one));
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

  /** All but one, unless it is the only one. */
  #candidates(except?: ReadConnection): ReadConnection[] {
    const others = this.#connections.filter((connection) => connection !== except);
    return others.length === 0 ? this.#connections : others;
  }
}

/** Named statements live in the server's memory, one set per connection: so many at most, the rest go unnamed. */
const maxNamedStatements = 500;

class ReadConnection {
  depth = 0;
  readonly #options: ReadConnectionsOptions;
  readonly #named = new Set<string>();
  #client: pg.Client | undefined;
  #connecting: Promise<ReadConnection> | undefined;
  #failures = 0;
  #isClosed = false;

  constructor(options: ReadConnectionsOptions) {
    this.#options = options;
    this.ready().catch(() => {});
  }

  get isReady(): boolean {
    return this.#client !== undefined;
  }

  get canTakeMore(): boolean {
    return this.isReady && this.depth < this.#options.maxDepth;
  }

  ready(): Promise<ReadConnection> {
    if (this.#client) return Promise.resolve(this);
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async read(statement: Sql): Promise<Row[]> {
    const client = this.#requireClient();
    this.depth++;
    try {
      return (await client.query(this.#query(statement))).rows;
    } finally {
      this.depth--;
    }
  }

  async readTogether(statements: readonly Sql[]): Promise<ReadOutcome[]> {
    const client = this.#requireClient();
    const weight = statements.length + 2;
    this.depth += weight;
    try {
      // Queued in one turn of the event loop, so that nobody's statement comes between; corked, so that all leave as one.
      const { stream } = (client as unknown as { connection: { stream: import("node:net").Socket } }).connection;
      stream.cork();
      let answeredAt = performance.now();
      const timed = async (query: pg.QueryConfig) => {
        const { rows } = await client.query<Row>(query);
        const ms = performance.now() - answeredAt;
        answeredAt += ms;
        return { rows, ms };
      };
      // Not timed: its answer comes with the first read's, and so does the time that the way took.
      const begin = client.query({ name: "begin", text: "begin isolation level repeatable read read only" });
      const reads = statements.map((statement) => timed(this.#query(statement)));
      const commit = client.query({ name: "commit", text: "commit" });
      stream.uncork();
      const [begun, ended, ...outcomes] = await Promise.allSettled([begin, commit, ...reads]);
      // After a lost connection nothing of it holds, and the whole may be repeated.
      for (const outcome of [begun, ended, ...outcomes]) {
        if (outcome.status === "rejected" && isConnectionLoss(outcome.reason)) throw outcome.reason;
      }
      if (begun.status === "rejected") throw begun.reason;
      return outcomes.map((outcome) => (outcome.status === "fulfilled" ? outcome.value : { error: outcome.reason }));
    } finally {
      this.depth -= weight;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#connecting?.catch(() => {});
    const client = this.#client;
    this.#client = undefined;
    await client?.end();
  }

  async #connect(): Promise<ReadConnection> {
    if (this.#isClosed) throw new ReadOverloadError("The read connections are closed.");
    if (this.#failures > 0) await pause(Math.min(50 * 2 ** (this.#failures - 1), 2_000));
    const { url, statementTimeoutMs, connectTimeoutMs, onError } = this.#options;
    const client = new pg.Client({
      connectionString: url,
      application_name: "lectern read",
      connectionTimeoutMillis: connectTimeoutMs,
      keepAlive: true,
      pipeline: true,
      options: `-c default_transaction_read_only=on -c statement_timeout=${statementTimeoutMs}`,
      types: rowTypes,
    } as pg.ClientConfig);
    client.on("error", (error) => {
      onError?.(error);
      this.#lose(client);
    });
    client.on("end", () => this.#lose(client));
    try {
      await client.connect();
    } catch (error) {
      this.#failures++;
      throw error;
    }
    this.#failures = 0;
    this.#named.clear();
    this.#client = client;
    return this;
  }

  #lose(client: pg.Client): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    client.end().catch(() => {});
    if (!this.#isClosed) this.ready().catch(() => {});
  }

  #requireClient(): pg.Client {
    if (!this.#client) throw new Error("Connection terminated: reconnecting.");
    return this.#client;
  }

  #query({ text, values }: Sql): pg.QueryConfig {
    const name = nameOf(text);
    if (!this.#named.has(name)) {
      if (this.#named.size >= maxNamedStatements) return { text, values };
      this.#named.add(name);
    }
    return { name, text, values };
  }
}

const names = new Map<string, string>();

/** The same text has the same name on every connection, and is parsed by the server once on each. */
function nameOf(text: string): string {
  let name = names.get(text);
  if (!name) {
    if (names.size > 10_000) names.clear();
    name = createHash("sha1").update(text).digest("base64url");
    names.set(text, name);
  }
  return name;
}

const pause = (ms: number) => new Promise((resume) => setTimeout(resume, ms).unref());

const bigintType = 20;

/** Rows hold what Prisma's model types say: bigint for int8, Date for timestamptz, numbers for floats. */
export const rowTypes: pg.CustomTypesConfig = {
  getTypeParser: ((type: number, format?: "text" | "binary") =>
    type === bigintType ? BigInt : pg.types.getTypeParser(type, format)) as pg.CustomTypesConfig["getTypeParser"],
};
