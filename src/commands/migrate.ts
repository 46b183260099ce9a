import { randomBytes } from "node:crypto";
import { loadEnvironmentFile, readConfig } from "../config.ts";
import { withClient } from "../database/with-client.ts";
import { UserError } from "../errors.ts";
import { migrate, writeMigration } from "../postgres/migrations.ts";
import { missingRoles, withDatabase } from "./database-session.ts";

/** `migrate` applies migrations, `migrate new NAME` writes one. */
export async function migrateCommand([action, name, ...rest]: string[]): Promise<void> {
  loadEnvironmentFile();
  const config = readConfig();
  if (action === undefined) {
    await withDatabase(config, async (database) => {
      const applied = await migrate(database.ownerUrl);
      console.log(applied.length === 0 ? "The database is up to date." : `Applied: ${applied.join(", ")}`);
      for (const { role, reason } of await missingRoles(database)) {
        console.log(`Connections do not work as ${role} yet. ${reason}`);
      }
    });
  } else if (action === "new" && name !== undefined && rest.length === 0) {
    const file = await withDatabase(config, ({ ownerUrl }) =>
      withEmptyDatabase(ownerUrl, (empty) => writeMigration(name, empty)),
    );
    console.log(`Wrote ${file}`);
  } else {
    throw new UserError("Say `migrate`, or `migrate new NAME`.");
  }
}

/** Creates a database for `use` on the same server, in which the migrations are applied for comparison, and drops it. */
async function withEmptyDatabase<Result>(url: string, use: (empty: string) => Promise<Result>): Promise<Result> {
  const name = `lectern_shadow_${randomBytes(6).toString("hex")}`;
  return withClient(url, async (client) => {
    try {
      await client.query(`create database ${name} template template0`);
      const empty = new URL(url);
      empty.pathname = `/${name}`;
      return await use(empty.href);
    } finally {
      await client.query(`drop database if exists ${name} with (force)`);
    }
  });
}
