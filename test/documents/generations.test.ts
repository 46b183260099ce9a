/**
 * Readers of a document that is processed again while they walk over its pages: each sees one generation of chunks to
 * its end, or is told that its cursor is out of date. With the plan, level by level, and inside mutations.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Sql } from "../../src/eager-loading/sql.ts";
import { askTraced, budget } from "../support/budget.ts";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { uuidOf } from "../support/global-ids.ts";
import { type Lectern, type Person, type ShownError, startLectern } from "../support/lectern.ts";
import { processAgain, randomFrom } from "../support/random-library.ts";
import { rounds } from "../support/rounds.ts";

const seed = Number(process.env.LECTERN_SEED ?? Date.now() % 1_000_000);
const text = "A text that is cut again and again.";

let database: TestDatabase;
let planned: Lectern;
let unplanned: Lectern;
let ada: Person;
let document: string;

beforeAll(async () => {
  database = await freshDatabase();
  planned = await startLectern({ database });
  unplanned = await startLectern({ database, settings: { EAGER_PLAN: "off" } });
  ada = await planned.person("Ada");
  document = (await ada.document({ text })).id;
});

afterAll(async () => {
  await planned.stop();
  await unplanned.stop();
  await database.drop();
});

/** The texts say which generation they are of and their place in it. */
const texts = (generation: number, chunks: number) =>
  Array.from({ length: chunks }, (_, index) => `lantern g${generation} ${index} of ${chunks}`);

type Chunks = {
  totalCount: number;
  nodes: { text: string }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
};
type Answer = { data: Record<string, unknown> | null; errors?: ShownError[] };

const isOutOfDate = ({ errors }: Answer) => errors?.[0]?.extensions.reason === "CURSOR_OUT_OF_DATE";

const selection = `totalCount nodes { text } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }`;

/** Ways to ask for one page; each gives the answer and, where there is one, the page. */
const ways: Record<string, (page: string) => Promise<Answer & { chunks?: Chunks }>> = {
  planned: (page) => read(planned, page),
  "level by level": (page) => read(unplanned, page),
  "in a mutation": async (page) => {
    const query = `mutation { createDocument(input: { source: { text: "${text}" } }) {
      isDuplicate document { chunks(${page}) { ${selection} } } } }`;
    const answer = await askTraced<Answer>(planned, ada, { query });
    const payload = answer.data?.createDocument as { document: { chunks: Chunks } } | undefined;
    return payload ? { ...answer, chunks: payload.document.chunks } : answer;
  },
};

async function read(lectern: Lectern, page: string): Promise<Answer & { chunks?: Chunks }> {
  const query = `{ document(id: "${document}") { chunks(${page}) { ${selection} } } }`;
  const answer = await askTraced<Answer>(lectern, ada, { query });
  const found = answer.data?.document as { chunks: Chunks } | null | undefined;
  return found ? { ...answer, chunks: found.chunks } : answer;
}

