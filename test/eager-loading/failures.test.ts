/** What goes wrong under a query: a lost connection, a statement that fails, a plan that is slow. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { ReadOverloadError } from "../../src/database/read-connection.ts";
import { ReadConnections } from "../../src/database/read-connections.ts";
import { raw, sql } from "../../src/eager-loading/sql.ts";
import { traced } from "../support/budget.ts";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { closeGate } from "../support/gate.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { post } from "../support/post.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

let database: TestDatabase;
let proxy: TcpProxy;
let lectern: Lectern;
let ada: Person;

beforeAll(async () => {
  database = await freshDatabase();
  proxy = await startTcpProxy(database.url);
  lectern = await startLectern({
    database: { ...database, url: proxy.url },
    settings: { STATEMENT_TIMEOUT_MS: "3000" },
  });
  ada = await lectern.person("Ada");
  await ada.document({ text: "Some text." });
});

afterAll(async () => {
  await lectern.stop();
  await proxy.stop();
  await database.drop();
});

const query = "{ documents { nodes { title text owner { name } chunks { totalCount } } } }";
type Answer = { documents: { nodes: { text: string }[] } };

const open = (options: Partial<ConstructorParameters<typeof ReadConnections>[0]> = {}) =>
  new ReadConnections({
    url: proxy.url,
    count: 2,
    maxDepth: 100,
    statementTimeoutMs: 20_000,
    connectTimeoutMs: 20_000,
    ...options,
  });

describe("read connections", () => {
  it("cannot write", async () => {
    const { reads } = lectern.application;
    await expect(reads.read(sql`delete from users`)).rejects.toThrow(/read-only transaction/);
    await expect(reads.read(sql`select uuid_v7()`)).resolves.toHaveLength(1);
  });

  it("repeat a read on another connection when theirs is lost", async () => {
    const reads = open();
    const gate = await closeGate(database);
    try {
      await expect.poll(() => reads.state.ready).toBe(2);
      const passing = raw(gate.passing);
      const asked = [1, 2, 3].map((n) => reads.read(sql`select ${n}::int as n, ${passing}`));
      const together = reads.readTogether([sql`select 4 as n, ${passing}`, sql`select 5 as n`]);
      // The first on each of the two connections; the rest waits behind it.
      await gate.reached(2);
      proxy.cut();
      await gate.open();
      const [answers, outcomes] = await Promise.all([Promise.all(asked), together]);
      expect(answers.map(([row]) => row?.n)).toEqual([1, 2, 3]);
      expect(outcomes).toMatchObject([{ rows: [{ n: 4 }] }, { rows: [{ n: 5 }] }]);
    } finally {
      await gate.open();
      await reads.close();
    }
  });

  it("come back after the database was away, and say OVERLOADED meanwhile", async () => {
    proxy.refuse(true);
    proxy.cut();
    const away = await ask(query);
    expect(away.status).toBe(503);
    expect(away.body.errors?.[0]?.extensions.code).toBe("OVERLOADED");
    expect(away.headers.get("retry-after")).toBe("1");
    proxy.refuse(false);
    await expect.poll(async () => (await ask(query)).status).toBe(200);
    await expect.poll(() => lectern.application.reads.state.underWay).toBe(0);
  });

  it("come back all of them, also when the first try to come back fails", async () => {
    const reads = open();
    try {
      await expect.poll(() => reads.state.ready).toBe(2);
      proxy.resetCounts();
      proxy.refuse(true);
      await database.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where application_name = 'lectern read' and datname = current_database()`,
      );
      await expect.poll(() => reads.state.ready).toBe(0);
      // The server whose connections these are not may have lost its own to the network: so it is more than one try each.
      await expect.poll(() => proxy.counts.refusals).toBeGreaterThan(10);
      proxy.refuse(false);
      await expect.poll(() => reads.state.ready).toBe(2);
    } finally {
      await reads.close();
    }
  });

  it("give up a connection on which the database has fallen silent", async () => {
    // A network of its own: what is swallowed is missed by whoever shares it.
    const hole = await startTcpProxy(database.url);
    const reads = open({ url: hole.url, statementTimeoutMs: 2_000, count: 1 });
    try {
      await reads.read(sql`select 1`);
      hole.swallow();
      await expect(reads.read(sql`select 1 as n`)).resolves.toEqual([{ n: 1 }]);
      expect(reads.state.underWay).toBe(0);
    } finally {
      await reads.close();
      await hole.stop();
    }
  });

  it("keep new reads away from a connection that a slow statement holds up", async () => {
    const reads = open();
    const gate = await closeGate(database);
    try {
      await expect.poll(() => reads.state.ready).toBe(2);
      const order: string[] = [];
      const slow = reads.read(gate.pass).finally(() => order.push("slow"));
      await gate.reached(1);
      // A statement holds its connection up when it has been under way for 50 ms.
      await new Promise((resume) => setTimeout(resume, 100));
      const quick = Array.from({ length: 20 }, () => reads.read(sql`select 1`).finally(() => order.push("quick")));
      // One behind the slow statement would come after it, when the database has ended that after its 20 s.
      await Promise.all(quick);
      expect(order).toEqual(Array(20).fill("quick"));
      await gate.open();
      await slow;
    } finally {
      await gate.open();
      await reads.close();
    }
  });

  it("refuse more than they can carry instead of queueing it", async () => {
    const reads = open({ count: 1, maxDepth: 10 });
    try {
      await reads.read(sql`select 1`);
      const slow = Array.from({ length: 10 }, () => reads.read(sql`select pg_sleep(0.01)`));
      await expect(reads.read(sql`select 1`)).rejects.toBeInstanceOf(ReadOverloadError);
      await Promise.all(slow);
      await expect(reads.read(sql`select 1 as n`)).resolves.toEqual([{ n: 1 }]);
      expect(reads.state).toEqual({ ready: 1, underWay: 0 });
    } finally {
      await reads.close();
    }
  });

  it("keep errors apart: one failing statement of a batch fails alone", async () => {
    const { reads } = lectern.application;
    const outcomes = await Promise.allSettled([
      reads.read(sql`select 1 as n`),
      reads.read(sql`select 1 / 0`),
      reads.read(sql`select 3 as n`),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  });

  it("name a bounded number of statements", async () => {
    const reads = open({ count: 1 });
    try {
      for (let index = 0; index < 600; index++) await reads.read(raw(`select 1 as n${index}`));
      const [row] = await reads.read(sql`select count(*)::int as named from pg_prepared_statements`);
      expect(row?.named).toBeLessThanOrEqual(500);
    } finally {
      await reads.close();
    }
  });
});

describe("a plan that fails", () => {
  it("leaves its fields to the batches, and the answer is whole", async () => {
    const { reads } = lectern.application;
    const readTogether = reads.readTogether.bind(reads);
    let plans = 0;
    reads.readTogether = (statements) => {
      plans++;
      // The second statement fails, and with it the rest of its transaction.
      return readTogether([statements[0] as never, sql`select 1 / 0`, ...statements.slice(2)]);
    };
    try {
      const { data, cost } = await traced<Answer>(lectern, ada, query);
      expect(plans).toBe(1);
      expect(data.documents.nodes[0]?.text).toBe("Some text.");
      expect(cost.batches.filter(({ planned, failed }) => planned && !failed).map(({ relation }) => relation)).toEqual([
        "Documents",
      ]);
      expect(cost.batches.filter(({ planned }) => !planned)).toHaveLength(3);
    } finally {
      reads.readTogether = readTogether;
    }
  });

  it("that takes too long is not waited for", async () => {
    const hurried = await startLectern({ database, settings: { EAGER_PLAN_TIMEOUT_MS: "200" } });
    onTestFinished(() => hurried.stop());
    const gate = await closeGate(database);
    const { reads } = hurried.application;
    const readTogether = reads.readTogether.bind(reads);
    let isOver = false;
    // The database is not told of the limit, so that nothing but the query's own patience can end the wait.
    reads.readTogether = (statements) =>
      readTogether([gate.pass, ...statements]).finally(() => {
        isOver = true;
      });
    try {
      const { data, cost } = await traced<Answer>(hurried, ada, query);
      expect(isOver).toBe(false);
      expect(data.documents.nodes[0]?.text).toBe("Some text.");
      expect(cost.batches.every(({ planned }) => !planned)).toBe(true);
    } finally {
      await gate.open();
    }
  });
});

describe("a plan that is given up", () => {
  it("does not run on in the database", async () => {
    const reads = open({ count: 1 });
    try {
      await reads.read(sql`select 1`);
      const outcomes = await reads.readTogether([sql`select pg_sleep(3)`, sql`select pg_sleep(3)`, sql`select 1`], 200);
      // The first is ended by the limit, and the others, which come after it in its transaction, do not begin.
      expect(outcomes).toMatchObject([
        { error: { code: "57014" } },
        { error: { code: "25P02" } },
        { error: { code: "25P02" } },
      ]);
      // The limit was the plan's own, not the connection's.
      await expect(reads.read(sql`select pg_sleep(0.4), 1 as n`)).resolves.toMatchObject([{ n: 1 }]);
    } finally {
      await reads.close();
    }
  });
});

describe("a query whose fragments spread each other twice", () => {
  it("is answered, however many there are", async () => {
    const fragments = Array.from({ length: 60 }, (_, n) => `fragment F${n} on User { ...F${n + 1} ...F${n + 1} }`);
    const text = `{ users(first: 1) { nodes { ...F0 } } } ${fragments.join(" ")} fragment F60 on User { name }`;
    // To follow each spread by itself would take 2 to the power of 60 steps: that is never answered.
    const { body } = await ask(text);
    expect(body.data).toEqual({ users: { nodes: [{ name: "Ada" }] } });
  });
});

describe("a relation whose statement fails", () => {
  it("fails its own fields only, with a clear code", async () => {
    const { reads } = lectern.application;
    const read = reads.read.bind(reads);
    const { readTogether } = reads;
    Object.assign(reads, { readTogether: undefined });
    reads.read = (statement) =>
      statement.text.includes('t."text" as "$value"') ? read(sql`select pg_sleep(9)`) : read(statement);
    try {
      const { body } = await ask(query);
      expect(body.data).toMatchObject({ documents: { nodes: [{ text: null, owner: { name: "Ada" } }] } });
      expect(body.errors).toMatchObject([
        { path: ["documents", "nodes", 0, "text"], extensions: { code: "TRANSACTION_TIMEOUT" } },
      ]);
    } finally {
      Object.assign(reads, { readTogether });
      reads.read = read;
    }
  });
});

async function ask(text: string): Promise<{ status: number; headers: Headers; body: Body }> {
  const response = await post(lectern.url, { query: text, accessToken: ada.accessToken });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
}

type Body = { data?: unknown; errors?: { path?: unknown[]; extensions: { code: string } }[] };
