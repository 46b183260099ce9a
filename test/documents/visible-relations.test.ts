/** Each relation by itself, given the key of rows that a viewer may not see: it applies its rule, whatever led to it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as chunks from "../../src/documents/chunk.relations.ts";
import * as chunkSearch from "../../src/documents/chunk-search.relations.ts";
import * as documents from "../../src/documents/document.relations.ts";
import { Loaders } from "../../src/eager-loading/loaders.ts";
import type {
  AnyShared,
  ColumnRelation,
  ListRelation,
  OneRelation,
  PageRelation,
} from "../../src/eager-loading/relation.ts";
import type { Viewer } from "../../src/viewer.ts";
import { uuidOf } from "../support/global-ids.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { processAgain } from "../support/random-library.ts";

let lectern: Lectern;
let [ada, bob, editor, admin]: Person[] = [];
/** Ada's PRIVATE document and its first chunk. */
let hidden: { document: string; chunk: string };

beforeAll(async () => {
  lectern = await startLectern({ housekeeping: false });
  ada = await lectern.person("Ada");
  bob = await lectern.person("Bob");
  editor = await lectern.person("Edith", "EDITOR");
  admin = await lectern.person("Root", "ADMIN");
  const document = uuidOf((await ada.document({ text: "Zebras in secret." })).id);
  await processAgain(lectern.database, document, ["Zebras in", "secret, zebras."]);
  const [chunk] = await lectern.database.query("select id from chunks where document_id = $1 and index = 0", [
    document,
  ]);
  hidden = { document, chunk: chunk?.id as string };
});
afterAll(() => lectern.stop());

type Relation = AnyShared & { kind: "one" | "page" | "list" | "column" };
const isRelation = (value: unknown): value is Relation =>
  typeof value === "object" && value !== null && "kind" in value && "table" in value;
const relations = [documents, chunks, chunkSearch]
  .flatMap((module) => Object.values<unknown>(module))
  .filter(isRelation);

/** How each relation is led to the rows of the hidden document: by its key, and by its arguments. */
const ways: Record<string, () => { key?: string; args?: object }> = {
  DocumentById: () => ({ key: hidden.document }),
  Documents: () => ({ args: { ownerId: uuidOf(ada?.id as string) } }),
  DocumentsByOwner: () => ({ key: uuidOf(ada?.id as string) }),
  DocumentText: () => ({ key: hidden.document }),
  ChunkById: () => ({ key: hidden.chunk }),
  ChunksByDocument: () => ({ key: hidden.document }),
  NeighboursByChunk: () => ({ key: hidden.chunk, args: { before: 1, after: 1 } }),
  ChunkHits: () => ({ args: { query: "zebras", documentIds: [hidden.document] } }),
};

/** All that a relation tells of the rows. */
async function tellsOf(relation: Relation, viewer: Viewer): Promise<unknown[]> {
  const loaders = new Loaders({ viewer, reader: lectern.application.reads, cursors: lectern.application.cursors });
  const { key, args = {} } = ways[relation.name]?.() ?? {};
  switch (relation.kind) {
    case "one":
      return [await loaders.one(relation as OneRelation, key)];
    case "column":
      return [await loaders.column(relation as ColumnRelation, key)];
    case "list":
      return [...(await loaders.list(relation as ListRelation, args, key))];
    case "page": {
      const page = loaders.page(relation as PageRelation, args, {}, key);
      // Whether rows lie before a page is a statement of its own. The cursor of an admin's page leads behind all rows.
      const all = new Loaders({ viewer: as(admin, "ADMIN"), reader: loaders.reader, cursors: loaders.cursors });
      const { endCursor } = all.page(relation as PageRelation, args, {}, key).pageInfo;
      const behind = loaders.page(relation as PageRelation, args, { after: await endCursor }, key);
      return [...(await page.edges), (await page.totalCount) || null, (await behind.pageInfo.hasPreviousPage) || null];
    }
  }
}

const as = (person: Person | undefined, role: "VIEWER" | "EDITOR" | "ADMIN"): Viewer =>
  person ? { id: uuidOf(person.id), role, sessionId: "" } : null;

describe("a relation", () => {
  it("is known here, whichever it is", () => {
    expect(relations.map(({ name }) => name).sort()).toEqual(Object.keys(ways).sort());
  });

  it.each(Object.keys(ways))("%s tells only those of hidden rows who may see them", async (name) => {
    const relation = relations.find((one) => one.name === name) as Relation;
    for (const viewer of [as(ada, "VIEWER"), as(admin, "ADMIN")]) {
      const told = await tellsOf(relation, viewer);
      expect([told.length > 0, told.filter((each) => each === null)]).toEqual([true, []]);
    }
    for (const viewer of [as(bob, "VIEWER"), as(editor, "EDITOR"), null]) {
      expect((await tellsOf(relation, viewer)).filter((each) => each !== null)).toEqual([]);
    }
  });
});
