/**
 * The network and the database at their worst: COMMIT whose answer never comes, connections that swallow everything,
 * more requests than connections. What clients are told is true, and what they are not told can be found out.
 */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Probe } from "../../src/unit-of-work/transaction-guard.ts";
import { dump } from "../support/dump.ts";
import { filesOf } from "../support/files.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { rounds } from "../support/rounds.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { formOf } from "../support/upload.ts";

/** Straight to the database; makes it and drops it. */
let home: Lectern;
let proxy: TcpProxy;
/** Through the proxy. */
let lectern: Lectern;
let ada: Person;
let probe: Probe | undefined;
const long = { timeout: 1_800_000 };

beforeAll(async () => {
  home = await startLectern({ housekeeping: false });
  proxy = await startTcpProxy(home.database.url);
  lectern = await startLectern({
    database: { ...home.database, url: proxy.url },
    settings: {
      WRITE_CONNECTIONS: "4",
      WRITE_WAIT_MS: "400",
      TRANSACTION_TIMEOUT_MS: "1500",
      STATEMENT_TIMEOUT_MS: "1400",
    },
    // The faults meet nobody but whom they are for.
    housekeeping: false,
    probe: (point, operation) => probe?.(point, operation),
  });
  ada = await home.person("Ada");
});
afterEach(() => {
  probe = undefined;
  proxy.refuse(false);
  proxy.blackHole(false);
});
afterAll(async () => {
  await lectern.stop();
  await proxy.stop();
  await home.stop();
});

type Answer = { status: number; retryAfter: string | null; isReplay: boolean; ms: number; body: Body };
type Body = { data: Record<string, unknown> | null; errors?: { extensions: { code: string } }[] };

