/** Two people's operations, interleaved: what one may see never reaches the other. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { traced } from "../support/budget.ts";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";

let database: TestDatabase;
let servers: Lectern[];
let ada: Person;
let bob: Person;

beforeAll(async () => {
  database = await freshDatabase();
  servers = [await startLectern({ database }), await startLectern({ database, settings: { EAGER_PLAN: "off" } })];
  const [first] = servers as [Lectern, Lectern];
  [ada, bob] = [await first.person("Ada"), await first.person("Bob")];
  for (const person of [ada, bob]) {
    for (let index = 0; index < 3; index++) {
      await person.document({ text: `A secret of ${person.name}, number ${index}.`, title: `Of ${person.name}` });
    }
  }
});

afterAll(async () => {
  for (const server of servers) await server.stop();
  await database.drop();
});

const query = `{
  viewer { user { name email documents { totalCount nodes { title text owner { email } } } } }
  users { nodes { name email documents { totalCount nodes { title text } } } }
  documents { totalCount nodes { title owner { name email } } }
}`;

describe("1,000 pairs of operations of two viewers", () => {
  it("answer each only what is theirs", { timeout: 300_000 }, async () => {
    for (let pair = 0; pair < 1_000; pair++) {
      const server = servers[pair % 2] as Lectern;
      const [adas, bobs] = await Promise.all([traced(server, ada, query), traced(server, bob, query)]);
      const [ofAda, ofBob] = [JSON.stringify(adas.data), JSON.stringify(bobs.data)];
      expect(ofAda).toContain("A secret of Ada, number 2.");
      expect(ofBob).toContain("A secret of Bob, number 2.");
      expect(ofAda).not.toMatch(/Of Bob|secret of Bob/);
      expect(ofBob).not.toMatch(/Of Ada|secret of Ada/);
      expect(ofAda).not.toContain(bob.email);
      expect(ofBob).not.toContain(ada.email);
    }
  });
});
