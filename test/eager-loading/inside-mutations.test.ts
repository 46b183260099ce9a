/** Inside a unit of work the same relations read what it wrote and has not committed, on its own connection. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { traced } from "../support/budget.ts";
import { type Lectern, startLectern } from "../support/lectern.ts";

let lectern: Lectern;

beforeAll(async () => {
  lectern = await startLectern();
});
afterAll(() => lectern.stop());

type Payload = {
  document: { title: string; owner: { documents: { totalCount: number; nodes: { title: string }[] } } };
};

const all =
  "document { title owner { documents(orderBy: { field: TITLE, direction: ASC }) { totalCount nodes { title } } } }";

describe("a mutation's payload", () => {
  it("shows at each root field what was written up to then, and nothing is kept from before", async () => {
    const ada = await lectern.person("Ada");
    const first = await ada.document({ title: "b" });
    const { data } = await traced<{ create: Payload; rename: Payload; again: Payload }>(
      lectern,
      ada,
      `mutation($id: ID!) {
        create: createDocument(input: { source: { text: "another" }, title: "a" }) { ${all} }
        rename: updateDocument(input: { id: $id, expectedVersion: 1, title: "c" }) { ${all} }
        again: updateDocument(input: { id: $id, expectedVersion: 2, title: "d" }) { ${all} }
      }`,
      { id: first.id },
    );
    const titles = ({ document }: Payload) => document.owner.documents.nodes.map(({ title }) => title);
    expect([titles(data.create), titles(data.rename), titles(data.again)]).toEqual([
      ["a", "b"],
      ["a", "c"],
      ["a", "d"],
    ]);
    expect(data.create.document.owner.documents.totalCount).toBe(2);
  });

  it("is batched like a query: as many statements for ten documents as for one", async () => {
    const counts = [];
    for (const documents of [1, 10]) {
      const ada = await lectern.person("Ada");
      for (let index = 1; index < documents; index++) await ada.document();
      const { cost } = await traced(
        lectern,
        ada,
        `mutation { createDocument(input: { source: { text: "the last" } }) {
          document { owner { documents { nodes { text chunks { totalCount } } } } } } }`,
      );
      counts.push(cost.batches.map(({ relation, planned }) => `${relation} ${planned}`));
    }
    const expected = ["UserById false", "DocumentsByOwner false", "DocumentText false", "ChunksByDocument.count false"];
    expect(counts).toEqual([expected, expected]);
  });

  it("is not seen by anybody else before the commit", async () => {
    const ada = await lectern.person("Ada");
    const { reads } = lectern.application;
    const read = reads.read.bind(reads);
    let readsOutside = 0;
    reads.read = (statement) => {
      if (/documents|chunks/.test(statement.text)) readsOutside++;
      return read(statement);
    };
    try {
      await traced(
        lectern,
        ada,
        `mutation { createDocument(input: { source: { text: "unseen" } }) { document { text chunks { totalCount } } } }`,
      );
      expect(readsOutside).toBe(0);
    } finally {
      reads.read = read;
    }
  });
});
