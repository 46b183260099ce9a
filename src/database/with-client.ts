import pg from "pg";

/** A connection for one purpose, closed when it is done. */
export async function withClient<Result>(
  connection: string | pg.ClientConfig,
  use: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
