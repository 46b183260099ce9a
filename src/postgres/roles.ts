/**
 * What the server and the workers are in the database: `lectern_server` and `lectern_worker`, which may do what
 * prisma/roles.sql says. A login that is a member of a role takes it on as its connections are opened; any other
 * works with all rights of its own, as it did before there were roles.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { sqlStateOf } from "../database/sql-errors.ts";
import { withClient } from "../database/with-client.ts";

export type DatabaseRole = "lectern_server" | "lectern_worker";

const script = join(import.meta.dirname, "../../prisma/roles.sql");

/**
 * Makes the roles where the login may, and grants what they may do.
 *
 * @param url of the owner of the tables; nothing is done for anybody else
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
      // It may not create roles: `whyNot` says what is to be done.
      if (sqlStateOf(error) !== "42501") throw error;
    }
  });
}

/** What connects as `url` says and then works as `role`. Only for a login that may: see `whyNot`. */
export function urlAs(url: string, role: DatabaseRole): string {
  const [address, query = ""] = url.split("?", 2) as [string, string?];
  const parameters = new URLSearchParams(query);
  parameters.set("options", [parameters.get("options"), `-c role=${role}`].filter(Boolean).join(" "));
  return `${address}?${parameters.toString().replaceAll("+", "%20")}`;
}

/** Why the login of `url` does not work as `role`, with what an administrator can do about it; null when it does. */
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
    return `The login ${login} is no member of ${role}: an administrator can say GRANT ${role} TO ${pg.escapeIdentifier(login)};`;
  }
  const { user } = await withClient(urlAs(url, role), async (client) => {
    return (await client.query("select current_user as user")).rows[0];
  });
  // PgBouncer, told to ignore the parameter in which the role is said.
  return user === role
    ? null
    : `What stands before the database does not pass on the parameter "options": ALTER ROLE ${pg.escapeIdentifier(login)} SET role = ${role}; is another way.`;
}
