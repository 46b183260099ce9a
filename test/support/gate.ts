/**
 * Statements that last until the test says so. A sleep would last for a time that a busy machine also takes for other
 * things, and what happened during it would be told by the clock alone.
 *
 * ```ts
 * const gate = await closeGate(database);
 * const slow = reads.read(gate.pass);
 * await gate.reached(1);      // the database is at it, and gets no further
 * …
 * await gate.open();
 * await slow;
 * ```
 */
import pg from "pg";
import { raw, type Sql } from "../../src/eager-loading/sql.ts";
import type { TestDatabase } from "./database.ts";
import { until } from "./until.ts";

export type Gate = {
  /** A statement that ends when the gate is opened. It may be read-only. */
  pass: Sql;
  /** The same as an expression, for statements and triggers of the test's own. */
  passing: string;
  /** Waits until so many statements wait at the gate. */
  reached(count: number): Promise<void>;
  /** Lets all pass who wait and who come. */
  open(): Promise<void>;
};

let gates = 0;

export async function closeGate({ url, query }: Pick<TestDatabase, "url" | "query">): Promise<Gate> {
  const key = ++gates;
  const keeper = new pg.Client({ connectionString: url, application_name: "gate" });
  await keeper.connect();
  await keeper.query("select pg_advisory_lock($1)", [key]);
  const passing = `pg_advisory_xact_lock_shared(${key})`;
  const waiting = async () => {
    const [row] = await query(
      `select count(*)::int from pg_locks join pg_database d on d.oid = database
       where datname = current_database() and locktype = 'advisory' and objid = $1 and not granted`,
      [key],
    );
    return row?.count as number;
  };
  let opening: Promise<void> | undefined;
  return {
    pass: raw(`select ${passing}`),
    passing,
    reached: (count) => until(async () => (await waiting()) === count, `${count} statements wait at the gate`),
    open() {
      opening ??= keeper.end();
      return opening;
    },
  };
}