async function send(
  query: string,
  variables: object,
  headers: Record<string, string> = {},
  { url } = lectern,
): Promise<Answer> {
  const started = performance.now();
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${ada.accessToken}`, ...headers },
    body: JSON.stringify({ query, variables }),
  });
  const body = (await response.json()) as Body;
  return {
    status: response.status,
    retryAfter: response.headers.get("retry-after"),
    isReplay: response.headers.get("idempotent-replay") === "true",
    ms: performance.now() - started,
    body,
  };
}

const create = `mutation Create($title: String!) {
  createDocument(input: { title: $title, source: { text: $title } }) { isDuplicate document { title } }
}`;

/** Creates a document from an HTML file, with the title as its key. */
async function sendFile(title: string): Promise<Pick<Answer, "isReplay" | "body">> {
  const query = "mutation($file: File!) { createDocument(input: { source: { file: $file } }) { isDuplicate } }";
  const file = new File([`<!doctype html><title>${title}</title><p>The words of ${title}.`], "page.html");
  const headers = { authorization: `Bearer ${ada.accessToken}`, "idempotency-key": title.replace(" ", "-") };
  const response = await fetch(lectern.url, { method: "POST", headers, body: formOf(query, file) });
  const isReplay = response.headers.get("idempotent-replay") === "true";
  return { isReplay, body: (await response.json()) as Body };
}

const codeOf = ({ body }: Answer) => body.errors?.[0]?.extensions.code;
const titled = async (title: string) =>
  (await home.database.query("select 1 from documents where title = $1", [title])).length;

it("costs two round trips more than its statements, whatever its isolation", async () => {
  for (const isolation of ["ReadCommitted", "Serializable"] as const) {
    const rename = () =>
      lectern.application.run({ name: "rename", isolation }, async (uow) => {
        const prisma = await uow.transaction();
        await prisma.$executeRaw`update users set name = 'Ada' where email = ${ada.email}`;
        const [row] = await prisma.$queryRaw<object[]>`select current_setting('transaction_isolation') as level`;
        return row;
      });
    await rename();
    proxy.resetCounts();
    expect(await rename()).toEqual({ level: isolation === "Serializable" ? "serializable" : "read committed" });
    // BEGIN, two statements, COMMIT.
    expect(proxy.counts.flights).toBe(4);
  }
});

describe("a COMMIT whose answer is lost", () => {
  it(
    `is found out, ${rounds(30, 200)} times: done once, the key replays, no file missing, none left`,
    long,
    async () => {
      const times = rounds(30, 200);
      for (let round = 0; round < times; round++) {
        const title = `Dropped ${round}`;
        // Every third COMMIT is lost on its way there, the others on their way back.
        if (round % 3 === 0) proxy.dropCommits(1);
        else proxy.dropCommitReplies(1);
        const first = await send(create, { title }, { "idempotency-key": title.replace(" ", "-") });
        const again = await send(create, { title }, { "idempotency-key": title.replace(" ", "-") });
        // Either way the server found out by itself, and a lost COMMIT was simply sent anew.
        expect([first.body.data, first.isReplay]).toEqual([
          { createDocument: { isDuplicate: false, document: { title } } },
          false,
        ]);
        expect([again.body, again.isReplay]).toEqual([first.body, true]);
        expect(await titled(title)).toBe(1);

        // The same with a file beside the row, which is kept before it and removed after a proven abort.
        if (round % 3 === 0) proxy.dropCommits(1);
        else proxy.dropCommitReplies(1);
        const uploaded = await sendFile(`File ${round}`);
        const repeated = await sendFile(`File ${round}`);
        expect([uploaded.body.data, uploaded.isReplay]).toEqual([{ createDocument: { isDuplicate: false } }, false]);
        expect([repeated.body, repeated.isReplay]).toEqual([uploaded.body, true]);
        expect(await titled(`File ${round}`)).toBe(1);
      }
      expect(proxy.droppedCommits).toBe(2 * times);
      const named = await home.database.query("select storage_key as key from documents where storage_key is not null");
      expect(named).toHaveLength(times);
      await expect
        .poll(() => filesOf(lectern))
        .toEqual(named.map(({ key }) => `kept/${String(key).slice(-2)}/${key}`).sort());
    },
  );

  it("is UNKNOWN_OUTCOME when nobody can be asked; no effect runs, and the key tells later", long, async () => {
    const effects: string[] = [];
    proxy.loseOutcome();
    const headers = { "idempotency-key": "unknown" };
    const answer = await send(create, { title: "Unknown" }, headers);
    expect([answer.body.data, codeOf(answer)]).toEqual([null, "UNKNOWN_OUTCOME"]);
    // Nothing is said to be undone.
    expect(answer.body.errors).toHaveLength(1);
    proxy.refuse(false);
    proxy.loseOutcome();
    const run = lectern.application.run({ name: "effects" }, async (uow) => {
      uow.afterCommit(() => void effects.push("commit"));
      uow.afterAbort(() => void effects.push("abort"));
      const prisma = await uow.transaction();
      await prisma.$executeRaw`update users set name = 'Unknown' where email = ${ada.email}`;
    });
    await expect(run).rejects.toMatchObject({ name: "UnknownOutcomeError" });
    expect(effects).toEqual([]);
    proxy.refuse(false);
    // It had happened, and the client learns so.
    const again = await send(create, { title: "Unknown" }, headers);
    expect([again.isReplay, again.body.data]).toEqual([
      true,
      { createDocument: { isDuplicate: false, document: { title: "Unknown" } } },
    ]);
    expect(await titled("Unknown")).toBe(1);
  });

  it("is made certain when it was lost and the database still waits for it", long, async () => {
    proxy.strandCommits(1);
    const answer = await send(create, { title: "Stranded" });
    // The waiting session was ended, which proved that nothing had happened: so it was done again.
    expect(answer.body.data).toEqual({ createDocument: { isDuplicate: false, document: { title: "Stranded" } } });
    expect(proxy.droppedCommits).toBeGreaterThan(0);
    expect(await titled("Stranded")).toBe(1);
    await expect.poll(openTransactions).toEqual([]);
  });

  it("is given up in bounded time when the network swallows it", long, async () => {
    const before = await dump(home.database);
    probe = (point) => {
      if (point !== "before_commit") return;
      proxy.blackHole(true);
      setTimeout(() => proxy.blackHole(false), 1_000);
    };
    const answer = await send(create, { title: "Swallowed" });
    expect(codeOf(answer)).toBe("TRANSACTION_TIMEOUT");
    expect(answer.ms).toBeLessThan(1_500 + 2_000 + 1_000);
    expect(await dump(home.database)).toEqual(before);
    await expect.poll(openTransactions).toEqual([]);
  });

  it("is given up in bounded time when the network swallows everything from then on", long, async () => {
    probe = (point) => {
      if (point === "before_commit") proxy.blackHole(true);
    };
    const answer = await send(create, { title: "Deaf and dumb" });
    // Nobody could be asked.
    expect(codeOf(answer)).toBe("UNKNOWN_OUTCOME");
    expect(answer.ms).toBeLessThan(1_500 + 2_000 + 1_500 + 1_500);
    proxy.blackHole(false);
    proxy.cut();
    await expect.poll(openTransactions).toEqual([]);
    expect(await titled("Deaf and dumb")).toBe(0);
  });
});

const openTransactions = () =>
  home.database.query(
    "select 1 from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'",
  );

describe("a connection that breaks before COMMIT", () => {
  it("is replaced, and the operation done again: the client notices nothing", long, async () => {
    let cuts = 0;
    probe = async (point) => {
      if (point !== "before_commit" || cuts++ > 0) return;
      // Longer than an operation waits for a connection: another try may begin all the same.
      await pause(500);
      proxy.cut();
    };
    const answer = await send(create, { title: "Cut before COMMIT" });
    expect(answer.body.data).toEqual({
      createDocument: { isDuplicate: false, document: { title: "Cut before COMMIT" } },
    });
    expect(cuts).toBe(2);
    expect(await titled("Cut before COMMIT")).toBe(1);
  });

  it("and cannot be replaced is OVERLOADED, with 503, in bounded time", long, async () => {
    probe = (point) => {
      if (point !== "statement") return;
      proxy.refuse(true);
      proxy.cut();
    };
    const answer = await send(create, { title: "No way" });
    expect([answer.status, answer.retryAfter, codeOf(answer)]).toEqual([503, "1", "OVERLOADED"]);
    expect(answer.ms).toBeLessThan(3_000);
    proxy.refuse(false);
    probe = undefined;
    expect(await titled("No way")).toBe(0);
    expect((await send(create, { title: "A way" })).body.data).not.toBeNull();
  });
});

describe("more operations than connections", () => {
  const [connections, queueLength, waitMs, many] = [4, 32, 400, 500];

  it("are refused fast, hold up no reads, and leave the pool as it was", long, async () => {
    const release = Promise.withResolvers<void>();
    // Its transactions may be long, so that they outlast all that is refused meanwhile.
    const crowded = await startLectern({
      database: home.database,
      settings: {
        WRITE_CONNECTIONS: String(connections),
        WRITE_QUEUE: String(queueLength),
        WRITE_WAIT_MS: String(waitMs),
        TRANSACTION_TIMEOUT_MS: "60000",
      },
      housekeeping: false,
      probe: (point, operation) => probe?.(point, operation),
    });
    const { pool } = crowded.application.database;
    const sendTo = (query: string, variables: object) => send(query, variables, {}, crowded);
    const read = () => sendTo("{ viewer { user { name } } }", {});
    const burst = (request: (index: number) => Promise<Answer>) =>
      Promise.all(Array.from({ length: many }, (_, index) => request(index)));
    let holding = 0;
    const allHeld = Promise.withResolvers<void>();
    probe = async (point, operation) => {
      if (point !== "statement" || operation !== "Long") return;
      if (++holding === connections) allHeld.resolve();
      await release.promise;
    };
    let longestQueue = 0;
    const watch = setInterval(() => {
      longestQueue = Math.max(longestQueue, pool.waitingCount);
    });
    onTestFinished(async () => {
      clearInterval(watch);
      release.resolve();
      await crowded.stop();
    });
    const longOnes = Array.from({ length: 2 * connections }, (_, index) =>
      sendTo(create.replace("Create", "Long"), { title: `Long ${index}` }),
    );
    await allHeld.promise;

    const failing = () => sendTo('mutation { deleteDocument(input: { id: "nothing" }) { deletedId } }', {});
    // The clients' connections are opened.
    await burst(failing);
    // What as many mutations cost that fail before they need a connection says how fast the machine is just now. The
    // best of ten rounds counts, since others may be at work on it.
    let late = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 10 && late > 100; round++) {
      const unavoidable = p99(await burst(failing));
      const [refused, readMeanwhile] = await Promise.all([
        burst((index) => sendTo(create, { title: `Refused ${index}` })),
        read(),
      ]);
      expect(refused.map(({ status, retryAfter }) => [status, retryAfter])).toEqual(refused.map(() => [503, "1"]));
      expect(new Set(refused.map(codeOf))).toEqual(new Set(["OVERLOADED"]));
      // Reads have connections of their own.
      expect(readMeanwhile.status).toBe(200);
      const after = await read();
      expect([after.status, after.ms < 1_000]).toEqual([200, true]);
      late = Math.min(late, p99(refused) - waitMs - unavoidable);
      console.log(
        `${many} refused: p50 ${middle(refused).toFixed(0)} ms, p99 ${p99(refused).toFixed(0)} ms; of ${many} that fail by themselves: ${unavoidable.toFixed(0)} ms`,
      );
    }
    expect(late).toBeLessThan(100);
    // A password is hashed before a connection is asked for: that it is wrong is told all the same.
    const wrong = `mutation { signIn(input: { email: "${ada.email}", password: "not her password" }) { expiresAt } }`;
    expect(codeOf(await sendTo(wrong, {}))).toBe("UNAUTHENTICATED");
    // All others were refused at once.
    expect(longestQueue).toBe(queueLength);

    release.resolve();
    const done = await Promise.all(longOnes);
    expect(done.filter(({ status }) => status === 200)).toHaveLength(connections);
    expect(done.filter(({ status }) => status === 503)).toHaveLength(connections);
    probe = undefined;
    const afterTheRush = await sendTo(create, { title: "After the rush" });
    expect(afterTheRush.body.data).not.toBeNull();
    expect(afterTheRush.ms).toBeLessThan(1_000);
    expect([pool.waitingCount, pool.totalCount, pool.idleCount]).toEqual([0, connections, connections]);
    const states = await home.database.query(
      "select state from pg_stat_activity where datname = current_database() and application_name = 'lectern write' and state <> 'idle'",
    );
    expect(states).toEqual([]);
    const [created] = await home.database.query("select count(*)::int from documents where title like 'Refused%'");
    expect(created).toEqual({ count: 0 });
  });
});

const quantile = (answers: Answer[], part: number) =>
  answers.map(({ ms }) => ms).sort((one, other) => one - other)[Math.floor(answers.length * part)] as number;
const middle = (answers: Answer[]) => quantile(answers, 0.5);
const p99 = (answers: Answer[]) => quantile(answers, 0.99);
