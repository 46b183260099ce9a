/** A query sees one moment: with the plan always, without it each level sees its own. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Sql } from "../../src/eager-loading/sql.ts";
import { traced } from "../support/budget.ts";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { uuidOf } from "../support/global-ids.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";

let database: TestDatabase;
let planned: Lectern;
let unplanned: Lectern;
let ada: Person;
let documentId: string;
let query: string;

beforeAll(async () => {
  database = await freshDatabase();
  planned = await startLectern({ database });
  unplanned = await startLectern({ database, settings: { EAGER_PLAN: "off" } });
  ada = await planned.person("Ada");
  const { id } = await ada.document();
  documentId = uuidOf(id);
  query = `{ document(id: "${id}") { title status chunks(first: 100) { totalCount nodes { index } } } }`;
  await complete(1);
});

afterAll(async () => {
  await planned.stop();
  await unplanned.stop();
  await database.drop();
});

/** In one transaction, as a worker would: the document is processed into so many chunks, and its title says how many. */
async function complete(chunks: number): Promise<void> {
  const drafts = Array.from({ length: chunks }, (_, index) => ({
    text: `chunk ${index}`,
    startOffset: index,
    endOffset: index + 1,
    tokenCount: 1,
  }));
  await database.query(`do $do$
    declare claimed record;
    begin
      update documents set status = 'PENDING', title = '${chunks}', next_attempt_at = '-infinity'
      where id = '${documentId}' and status = 'COMPLETED';
      update documents set title = '${chunks}' where id = '${documentId}' and status = 'PENDING';
      select * into claimed from claim_documents('test', 1, '1 minute');
      perform complete_document(claimed.id, claimed.claim, '${JSON.stringify(drafts)}');
    end $do$`);
}

type Answer = { document: { title: string; status: string; chunks: { totalCount: number; nodes: unknown[] } } };

function isOneMoment({ document: { title, chunks } }: Answer): boolean {
  return Number(title) === chunks.totalCount && chunks.totalCount === chunks.nodes.length;
}

describe("a document completed by another connection in the middle of a query", () => {
  it("shows all or none of its chunks, 1,000 times", async () => {
    let isDone = false;
    let completions = 0;
    const writer = (async () => {
      while (!isDone) await complete(1 + (completions++ % 7));
    })();
    const mixed: Answer[] = [];
    const seen = new Set<string>();
    for (let tries = 0; tries < 1_000; tries++) {
      const { data, cost } = await traced<Answer>(planned, ada, query);
      expect(cost.roundTrips).toBe(1);
      if (!isOneMoment(data)) mixed.push(data);
      seen.add(data.document.title);
    }
    isDone = true;
    await writer;
    expect(mixed).toEqual([]);
    // The document did change meanwhile, and the queries did see it change.
    expect(completions).toBeGreaterThan(50);
    expect(seen.size).toBe(7);
  });

  it("is caught by the same check when the plan is off", async () => {
    const { reads } = unplanned.application;
    const read = reads.read.bind(reads);
    let chunks = 1;
    await complete(chunks);
    // Exactly between the document and its chunks.
    reads.read = async (statement: Sql) => {
      const rows = await read(statement);
      if (statement.text.includes('from "documents"') || / "documents" t /.test(statement.text))
        await complete(++chunks);
      return rows;
    };
    const { data } = await traced<Answer>(unplanned, ada, query);
    reads.read = read;
    expect(chunks).toBeGreaterThan(1);
    expect(isOneMoment(data)).toBe(false);
  });
});
