/**
 * Pages over 10,000 rows with ties and nulls, in both directions and orders, while another connection inserts and
 * deletes: every row that was there throughout is met once, in order.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ReadConnections } from "../../src/database/read-connections.ts";
import { CursorCodec, PageArgumentError } from "../../src/eager-loading/cursor.ts";
import { Loaders } from "../../src/eager-loading/loaders.ts";
import type { PageArguments } from "../../src/eager-loading/page-arguments.ts";
import { relationsFor } from "../../src/eager-loading/relation.ts";
import type { Table } from "../../src/eager-loading/table.ts";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { randomFrom } from "../support/random-library.ts";

type Step = { id: number; shelf: string; rank: number | null; label: string | null; isKept: boolean };

const steps: Table<Step> = {
  name: "steps",
  primaryKey: "id",
  columns: {
    id: { name: "id", type: "integer", isNullable: false },
    shelf: { name: "shelf", type: "text", isNullable: false },
    rank: { name: "rank", type: "integer", isNullable: true },
    label: { name: "label", type: "text", isNullable: true },
    isKept: { name: "is_kept", type: "boolean", isNullable: false },
  },
};
const stepsByShelf = relationsFor<null>().page({
  name: "StepsByShelf",
  table: steps,
  key: "shelf",
  orders: { RANK: ["rank", "label"], ID: [] },
  defaultOrder: { field: "RANK", direction: "ASC" },
});

const stepById = relationsFor<null>().one({ name: "StepById", table: steps, key: "id" });
const labelById = relationsFor<null>().column({ name: "LabelById", table: steps, key: "id", column: "label" });

const rows = 10_000;
let database: TestDatabase;
let reads: ReadConnections;
const cursors = new CursorCodec("a secret");

beforeAll(async () => {
  database = await freshDatabase();
  await database.query(`create table steps (
    id integer primary key generated always as identity, shelf text not null, rank integer, label text collate "C",
    is_kept boolean not null)`);
  // A third of the ranks and labels are null, and every other is shared by hundreds of rows.
  await database.query(
    `insert into steps (shelf, rank, label, is_kept)
     select 'a', nullif(n * 7919 % 30, 0) - case when n % 3 = 0 then null else 0 end,
            case when n % 3 = 1 then null else chr(65 + n % 5) end, n % 2 = 0
     from generate_series(1, $1) n`,
    [rows],
  );
  await database.query("create index on steps (shelf, rank, label, id)");
  reads = new ReadConnections({
    url: database.url,
    count: 2,
    maxDepth: 100,
    statementTimeoutMs: 10_000,
    connectTimeoutMs: 5_000,
  });
});

afterAll(async () => {
  await reads.close();
  await database.drop();
});

const page = (args: PageArguments, shelf = "a") =>
  new Loaders({ viewer: null, reader: reads, cursors }).page(stepsByShelf, {}, args, shelf);

/** Writers that insert and delete rows that nobody counts on, until stopped. */
function disturb(seed: number): () => Promise<number> {
  const random = randomFrom(seed);
  let isStopped = false;
  let writes = 0;
  const run = async () => {
    while (!isStopped) {
      await database.query(`insert into steps (shelf, rank, label, is_kept) values ('a', $1, $2, false)`, [
        random() < 0.3 ? null : Math.floor(random() * 30),
        random() < 0.3 ? null : "ABCDE"[Math.floor(random() * 5)],
      ]);
      await database.query(
        "delete from steps where id = (select id from steps where not is_kept and id >= $1 order by id limit 1)",
        [Math.floor(random() * rows)],
      );
      writes += 2;
    }
  };
  const running = run();
  return async () => {
    isStopped = true;
    await running;
    return writes;
  };
}

async function kept(order: string): Promise<number[]> {
  const found = await database.query(`select id from steps where is_kept and shelf = 'a' order by ${order}`);
  return found.map(({ id }) => id as number);
}

const orders = [
  { orderBy: { field: "RANK", direction: "ASC" }, sql: "rank asc, label asc, id asc" },
  { orderBy: { field: "RANK", direction: "DESC" }, sql: "rank desc, label desc, id desc" },
  { orderBy: { field: "ID", direction: "ASC" }, sql: "id asc" },
  { orderBy: { field: "ID", direction: "DESC" }, sql: "id desc" },
] as const;

