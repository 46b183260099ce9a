import type pg from "pg";
import { DatabaseClient } from "./client.ts";
import { streamOf } from "./pg-internals.ts";

/** Opens a connection for `use` and closes it afterwards. */
export async function withClient<Result>(
  connection: string | pg.ClientConfig,
  use: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new DatabaseClient(connection);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await endClient(client);
  }
}

/** Runs all of the statements or, if one fails, none. */
export async function inTransaction(client: pg.Client, statements: readonly string[]): Promise<void> {
  await client.query("begin");
  try {
    for (const statement of statements) await client.query(statement);
    await client.query("commit");
  } catch (error) {
    // The connection may be broken, which ends the transaction as well.
    await client.query("rollback").catch(() => {});
    throw error;
  }
}

/** Ends the session, and destroys the socket after a timeout: on a dead network, `end` never settles. */
export async function endClient(client: pg.Client, timeoutMs = 1_000): Promise<void> {
  const timer = setTimeout(() => streamOf(client).destroy(), timeoutMs);
  try {
    await client.end();
  } finally {
    clearTimeout(timer);
  }
}
