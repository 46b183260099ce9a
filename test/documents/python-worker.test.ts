/** The worker in examples/python-worker and ours, several processes of each on one database, some of them killed. */
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TestDatabase } from "../support/database.ts";
import { randomFrom } from "../support/documents.ts";
import { rounds } from "../support/rounds.ts";
import { addDocuments } from "../support/rows.ts";
import {
  type Held,
  python,
  pythonScript,
  type WorkerKind,
  type WorkerProcess,
  type WorkerProcesses,
  workerProcesses,
} from "../support/worker-processes.ts";

let database: TestDatabase;
let workers: WorkerProcesses;
/** Documents so far. */
let made: number;

beforeEach(async () => {
  made = 0;
  workers = await workerProcesses();
  ({ database } = workers);
});
afterEach(() => workers.stop());

async function insertDocuments(count: number): Promise<void> {
  const numbers = Array.from({ length: count }, () => ++made);
  const textOf = (number: number) => `Người đẹp 𝒳, number ${number}.\n\nThe second paragraph.`;
  await addDocuments(
    database,
    numbers.map((number) => ({ title: `Number ${number}`, text: textOf(number) })),
  );
}
const statuses = async () =>
  Object.fromEntries(
    (await database.query("select status, count(*)::int from documents group by 1")).map((row) => [
      row.status,
      row.count,
    ]),
  );

describe.skipIf(python === null)("the worker in Python", () => {
  it("is under 120 lines", () => {
    expect(readFileSync(pythonScript, "utf8").trimEnd().split("\n").length).toBeLessThan(120);
  });

  it("cuts documents into chunks with exact offsets, with the rights of lectern_worker alone", async () => {
    await workers.begin("python");
    await insertDocuments(1);
    await expect.poll(statuses).toEqual({ COMPLETED: 1 });
    const text = (await database.query("select text from documents"))[0]?.text as string;
    const chunks = await database.query("select text, start_offset, end_offset from chunks order by index");
    expect(chunks.map((chunk) => chunk.text)).toEqual([`Người đẹp 𝒳, number 1.`, "The second paragraph."]);
    for (const chunk of chunks) {
      expect(text.slice(chunk.start_offset as number, chunk.end_offset as number)).toBe(chunk.text);
    }
  });

  const [each, count, killings] = [rounds(2, 8), rounds(200, 2_000), rounds(4, 40)];
  it(`shares ${count} documents with ours, ${each} processes of each, of which ${killings} are killed at their work`, {
    timeout: 600_000,
  }, async () => {
    const seed = Number(process.env.LECTERN_SEED ?? Date.now() % 2 ** 31);
    console.log(`killed workers: LECTERN_SEED=${seed}`);
    const random = randomFrom(seed);
    const leaseSeconds = 3;
    const begin = (kind: WorkerKind) =>
      workers.begin(kind, { WORKER_LEASE_MS: `${leaseSeconds * 1_000}`, LEASE_SECONDS: `${leaseSeconds}` });
    const kinds = Array.from({ length: each }, () => ["ours", "python"] as const).flat();
    await Promise.all(kinds.map(begin));

    // Chunks per document, by document: the worker in Python cuts paragraphs apart, ours does not.
    const pieces = async () => {
      const rows = await database.query(
        "select count(*)::int as pieces from documents d join chunks c on c.document_id = d.id group by d.id",
      );
      return [...new Set(rows.map(({ pieces }) => pieces))].sort();
    };
    // One of each kind in turn is killed while it holds a document, and another takes its place. There is always
    // something to do until both kinds have completed documents, however long a thread of ours takes to begin.
    let areKilled = false;
    const feeding = (async () => {
      while (!areKilled || made < count || (await pieces()).length < 2) {
        if (((await statuses()).PENDING ?? 0) < 50) await insertDocuments(50);
        await pause(20);
      }
    })();
    const left: Held[] = [];
    const successors: Promise<WorkerProcess>[] = [];
    for (let kill = 0; kill < killings; kill++) {
      const kind: WorkerKind = kill % 2 === 0 ? "ours" : "python";
      for (;;) {
        const victim = await workers.freezeAtWork((worker) => worker.kind === kind, random);
        const held = await workers.kill(victim);
        successors.push(begin(kind));
        // Its last word may have reached the database before its end.
        left.push(...held);
        if (held.length > 0) break;
      }
    }
    areKilled = true;
    await feeding;
    const [{ at: lastKill } = {}] = await database.query("select clock_timestamp() as at");
    await Promise.all(successors);
    await expect.poll(statuses, { timeout: 60_000, interval: 200 }).toEqual({ COMPLETED: made });

    // Each is completed once. Whatever was claimed and not completed is what the killed ones held: their attempts ended
    // with their lease, and are counted; all others needed one.
    expect(left).toHaveLength(killings);
    const claims = await database.query(
      `select e.row_id as id, e.payload->>'claimToken' as claim, e.payload->>'claimedBy' as worker,
         exists (select from outbox c where c.payload->>'claimToken' = e.payload->>'claimToken' and c.payload->>'status' = 'COMPLETED') as "isDone"
       from outbox e where e.payload->>'status' = 'PROCESSING' and e.payload->'before'->>'status' = 'PENDING'`,
    );
    expect(claims).toHaveLength(made + killings);
    const sorted = (held: { id: unknown; claim: unknown; worker: unknown }[]) =>
      held.map(({ id, claim, worker }) => `${id} ${claim} ${worker}`).sort();
    expect(sorted(claims.filter(({ isDone }) => !isDone) as Held[])).toEqual(sorted(left));
    const completions = await database.query(
      `select count(*)::int as events, count(distinct row_id)::int as documents from outbox
       where payload->>'status' = 'COMPLETED'`,
    );
    expect(completions).toEqual([{ events: made, documents: made }]);
    const tries = Map.groupBy(left, ({ id }) => id);
    const wrong = (await database.query("select id, attempts, generation from documents")).filter(
      ({ id, attempts, generation }) => attempts !== 1 + (tries.get(id as string)?.length ?? 0) || generation !== 1,
    );
    expect(wrong).toEqual([]);

    // No chunk is doubled or missing: one after the other, they are the text. Both kinds did their part.
    const [chunks] = await database.query(
      `select count(*) filter (where cut is distinct from text)::int as wrong from documents d left join lateral (
         select string_agg(c.text, E'\\n\\n' order by c.index) as cut from chunks c where c.document_id = d.id) c on true`,
    );
    expect(chunks).toEqual({ wrong: 0 });
    expect(await pieces()).toEqual([1, 2]);

    // What a killed one held is taken over when its lease ends, at the latest at the next look of a worker in Python,
    // after the pause of an attempt that failed.
    const [{ last, late } = {}] = await database.query(
      `select max(processed_at) as last, extract(epoch from max(processed_at) - greatest($1::timestamptz,
         max(processed_at) filter (where attempts = 1)))::float as late from documents`,
      [lastKill],
    );
    const pollSeconds = 5;
    const most = Math.max(...[...tries.values()].map(({ length }) => length));
    console.log(`killed workers: the last document was done ${late} s after the last kill and the last of the others`);
    expect(last).toBeInstanceOf(Date);
    expect(late).toBeLessThan(leaseSeconds * most + 2 ** most - 1 + pollSeconds + 20);
  });
});