describe("a cursor from before the document was processed again", () => {
  let generation = 100;
  /** A document with three chunks, its cursors, and then another generation of so many. */
  const outdated = async (chunks: number) => {
    await processAgain(database, uuidOf(document), texts(generation++, 3));
    const { chunks: page } = await read(planned, "first: 2");
    await processAgain(database, uuidOf(document), texts(generation++, chunks));
    return page?.pageInfo.endCursor as string;
  };

  for (const [name, ask] of Object.entries(ways)) {
    it.each([
      { argument: "after", page: "first: 1", chunks: 5 },
      { argument: "before", page: "last: 1", chunks: 5 },
      { argument: "after", page: "first: 1", chunks: 0 },
      { argument: "before", page: "last: 1", chunks: 0 },
    ])(`is refused ${name}: $argument, $chunks chunks`, async ({ argument, page, chunks }) => {
      const cursor = await outdated(chunks);
      const answer = await ask(`${page}, ${argument}: "${cursor}"`);
      expect(answer.chunks).toBeUndefined();
      const refusal = answer.errors?.find(({ extensions }) => extensions.code !== "ROLLED_BACK");
      expect(refusal).toMatchObject({
        message: "This cursor is out of date: the document was processed again. Start from the first page.",
        extensions: { code: "BAD_USER_INPUT", reason: "CURSOR_OUT_OF_DATE", inputPath: [argument] },
      });
      expect(refusal?.path).toContain("chunks");
    });
  }

  it("is refused by each field that looks at the rows, and by no other field of the query", async () => {
    const cursor = await outdated(4);
    const other = await ada.document();
    await processAgain(database, uuidOf(other.id), texts(1, 2));
    for (const lectern of [planned, unplanned]) {
      for (const fields of [
        "totalCount",
        "nodes { text }",
        "pageInfo { hasNextPage }",
        "pageInfo { hasPreviousPage }",
      ]) {
        const query = `{
          stale: document(id: "${document}") { chunks(first: 1, after: "${cursor}") { ${fields} } }
          fresh: document(id: "${document}") { title chunks(first: 1) { totalCount } }
          other: document(id: "${other.id}") { chunks { totalCount } }
        }`;
        const answer = await askTraced<Answer>(lectern, ada, { query });
        expect(isOutOfDate(answer), fields).toBe(true);
        expect(answer.errors).toHaveLength(1);
        expect(answer.data).toEqual({
          stale: null,
          fresh: { title: expect.any(String), chunks: { totalCount: 4 } },
          other: { chunks: { totalCount: 2 } },
        });
      }
    }
  });

  it("is refused by what is read a moment later, when that is of the next generation", async () => {
    await processAgain(database, uuidOf(document), texts(generation++, 6));
    const { chunks } = await read(planned, "first: 2");
    const { reads } = unplanned.application;
    const pass = reads.read.bind(reads);
    let times = 0;
    // Exactly between the page and its count, which are two statements where there is no plan.
    reads.read = async (statement: Sql) => {
      const rows = await pass(statement);
      if (statement.text.includes("$row") && times++ === 0) {
        await processAgain(database, uuidOf(document), texts(generation++, 3));
      }
      return rows;
    };
    const count = `{ document(id: "${document}") { chunks(first: 2, after: "${chunks?.pageInfo.endCursor}") {
      nodes { text ... on Chunk { document { chunks(first: 2, after: "${chunks?.pageInfo.endCursor}") { totalCount } } } } } } }`;
    const answer = await askTraced<Answer>(unplanned, ada, { query: count });
    reads.read = pass;
    expect(times).toBe(1);
    expect(isOutOfDate(answer)).toBe(true);
  });

  it("costs no statement", async () => {
    await processAgain(database, uuidOf(document), texts(generation++, 6));
    const { chunks } = await read(planned, "first: 2");
    const ask = (page: string) =>
      budget(planned, ada, `{ document(id: "${document}") { chunks(${page}) { totalCount nodes { text } } } }`);
    expect(await ask("first: 2")).toEqual({ statements: 3, roundTrips: 1 });
    expect(await ask(`first: 2, after: "${chunks?.pageInfo.endCursor}"`)).toEqual({ statements: 3, roundTrips: 1 });
  });

  it("says nothing of a document that is gone: there is none", async () => {
    const other = await ada.document();
    await processAgain(database, uuidOf(other.id), texts(1, 3));
    const query = (page: string) => `{ document(id: "${other.id}") { chunks(${page}) { pageInfo { endCursor } } } }`;
    const answer = await askTraced<Answer>(planned, ada, { query: query("first: 1") });
    const { chunks } = (answer.data as { document: { chunks: Chunks } }).document;
    await database.query("delete from documents where id = $1", [uuidOf(other.id)]);
    const gone = await askTraced<Answer>(planned, ada, { query: query(`after: "${chunks.pageInfo.endCursor}"`) });
    expect(gone).toMatchObject({ data: { document: null } });
    expect(gone.errors).toBeUndefined();
  });
});

const times = rounds(100, 1_000);

