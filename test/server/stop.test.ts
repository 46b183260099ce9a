/** A stop lets finish what has begun: whoever was promised an answer gets it. */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { TransactionPoint } from "../../src/unit-of-work/transaction-guard.ts";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { closeGate } from "../support/gate.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { post } from "../support/post.ts";
import { watchBySse } from "../support/watching.ts";

let database: TestDatabase;
let lectern: Lectern;
let ada: Person;
let probe: ((point: TransactionPoint, operation: string) => void | Promise<void>) | undefined;

beforeAll(async () => {
  database = await freshDatabase();
});
beforeEach(async () => {
  probe = undefined;
  lectern = await startLectern({
    database,
    housekeeping: false,
    probe: (point, operation) => probe?.(point, operation),
  });
  ada = await lectern.person("Ada");
});
afterAll(() => database.drop());

/** What happened, in order. */
let events: string[] = [];

async function send(query: string): Promise<void> {
  const answer = post(lectern.url, { query, accessToken: ada.accessToken });
  const { data, errors } = (await (await answer).json()) as { data: object | null; errors?: { message: string }[] };
  events.push(data ? "answered" : `failed: ${errors?.map(({ message }) => message)}`);
}

/** Stops the server while an operation is under way, and lets that go on a moment later. */
async function stopDuring(operation: Promise<void>, goOn: () => unknown): Promise<string[]> {
  const stopped = lectern.stop().then(() => events.push("stopped"));
  // A stop that waits for nothing takes less than this.
  await delay(300);
  events.push("goes on");
  await goOn();
  const wentOn = performance.now();
  await Promise.allSettled([operation.catch((error) => events.push(`no answer: ${error}`)), stopped]);
  // It does not wait for a connection that the client keeps open: those are broken after ten seconds.
  expect(performance.now() - wentOn).toBeLessThan(8_000);
  return events;
}

describe("a stop", () => {
  beforeEach(() => {
    events = [];
  });

  it.each<TransactionPoint>(["begin", "statement", "before_commit", "after_commit", "before_answer"])(
    "waits for the answer of a mutation that is at %s",
    async (stoppedAt) => {
      const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      probe = (point, operation) => {
        if (operation !== "Slow" || point !== stoppedAt) return;
        reached.resolve();
        return released.promise;
      };
      const title = `At ${stoppedAt}`;
      const slow = send(`mutation Slow {
        createDocument(input: { title: "${title}", source: { text: "${title}" } }) { document { id } }
      }`);
      await reached.promise;
      expect(await stopDuring(slow, released.resolve)).toEqual(["goes on", "answered", "stopped"]);
      expect(await database.query("select 1 from documents where title = $1", [title])).toHaveLength(1);
    },
  );

  it("waits for the answer of a query", async () => {
    const gate = await closeGate(database);
    await database.query(`
      alter table documents rename to hidden_documents;
      create view documents as select d.* from hidden_documents d, (select ${gate.passing}) gate;
      grant select on documents to public`);
    const slow = send("{ documents(first: 1) { totalCount } }");
    await gate.reached(1);
    expect(await stopDuring(slow, gate.open)).toEqual(["goes on", "answered", "stopped"]);
    await database.query("drop view documents; alter table hidden_documents rename to documents");
  });

  it("ends subscriptions, and does not wait for their connections", async () => {
    const watching = await watchBySse(lectern.url, { accessToken: ada.accessToken });
    const stopped = lectern.stop().then(() => "stopped");
    expect(await watching.ended).toBe("complete");
    expect(await Promise.race([stopped, delay(8_000, "still open")])).toBe("stopped");
  });
});
