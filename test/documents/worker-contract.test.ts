/** The worker contract of the database, as a worker in any language meets it, and our own worker on top of it. */
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { withClient } from "../../src/database/with-client.ts";
import { type DocumentJob, type DocumentResult, documentQueue } from "../../src/documents/worker/document-queue.ts";
import type { Claim, Queue } from "../../src/processing/queue.ts";
import { sqlQueue } from "../../src/processing/sql-queue.ts";
import { Worker, type WorkerOptions } from "../../src/processing/worker.ts";
import type { TestDatabase } from "../support/database.ts";
import { connectTo } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { collectedLog, silent } from "../support/logs.ts";
import { addDocument, addUser } from "../support/rows.ts";
import { until } from "../support/until.ts";

let database: TestDatabase;
let owner: string;

beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.query("delete from users");
  owner = await addUser(database);
});

type Row = Record<string, unknown>;
type ClaimRow = { id: string; claim: string; attempt: number; mime_type: string; title: string; text: string };

/** Documents with these texts, the first one first in the queue. */
async function insertDocuments(...texts: string[]): Promise<string[]> {
  const rows = await database.query(
    `insert into documents (owner_id, title, mime_type, size_bytes, sha256, text, next_attempt_at)
     select $1, 'About ' || text, 'text/plain', length(text), md5(text), text, now() - interval '1 hour' + place * interval '1 s'
     from unnest($2::text[]) with ordinality t(text, place) returning id, text`,
    [owner, texts],
  );
  return texts.map((text) => rows.find((row) => row.text === text)?.id as string);
}

async function claim(count = 1, worker = "a worker", lease = "30 seconds"): Promise<ClaimRow[]> {
  const text = "select * from claim_documents($1, $2, $3::interval)";
  return (await database.query(text, [worker, count, lease])) as ClaimRow[];
}

async function claimOne(): Promise<ClaimRow> {
  const [claimed] = await claim();
  if (!claimed) throw new Error("There was nothing to claim.");
  return claimed;
}

async function answer(call: string, values: unknown[]): Promise<unknown> {
  return (await database.query(`select ${call} as answer`, values))[0]?.answer;
}
const complete = ({ id, claim }: Pick<ClaimRow, "id" | "claim">, chunks: unknown) =>
  answer("complete_document($1, $2, $3::jsonb)", [id, claim, JSON.stringify(chunks)]);
const fail = ({ id, claim }: ClaimRow, reason: string | null, max = 5) =>
  answer("fail_document($1, $2, $3, $4)", [id, claim, reason, max]);
const release = ({ id, claim }: ClaimRow) => answer("release_document($1, $2)", [id, claim]);
const extend = ({ id, claim }: ClaimRow, lease: string, progress: number | null = null) =>
  answer("extend_document_lease($1, $2, $3::interval, $4)", [id, claim, lease, progress]);
const endLease = (id: string) =>
  database.query("update documents set lease_until = now() - interval '1 second' where id = $1", [id]);

async function read(id: string): Promise<Row> {
  return (await database.query("select * from documents where id = $1", [id]))[0] as Row;
}
const chunksOf = (id: string) =>
  database.query(
    "select index, text, start_offset, end_offset, token_count from chunks where document_id = $1 order by index",
    [id],
  );

const draft = (text: string, startOffset: number) => ({
  text,
  startOffset,
  endOffset: startOffset + text.length,
  tokenCount: 1,
});
const someChunks = [draft("one", 0), draft("two", 4)];
const someRows = [
  { index: 0, text: "one", start_offset: 0, end_offset: 3, token_count: 1 },
  { index: 1, text: "two", start_offset: 4, end_offset: 7, token_count: 1 },
];

