/** Worker processes that are frozen, or die of what they work on; and leases that end while no worker is there at all. */
import { once } from "node:events";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TestDatabase } from "../support/database.ts";
import { startLectern } from "../support/lectern.ts";
import { addDocument } from "../support/rows.ts";
import {
  type Held,
  python,
  type WorkerProcess,
  type WorkerProcesses,
  workerProcesses,
} from "../support/worker-processes.ts";

let database: TestDatabase;
let workers: WorkerProcesses;

beforeEach(async () => {
  workers = await workerProcesses();
  ({ database } = workers);
});
afterEach(() => workers.stop());

const insertDocument = (title: string, text: string) => addDocument(database, { title, text });
const read = async (id: string) => (await database.query("select * from documents where id = $1", [id]))[0];

describe("a worker that is frozen beyond its lease", () => {
  /** Enough work to be met at it: the thread of ours, which begins with the first document, takes as long by itself. */
  const texts = {
    ours: "Trăm năm trong cõi người ta, chữ tài chữ mệnh khéo là ghét nhau.",
    python: "Trải qua một cuộc bể dâu, những điều trông thấy mà đau đớn lòng.\n".repeat(4_000),
  };

  const kinds = python === null ? (["ours"] as const) : (["ours", "python"] as const);
  it(`changes nothing when it goes on after another has finished, and says whom it met (${kinds.join(", ")})`, {
    timeout: 180_000,
  }, async () => {
    const frozen: { worker: WorkerProcess; held: Held }[] = [];
    for (const kind of kinds) {
      const worker = await workers.begin(kind, { WORKER_LEASE_MS: "1000", LEASE_SECONDS: "1" });
      await insertDocument(kind, texts[kind]);
      await workers.freezeAtWork((one) => one === worker);
      const [held] = (await workers.heldBy(worker)) as [Held];
      expect(held.attempt).toBe(1);
      frozen.push({ worker, held });
    }

    const other = await workers.begin("ours", { WORKERS: "2" });
    const state = () => database.query("select * from documents order by id");
    await expect
      .poll(async () => (await state()).map(({ status }) => status), { timeout: 60_000 })
      .toEqual(kinds.map(() => "COMPLETED"));
    const documents = await state();
    const chunks = () => database.query("select * from chunks order by document_id, index");
    const chunksBefore = await chunks();
    for (const { claimed_by, attempts } of documents) {
      expect([String(claimed_by).split("/")[1], attempts]).toEqual([String(other.process.pid), 2]);
    }

    for (const { worker } of frozen) worker.process.kill("SIGCONT");
    for (const { worker, held } of frozen) {
      const now = documents.find(({ id }) => id === held.id);
      const met = (call: string) =>
        `${call} by claim ${held.claim} changed nothing: document ${held.id} is COMPLETED in attempt 2, ` +
        `claimed by worker ${now?.claimed_by} with claim ${now?.claim_token}`;
      // Whichever it says first: that it is still there, or that it is done.
      if (worker.kind === "ours") {
        const lost = () =>
          worker.log().filter(({ id, msg }) => id === held.id && /^the claim (is|was) lost/.test(String(msg)));
        await expect.poll(lost, { timeout: 60_000 }).toHaveLength(1);
        const [line] = lost();
        expect(line).toMatchObject({ worker: held.worker, claim: held.claim, attempt: 1 });
        expect([met("extend_document_lease"), met("complete_document")]).toContain(line?.holder);
      } else {
        await expect.poll(worker.output, { timeout: 60_000 }).toContain(`${held.id}: the claim was lost`);
        expect(worker.output()).toContain(`${held.worker}: ${met("complete_document")}`);
      }
    }
    expect(await state()).toEqual(documents);
    expect(await chunks()).toEqual(chunksBefore);

    // They are none the worse for it.
    await workers.kill(other);
    const after = await insertDocument("after", "Some words.");
    await expect.poll(() => read(after), { timeout: 60_000 }).toMatchObject({ status: "COMPLETED", attempts: 1 });
  });
});

