/** What a planned query is on the wire: one flush, one answer, whatever its levels. */
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { budget } from "../support/budget.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

let database: TestDatabase;
let proxy: TcpProxy;
let planned: Lectern;
let ada: Person;

const levels = `{ users(first: 20) { nodes { name documents(first: 5) { nodes { title chunks(first: 5) { nodes { index text } } } } } } }`;
const single = `{ users(first: 20) { nodes { name } } }`;

beforeAll(async () => {
  database = await createTestDatabase(inject("serverUrl"), inject("templateName"));
  proxy = await startTcpProxy(database.url);
  planned = await startLectern({ database: { ...database, url: proxy.url }, settings: { READ_CONNECTIONS: "1" } });
  ada = await planned.person("Ada", "ADMIN");
  await database.query(
    "insert into users (email, name, password_hash) select n || '@x.test', 'User ' || n, '-' from generate_series(1, 19) n",
  );
  await database.query(
    `insert into documents (owner_id, title, mime_type, size_bytes, sha256, text)
     select id, 'Document ' || n, 'text/plain', 1, md5(id::text || n), 'text' from users, generate_series(1, 5) n`,
  );
  await database.query(
    `insert into chunks (document_id, index, text, start_offset, end_offset, token_count)
     select id, place, repeat('word ', 20), 0, 1, 1 from documents, generate_series(0, 4) place`,
  );
});

afterAll(async () => {
  await planned.stop();
  await proxy.stop();
  await database.drop();
});

describe("a query of three levels", () => {
  it("is one flush on the wire and one round trip", async () => {
    expect(await budget(planned, ada, levels)).toEqual({ statements: 3, roundTrips: 1 });
    proxy.resetCounts();
    await budget(planned, ada, levels);
    // BEGIN, three reads, COMMIT: five statements in one piece.
    expect(proxy.counts).toMatchObject({ connections: 0, flushes: 1, flights: 1, statements: 5 });
  });

  it("takes less than 1.3 times the time of a single statement at 2 ms from the database", async () => {
    proxy.delay(1);
    try {
      const ratio = await medianRatio(
        () => budget(planned, ada, levels),
        () => budget(planned, ada, single),
      );
      console.log(`three levels / one statement at 2 ms: ${ratio.toFixed(2)}`);
      expect(ratio).toBeLessThan(1.3);
    } finally {
      proxy.delay(0);
    }
  });
});

/** Both in turn, so that what else the machine does meets both; the medians of their times. */
async function medianRatio(one: () => Promise<unknown>, other: () => Promise<unknown>): Promise<number> {
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < 120; round++) {
    for (const [index, work] of [one, other].entries()) {
      const started = performance.now();
      await work();
      if (round >= 20) times[index as 0 | 1].push(performance.now() - started);
    }
  }
  const median = (values: number[]) => values.sort((left, right) => left - right)[values.length >> 1] as number;
  return median(times[0]) / median(times[1]);
}