describe(`readers during ${times} re-processings (LECTERN_SEED=${seed})`, () => {
  it("see one generation to its end, or are told that their cursor is out of date", async () => {
    const random = randomFrom(seed);
    const sizes = new Map<number, number>();
    const walks = { whole: 0, ended: 0, long: 0 };
    const answers = { searches: 0, generations: new Set<string>() };
    let isDone = false;

    const write = async () => {
      for (let generation = 1_000; generation < 1_000 + times; generation++) {
        const chunks = Math.floor(random() * 12);
        sizes.set(generation, chunks);
        await processAgain(database, uuidOf(document), texts(generation, chunks));
        // A few walks fit between two generations, and a few do not.
        const until = walks.whole + walks.ended + Math.floor(random() * 4);
        while (walks.whole + walks.ended < until) await new Promise((resume) => setImmediate(resume));
      }
      isDone = true;
    };

    const walk = async (ask: (typeof ways)[string], isBackward: boolean) => {
      const seen: string[] = [];
      let cursor: string | null = null;
      for (;;) {
        const size = 1 + Math.floor(random() * 3);
        const beyond: string = cursor ? `, ${isBackward ? "before" : "after"}: "${cursor}"` : "";
        const answer = await ask(`${isBackward ? "last" : "first"}: ${size}${beyond}`);
        if (!answer.chunks) {
          expect(isOutOfDate(answer), JSON.stringify(answer.errors)).toBe(true);
          expect(cursor).not.toBeNull();
          break;
        }
        const page = answer.chunks.nodes.map(({ text }) => text);
        if (isBackward) seen.unshift(...page);
        else seen.push(...page);
        // Whoever comes with a cursor is told the count of its generation, or nothing.
        if (cursor) expect(page.every((text) => text.endsWith(` of ${answer.chunks?.totalCount}`))).toBe(true);
        const { hasNextPage, hasPreviousPage, startCursor, endCursor } = answer.chunks.pageInfo;
        cursor = isBackward ? startCursor : endCursor;
        if (!(isBackward ? hasPreviousPage : hasNextPage)) {
          cursor = null;
          break;
        }
      }
      const generations = new Set(seen.map((text) => text.split(" ")[1]));
      expect([...generations].length, seen.join()).toBeLessThanOrEqual(1);
      if (cursor !== null) {
        walks.ended++;
      } else {
        walks.whole++;
        if (seen.length > 3) walks.long++;
        const generation = Number([...generations][0]?.slice(1));
        if (seen.length > 0 && generation >= 1_000) {
          expect(seen).toEqual(texts(generation, sizes.get(generation) as number));
        }
      }
    };

    const search = async (lectern: Lectern) => {
      const query = `{ searchChunks(query: "lantern", first: 50, documentIds: ["${document}"]) {
        totalCount nodes { snippet chunk { text neighbours(before: 2, after: 2) { text } } } } }`;
      type Hits = { totalCount: number; nodes: { chunk: { text: string; neighbours: { text: string }[] } }[] };
      const answer = await askTraced<Answer>(lectern, ada, { query });
      // A hit that is gone before its neighbours are read has none.
      const { nodes } = (answer.data as { searchChunks: Hits }).searchChunks;
      const shown = nodes.flatMap(({ chunk }) => [chunk.text, ...chunk.neighbours.map(({ text }) => text)]);
      const generations = new Set(shown.map((text) => text.split(" ")[1] as string));
      expect([...generations].length, shown.join()).toBeLessThanOrEqual(1);
      for (const generation of generations) answers.generations.add(generation);
      answers.searches++;
    };

    const repeat = async (work: () => Promise<void>) => {
      while (!isDone) await work();
    };
    const readers = Object.values(ways).flatMap((ask) => [
      repeat(() => walk(ask, false)),
      repeat(() => walk(ask, true)),
    ]);
    await Promise.all([write(), ...readers, repeat(() => search(planned)), repeat(() => search(unplanned))]);

    // Both ends of a walk were met, and the searches did see the generations go by.
    expect(walks.whole).toBeGreaterThan(10);
    expect(walks.long).toBeGreaterThan(0);
    expect(walks.ended).toBeGreaterThan(10);
    expect(answers.searches).toBeGreaterThan(10);
    expect(answers.generations.size).toBeGreaterThan(10);
  }, 120_000);
});
