/** A change through the API that a worker's claim stands in the way of: the log says whose, the answer does not. */
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { graphql } from "../support/client/generated/gql.ts";
import { errorsOf, type Lectern, type Person, type ShownError, startLectern } from "../support/lectern.ts";
import { until } from "../support/until.ts";

let lectern: Lectern;
let ada: Person;
let lines: Record<string, unknown>[] = [];

beforeAll(async () => {
  lectern = await startLectern({ log: (line) => void lines.push(line) });
  ada = await lectern.person("Ada");
});
beforeEach(() => {
  lines = [];
});
afterAll(() => lectern.stop());

const Reprocess = graphql(`
  mutation ConflictReprocess($id: ID!) {
    reprocessDocument(input: { id: $id }) { document { id } }
  }
`);
const Rename = graphql(`
  mutation ConflictRename($id: ID!, $version: Int!) {
    updateDocument(input: { id: $id, expectedVersion: $version, title: "Another title" }) { document { id } }
  }
`);

async function documentInWork() {
  const { id, version } = await ada.document();
  const [held] = await lectern.database.query("select * from claim_documents('one/1/a', 1, '1 minute')");
  return { id, version, row: held?.id as string, claim: held?.claim as string };
}

/** The one line about an operation that was refused; it may come a moment after the answer. */
async function refusal(operation: string): Promise<Record<string, unknown>> {
  const found = () => lines.find((line) => line.operation === operation && line.outcome === "aborted");
  await until(() => found() !== undefined, `the log tells of ${operation}`);
  return found() as Record<string, unknown>;
}

function expectNothingTold([error]: ShownError[], code: string, claim: string): void {
  expect(error?.extensions.code).toBe(code);
  expect(JSON.stringify(error)).not.toMatch(new RegExp(`one/1/a|${claim}`));
}

it("INVALID_STATE: processing again what is in work", async () => {
  const { id, row, claim } = await documentInWork();
  expectNothingTold(await errorsOf(ada.client.request(Reprocess, { id })), "INVALID_STATE", claim);
  expect(await refusal("ConflictReprocess")).toMatchObject({
    holder: `document ${row} is PROCESSING in attempt 1, claimed by worker one/1/a with claim ${claim}`,
  });
});

it("CONFLICT: a version that a worker's claim has raised", async () => {
  const { id, version, row, claim } = await documentInWork();
  expectNothingTold(await errorsOf(ada.client.request(Rename, { id, version })), "CONFLICT", claim);
  expect(await refusal("ConflictRename")).toMatchObject({
    holder: `document ${row} is PROCESSING in attempt 1, claimed by worker one/1/a with claim ${claim}`,
  });
});

it("INVALID_STATE: processing again what nobody has begun with", async () => {
  const { id } = await ada.document();
  const [row] = await lectern.database.query("select id from documents where status = 'PENDING'");
  expectNothingTold(await errorsOf(ada.client.request(Reprocess, { id })), "INVALID_STATE", "no claim");
  expect(await refusal("ConflictReprocess")).toMatchObject({
    holder: `document ${row?.id} is PENDING after 0 attempt(s), claimed by nobody`,
  });
});
