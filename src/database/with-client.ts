import type pg from "pg";
import { DatabaseClient } from "./client.ts";
import { streamOf } from "./pg-internals.ts";

/** A connection for one purpose, closed when it is done. */
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

/** Says goodbye, and breaks the connection when that is not answered: a network that swallows everything never does. */
export async function endClient(client: pg.Client, patienceMs = 1_000): Promise<void> {
  const timer = setTimeout(() => streamOf(client).destroy(), patienceMs);
  try {
    await client.end();
  } finally {
    clearTimeout(timer);
  }
}
