/**
 * Every shape in which Prisma and pg tell us of the database's troubles, provoked on a real one, and what we make of it.
 * The rows are those of docs/transactions.md.
 */
import { type AddressInfo, createServer } from "node:net";
import { GraphQLError } from "graphql";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { refusalOf } from "../../src/database/refusal.ts";
import {
  isConnectionLoss,
  isDiskFailure,
  isDiskFull,
  isLockTimeout,
  isOutOfMemory,
  isOverload,
  isReferenced,
  isRetryable,
  isTimeout,
  isUnavailable,
  isUniqueViolation,
  sqlStateOf,
} from "../../src/database/sql-errors.ts";
import { answerFor } from "../../src/operations/error-answers.ts";
import { TransactionState } from "../../src/unit-of-work/transaction-guard.ts";
import { type PrismaTransaction, WriteDatabase } from "../../src/unit-of-work/write-database.ts";
import type { TestDatabase } from "../support/database.ts";
import { connectTo } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { silent as logger } from "../support/logs.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

let database: TestDatabase;
let proxy: TcpProxy;
let write: WriteDatabase;
let open: WriteDatabase[] = [];

beforeAll(async () => {
  database = await freshDatabase();
  proxy = await startTcpProxy(database.url);
  await database.query(`
    insert into users (id, email, name, password_hash) values
      ('00000000-0000-7000-8000-000000000001', 'one@x', 'One', 'none'),
      ('00000000-0000-7000-8000-000000000002', 'two@x', 'Two', 'none');
    alter database ${database.name} set deadlock_timeout = '50ms'`);
  write = connect();
});
afterEach(async () => {
  proxy.blackHole(false);
  proxy.refuse(false);
  for (const one of open.splice(1)) await one.close();
});
afterAll(async () => {
  for (const one of open) await one.close();
  open = [];
  await proxy.stop();
  await database.drop();
});

/** Its limits are longer than a busy machine takes, but for those that a test is about. */
function connect(options: Partial<ConstructorParameters<typeof WriteDatabase>[0]> = {}): WriteDatabase {
  const connected = new WriteDatabase({
    url: proxy.url,
    size: 3,
    waitMs: 20_000,
    lockTimeoutMs: 20_000,
    statementTimeoutMs: 20_000,
    transactionTimeoutMs: 20_000,
    ...options,
  });
  open.push(connected);
  return connected;
}

const [one, two] = ["00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002"] as const;
const rename = (transaction: PrismaTransaction, id: string) =>
  transaction.user.update({ where: { id }, data: { name: `Name ${Math.random()}` } });
const renameRaw = (transaction: PrismaTransaction, id: string) =>
  transaction.$executeRaw`update users set name = ${`Name ${Math.random()}`} where id = ${id}::uuid`;

type Work = (transaction: PrismaTransaction) => Promise<unknown>;
const options = { maxWait: 20_000, timeout: 20_000 };
const transact = (work: Work, more: object = {}, on = write) =>
  on.prisma.$transaction((transaction) => work(transaction as unknown as PrismaTransaction), { ...options, ...more });

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => expect.unreachable("It was expected to fail."),
    (error) => error,
  );
}

/** Of the connection's process in the database. */
async function processIdOf(transaction: PrismaTransaction): Promise<number> {
  const [row] = await transaction.$queryRaw<{ id: number }[]>`select pg_backend_pid() as id`;
  return row?.id as number;
}

const untilGone = (processId: number) =>
  until(
    async () => (await database.query("select 1 from pg_stat_activity where pid = $1", [processId])).length === 0,
    "the connection has ended",
  );

/** Someone else changes the row between this transaction's snapshot and its write. */
async function overtaken(write: (transaction: PrismaTransaction) => Promise<unknown>): Promise<unknown> {
  return failureOf(
    transact(
      async (transaction) => {
        await transaction.user.count();
        await database.query("update users set name = name || '.' where id = $1", [one]);
        await write(transaction);
      },
      { isolationLevel: "RepeatableRead" },
    ),
  );
}

