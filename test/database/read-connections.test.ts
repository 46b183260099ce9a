/** The sessions of read connections, as the database sees them. Broken ones are in test/eager-loading/failures.test.ts. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ReadConnections } from "../../src/database/read-connections.ts";
import { raw, sql } from "../../src/eager-loading/sql.ts";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { closeGate } from "../support/gate.ts";
import { addUser } from "../support/rows.ts";

let database: TestDatabase;
let reads: ReadConnections;

beforeAll(async () => {
  database = await freshDatabase();
  reads = new ReadConnections({
    url: database.url,
    count: 1,
    maxDepth: 100,
    statementTimeoutMs: 20_000,
    connectTimeoutMs: 20_000,
  });
});
afterAll(async () => {
  await reads.close();
  await database.drop();
});

describe("a session", () => {
  it("is read-only, also outside of a transaction", async () => {
    await addUser(database);
    const write = sql`update users set name = 'Bob' returning name`;
    await expect(reads.read(write)).rejects.toMatchObject({ code: "25006" });
    expect(await reads.readTogether([write])).toMatchObject([{ error: { code: "25006" } }]);
    expect(await database.query("select name from users")).toEqual([{ name: "Ada" }]);
  });

  it("has the timeout of its options, and that of a plan for the plan alone", async () => {
    const timeout = sql`select current_setting('statement_timeout') as timeout`;
    expect(await reads.readTogether([timeout], 300)).toMatchObject([{ rows: [{ timeout: "300ms" }] }]);
    expect(await reads.read(timeout)).toEqual([{ timeout: "20s" }]);
    expect(await reads.readTogether([timeout])).toMatchObject([{ rows: [{ timeout: "20s" }] }]);
  });

  it("sees one moment in statements that are read together", async () => {
    const gate = await closeGate(database);
    const count = sql`select count(*)::int from users`;
    const reading = reads.readTogether([count, gate.pass, count]);
    await gate.reached(1);
    await addUser(database, "Bob");
    await gate.open();
    const [before, , after] = await reading;
    expect([before, after]).toMatchObject([{ rows: [{ count: 1 }] }, { rows: [{ count: 1 }] }]);
    expect(await reads.read(count)).toEqual([{ count: 2 }]);
  });

  it("has no more than 500 prepared statements, beside those that begin and end transactions", async () => {
    for (let number = 0; number < 510; number++) {
      for (let times = 0; times < 2; times++) await reads.read(raw(`select 1 as n${number}`));
    }
    const others = sql`select count(*)::int from pg_prepared_statements where name not in ('begin', 'limit', 'commit')`;
    expect(await reads.read(others)).toEqual([{ count: 500 }]);
  });

  it("gives values the types of the models", async () => {
    const values = sql`select 9007199254740993 as large, 1.5::float8 as part, 'epoch'::timestamptz as moment, 1 as small`;
    const [row] = await reads.read(values);
    expect(row).toEqual({ large: 9_007_199_254_740_993n, part: 1.5, moment: new Date(0), small: 1 });
  });
});
