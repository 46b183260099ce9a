/**
 * A multi-statement write that is overtaken by its transaction's end. Prisma 7.10 lets the rest of it run: outside any
 * transaction, or inside whichever comes next on the same connection. The first test shows it; ours refuses.
 */
import { setTimeout as pause } from "node:timers/promises";
import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { PrismaClient } from "../../src/database/generated/prisma/client.ts";
import { sql } from "../../src/eager-loading/sql.ts";
import { unitOfWorkRunner } from "../../src/unit-of-work/runner.ts";
import { type Probe, TransactionClosedError } from "../../src/unit-of-work/transaction-guard.ts";
import type { UnitOfWork } from "../../src/unit-of-work/unit-of-work.ts";
import { WriteDatabase } from "../../src/unit-of-work/write-database.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

let database: TestDatabase;
let write: WriteDatabase;

beforeAll(async () => {
  database = await createTestDatabase(inject("serverUrl"), inject("templateName"));
  // Every user takes the database 30 ms, so that twenty of them outlive a timeout of 200 ms.
  await database.query(`
    create function take_a_while() returns trigger language plpgsql as $$ begin perform pg_sleep(0.03); return new; end $$;
    create trigger slow before insert on documents for each row execute function take_a_while()`);
  write = new WriteDatabase({
    url: database.url,
    size: 1,
    waitMs: 3_000,
    lockTimeoutMs: 3_000,
    statementTimeoutMs: 3_000,
    transactionTimeoutMs: 200,
  });
});
afterEach(() => database.query("delete from users"));
afterAll(async () => {
  await write.close();
  await database.drop();
});

/** One user with twenty documents: twenty-one statements of one call. */
const slowWrite = (email: string) => ({
  data: {
    email,
    name: "Slow",
    passwordHash: "none",
    documents: {
      connectOrCreate: Array.from({ length: 20 }, (_, index) => ({
        where: { id: `00000000-0000-7000-8000-0000000000${10 + index}` },
        create: { title: `${index}`, mimeType: "text/plain", sizeBytes: 1n, sha256: `${index}`, text: "x" },
      })),
    },
  },
});

const documents = async () => Number((await database.query("select count(*) from documents"))[0]?.count);

describe("a write that outlives its transaction", () => {
  it("goes on without the guard: Prisma's own behaviour", async () => {
    const pool = new pg.Pool({ connectionString: database.url, max: 1 });
    const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
    // It belongs to nobody's transaction, so it needs an owner who is already there.
    const [owner] = await database.query(
      "insert into users (email, name, password_hash) values ('o@x', 'Owner', 'none') returning id",
    );
    const { data } = slowWrite("unused@x");
    const late = prisma.$transaction(
      (transaction) =>
        transaction.user.update({ where: { id: owner?.id as string }, data: { documents: data.documents } }),
      { timeout: 200 },
    );
    await expect(late).rejects.toMatchObject({ code: "P2028" });
    await pause(1_500);
    const left = await documents();
    await prisma.$disconnect();
    await pool.end();
    // When this fails, Prisma has mended it, and the guard has one reason less to be.
    expect(left).toBeGreaterThan(0);
  });

  it("is refused by the guard, and the next transaction on the connection gets none of it", async () => {
    const run = runner(200);
    const late = run({ name: "slow" }, async (uow) => (await uow.transaction()).user.create(slowWrite("s@x")));
    const next = run({ name: "next" }, async (uow) => {
      await (await uow.transaction()).user.create(user("n@x"));
      await pause(100);
    });
    await expect(late).rejects.toThrow();
    await next;
    await pause(1_000);
    expect(await documents()).toBe(0);
    expect(await database.query("select email from users")).toEqual([{ email: "n@x" }]);
  });

  it("is refused after COMMIT and after ROLLBACK, on Prisma's path and on ours", async () => {
    const run = runner(200);
    const kept: UnitOfWork[] = [];
    await run({ name: "committed" }, async (uow) => {
      kept.push(uow);
      await (await uow.transaction()).user.count();
    });
    await run({ name: "rolled back" }, async (uow) => {
      kept.push(uow);
      await (await uow.transaction()).user.count();
      throw new Error("on purpose");
    }).catch(() => {});
    await run({ name: "never begun" }, async (uow) => {
      kept.push(uow);
    });
    for (const uow of kept.slice(0, 2)) {
      const prisma = await uow.transaction();
      await expect(prisma.user.create(user("late@x"))).rejects.toMatchObject({ code: "P2028" });
      await expect(uow.reader.read(sql`select 1`)).rejects.toBeInstanceOf(TransactionClosedError);
    }
    await expect(kept[2]?.transaction()).rejects.toBeInstanceOf(TransactionClosedError);
    expect(await database.query("select * from users")).toEqual([]);
  });

  it("does not turn a commit into a failure, nor a silent ROLLBACK into a commit", async () => {
    await database.query(`
      create function sleep_at_commit() returns trigger language plpgsql as $$ begin perform pg_sleep(0.1); return null; end $$;
      create constraint trigger sleep after insert on users deferrable initially deferred
        for each row execute function sleep_at_commit()`);
    let late: Promise<unknown> | undefined;
    const run = runner(2_000, (point, operation) => {
      if (point !== "before_commit" || operation !== "in time") return;
      late = pause(30).then(() => kept?.reader.read(sql`select 1 / 0`));
      late.catch(() => {});
    });
    // Nobody waits for a statement that fails on its way to COMMIT.
    const careless = run({ name: "careless" }, async (uow) => {
      await (await uow.transaction()).user.create(user("careless@x"));
      uow.reader.read(sql`select 1 / 0 from pg_sleep(0.05)`).catch(() => {});
    });
    await expect(careless).rejects.toMatchObject({ code: "22012" });
    // Nor does a statement that comes while COMMIT is under way spoil what is committed.
    let kept: UnitOfWork | undefined;
    await run({ name: "in time" }, async (uow) => {
      kept = uow;
      await (await uow.transaction()).user.create(user("in-time@x"));
    });
    await expect(late).rejects.toBeInstanceOf(TransactionClosedError);
    expect(await database.query("select email from users")).toEqual([{ email: "in-time@x" }]);
    await database.query("drop function sleep_at_commit cascade");
  });
});

const user = (email: string) => ({ data: { email, name: "Somebody", passwordHash: "none" } });

function runner(timeoutMs: number, probe?: Probe) {
  return unitOfWorkRunner<object>({
    database: write,
    reads: { read: () => Promise.reject(new Error("Nothing is read outside.")) },
    repositories: () => ({}),
    limits: { waitMs: 3_000, timeoutMs, maxAttempts: 1, maxRetryMs: 0 },
    logger: pino({ level: "silent" }),
    ...(probe ? { probe } : {}),
  });
}