describe("claim_documents", () => {
  it("gives the oldest first, once, with what the work needs", async () => {
    const [first, second, third] = await insertDocuments("one two", "three", "four");
    const claimed = await claim(2, "worker A");
    expect(claimed.map(({ id }) => id).sort()).toEqual([first, second].sort());
    expect(claimed.find(({ id }) => id === first)).toEqual({
      id: first,
      claim: expect.stringMatching(/^[0-9a-f-]{36}$/),
      attempt: 1,
      mime_type: "text/plain",
      title: "About one two",
      text: "one two",
      storage_key: null,
    });
    expect(new Set(claimed.map((row) => row.claim)).size).toBe(2);
    expect(await read(first as string)).toMatchObject({
      status: "PROCESSING",
      claimed_by: "worker A",
      claim_token: claimed.find(({ id }) => id === first)?.claim,
      attempts: 1,
      progress: 0,
    });
    const [lease] = await database.query(
      "select extract(epoch from lease_until - now())::float as seconds from documents where id = $1",
      [first],
    );
    expect(lease?.seconds).toBeGreaterThan(25);
    expect(lease?.seconds).toBeLessThanOrEqual(30.001);
    expect((await claim(2)).map(({ id }) => id)).toEqual([third]);
    expect(await claim(2)).toEqual([]);
  });

  it("skips what another is just claiming, and what has to wait", async () => {
    const [first, second, later] = await insertDocuments("first", "second", "later");
    await database.query("update documents set next_attempt_at = now() + interval '1 minute' where id = $1", [later]);
    const [other, another] = [await connectTo(database.url), await connectTo(database.url)];
    const claimBy = async (client: pg.Client, count: number) =>
      (await client.query("select id from claim_documents('a worker', $1, '30 seconds')", [count])).rows;
    try {
      await other.query("begin");
      expect(await claimBy(other, 1)).toEqual([{ id: first }]);
      // It does not wait for the other's transaction at all.
      await another.query("set lock_timeout = '1s'");
      expect(await claimBy(another, 5)).toEqual([{ id: second }]);
      await other.query("rollback");
    } finally {
      await Promise.all([other.end(), another.end()]);
    }
    expect((await claim(5)).map(({ id }) => id)).toEqual([first]);
  });

  it("never gives one document to two of many claimers", async () => {
    const ids = await insertDocuments(...Array.from({ length: 60 }, (_, index) => `text ${index}`));
    const claimers = await Promise.all(
      Array.from({ length: 4 }, async (_, index) => {
        const client = await connectTo(database.url);
        const taken: string[] = [];
        for (let empty = 0; empty < 3; ) {
          const { rows } = await client.query("select id from claim_documents($1, 2, '30 seconds')", [`w${index}`]);
          taken.push(...rows.map(({ id }) => id));
          if (rows.length === 0) empty++;
        }
        await client.end();
        return taken;
      }),
    );
    expect(claimers.flat().sort()).toEqual([...ids].sort());
    expect(await database.query("select distinct attempts from documents")).toEqual([{ attempts: 1 }]);
  });

  it("never gives more than was asked for, also where the planner knows of one row only", async () => {
    // Then the choice may become the inner side of a nested loop, and choose again for every row outside.
    await insertDocuments("the only one");
    await database.query("vacuum analyze documents");
    await insertDocuments(...Array.from({ length: 20 }, (_, index) => `text ${index}`));
    for (let turn = 0; turn < 3; turn++) expect(await claim(2)).toHaveLength(2);
  });

  it("gives a document that was made a moment ago", async () => {
    for (let turn = 0; turn < 20; turn++) {
      // Times are rounded to milliseconds, half of them upwards.
      const made = await addDocument(database);
      expect((await claim()).map(({ id }) => id)).toEqual([made]);
    }
  });
});

describe("extend_document_lease", () => {
  it("lengthens the lease and tells how far the work is", async () => {
    const [id] = await insertDocuments("one two");
    const claimed = await claimOne();
    const before = await read(id as string);
    expect(await extend(claimed, "10 minutes", 0.5)).toBe(true);
    const after = await read(id as string);
    expect(after).toMatchObject({ status: "PROCESSING", progress: 0.5, claim_token: claimed.claim });
    expect((after.lease_until as Date).getTime() - (before.lease_until as Date).getTime()).toBeGreaterThan(500_000);
    expect(await extend(claimed, "10 minutes")).toBe(true);
    expect(await read(id as string)).toMatchObject({ progress: 0.5 });
  });

  it("is refused with a progress that is no share, and the claim stays", async () => {
    const [id] = await insertDocuments("one two");
    const claimed = await claimOne();
    await expect(extend(claimed, "1 minute", 1.5)).rejects.toMatchObject({ constraint: "documents_progress_share" });
    expect(await read(id as string)).toMatchObject({ status: "PROCESSING", progress: 0, version: 2 });
  });
});

