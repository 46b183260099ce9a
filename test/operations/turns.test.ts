/** Queries take turns, so that a small one never waits behind many large ones. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { withClient } from "../../src/database/with-client.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { post } from "../support/post.ts";

let lectern: Lectern;
let ada: Person;

beforeAll(async () => {
  lectern = await startLectern({
    settings: {
      QUERY_COST_TOGETHER: "200",
      // The turn of a query that was answered is given back within it, on a busy machine too.
      QUERY_WAIT_MS: "1000",
      STATEMENT_TIMEOUT_MS: "60000",
      EAGER_PLAN_TIMEOUT_MS: "60000",
    },
    housekeeping: false,
  });
  ada = await lectern.person("Ada");
});
afterAll(() => lectern.stop());

type Outcome = { status: number; code?: string; retryAfter: string | null };

async function ask(query: string): Promise<Outcome> {
  const response = await post(lectern.url, { query, accessToken: ada.accessToken });
  const { errors } = (await response.json()) as { errors?: { extensions: { code: string } }[] };
  return {
    status: response.status,
    code: errors?.[0]?.extensions.code,
    retryAfter: response.headers.get("retry-after"),
  };
}

const documents = (first: number) => `{ documents(first: ${first}) { nodes { id owner { id } } } }`;
const done = { status: 200, code: undefined, retryAfter: null };

it("lets cheap queries pass, holds others back while much is under way, and then refuses them", async () => {
  await ask("{ viewer { user { id } } }");
  await withClient(lectern.database.url, async (client) => {
    // Statements that read documents wait until this ends.
    await client.query("begin; lock table documents in access exclusive mode");
    let isAnswered = false;
    const large = ask(documents(100)).finally(() => {
      isAnswered = true;
    });
    await expect.poll(() => lectern.application.reads.state.underWay, { timeout: 30_000 }).toBeGreaterThan(0);
    expect(await ask("{ users(first: 51) { nodes { id } } }")).toEqual({
      status: 503,
      code: "OVERLOADED",
      retryAfter: "1",
    });
    expect(await ask("{ users(first: 50) { nodes { id } } }")).toEqual(done);
    expect(isAnswered).toBe(false);
    await client.query("rollback");
    expect(await large).toEqual(done);
  });
  // The turns have been given back.
  for (let round = 0; round < 3; round++) expect(await ask(documents(100))).toEqual(done);
});