/** Two playlists with the same track of a minute. */
async function playlistsOfAMinute(): Promise<[string, string]> {
  await database.query(
    `insert into audio (title, filename, uploaded_by_id, mime_type, size_bytes, sha256, sent_sha256, storage_key)
     values ('Sound', 'sound.mp3', $1, 'audio/mpeg', 1, 'hash', 'hash', '00000000-0000-7000-8000-000000000003')`,
    [one],
  );
  await database.query(
    `select complete_audio(id, claim, '{"durationMs": 60000, "peaks": "AA=="}') from claim_audio('a worker', 1, '1 hour')`,
  );
  const made = await database.query(
    "insert into playlists (name, owner_id) values ('First', $1), ('Second', $1) returning id",
    [one],
  );
  await database.query(
    "insert into playlist_tracks (playlist_id, audio_id, rank) select p.id, a.id, 'V' from playlists p, audio a where p.id = any($1)",
    [made.map(({ id }) => id)],
  );
  return made.map(({ id }) => id) as [string, string];
}

const codeOf = (error: unknown) =>
  answerFor(new GraphQLError("", { originalError: error as Error }), "r", logger).extensions.code;

const kinds = {
  isRetryable,
  isTimeout,
  isOverload,
  isUnavailable,
  isConnectionLoss,
  isLockTimeout,
  isUniqueViolation,
  isReferenced,
  isDiskFull,
  isDiskFailure,
  isOutOfMemory,
};
const kindsOf = (error: unknown) => Object.entries(kinds).flatMap(([name, is]) => (is(error) ? [name] : []));

describe("another transaction in the way", () => {
  it("of a model call: P2034", async () => {
    const error = await overtaken((transaction) => rename(transaction, one));
    expect(error).toMatchObject({ code: "P2034" });
    expect([sqlStateOf(error), kindsOf(error), codeOf(error)]).toEqual(["40001", ["isRetryable"], "CONFLICT"]);
  });

  it("of a raw call: P2010, the SQLSTATE inside", async () => {
    const error = await overtaken((transaction) => renameRaw(transaction, one));
    expect(error).toMatchObject({ code: "P2010", meta: { driverAdapterError: { cause: { originalCode: "40001" } } } });
    expect([sqlStateOf(error), kindsOf(error), codeOf(error)]).toEqual(["40001", ["isRetryable"], "CONFLICT"]);
  });

  it("at COMMIT: a bare DriverAdapterError", async () => {
    // A write skew that PostgreSQL finds when the second of the two commits.
    let other: Promise<unknown> | undefined;
    const error = await failureOf(
      transact(
        async (transaction) => {
          await transaction.$queryRaw`select count(*) from users where name like 'Name%'`;
          other = transact(
            async (second) => {
              await second.$queryRaw`select count(*) from users where name like 'Name%'`;
              await rename(second, two);
            },
            { isolationLevel: "Serializable" },
          );
          await rename(transaction, one);
          await other;
        },
        { isolationLevel: "Serializable" },
      ),
    );
    expect(error).toMatchObject({ name: "DriverAdapterError", cause: { originalCode: "40001" } });
    expect([sqlStateOf(error), kindsOf(error), codeOf(error)]).toEqual(["40001", ["isRetryable"], "CONFLICT"]);
  });

  it.each([
    ["a model call", rename],
    ["a raw call", renameRaw],
  ])("in a deadlock, by %s", async (_name, change) => {
    const bothHold = Promise.withResolvers<void>();
    let holding = 0;
    const cross = (first: string, second: string) =>
      transact(async (transaction) => {
        await change(transaction, first);
        if (++holding === 2) bothHold.resolve();
        await bothHold.promise;
        await change(transaction, second);
      });
    const outcomes = await Promise.allSettled([cross(one, two), cross(two, one)]);
    const [failed] = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
    expect(outcomes.filter(({ status }) => status === "rejected")).toHaveLength(1);
    expect(kindsOf(failed)).toEqual(["isRetryable"]);
    expect(codeOf(failed)).toBe("CONFLICT");
  });

  it("whose schedule it could not see, at COMMIT: 23P01", async () => {
    const [first, second] = await playlistsOfAMinute();
    const schedule = (transaction: PrismaTransaction, playlistId: string) =>
      transaction.$executeRaw`insert into schedules (playlist_id, channel, starts_at) values (${playlistId}::uuid, 'Radio', '2030-01-01Z')`;
    const error = await failureOf(
      transact(
        async (transaction) => {
          await transaction.user.count();
          await transact((other) => schedule(other, first));
          await schedule(transaction, second);
        },
        { isolationLevel: "RepeatableRead" },
      ),
    );
    expect(error).toMatchObject({ name: "DriverAdapterError", cause: { originalCode: "23P01" } });
    expect([kindsOf(error), codeOf(error)]).toEqual([["isRetryable"], "CONFLICT"]);
  });

  it("holding a row for too long: 55P03", async () => {
    const holder = await connectTo(database.url);
    await holder.query("begin");
    await holder.query("update users set name = 'Held' where id = $1", [one]);
    const hurried = connect({ lockTimeoutMs: 400 });
    const error = await failureOf(transact((transaction) => rename(transaction, one), {}, hurried));
    await holder.query("rollback");
    await holder.end();
    expect([sqlStateOf(error), kindsOf(error), codeOf(error)]).toEqual(["55P03", ["isLockTimeout"], "CONFLICT"]);
  });
});

