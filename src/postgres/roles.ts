/**
 * The database roles of servers and workers, `lectern_server` and `lectern_worker`, with the rights in
 * prisma/roles.sql. The sessions of a login that is a member take on the role; other logins keep their own rights.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { sqlStateOf } from "../database/sql-errors.ts";
import { withClient } from "../database/with-client.ts";

export type DatabaseRole = "lectern_server" | "lectern_worker";

const script = join(import.meta.dirname, "../../prisma/roles.sql");

/**
 * Creates the roles, if the login may do so, and grants their rights.
 *
 * @param url of the owner of the tables; no effect for other logins
 */
export async function grantRoles(url: string): Promise<void> {
  await withClient(url, async (client) => {
    const { rows } = await client.query(`
      select coalesce(bool_or(pg_has_role(c.relowner, 'USAGE')), false) as "isOwner"
      from pg_class c where c.oid = to_regclass('public.outbox')`);
    if (!rows[0].isOwner) return;
    try {
      await client.query(await readFile(script, "utf8"));
    } catch (error) {
      await client.query("rollback");
      // Insufficient privilege to create roles: `whyNot` explains the solution.
      if (sqlStateOf(error) !== "42501") throw error;
    }
  });
}

/** Adds the role to the URL's options. The login must be a member of the role: see `whyNot`. */
export function urlAs(url: string, role: DatabaseRole): string {
  const [address, query = ""] = url.split("?", 2) as [string, string?];
  const parameters = new URLSearchParams(query);
  parameters.set("options", [parameters.get("options"), `-c role=${role}`].filter(Boolean).join(" "));
  return `${address}?${parameters.toString().replaceAll("+", "%20")}`;
}

/** Why the login of `url` cannot work as `role`, and the solution for an administrator; null if it can. */
export async function whyNot(url: string, role: DatabaseRole): Promise<string | null> {
  const known = await withClient(url, async (client) => {
    const { rows } = await client.query(
      `select session_user as login, current_database() as database, r.oid is not null as "isMade",
         exists (
           select from pg_class c where c.relnamespace = to_regnamespace('public') and c.relkind = 'r'
             and has_table_privilege(r.oid, c.oid, 'SELECT')) as "isGranted",
         coalesce(pg_has_role(session_user, r.oid,
           case when current_setting('server_version_num')::int < 160000 then 'MEMBER' else 'SET' end), false) as "isMember"
       from (values ($1)) v(name) left join pg_roles r on r.rolname = v.name`,
      [role],
    );
    return rows[0] as { login: string; database: string; isMade: boolean; isGranted: boolean; isMember: boolean };
  });
  const { login, database, isMade, isGranted, isMember } = known;
  if (!isMade || !isGranted) {
    const what = isMade ? `The role ${role} has no rights in the database ${database}` : `There is no role ${role}`;
    return `${what}: run prisma/roles.sql once as an administrator (psql -f prisma/roles.sql … ${database}).`;
  }
  if (!isMember) {
    return `The login ${login} is not a member of ${role}: an administrator can run GRANT ${role} TO ${pg.escapeIdentifier(login)};`;
  }
  const { user } = await withClient(urlAs(url, role), async (client) => {
    return (await client.query("select current_user as user")).rows[0];
  });
  // PgBouncer may be configured to ignore the startup parameter that sets the role.
  return user === role
    ? null
    : `The pooler before the database drops the parameter "options". An administrator can run ALTER ROLE ${pg.escapeIdentifier(login)} SET role = ${role}; instead.`;
}