describe("complete_document", () => {
  it("replaces the chunks and completes the document, in one step, however often it is told", async () => {
    const [id] = (await insertDocuments("one two")) as [string];
    const claimed = await claimOne();
    expect(await complete(claimed, someChunks)).toBe(true);
    const done = await read(id);
    expect(done).toMatchObject({ status: "COMPLETED", progress: 1, attempts: 1, lease_until: null, failure: null });
    expect(done.processed_at).toBeInstanceOf(Date);
    expect(await chunksOf(id)).toEqual(someRows);

    // The answer got lost and the worker says it again: true, and nothing is done twice.
    expect(await complete(claimed, [draft("other", 0)])).toBe(true);
    expect(await read(id)).toEqual(done);
    expect(await chunksOf(id)).toEqual(someRows);

    await database.query("update documents set status = 'PENDING' where id = $1", [id]);
    expect(await complete(claimed, [draft("other", 0)])).toBe(false);
    expect(await complete(await claimOne(), [draft("wo", 5)])).toBe(true);
    expect(await chunksOf(id)).toEqual([{ index: 0, text: "wo", start_offset: 5, end_offset: 7, token_count: 1 }]);
  });

  it.each([
    ["offsets in the wrong order", [draft("one", 0), { ...draft("two", 4), endOffset: 4 }], "23514"],
    ["a chunk without a text", [draft("one", 0), { startOffset: 4, endOffset: 7, tokenCount: 1 }], "23502"],
    ["an offset that is no number", [{ ...draft("one", 0), startOffset: "zero" }], "22P02"],
    ["no list at all", { chunks: [] }, "22023"],
    ["null", null, "22023"],
  ])("changes nothing when it is given %s", async (_what, chunks, code) => {
    const [id] = (await insertDocuments("one two")) as [string];
    expect(await complete(await claimOne(), someChunks)).toBe(true);
    await database.query("update documents set status = 'PENDING' where id = $1", [id]);
    const claimed = await claimOne();
    const before = await read(id);
    await expect(complete(claimed, chunks)).rejects.toMatchObject({ code });
    expect(await read(id)).toEqual(before);
    expect(await chunksOf(id)).toEqual(someRows);
    expect(await complete(claimed, [])).toBe(true);
  });

  it("shows readers the whole old set of chunks or the whole new one", async () => {
    const [id] = (await insertDocuments("one two")) as [string];
    await complete(await claimOne(), someChunks);
    await database.query("update documents set status = 'PENDING' where id = $1", [id]);
    const claimed = await claimOne();
    expect(await chunksOf(id)).toEqual(someRows);
    const other = await connectTo(database.url);
    try {
      await other.query("begin");
      await other.query("select complete_document($1, $2, $3::jsonb)", [
        id,
        claimed.claim,
        JSON.stringify([draft("two", 4)]),
      ]);
      expect(await chunksOf(id)).toEqual(someRows);
      await other.query("commit");
    } finally {
      await other.end();
    }
    expect(await chunksOf(id)).toEqual([{ index: 0, text: "two", start_offset: 4, end_offset: 7, token_count: 1 }]);
  });
});