describe("a rule of the database", () => {
  it("that refuses a model call or a raw call: LT004, with the answer inside", async () => {
    const [row] = await database.query("insert into playlists (name, owner_id) values ('{Empty}', $1) returning id", [
      one,
    ]);
    const data = { playlistId: row?.id as string, channel: "Radio", startsAt: new Date(), endsAt: new Date() };
    for (const work of [
      (transaction: PrismaTransaction) => transaction.schedule.create({ data }),
      (transaction: PrismaTransaction) =>
        transaction.$executeRaw`insert into schedules (playlist_id, channel, starts_at) values (${data.playlistId}::uuid, 'Radio', now())`,
    ]) {
      const error = await failureOf(transact(work));
      expect([sqlStateOf(error), kindsOf(error), codeOf(error)]).toEqual(["LT004", [], "INVALID_STATE"]);
      expect(refusalOf(error)?.message).toBe(
        'The playlist "{Empty}" is empty, so it cannot be scheduled: add tracks first.',
      );
    }
  });

  it("that keeps a row to which others refer: 23001, or 23503 before PostgreSQL 18", async () => {
    await database.query("insert into playlists (name, owner_id) values ('Kept', $1)", [one]);
    for (const work of [
      (transaction: PrismaTransaction) => transaction.user.delete({ where: { id: one } }),
      (transaction: PrismaTransaction) => transaction.$executeRaw`delete from users where id = ${one}::uuid`,
    ]) {
      const error = await failureOf(transact(work));
      expect([sqlStateOf(error), kindsOf(error)]).toEqual([expect.stringMatching(/^(23001|23503)$/), ["isReferenced"]]);
    }
  });
});

