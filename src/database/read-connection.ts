/**
 * One pipelined, read-only connection.
 *
 * States: connecting → ready → lost (the socket broke, or was destroyed because the database was silent) → connecting
 * again after an exponential backoff. `close` ends the cycle.
 */
import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import type { Row } from "../eager-loading/answers.ts";
import type { ReadOutcome } from "../eager-loading/reader.ts";
import { plannedEachTime, type Sql } from "../eager-loading/sql.ts";
import { DatabaseClient } from "./client.ts";
import { streamOf } from "./pg-internals.ts";
import { rowTypes } from "./row-types.ts";
import { sessionSettings } from "./session-settings.ts";
import { isConnectionLoss } from "./sql-errors.ts";
import { endClient } from "./with-client.ts";

export type ReadConnectionOptions = {
  url: string;
  /** Maximum number of pending statements on one connection. */
  maxDepth: number;
  statementTimeoutMs: number;
  connectTimeoutMs: number;
  onError?: (error: Error) => void;
};

/** All connections are at their limit, or closed. */
export class ReadOverloadError extends Error {
  override name = "ReadOverloadError";
}

/** Bounds PostgreSQL's memory: every connection has its own named statements. Further ones are sent unnamed. */
const maxNamedStatements = 500;
/** Longer texts are rarely repeated and need much memory. */
const longestNamed = 8_000;
/** Age of the oldest statement after which a connection counts as blocked. */
const blockedMs = 50;

/** Time beyond the statement timeout for which the database may be silent, and interval of the check. */
const graceMs = 1_000;

export class ReadConnection {
  readonly #options: ReadConnectionOptions;
  readonly #named = new Set<string>();
  /** Times at which the pending statements were sent. PostgreSQL answers them in order, so the first is the oldest. */
  readonly #pending: number[] = [];
  #client: pg.Client | undefined;
  #connecting: Promise<ReadConnection> | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  /** Time of the last data from the database. */
  #heardAt = 0;
  #failures = 0;
  #isClosed = false;

  constructor(options: ReadConnectionOptions) {
    this.#options = options;
    this.#reconnect();
  }

  get isReady(): boolean {
    return this.#client !== undefined;
  }

  get depth(): number {
    return this.#pending.length;
  }

  get load(): number {
    const isBlocked = this.#pending[0] !== undefined && performance.now() - this.#pending[0] > blockedMs;
    return isBlocked ? this.depth + this.#options.maxDepth : this.depth;
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
    return (await this.#send(this.#requireClient(), this.#query(statement))).rows;
  }

  async readTogether(statements: readonly Sql[], timeoutMs?: number): Promise<ReadOutcome[]> {
    const client = this.#requireClient();
    let answeredAt = performance.now();
    const timed = async (query: pg.QueryConfig): Promise<ReadOutcome> => {
      const outcome = await this.#send(client, query).then(
        ({ rows }) => ({ rows }),
        (error: unknown) => ({ error }),
      );
      const ms = performance.now() - answeredAt;
      answeredAt += ms;
      return { ...outcome, ms };
    };
    // Queued synchronously, so that no other statement comes between; corked, so that all are sent in one write.
    const stream = streamOf(client);
    const frame: Promise<unknown>[] = [];
    const reads: Promise<ReadOutcome>[] = [];
    stream.cork();
    try {
      // Not timed: the first read's time includes them and the network latency.
      frame.push(this.#send(client, { name: "begin", text: "begin isolation level repeatable read read only" }));
      if (timeoutMs !== undefined) {
        const text = "select set_config('statement_timeout', $1, true)";
        frame.push(this.#send(client, { name: "limit", text, values: [String(timeoutMs)] }));
      }
      for (const statement of statements) reads.push(timed(this.#query(statement)));
      frame.push(this.#send(client, { name: "commit", text: "commit" }));
    } finally {
      stream.uncork();
    }
    const [begun, ...rest] = await Promise.allSettled(frame);
    const outcomes = await Promise.all(reads);
    // A lost connection invalidates all outcomes: throw, so that the caller repeats the whole read.
    const errors = [begun, ...rest].flatMap((end) => (end?.status === "rejected" ? [end.reason] : []));
    for (const outcome of outcomes) if ("error" in outcome) errors.push(outcome.error);
    const loss = errors.find(isConnectionLoss);
    if (loss) throw loss;
    if (begun?.status === "rejected") throw begun.reason;
    return outcomes;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#watchdog);
    await this.#connecting?.catch(() => {});
    const client = this.#client;
    this.#client = undefined;
    // Pending statements complete first; the statement timeout bounds the wait.
    if (client) await endClient(client, this.depth > 0 ? this.#options.statementTimeoutMs + graceMs : graceMs);
  }

  async #send(client: pg.Client, query: pg.QueryConfig): Promise<pg.QueryResult<Row>> {
    this.#pending.push(performance.now());
    try {
      return await client.query<Row>(query);
    } finally {
      this.#pending.shift();
    }
  }

  /** Silence beyond the statement timeout means that the network drops packets. */
  #breakIfSilent(client: pg.Client): void {
    const [oldest] = this.#pending;
    if (oldest === undefined) return;
    const silentMs = performance.now() - Math.max(oldest, this.#heardAt);
    if (silentMs > this.#options.statementTimeoutMs + graceMs) streamOf(client).destroy();
  }

  async #connect(): Promise<ReadConnection> {
    if (this.#isClosed) throw new ReadOverloadError("The read connections are closed.");
    if (this.#failures > 0) await delay(Math.min(50 * 2 ** (this.#failures - 1), 2_000), undefined, { ref: false });
    const { url, statementTimeoutMs, connectTimeoutMs, onError } = this.#options;
    const client = new DatabaseClient({
      ...sessionSettings(url, { default_transaction_read_only: "on", statement_timeout: statementTimeoutMs }),
      application_name: "lectern read",
      connectionTimeoutMillis: connectTimeoutMs,
      keepAlive: true,
      pipeline: true,
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
    streamOf(client).on("data", () => {
      this.#heardAt = performance.now();
    });
    this.#watchdog = setInterval(() => this.#breakIfSilent(client), graceMs).unref();
    this.#failures = 0;
    this.#named.clear();
    this.#client = client;
    return this;
  }

  #lose(client: pg.Client): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    clearInterval(this.#watchdog);
    client.end().catch(() => {});
    this.#reconnect();
  }

  /** Retries until connected or closed; `#connect` adds the backoff. */
  async #reconnect(): Promise<void> {
    while (!this.#isClosed && !this.#client) await this.ready().catch(() => {});
  }

  #requireClient(): pg.Client {
    if (!this.#client) throw new Error("Connection terminated: reconnecting.");
    return this.#client;
  }

  #query({ text, values }: Sql): pg.QueryConfig {
    const name = nameOf(text);
    if (name === undefined) return { text, values };
    if (!this.#named.has(name)) {
      if (this.#named.size >= maxNamedStatements) return { text, values };
      this.#named.add(name);
    }
    return { name, text, values };
  }
}

/** Names by statement text; null after the first use. */
const names = new Map<string, string | null>();
const maxTexts = 2_000;

/**
 * Returns the statement's name, the same on all connections. A text is named on its second use, so that statements
 * used once occupy no cache entry.
 */
function nameOf(text: string): string | undefined {
  if (text.length > longestNamed || text.includes(plannedEachTime.text)) return undefined;
  const known = names.get(text);
  if (known) return known;
  if (known === undefined) {
    if (names.size >= maxTexts) names.clear();
    names.set(text, null);
    return undefined;
  }
  const name = createHash("sha1").update(text).digest("base64url");
  names.set(text, name);
  return name;
}