describe("a claim that is lost", () => {
  /** Who came too late, and the document as the next one holds it. */
  async function lostClaim() {
    const [id] = (await insertDocuments("one two")) as [string];
    const lost = await claimOne();
    await endLease(id);
    expect(await answer("release_expired_documents($1)", [5])).toBe(1);
    await database.query("update documents set next_attempt_at = now() where id = $1", [id]);
    const held = await claimOne();
    return { id, lost, held };
  }

  it("changes nothing, whatever its worker says", async () => {
    const { id, lost, held } = await lostClaim();
    const before = await read(id);
    expect(held).toMatchObject({ id, attempt: 2 });
    expect(await extend(lost, "1 hour", 0.9)).toBe(false);
    expect(await complete(lost, someChunks)).toBe(false);
    expect(await fail(lost, "too late")).toBe(false);
    expect(await release(lost)).toBe(false);
    expect(await read(id)).toEqual(before);
    expect(await chunksOf(id)).toEqual([]);
    expect(await complete(held, someChunks)).toBe(true);
  });

  it("is told what it met, in words that psql shows as well", async () => {
    const { id, lost, held } = await lostClaim();
    const heard = async (call: string, values: unknown[]) => {
      const notices: string[] = [];
      await withClient(database.url, async (client) => {
        client.on("notice", ({ message }) => notices.push(message as string));
        await client.query(`select ${call}`, values);
      });
      return notices;
    };
    const mine = [id, lost.claim];
    const meets = (call: string, state: string) => [
      `${call} by claim ${lost.claim} changed nothing: document ${id} is ${state}`,
    ];
    const other = `PROCESSING in attempt 2, claimed by worker a worker with claim ${held.claim}`;
    expect(await heard("extend_document_lease($1, $2, '1 hour')", mine)).toEqual(meets("extend_document_lease", other));
    expect(await heard("complete_document($1, $2, '[]')", mine)).toEqual(meets("complete_document", other));
    expect(await heard("fail_document($1, $2, 'why')", mine)).toEqual(meets("fail_document", other));
    expect(await heard("release_document($1, $2)", mine)).toEqual(meets("release_document", other));
    await fail(held, "no more", 1);
    const over = "FAILED after 2 attempt(s), claimed by nobody";
    expect(await heard("extend_document_lease($1, $2, '1 hour')", mine)).toEqual(meets("extend_document_lease", over));
    await database.query("delete from documents");
    expect(await heard("extend_document_lease($1, $2, '1 hour')", mine)).toEqual([
      `extend_document_lease by claim ${lost.claim} changed nothing: there is no document ${id}`,
    ]);
  });

  it("is also that of a document that is gone", async () => {
    const { id, held } = await lostClaim();
    await database.query("delete from documents where id = $1", [id]);
    expect(await complete(held, someChunks)).toBe(false);
    expect(await extend(held, "1 hour")).toBe(false);
    expect(await fail(held, "gone")).toBe(false);
    expect(await release(held)).toBe(false);
    expect(await database.query("select count(*)::int as count from chunks")).toEqual([{ count: 0 }]);
  });
});

describe("a claim that another transaction is taking away", () => {
  it.each([
    ["fail_document", "select fail_document($1, $2, 'no more')"],
    ["release_document", "select release_document($1, $2)"],
    ["the sweep of ended leases", "select release_expired_documents() where $1::text || $2 is not null"],
  ])("is waited for by complete_document, and then lost: %s", async (_name, take) => {
    const [id] = (await insertDocuments("one two")) as [string];
    const lost = await claimOne();
    await endLease(id);
    const taker = await connectTo(database.url);
    onTestFinished(() => taker.end());
    await taker.query("begin");
    await taker.query(take, [id, lost.claim]);
    await taker.query("update documents set next_attempt_at = now()");
    const { rows } = await taker.query("select * from claim_documents('another worker', 1, '30 seconds')");
    const completing = complete(lost, someChunks);
    const isWaiting = async () => (await database.query("select 1 from pg_locks where not granted")).length > 0;
    const waiting = until(isWaiting, "complete_document waits").then(() => "it waits");
    waiting.catch(() => {});
    expect(await Promise.race([completing, waiting])).toBe("it waits");
    await taker.query("commit");
    expect(await completing).toBe(false);
    expect(await read(id)).toMatchObject({ status: "PROCESSING", claim_token: rows[0].claim, generation: 0 });
    expect(await chunksOf(id)).toEqual([]);
  });
});

describe("a claim whose work is completed", () => {
  it.each<[string, (claimed: ClaimRow) => Promise<unknown>]>([
    ["extended", (claimed) => extend(claimed, "1 hour", 0.5)],
    ["failed", (claimed) => fail(claimed, "too late")],
    ["released", release],
  ])("cannot be %s: the document stays as it is, and nothing is told of it", async (_what, call) => {
    const [id] = (await insertDocuments("one two")) as [string];
    const claimed = await claimOne();
    expect(await complete(claimed, someChunks)).toBe(true);
    const events = () => database.query("select * from outbox order by position");
    const before = [await read(id), await chunksOf(id), await events()];
    expect(await call(claimed)).toBe(false);
    expect([await read(id), await chunksOf(id), await events()]).toEqual(before);
  });
});

