/**
 * The login of servers and workers on the embedded PostgreSQL: `lectern`, which owns nothing and is a member of both
 * roles. The superuser is only for migrations and repairs.
 */
import { createHmac } from "node:crypto";
import { withClient } from "../database/with-client.ts";

/** @param url of the superuser, on a database whose roles exist. Returns the URL of the login. */
export async function embeddedLogin(url: string): Promise<string> {
  const login = new URL(url);
  login.username = "lectern";
  // Derived from the superuser's password, so that only one secret is stored.
  login.password = createHmac("sha256", decodeURIComponent(login.password)).update("lectern login").digest("base64url");
  await withClient(url, async (client) => {
    await client.query("begin");
    // Another process may start at the same time.
    await client.query("select pg_advisory_xact_lock(hashtext('lectern roles'))");
    const { rowCount } = await client.query("select 1 from pg_roles where rolname = $1", [login.username]);
    if (rowCount === 0) {
      await client.query(`create role lectern login password ${client.escapeLiteral(login.password)}`);
      await client.query("grant lectern_server, lectern_worker to lectern");
    }
    await client.query("commit");
  });
  return login.href;
}
