/** What a planned query is on the wire: one flush, one answer, whatever its levels. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { budget } from "../support/budget.ts";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { fillThreeLevels, threeLevels } from "../support/three-levels.ts";

let database: TestDatabase;
let proxy: TcpProxy;
let planned: Lectern;
let ada: Person;

beforeAll(async () => {
  database = await freshDatabase();
  proxy = await startTcpProxy(database.url);
  planned = await startLectern({
    database: { ...database, url: proxy.url },
    settings: { READ_CONNECTIONS: "1" },
    // Nothing but the query is on the wire.
    housekeeping: false,
  });
  ada = await planned.person("Ada", "ADMIN");
  await fillThreeLevels(database);
});

afterAll(async () => {
  await planned.stop();
  await proxy.stop();
  await database.drop();
});

describe("a query of three levels", () => {
  it("is one flush on the wire and one round trip", async () => {
    expect(await budget(planned, ada, threeLevels)).toEqual({ statements: 3, roundTrips: 1 });
    proxy.resetCounts();
    await budget(planned, ada, threeLevels);
    // BEGIN, the plan's time limit, three reads, COMMIT: six statements in one piece.
    expect(proxy.counts).toMatchObject({ connections: 0, flushes: 1, flights: 1, statements: 6 });
  });
});