describe("fail_document", () => {
  it("lets the document wait twice as long each time, and gives up after the last attempt", async () => {
    const [id] = (await insertDocuments("one two")) as [string];
    const pauses: number[] = [];
    for (let attempt = 1; attempt <= 3; attempt++) {
      const claimed = await claimOne();
      expect(claimed.attempt).toBe(attempt);
      expect(await fail(claimed, `reason ${attempt}`, 4)).toBe(true);
      const [row] = await database.query(
        "select round(extract(epoch from next_attempt_at - updated_at))::int as pause from documents",
      );
      pauses.push(row?.pause as number);
      expect(await read(id)).toMatchObject({
        status: "PENDING",
        failure: `reason ${attempt}`,
        attempts: attempt,
        progress: 0,
        claimed_by: null,
        claim_token: null,
        lease_until: null,
      });
      expect(await claim()).toEqual([]);
      await database.query("update documents set next_attempt_at = now()");
    }
    expect(pauses).toEqual([1, 2, 4]);
    expect(await fail(await claimOne(), "the last reason", 4)).toBe(true);
    expect(await read(id)).toMatchObject({ status: "FAILED", failure: "the last reason", attempts: 4 });
    await database.query("update documents set next_attempt_at = now()");
    expect(await claim()).toEqual([]);
  });

  it("lets the document wait 512 seconds at most, however many attempts there were", async () => {
    const [id] = (await insertDocuments("one two")) as [string];
    for (const [attempts, pause] of [
      [9, 256],
      [10, 512],
      [11, 512],
      [50, 512],
      [2_000, 512],
    ]) {
      await database.query("update documents set attempts = $1 - 1, next_attempt_at = now()", [attempts]);
      const claimed = await claimOne();
      expect(claimed.attempt).toBe(attempts);
      expect(await fail(claimed, "again", 10_000)).toBe(true);
      const [row] = await database.query(
        "select extract(epoch from next_attempt_at - updated_at)::float as pause from documents where id = $1",
        [id],
      );
      expect(row?.pause).toBeCloseTo(pause as number, 1);
    }
  });

  it("must give a reason", async () => {
    const [id] = (await insertDocuments("one two")) as [string];
    const claimed = await claimOne();
    await expect(fail(claimed, null, 1)).rejects.toMatchObject({ constraint: "documents_failure_said" });
    expect(await read(id)).toMatchObject({ status: "PROCESSING", claim_token: claimed.claim });
  });
});

describe("release_expired_documents", () => {
  it("ends the attempts whose lease is over, and only those", async () => {
    const [late, final, working, waiting] = (await insertDocuments("late", "final", "working", "waiting")) as string[];
    await claim(3, "worker A");
    await endLease(late as string);
    await endLease(final as string);
    await database.query("update documents set attempts = 5 where id = $1", [final]);
    const others = [await read(working as string), await read(waiting as string)];
    expect(await answer("release_expired_documents($1)", [5])).toBe(2);
    expect(await answer("release_expired_documents($1)", [5])).toBe(0);
    const failure = "The worker worker A did not finish in time.";
    expect(await read(late as string)).toMatchObject({ status: "PENDING", failure, attempts: 1, claim_token: null });
    expect(await read(final as string)).toMatchObject({ status: "FAILED", failure, attempts: 5, claim_token: null });
    expect([await read(working as string), await read(waiting as string)]).toEqual(others);
  });
});

describe("release_document", () => {
  it("gives the document back at once, and no attempt is used up", async () => {
    const [id] = (await insertDocuments("one two")) as [string];
    const claimed = await claimOne();
    expect(await release(claimed)).toBe(true);
    expect(await read(id)).toMatchObject({
      status: "PENDING",
      attempts: 0,
      failure: null,
      claimed_by: null,
      claim_token: null,
      lease_until: null,
    });
    expect(await claimOne()).toMatchObject({ id, attempt: 1 });
  });
});

describe("a document that is processed again", () => {
  it.each([
    ["COMPLETED", (claimed: ClaimRow) => complete(claimed, someChunks)],
    ["FAILED", (claimed: ClaimRow) => fail(claimed, "a reason", 1)],
  ])("after it was %s is like a new one", async (status, end) => {
    const [id] = (await insertDocuments("one two")) as [string];
    const [before] = (await database.query("select now()")) as [{ now: Date }];
    await end(await claimOne());
    expect(await read(id)).toMatchObject({ status, attempts: 1 });
    await database.query("update documents set status = 'PENDING' where id = $1", [id]);
    const again = await read(id);
    expect(again).toMatchObject({
      status: "PENDING",
      attempts: 0,
      progress: 0,
      failure: null,
      claimed_by: null,
      claim_token: null,
      lease_until: null,
      processed_at: null,
    });
    expect((again.next_attempt_at as Date).getTime()).toBeGreaterThanOrEqual(before.now.getTime());
    expect(await claimOne()).toMatchObject({ id, attempt: 1 });
  });
});

