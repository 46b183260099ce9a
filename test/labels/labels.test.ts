/** Labels on PostgreSQL: rules that hold for every program, and for operations that run at the same time. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { globalIdOf, uuidOf } from "../support/global-ids.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { until } from "../support/until.ts";

let lectern: Lectern;
let ed: Person;

beforeAll(async () => {
  lectern = await startLectern({ housekeeping: false });
  ed = await lectern.person("Ed", "EDITOR");
});
afterAll(() => lectern.stop());

const sql = (text: string, values: unknown[] = []) => lectern.database.query(text, values);
const namesOf = async (table: string) => (await sql(`select name from ${table} order by name`)).map(({ name }) => name);

/** Creates a category in a unit of work that lasts until `end` is called. */
async function creating(name: string) {
  const { run, services } = lectern.application;
  const created = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  const work = run({ name: "create" }, async (uow) => {
    const viewer = { id: uuidOf(ed.id), role: "EDITOR", sessionId: "" } as const;
    await services(uow, viewer).categories.create({ name });
    created.resolve();
    await end.promise;
  });
  created.promise.catch(() => {});
  work.catch(created.reject);
  return { work, created: created.promise, end: () => end.resolve() };
}

const waiting = () =>
  sql("select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'");
const oneWaits = () => until(async () => (await waiting()).length === 1, "the second creation waits for the first");

describe("two creations at the same time", () => {
  it("of one name are one category: the second waits, and is refused", async () => {
    const first = await creating("Café");
    await first.created;
    const second = await creating("CAFE");
    await oneWaits();
    first.end();
    await first.work;
    await expect(second.work).rejects.toMatchObject({
      code: "DUPLICATE",
      message: "The name is taken by another category: choose a different one.",
    });
    expect(await namesOf("categories")).toEqual(["Café"]);
  });

  it.each([
    { table: "categories", most: 100 },
    { table: "events", most: 500 },
  ])("of $table are $most rows at most, in one statement or in several", async ({ table, most }) => {
    await sql(`delete from ${table}`);
    const fill = `insert into ${table} (name) select 'Label ' || n from generate_series(1, $1::int) n`;
    await expect(sql(fill, [most + 1])).rejects.toMatchObject({ code: "LT002" });
    await sql(fill, [most]);
    await expect(sql(`insert into ${table} (name) values ('One more')`)).rejects.toThrow(
      `there are ${most} ${table} already`,
    );
    const query = table === "categories" ? "{ rows: categories { id } }" : "{ rows: events { id } }";
    expect((await ed.client.request<{ rows: object[] }>(query)).rows).toHaveLength(most);
    await sql(`delete from ${table}`);
  });

  it("of the last two categories are one category", async () => {
    await sql("insert into categories (name) select 'Label ' || n from generate_series(1, 99) n");
    const first = await creating("The last");
    await first.created;
    const second = await creating("One more");
    await oneWaits();
    first.end();
    await first.work;
    await expect(second.work).rejects.toMatchObject({
      code: "INVALID_STATE",
      message: "There are 100 categories already, the maximum: delete one that is not needed.",
    });
    expect(await sql("select count(*)::int as count from categories")).toEqual([{ count: 100 }]);
    await sql("delete from categories");
  });
});

describe("another program", () => {
  it.each([
    ["a blank name", "insert into categories (name) values (' ')", "categories_name_length"],
    ["a name of 201 characters", "insert into events (name) values (repeat('x', 201))", "events_name_length"],
    ["a name that only looks different", "insert into events (name) values ('Été'), ('ETE')", "events_name_folded_key"],
    [
      "an event that ends before it starts",
      "insert into events (name, starts_at, ends_at) values ('E', '2026-01-02', '2026-01-01')",
      "events_end_after_start",
    ],
  ])("cannot write %s", async (_, statement, constraint) => {
    await expect(sql(statement)).rejects.toThrow(constraint);
  });

  it("raises the version, too", async () => {
    await sql("insert into categories (name) values ('Talks')");
    const [row] = await sql("update categories set name = 'Speeches' where name = 'Talks' returning id, version");
    expect(row?.version).toBe(2);
    const { node } = await ed.client.request<{ node: object }>(
      `{ node(id: "${globalIdOf("Category", row?.id as string)}") { ... on Category { name version } } }`,
    );
    expect(node).toEqual({ name: "Speeches", version: 2 });
  });
});