describe("time", () => {
  it("is limited by the database too, for the case that this process cannot", async () => {
    const limited = connect({ lockTimeoutMs: 400, statementTimeoutMs: 600, transactionTimeoutMs: 1_500 });
    const { rows } = await limited.pool.query(`
      select name, setting || coalesce(unit, '') as value from pg_settings
      where name ~ '^(statement|lock|transaction|idle_in_transaction_session)_timeout$' order by 1`);
    const limits = Object.fromEntries(rows.map(({ name, value }) => [name, value]));
    expect(limits).toEqual({
      idle_in_transaction_session_timeout: "2500ms",
      lock_timeout: "400ms",
      statement_timeout: "600ms",
      // PostgreSQL 17 and later.
      ...("transaction_timeout" in limits ? { transaction_timeout: "2500ms" } : {}),
    });
  });

  it("of a statement: 57014", async () => {
    const hurried = connect({ statementTimeoutMs: 600 });
    const error = await failureOf(
      transact((transaction) => transaction.$queryRaw`select pg_sleep(5)::text`, {}, hurried),
    );
    expect([sqlStateOf(error), kindsOf(error), codeOf(error)]).toEqual(["57014", ["isTimeout"], "TRANSACTION_TIMEOUT"]);
  });

  it("of a transaction, by Prisma: P2028", async () => {
    const error = await failureOf(
      transact(
        async (transaction) => {
          await new Promise((resume) => setTimeout(resume, 300));
          await transaction.user.count();
        },
        { timeout: 100 },
      ),
    );
    expect(error).toMatchObject({ code: "P2028" });
    expect([kindsOf(error), codeOf(error)]).toEqual([["isTimeout"], "TRANSACTION_TIMEOUT"]);
  });

  it("of an idle transaction, by the database: the connection is gone", async () => {
    const impatient = connect({ transactionTimeoutMs: 1_000 });
    // The database ends it after two seconds. This process would break the connection a second later.
    const byUs = vi.spyOn(TransactionState.prototype, "breakConnection");
    onTestFinished(() => byUs.mockRestore());
    // The pool's end of the connection, since a statement sent before it has closed is answered with the timeout.
    const ended = new Promise((resume) => impatient.pool.on("acquire", (client) => client.once("end", resume)));
    const error = await failureOf(
      transact(
        async (transaction) => {
          await processIdOf(transaction);
          await ended;
          expect(byUs).not.toHaveBeenCalled();
          await transaction.user.count();
        },
        {},
        impatient,
      ),
    );
    expect([kindsOf(error), codeOf(error)]).toEqual([["isConnectionLoss"], "OVERLOADED"]);
  });
});

