import type { TestDatabase } from "./database.ts";

const tables = ["users", "sessions", "documents", "chunks"] as const;

export type Dump = Record<(typeof tables)[number], unknown[]>;

/** Every row of every table, whole: two equal dumps prove that nothing was written in between. */
export async function dump(database: TestDatabase): Promise<Dump> {
  const contents = tables.map(async (table) => {
    const rows = await database.query(`select to_jsonb(t) as row from ${table} t order by id`);
    return [table, rows.map(({ row }) => row)] as const;
  });
  return Object.fromEntries(await Promise.all(contents)) as Dump;
}
