import type { TestDatabase } from "./database.ts";

/**
 * Every row of every table of ours, as text, in an order that is always the same: to compare before with after. Not how
 * far the outbox was followed, which goes on by itself.
 */
export async function dump({ query }: Pick<TestDatabase, "query">): Promise<Record<string, string[]>> {
  const tables = await query(`
    select table_name as name from information_schema.tables
    where table_schema = 'public' and table_type = 'BASE TABLE' and table_name not in ('_prisma_migrations', 'outbox_consumers') order by 1`);
  const contents: Record<string, string[]> = {};
  for (const { name } of tables) {
    const rows = await query(`select t::text as row from "${name}" t order by 1`);
    contents[name as string] = rows.map(({ row }) => row as string);
  }
  return contents;
}