describe("a walk over all pages", () => {
  it.each(orders)("forwards by $sql meets each kept row once, in order", async ({ orderBy, sql }) => {
    const expected = await kept(sql);
    const stop = disturb(1);
    const met: number[] = [];
    let after: string | null = null;
    let size = 50;
    do {
      const connection = page({ first: size, after, orderBy });
      const edges = await connection.edges;
      met.push(...edges.filter(({ node }) => node.isKept).map(({ node }) => node.id));
      after = (await connection.hasNextPage()) ? (edges.at(-1)?.cursor ?? null) : null;
      size = (size % 97) + 3;
    } while (after !== null);
    expect(await stop()).toBeGreaterThan(10);
    expect(met).toEqual(expected);
  });

  it.each(orders)("backwards by $sql meets each kept row once, in order", async ({ orderBy, sql }) => {
    const expected = await kept(sql);
    const stop = disturb(2);
    const met: number[] = [];
    let before: string | null = null;
    do {
      const connection = page({ last: 89, before, orderBy });
      const edges = await connection.edges;
      met.unshift(...edges.filter(({ node }) => node.isKept).map(({ node }) => node.id));
      before = (await connection.hasPreviousPage()) ? (edges[0]?.cursor ?? null) : null;
    } while (before !== null);
    expect(await stop()).toBeGreaterThan(10);
    expect(met).toEqual(expected);
  });
});

describe("the page", () => {
  it("goes on behind a cursor whose row is gone", async () => {
    const orderBy = { field: "ID", direction: "ASC" } as const;
    await database.query("insert into steps (shelf, is_kept) select 'gone', false from generate_series(1, 5)");
    const [first, second, third] = await page({ first: 3, orderBy }, "gone").edges;
    await database.query("delete from steps where id = $1", [second?.node.id]);
    const next = page({ first: 1, after: second?.cursor ?? null, orderBy }, "gone");
    expect((await next.edges)[0]?.node.id).toBe(third?.node.id);
    expect(await next.hasPreviousPage()).toBe(true);
    await database.query("delete from steps where id = $1", [first?.node.id]);
    const again = page({ first: 1, after: second?.cursor ?? null, orderBy }, "gone");
    expect(await again.hasPreviousPage()).toBe(false);
  });

  it("of a key without rows is empty", async () => {
    const connection = page({}, "nothing");
    expect(await connection.edges).toEqual([]);
    expect(await connection.totalCount).toBe(0);
    expect(await connection.hasNextPage()).toBe(false);
    expect(await connection.hasPreviousPage()).toBe(false);
    expect(await connection.pageInfo.startCursor).toBeNull();
  });

  it("refuses cursors that were forged, changed, or made for another order or secret", async () => {
    const orderBy = { field: "ID", direction: "ASC" } as const;
    const cursor = (await page({ first: 1, orderBy }).edges)[0]?.cursor as string;
    const bytes = Buffer.from(cursor, "base64url");
    bytes[bytes.length - 2] = (bytes[bytes.length - 2] as number) ^ 1;
    const foreign = new CursorCodec("another secret").encode("StepsByShelf ID ASC", [1]);
    for (const [after, order] of [
      ["", orderBy],
      ["AAAA", orderBy],
      [Buffer.from('["1"]').toString("base64url"), orderBy],
      [bytes.toString("base64url"), orderBy],
      [foreign, orderBy],
      [cursor, { field: "ID", direction: "DESC" }],
      [cursor, { field: "RANK", direction: "ASC" }],
    ] as const) {
      expect(() => page({ after, orderBy: order })).toThrow(PageArgumentError);
    }
    expect(() => page({ after: cursor, orderBy })).not.toThrow();
  });
});

describe("a batch", () => {
  const loaders = () => new Loaders({ viewer: null, reader: reads, cursors });

  it("fails for the key that cannot be, and answers the others", async () => {
    const together = loaders();
    const outcomes = await Promise.allSettled(["2", "4", "no number", "6"].map((key) => together.one(stepById, key)));
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
    expect(outcomes[0]).toMatchObject({ value: { id: 2 } });
    expect(together.trace.batches.some(({ failed }) => failed)).toBe(true);
  });

  it("reads nothing where a parent has no key", async () => {
    const none = loaders();
    expect(await none.one(stepById, null)).toBeNull();
    expect(await none.column(labelById, null)).toBeNull();
    expect(none.trace.statements).toBe(0);
  });
});
