import { expect, inject, it, vi } from "vitest";
import { connectAs, openDatabase } from "../../src/commands/database-session.ts";
import { readConfig } from "../../src/config.ts";
import { DatabaseClient } from "../../src/database/client.ts";
import { withClient } from "../../src/database/with-client.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { collectedLog } from "../support/logs.ts";
import { secret } from "../support/secret.ts";

it("a database that is older than PostgreSQL 15 is refused, and its connection closed", async () => {
  const config = readConfig({ DATABASE_URL: inject("serverUrl"), AUTH_SECRET: secret });
  const answer = { rows: [{ version: 14 }] };
  const query = vi.spyOn(DatabaseClient.prototype, "query").mockImplementation(async () => answer);
  const end = vi.spyOn(DatabaseClient.prototype, "end");
  try {
    await expect(openDatabase(config)).rejects.toThrow("DATABASE_URL is a PostgreSQL 14: 15 or later is needed.");
    expect(end).toHaveBeenCalledOnce();
  } finally {
    query.mockRestore();
    end.mockRestore();
  }
});

it.each(["lectern_server", "lectern_worker"] as const)("a process works with the rights of %s only", async (role) => {
  const database = await freshDatabase();
  try {
    const session = await openDatabase(readConfig({ DATABASE_URL: database.url, AUTH_SECRET: secret }));
    const { logger, lines } = collectedLog();
    const { rows } = await withClient(await connectAs(session, role, logger), (client) =>
      client.query("select current_user as role"),
    );
    expect([rows, lines]).toEqual([[{ role }], []]);
  } finally {
    await database.drop();
  }
});