describe("a worker that listens", () => {
  it("is told of a document that is new, or pending again, when that is committed", async () => {
    await withClient(database.url, async (client) => {
      let heard = 0;
      client.on("notification", () => heard++);
      await client.query("listen documents_pending");
      const told = async (change: () => Promise<unknown>) => {
        heard = 0;
        await client.query("begin");
        await change();
        expect(heard).toBe(0);
        await client.query("commit");
        await client.query("select 1");
        return heard;
      };
      const columns = "owner_id, title, mime_type, size_bytes, sha256, text";
      const insert = `insert into documents (${columns}) values ($1, 'A title', 'text/plain', 1, 'x', 'x')`;
      expect(await told(() => client.query(insert, [owner]))).toBe(1);
      const claimed = await claimOne();
      const release = "select release_document($1, $2)";
      expect(await told(() => client.query(release, [claimed.id, claimed.claim]))).toBe(1);
      expect(await told(() => client.query("select claim_documents('a worker', 1, '1 minute')"))).toBe(0);
    });
  });
});

describe("a result", () => {
  it("is stored under a lock, so that the claim cannot be lost meanwhile", async () => {
    const [id] = (await insertDocuments("one two")) as [string];
    const claimed = await claimOne();
    const other = await connectTo(database.url);
    try {
      await other.query("begin");
      const { rows } = await other.query("select check_document_claim($1, $2) as claim", [id, claimed.claim]);
      expect(rows).toEqual([{ claim: "HELD" }]);
      await withClient(database.url, async (client) => {
        await client.query("set lock_timeout = '50ms'");
        const failing = client.query("select fail_document($1, $2, 'a reason')", [id, claimed.claim]);
        await expect(failing).rejects.toMatchObject({ code: "55P03" });
      });
    } finally {
      await other.end();
    }
    expect(await complete(claimed, someChunks)).toBe(true);
  });
});