describe("a document that kills", () => {
  it("its thread or its process ends FAILED with the reason, and the others are completed", {
    timeout: 180_000,
  }, async () => {
    // The server has no worker: it only ends leases.
    const server = await startLectern({ database, settings: { WORKER_LEASE_MS: "1000", WORKER_ATTEMPTS: "2" } });
    let isOver = false;
    const deaths: string[] = [];
    const settings = {
      NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, "../support/poison.ts")).href}`,
      WORKER_LEASE_MS: "1000",
      WORKER_ATTEMPTS: "2",
      WORKER_MEMORY_MB: "200",
    };
    try {
      const ids = {
        process: await insertDocument("process", "Kills its process."),
        thread: await insertDocument("thread", "Ends its thread."),
        memory: await insertDocument("memory", "Takes all memory."),
      };
      for (let n = 0; n < 10; n++) await insertDocument("good", `Number ${n}.`);
      let worker: WorkerProcess | undefined;
      const supervise = async () => {
        while (!isOver) {
          worker = await workers.begin("ours", settings);
          const [, signal] = await once(worker.process, "exit");
          if (!isOver) deaths.push(`${worker.process.pid} ${signal}`);
        }
      };
      const supervised = supervise();
      await server.settled(100_000);
      isOver = true;
      worker?.process.kill("SIGTERM");
      await supervised;

      expect(await database.query("select distinct status, attempts from documents where title = 'good'")).toEqual([
        { status: "COMPLETED", attempts: 1 },
      ]);
      expect(deaths).toEqual([expect.stringMatching(/^\d+ SIGKILL$/), expect.stringMatching(/^\d+ SIGKILL$/)]);
      const last = deaths[1]?.split(" ")[0];
      expect(await read(ids.process)).toMatchObject({
        status: "FAILED",
        attempts: 2,
        failure: expect.stringMatching(`^The worker [^/]+/${last}/[0-9a-f]{8} did not finish in time\\.$`),
      });
      expect(await read(ids.thread)).toMatchObject({
        status: "FAILED",
        attempts: 2,
        failure: expect.stringMatching(/exited with code/),
      });
      expect(await read(ids.memory)).toMatchObject({
        status: "FAILED",
        attempts: 2,
        failure: "Processing takes more than 200 MB of memory.",
      });
      expect(
        await database.query("select distinct title from documents d join chunks c on c.document_id = d.id"),
      ).toEqual([{ title: "good" }]);
    } finally {
      isOver = true;
      await server.stop();
    }
  });
});

describe("leases of workers that are gone", () => {
  it("are ended by a server that has no worker, as the role of servers", async () => {
    const [again, final, held] = await Promise.all(
      ["again", "final", "held"].map((title) => insertDocument(title, title)),
    );
    await database.query("update documents set attempts = 1 where id = $1", [final]);
    const claims = "select id from claim_documents('gone/1/a', 3, '10 minutes')";
    expect(await database.query(claims)).toHaveLength(3);
    await database.query("update documents set lease_until = now() where id <> $1", [held]);
    const lines: Record<string, unknown>[] = [];
    const settings = { WORKERS: "0", WORKER_LEASE_MS: "1000", WORKER_ATTEMPTS: "2" };
    const server = await startLectern({ database, settings, log: (line) => void lines.push(line) });
    try {
      const failure = "The worker gone/1/a did not finish in time.";
      const nobodys = { failure, claimed_by: null, claim_token: null, lease_until: null };
      await expect
        .poll(() => read(final as string), { timeout: 30_000 })
        .toMatchObject({ status: "FAILED", attempts: 2, ...nobodys });
      expect(await read(again as string)).toMatchObject({ status: "PENDING", attempts: 1, ...nobodys });
      expect(await read(held as string)).toMatchObject({ status: "PROCESSING", attempts: 1, failure: null });
      await expect
        .poll(() => lines.filter(({ msg }) => msg === "releasing expired documents"))
        .toMatchObject([{ count: 2 }]);
    } finally {
      await server.stop();
    }
  });
});