describe("the connection", () => {
  it("ended by the database in a transaction is a definite abort", async () => {
    const error = await failureOf(
      transact(async (transaction) => {
        const processId = await processIdOf(transaction);
        await rename(transaction, one);
        await database.query("select pg_terminate_backend($1)", [processId]);
        await untilGone(processId);
        await transaction.user.count();
      }),
    );
    expect([kindsOf(error), codeOf(error)]).toEqual([["isConnectionLoss"], "OVERLOADED"]);
  });

  it("ended under a running statement: 57P01", async () => {
    const error = await failureOf(
      transact(async (transaction) => {
        const processId = await processIdOf(transaction);
        const running = transaction.$queryRaw`select pg_sleep(20)::text`;
        // Prisma's calls begin when somebody waits for them.
        const waiting = failureOf(Promise.resolve(running));
        const isAsleep = "select 1 from pg_stat_activity where pid = $1 and wait_event = 'PgSleep'";
        await until(async () => (await database.query(isAsleep, [processId])).length > 0, "the statement runs");
        await database.query("select pg_terminate_backend($1)", [processId]);
        throw await waiting;
      }),
    );
    expect([sqlStateOf(error), kindsOf(error), codeOf(error)]).toEqual(["57P01", ["isConnectionLoss"], "OVERLOADED"]);
  });

  it("lost after COMMIT was sent: the row is there all the same", async () => {
    proxy.dropCommitReplies(1);
    const error = await failureOf(
      transact((transaction) => transaction.user.update({ where: { id: two }, data: { name: "Committed" } })),
    );
    // "Connection terminated unexpectedly" after a FIN, the adapter's ConnectionClosed after a RST.
    expect(String(error)).toMatch(/Connection terminated unexpectedly|ConnectionClosed/);
    expect(kindsOf(error)).toEqual(["isConnectionLoss"]);
    const [row] = await database.query("select name from users where id = $1", [two]);
    expect(row).toEqual({ name: "Committed" });
  });

  it("lost with COMMIT itself: the row is not there, and the error is the same", async () => {
    proxy.dropCommits(1);
    const error = await failureOf(
      transact((transaction) => transaction.user.update({ where: { id: two }, data: { name: "Never" } })),
    );
    expect(kindsOf(error)).toEqual(["isConnectionLoss"]);
    const [row] = await database.query("select name from users where id = $1", [two]);
    expect(row).toEqual({ name: "Committed" });
  });

  it("that nobody gave back in time", async () => {
    const forEver = 600_000;
    for (const [waitMs, maxWait] of [
      [forEver, 200],
      [200, forEver],
    ]) {
      const small = connect({ size: 1, waitMs, transactionTimeoutMs: forEver });
      // The limit is also that of opening a connection, which takes longer on a busy machine.
      const open = () => small.pool.connect().then((client) => client.release());
      await until(
        () =>
          open().then(
            () => true,
            () => false,
          ),
        "the connection is open",
      );
      const held = Promise.withResolvers<void>();
      const begun = Promise.withResolvers<void>();
      const holder = transact(
        async (transaction) => {
          await transaction.user.count();
          begun.resolve();
          await held.promise;
        },
        { maxWait: forEver, timeout: forEver },
        small,
      );
      await begun.promise;
      // By Prisma, and then by the pool: it is told although nobody has given the connection back.
      const error = await failureOf(transact((transaction) => transaction.user.count(), { maxWait }, small));
      held.resolve();
      await holder;
      expect([kindsOf(error), codeOf(error)]).toEqual([["isOverload"], "OVERLOADED"]);
      expect(small.pool.totalCount).toBe(1);
    }
  });

  it("that as many wait for already as may", async () => {
    const small = connect({ size: 1, queueLength: 1 });
    const count = () => transact((transaction) => transaction.user.count(), {}, small);
    const release = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const holder = transact(
      async () => {
        begun.resolve();
        await release.promise;
      },
      {},
      small,
    );
    await begun.promise;
    const [waiting, refused] = [count(), failureOf(count())];
    const error = await refused;
    release.resolve();
    expect(error).toMatchObject({ name: "WriteOverloadError" });
    expect(codeOf(error)).toBe("OVERLOADED");
    // Who waited is served.
    await holder;
    expect(await waiting).toBe(2);
  });

  it("that is refused by the network", async () => {
    const nowhere = connect({ url: database.url.replace(/:\d+\//, ":9/") });
    const error = await failureOf(transact((transaction) => transaction.user.count(), {}, nowhere));
    expect([kindsOf(error), codeOf(error)]).toEqual([["isUnavailable"], "OVERLOADED"]);
  });

  it("that the network swallows", async () => {
    const deaf = connect({ waitMs: 300 });
    proxy.blackHole(true);
    const error = await failureOf(transact((transaction) => transaction.user.count(), {}, deaf));
    expect(kindsOf(error)).not.toEqual([]);
    expect(codeOf(error)).toBe("OVERLOADED");
  });

  it("that a database in recovery does not accept: 57P03, nothing has run", async () => {
    const fields = ["SFATAL", "VFATAL", "C57P03", "Mthe database system is starting up", ""];
    const body = Buffer.from(`${fields.join("\0")}\0`);
    const head = Buffer.from("E....");
    head.writeInt32BE(body.length + 4, 1);
    const recovering = createServer((socket) => socket.once("data", () => socket.end(Buffer.concat([head, body]))));
    await new Promise<void>((listening) => recovering.listen(0, "127.0.0.1", listening));
    const { port } = recovering.address() as AddressInfo;
    const waiting = connect({ url: `postgresql://u:p@127.0.0.1:${port}/d` });
    const error = await failureOf(transact((transaction) => transaction.user.count(), {}, waiting));
    recovering.close();
    expect(error).toMatchObject({ code: "P2039" });
    expect([sqlStateOf(error), kindsOf(error), codeOf(error)]).toEqual(["57P03", ["isUnavailable"], "OVERLOADED"]);
  });

  it("of which the database has too many: 53300", async () => {
    const role = "lectern_test_crowded";
    await database.query(`drop role if exists ${role}`);
    await database.query(`create role ${role} login password 'x' connection limit 0`);
    const crowded = connect({ url: database.url.replace(/\/\/[^@]*@/, `//${role}:x@`) });
    const error = await failureOf(transact((transaction) => transaction.user.count(), {}, crowded));
    await database.query(`drop role ${role}`);
    expect([sqlStateOf(error), codeOf(error)]).toEqual(["53300", "OVERLOADED"]);
    expect(kindsOf(error)).toContain("isUnavailable");
  });
});

describe("what the database lacks itself", () => {
  const lacking: [state: string, kind: string[], code: string, http: object][] = [
    ["53100", ["isDiskFull"], "INSUFFICIENT_STORAGE", { status: 507 }],
    ["58000", ["isDiskFailure"], "STORAGE_UNAVAILABLE", { status: 503 }],
    ["58030", ["isDiskFailure"], "STORAGE_UNAVAILABLE", { status: 503 }],
    ["58P01", ["isDiskFailure"], "STORAGE_UNAVAILABLE", { status: 503 }],
    ["53200", ["isOutOfMemory"], "OVERLOADED", { status: 503, headers: { "retry-after": "1" } }],
  ];
  const meet = async (state: string) => {
    await database.query(`
      create or replace function meet() returns trigger language plpgsql as $$
      begin raise exception 'could not use "base/1/2"' using errcode = '${state}'; end $$;
      create or replace trigger meet before update on users for each row execute function meet();
      create or replace function meet_late() returns trigger language plpgsql as $$
      begin raise exception 'could not use "base/1/2"' using errcode = '${state}'; end $$;
      drop trigger if exists meet_late on users;
      create constraint trigger meet_late after insert on users deferrable initially deferred
        for each row execute function meet_late()`);
  };
  afterAll(() => database.query("drop function if exists meet, meet_late cascade"));

  it.each(lacking)("%s, in a model call, a raw call and at COMMIT", async (state, kind, code, http) => {
    await meet(state);
    const data = { email: "late@x", name: "Late", passwordHash: "none" };
    const works: Work[] = [
      (transaction) => rename(transaction, one),
      (transaction) => renameRaw(transaction, one),
      (transaction) => transaction.user.create({ data }),
    ];
    for (const work of works) {
      const lines: { level: number; err: { message: string } }[] = [];
      const log = pino({}, { write: (line) => void lines.push(JSON.parse(line)) });
      const error = await failureOf(transact(work));
      expect([sqlStateOf(error), kindsOf(error)]).toEqual([state, kind]);
      const answer = answerFor(new GraphQLError("", { originalError: error as Error }), "r", log);
      expect(answer.extensions).toEqual({ code, requestId: "r", http });
      expect(answer.message).not.toContain("base/");
      expect(lines).toMatchObject([{ level: 50, err: { message: expect.stringContaining("base/1/2") } }]);
    }
    expect(await database.query("select 1 from users where email = 'late@x'")).toEqual([]);
  });
});

describe("what is nobody's fault but the statement's", () => {
  it.each([
    [
      "a model call",
      (t: PrismaTransaction) => t.user.create({ data: { email: "one@x", name: "N", passwordHash: "" } }),
    ],
    [
      "a raw call",
      (t: PrismaTransaction) => t.$executeRaw`insert into users (email, name, password_hash) values ('one@x', 'N', '')`,
    ],
  ])("a taken value, in %s: 23505", async (_name, work: Work) => {
    const error = await failureOf(transact(work));
    expect([sqlStateOf(error), kindsOf(error)]).toEqual(["23505", ["isUniqueViolation"]]);
  });

  it.each([
    ["a check", "23514", (t: PrismaTransaction) => t.user.update({ where: { id: one }, data: { name: " " } })],
    ["a division", "22012", (t: PrismaTransaction) => t.$queryRaw`select 1 / 0`],
  ])("%s that fails: %s, under Prisma's P2039 or P2010", async (_name, state, work: Work) => {
    const error = await failureOf(transact(work));
    expect([sqlStateOf(error), kindsOf(error), codeOf(error)]).toEqual([state, [], "INTERNAL_SERVER_ERROR"]);
  });

  it("an error of ours, or of the operating system, has no SQLSTATE", () => {
    expect(sqlStateOf(Object.assign(new Error("pipe"), { code: "EPIPE" }))).toBeUndefined();
    expect(sqlStateOf(new Error("no code"))).toBeUndefined();
    expect(sqlStateOf(Object.assign(new Error("P"), { code: "P2025" }))).toBeUndefined();
  });
});
