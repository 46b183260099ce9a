/**
 * A multi-statement write that is overtaken by its transaction's end. Prisma 7.10 lets the rest of it run: outside any
 * transaction, or inside whichever comes next on the same connection. The first test shows it; ours refuses.
 */
import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { PrismaClient } from "../../src/database/generated/prisma/client.ts";
import { raw, sql } from "../../src/eager-loading/sql.ts";
import { unitOfWorkRunner } from "../../src/unit-of-work/runner.ts";
import { type Probe, TransactionClosedError } from "../../src/unit-of-work/transaction-guard.ts";
import type { UnitOfWork } from "../../src/unit-of-work/unit-of-work.ts";
import { WriteDatabase } from "../../src/unit-of-work/write-database.ts";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { closeGate } from "../support/gate.ts";
import { silent } from "../support/logs.ts";

let database: TestDatabase;
let write: WriteDatabase;

beforeAll(async () => {
  database = await freshDatabase();
  // Every user takes the database 30 ms, so that twenty of them outlive a timeout of 200 ms.
  await database.query(`
    create function take_a_while() returns trigger language plpgsql as $$ begin perform pg_sleep(0.03); return new; end $$;
    create trigger slow before insert on documents for each row execute function take_a_while()`);
  write = new WriteDatabase({
    url: database.url,
    size: 1,
    waitMs: 20_000,
    lockTimeoutMs: 20_000,
    statementTimeoutMs: 20_000,
    transactionTimeoutMs: 20_000,
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
    // When this fails, Prisma has mended it, and the guard has one reason less to be.
    await expect.poll(documents).toBeGreaterThan(0);
    await prisma.$disconnect();
    await pool.end();
  });

  it("is refused by the guard, and the next transaction on the connection gets none of it", async () => {
    const late = runner(200)({ name: "slow" }, async (uow) => (await uow.transaction()).user.create(slowWrite("s@x")));
    const next = Array.from({ length: 25 }, (_, index) =>
      runner(20_000)({ name: "next" }, async (uow) => {
        await (await uow.transaction()).user.create(user(`${index}@x`));
      }),
    );
    await expect(late).rejects.toThrow();
    // Each is a few statements on the one connection: what is left of the late write had its turns among them.
    await Promise.all(next);
    expect(await documents()).toBe(0);
    const emails = (await database.query("select email from users")).map(({ email }) => email);
    expect(emails.sort()).toEqual(next.map((_, index) => `${index}@x`).sort());
  });

  it("is refused after COMMIT and after ROLLBACK, on Prisma's path and on ours", async () => {
    const run = runner(20_000);
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
    const gate = await closeGate(database);
    onTestFinished(() => gate.open());
    await database.query(`
      create function wait_at_commit() returns trigger language plpgsql as $$
      begin perform ${gate.passing}; return null; end $$;
      create constraint trigger wait after insert on users deferrable initially deferred
        for each row execute function wait_at_commit()`);
    let late: Promise<unknown> | undefined;
    const run = runner(20_000, (point, operation) => {
      if (point !== "before_commit" || operation !== "in time") return;
      late = gate.reached(1).then(() => {
        const read = kept?.reader.read(sql`select 1 / 0`);
        // Should it have been sent, the database answers it after the COMMIT.
        void gate.open();
        return read;
      });
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
    await database.query("drop function wait_at_commit cascade");
  });
});

describe("a statement that fails at COMMIT's doorstep", () => {
  it.each([
    ["answered after COMMIT was sent", "select 1 / 0 from pg_sleep(0.1)", () => new Promise(setImmediate)],
    ["answered before", "select 1 / 0", (failed: Promise<unknown>) => failed],
  ])("makes the run reject, and nothing is committed: %s", async (_when, text, waitFor) => {
    let kept: UnitOfWork | undefined;
    const [effects, seen]: [string[], unknown[]] = [[], []];
    const run = runner(20_000, async (point, operation) => {
      if (point !== "before_commit" || operation !== "doorstep") return;
      const failed = kept?.reader.read(raw(text)).catch((error) => seen.push(error.code));
      // It was sent by then, since nothing is before it.
      await waitFor(failed as Promise<unknown>);
    });
    const session = () =>
      run({ name: "session" }, async (uow) => (await uow.write(sql`select pg_backend_pid() as id`))[0]?.id);
    const before = await session();
    const failing = run({ name: "doorstep" }, async (uow) => {
      kept = uow;
      uow.afterCommit(() => effects.push("commit"));
      uow.afterAbort(() => effects.push("abort"));
      await (await uow.transaction()).user.create(user("doorstep@x"));
    });
    await expect(failing).rejects.toMatchObject({ code: "22012" });
    expect([effects, seen]).toEqual([["abort"], ["22012"]]);
    expect(await database.query("select email from users")).toEqual([]);
    // The connection is as good as before.
    await run({ name: "next" }, async (uow) => (await uow.transaction()).user.create(user("next@x")));
    expect(await session()).toBe(before);
    expect(await database.query("select email from users")).toEqual([{ email: "next@x" }]);
  });
});

const user = (email: string) => ({ data: { email, name: "Somebody", passwordHash: "none" } });

function runner(timeoutMs: number, probe?: Probe) {
  return unitOfWorkRunner<object>({
    database: write,
    reads: { read: () => Promise.reject(new Error("Nothing is read outside.")) },
    repositories: () => ({}),
    limits: { waitMs: 20_000, timeoutMs, maxAttempts: 1, maxRetryMs: 0 },
    logger: silent,
    ...(probe ? { probe } : {}),
  });
}