describe("our worker", () => {
  type Work = WorkerOptions<DocumentJob, DocumentResult>["work"];

  /** A worker on the real queue with work of the test's own. Only a wake makes it look, never the poll. */
  async function startWorker(
    work: Work,
    more: Partial<WorkerOptions<DocumentJob, DocumentResult>> & { maxAttempts?: number } = {},
  ) {
    const { maxAttempts = 5, ...options } = more;
    const { logger, lines: logs } = collectedLog("info");
    const pool = new pg.Pool({ connectionString: database.url, application_name: "lectern worker", max: 4 });
    pool.on("error", () => {});
    const queue = sqlQueue(documentQueue, pool, { url: database.url, maxAttempts, logger });
    const worker = new Worker({ queue, work, slots: 2, leaseMs: 30_000, pollMs: 600_000, logger, ...options });
    await worker.start();
    let stopping: Promise<void> | undefined;
    const stop = () => {
      stopping ??= worker.stop().then(() => pool.end());
      return stopping;
    };
    onTestFinished(stop);
    return { name: worker.name, logs, stop };
  }

  const statusesOf = async () => {
    const rows = await database.query("select text, status from documents");
    return Object.fromEntries(rows.map(({ text, status }) => [text, status]));
  };
  const resultOf = (text: string | null) => ({
    chunks: new TextEncoder().encode(JSON.stringify([draft(text ?? "", 0)])),
    text: null,
  });
  const cut: Work = async ({ text }) => resultOf(text);

  /** Work that lasts until it is told to end, or aborted. */
  function longWork() {
    const begun: string[] = [];
    const reasons: string[] = [];
    let finish = () => {};
    const mayFinish = new Promise<void>((resume) => {
      finish = resume;
    });
    const work: Work = async ({ text }, signal) => {
      begun.push(text ?? "");
      const aborted = new Promise<never>((_, failed) => {
        signal.addEventListener("abort", () => {
          reasons.push(signal.reason.message);
          failed(signal.reason);
        });
      });
      await Promise.race([mayFinish, aborted]);
      return resultOf(text);
    };
    return { work, begun, reasons, finish: () => finish() };
  }

  it("fails what cannot be done, with its reason, and completes the rest", async () => {
    const [, poison] = await insertDocuments("one", "poison", "two", "three");
    const tries: string[] = [];
    await startWorker(
      async (job, signal, report) => {
        tries.push(job.text ?? "");
        if (job.text === "poison") throw new Error("It cannot be cut.");
        return cut(job, signal, report);
      },
      // Nobody tells it that the pause of a second is over, and it does not wait for the poll.
      { maxAttempts: 2 },
    );
    await expect.poll(statusesOf).toEqual({ one: "COMPLETED", poison: "FAILED", two: "COMPLETED", three: "COMPLETED" });
    expect(await read(poison as string)).toMatchObject({
      failure: "It cannot be cut.",
      attempts: 2,
      claim_token: null,
    });
    expect(tries.sort()).toEqual(["one", "poison", "poison", "three", "two"]);
  });

  it("is woken by a new document, and never holds more jobs than it has slots", async () => {
    let [running, most] = [0, 0];
    await startWorker(async (job, signal, report) => {
      most = Math.max(most, ++running);
      await new Promise((resume) => setTimeout(resume, 20));
      running--;
      return cut(job, signal, report);
    });
    await insertDocuments("one", "two", "three", "four", "five");
    await expect.poll(async () => new Set(Object.values(await statusesOf()))).toEqual(new Set(["COMPLETED"]));
    expect(most).toBe(2);
    await insertDocuments("six");
    await expect.poll(statusesOf).toMatchObject({ six: "COMPLETED" });
  });

  it("listens again after its connection broke", async () => {
    await startWorker(cut);
    const listeners = () =>
      database.query(
        "select pid from pg_stat_activity where datname = current_database() and query = 'listen documents_pending'",
      );
    const [before] = await listeners();
    await database.query("select pg_terminate_backend($1)", [before?.pid]);
    await expect.poll(async () => (await listeners()).filter(({ pid }) => pid !== before?.pid).length).toBe(1);
    await insertDocuments("after the break");
    await expect.poll(statusesOf).toEqual({ "after the break": "COMPLETED" });
  });

  it("gives back what it cannot finish when it stops", async () => {
    const [id] = (await insertDocuments("long")) as [string];
    const { work, begun, reasons } = longWork();
    const worker = await startWorker(work, { graceMs: 50 });
    await expect.poll(() => begun).toEqual(["long"]);
    expect(await read(id)).toMatchObject({ status: "PROCESSING", claimed_by: worker.name });
    await worker.stop();
    expect(reasons).toEqual(["The worker is stopping."]);
    expect(await read(id)).toMatchObject({ status: "PENDING", attempts: 0, failure: null, claim_token: null });
  });

  it("gives back at once what a claim brings that was under way when it stopped", async () => {
    const asked = Promise.withResolvers<void>();
    const brought = Promise.withResolvers<Claim<string>[]>();
    const begun: string[] = [];
    const released: string[] = [];
    const queue: Queue<string, string> = {
      name: "gated",
      claim() {
        asked.resolve();
        return brought.promise;
      },
      release: async ({ id }) => ({ stands: released.push(id) > 0 }),
      extend: async () => ({ stands: true }),
      complete: async () => ({ stands: true }),
      fail: async () => ({ stands: true }),
      releaseExpired: async () => 0,
      nextEndMs: async () => null,
      listen: async () => async () => {},
    };
    const work = async (job: string) => `${begun.push(job)}`;
    const worker = new Worker({ queue, work, slots: 1, leaseMs: 30_000, logger: silent });
    await worker.start();
    await asked.promise;
    const stopped = worker.stop();
    brought.resolve([{ id: "late", token: "t", attempt: 1, job: "late" }]);
    await stopped;
    expect([begun, released]).toEqual([[], ["late"]]);
  });

  it("lets finish what can be finished when it stops, and takes nothing new", async () => {
    await insertDocuments("long");
    const { work, begun, reasons, finish } = longWork();
    const worker = await startWorker(work, { graceMs: 20_000 });
    await expect.poll(() => begun).toEqual(["long"]);
    const stopped = worker.stop();
    await insertDocuments("new");
    finish();
    await stopped;
    expect(reasons).toEqual([]);
    expect(await statusesOf()).toEqual({ long: "COMPLETED", new: "PENDING" });
  });

  it("lengthens its lease while it works, and stops working when the claim is lost", async () => {
    const [id] = (await insertDocuments("long")) as [string];
    const { work, begun, reasons, finish } = longWork();
    await startWorker(work, { leaseMs: 3_000 });
    await expect.poll(() => begun).toEqual(["long"]);
    const first = (await read(id)).lease_until as Date;
    await expect
      .poll(async () => ((await read(id)).lease_until as Date).getTime())
      .toBeGreaterThan(first.getTime() + 3_000);
    expect(await answer("release_expired_documents($1)", [5])).toBe(0);

    // Somebody else took it: the worker is told at its next heartbeat, and does not touch it again.
    await database.query(
      "update documents set claim_token = gen_random_uuid(), claimed_by = 'other', lease_until = now() + interval '1 hour'",
    );
    await expect.poll(() => reasons).toEqual(["The claim is lost."]);
    finish();
    expect(await read(id)).toMatchObject({ status: "PROCESSING", claimed_by: "other", attempts: 1 });
  });

  it("drops its result when the claim was lost meanwhile", async () => {
    const [id] = (await insertDocuments("long")) as [string];
    const { work, begun, finish } = longWork();
    const worker = await startWorker(work);
    await expect.poll(() => begun).toEqual(["long"]);
    await database.query("update documents set claim_token = gen_random_uuid(), claimed_by = 'other'");
    finish();
    await worker.stop();
    const held = await read(id);
    expect(held).toMatchObject({ status: "PROCESSING", claimed_by: "other" });
    expect(await chunksOf(id)).toEqual([]);
    // The log tells who met whom.
    const line = worker.logs.find(({ msg }) => msg === "the claim was lost: the result is discarded");
    expect(line).toMatchObject({ id, worker: worker.name, attempt: 1 });
    expect(line?.holder).toBe(
      `complete_document by claim ${line?.claim} changed nothing: document ${id} is PROCESSING in attempt 1, ` +
        `claimed by worker other with claim ${held.claim_token}`,
    );
  });

  it("does not say that it gave back what it no longer held", async () => {
    const [id] = (await insertDocuments("long")) as [string];
    const { work, begun } = longWork();
    const worker = await startWorker(work, { graceMs: 0 });
    await expect.poll(() => begun).toEqual(["long"]);
    await database.query("delete from documents");
    await worker.stop();
    expect(worker.logs.map(({ msg, holder }) => [msg, holder])).toEqual([
      [
        "the claim was lost before the attempt ended",
        expect.stringMatching(`^release_document by claim [0-9a-f-]{36} changed nothing: there is no document ${id}$`),
      ],
    ]);
  });

  it("tells how far it is", async () => {
    const [id] = (await insertDocuments("long")) as [string];
    const half = Promise.withResolvers<void>();
    await startWorker(async (job, signal, report) => {
      for (const progress of [0.1, 0.2, 0.5]) report(progress);
      await half.promise;
      return cut(job, signal, report);
    });
    await expect.poll(() => read(id)).toMatchObject({ status: "PROCESSING", progress: 0.5 });
    half.resolve();
    await expect.poll(() => read(id)).toMatchObject({ status: "COMPLETED", progress: 1 });
  });

  it("takes over what a dead worker left when its lease ends, without waiting for the poll", async () => {
    const [id] = (await insertDocuments("left behind")) as [string];
    const [left] = await claim(1, "a dead worker", "1 second");
    const { logs } = await startWorker(cut);
    await expect.poll(() => read(id)).toMatchObject({ status: "COMPLETED", attempts: 2 });
    // What it did is told a moment after it is done.
    await expect.poll(() => logs.map(({ msg }) => msg)).toEqual(["leases expired", "processed"]);
    expect(await complete(left as ClaimRow, someChunks)).toBe(false);
  });

  it("says a call again when its connection breaks", async () => {
    const [id] = (await insertDocuments("long")) as [string];
    const { work, begun, finish } = longWork();
    const { logs, stop } = await startWorker(work);
    await expect.poll(() => begun).toEqual(["long"]);
    // All connections of its pool are idle now, and none of them is there any more when it says that it is done.
    await database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name = 'lectern worker' and query not like 'listen%'`,
    );
    finish();
    await expect.poll(() => read(id)).toMatchObject({ status: "COMPLETED", attempts: 1 });
    await stop();
    expect(logs.map(({ msg }) => msg)).toContain("processed");
  });
});
