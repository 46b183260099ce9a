/**
 * Search in a large library: by the indexes, and in less than 50 ms in the median of many kinds of search, for admins and
 * for viewers who may see a part. 10,000 chunks of 150 words, as our worker makes them, and a bound that a busy machine
 * keeps too; with LECTERN_LONG=1, 100,000 chunks and the 50 ms.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Sql, sql } from "../../src/eager-loading/sql.ts";
import { traced } from "../support/budget.ts";
import { uuidOf } from "../support/global-ids.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { isLong, rounds } from "../support/rounds.ts";

const documents = rounds(100, 1_000);
const chunks = documents * 100;
const titles = 20_000;
/** For the long form, on a machine that does nothing else. */
const mostMs = 50;
/** For the short form, on any machine: of the time in which the database reads through all chunks, measured in turn. */
const mostOfAScan = 0.5;
const promise = isLong ? `${mostMs} ms` : "half the time of reading all chunks";

let lectern: Lectern;
let people: Record<"admin" | "viewer", Person>;

beforeAll(async () => {
  lectern = await startLectern();
  people = { admin: await lectern.person("Ada", "ADMIN"), viewer: await lectern.person("Vera") };
  const owner = uuidOf(people.admin.id);
  // In one go and without triggers: what is tested is the reading. A fifth is shared, which is what the viewer sees.
  await lectern.database.query(`
    set local session_replication_role = replica;
    select setseed(0.5);
    insert into documents (owner_id, title, visibility, mime_type, size_bytes, sha256, text, created_at)
      select '${owner}', initcap(array_to_string(array(
               select (array['truyện','sử','đường','phố','mùa','rừng','biển','đất','nước','thơ','văn','nhật','ký','người'])
                 [1 + floor(random() * 14)::int] || ' ' || chr(97 + floor(random() * 26)::int) || (random() * n)::int
               from generate_series(1, 3 + n * 0)), ' ')),
             (case when n % 5 = 0 then 'SHARED' else 'PRIVATE' end)::visibility, 'text/plain', 10,
             lpad(n::text, 64, '0'), 'text', now() - n * interval '1 second'
      from generate_series(1, ${titles}) n`);
  // Half of the documents on each of two connections, since a statement that inserts uses one processor.
  const halves = [0, 1].map((half) =>
    lectern.database.query(`
    set local session_replication_role = replica;
    select setseed(0.${half + 1});
    insert into chunks (document_id, index, text, start_offset, end_offset, token_count)
      select d.id, i, array_to_string(array(
               select case k when 1 then 'người' when 2 then 'một' when 3 then 'đường' when 4 then 'ma' when 5 then 'mã'
                 else 'từ' || k end
               from (select 1 + floor(power(random(), 5) * 20000)::int from generate_series(1, 150 + i * 0)) w(k)), ' '), i * 1000, i * 1000 + 999, 150
      from (select id, row_number() over (order by created_at desc) as n from documents) d,
        generate_series(0, 99) i
      where d.n <= ${documents} and d.n % 2 = ${half}`),
  );
  await Promise.all(halves);
  for (const table of ["documents", "chunks"]) await lectern.database.query(`vacuum analyze ${table}`);
}, 900_000);
afterAll(() => lectern.stop());

const search = `query($query: String!) {
  searchChunks(query: $query, first: 20) { nodes { score snippet chunk { id } } } }`;
const find = `query($search: String!) { documents(first: 20, filter: { search: $search }) { nodes { title } } }`;

const count = `query($search: String!) { documents(filter: { search: $search }) { totalCount } }`;

/** The statement of a query with one relation, as the server sends it. */
async function statementOf(person: Person, query: string, variables: Record<string, unknown>): Promise<Sql> {
  const { reads } = lectern.application;
  const pass = reads.read.bind(reads);
  const sent: Sql[] = [];
  reads.read = (statement) => {
    sent.push(statement);
    return pass(statement);
  };
  await traced(lectern, person, query, variables);
  reads.read = pass;
  const [statement] = sent.filter(({ text }) => /from "(chunks|documents)"/.test(text));
  if (!statement) throw new Error("The query sent no statement of its own.");
  return statement;
}

type PlanNode = {
  "Node Type": string;
  "Relation Name"?: string;
  Alias?: string;
  "Index Name"?: string;
  "Actual Rows": number;
  "Actual Loops": number;
  "Rows Removed by Filter"?: number;
  Plans?: PlanNode[];
};

/** All nodes of the plan that the statement was run with. */
async function planOf({ text, values }: Sql): Promise<PlanNode[]> {
  const [row] = await lectern.database.query(`explain (analyze, format json) ${text}`, values);
  const [{ Plan: root }] = (row as { "QUERY PLAN": [{ Plan: PlanNode }] })["QUERY PLAN"];
  const all = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(all)];
  return all(root);
}

/** Of a search for chunks: where hits are found, before their rows are read. */
const findingHits = (plan: readonly PlanNode[]) => plan.filter(({ Alias }) => /^c(_\d)?$/.test(Alias ?? ""));

const indexesOf = (plan: readonly PlanNode[]) => new Set(plan.map((node) => node["Index Name"]));
const whole = (plan: readonly PlanNode[], table: string) =>
  plan.filter((node) => node["Node Type"] === "Seq Scan" && node["Relation Name"] === table);

/** Rows of a table that were looked at, also in vain. */
function lookedAt(plan: readonly PlanNode[], table: string): number {
  return plan
    .filter((node) => node["Relation Name"] === table)
    .reduce(
      (sum, node) => sum + (node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0)) * node["Actual Loops"],
      0,
    );
}

type Times = { ms: number; scanMs: number };

const scan = () => lectern.application.reads.read(sql`select count(*) from chunks where text like '%no such word%'`);

async function msOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/**
 * The best median of each search in a few rounds, and the best time of a scan in them: whatever else the machine does
 * only adds to them, and since they take turns, it adds to both. A scan takes about 90 ms and varies little, so that it
 * needs no median. The times are printed, since README and decision 9 refer to them.
 */
async function timesOf(
  what: string,
  searches: readonly string[],
  ask: (search: string) => Promise<unknown>,
): Promise<Times[]> {
  const medians = new Map(searches.map((search) => [search, Number.POSITIVE_INFINITY]));
  let scanMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds(2, 4); round++) {
    for (const [search, best] of medians) {
      const times = [await msOf(() => ask(search)), await msOf(() => ask(search)), await msOf(() => ask(search))];
      medians.set(search, Math.min(best, medianOf(times)));
    }
    scanMs = Math.min(scanMs, await msOf(scan));
  }
  const shown = [...medians].map(([search, ms]) => [search, Math.round(ms * 10) / 10]);
  console.log(`${what}, ms: ${JSON.stringify(Object.fromEntries(shown))}; reading all chunks: ${Math.round(scanMs)}`);
  return [...medians.values()].map((ms) => ({ ms, scanMs }));
}

function expectPromised(times: readonly Times[]): void {
  const ratio = medianOf(times.map(({ ms, scanMs }) => ms / scanMs));
  console.log(`in the median ${ratio.toFixed(2)} of the time of reading all chunks`);
  if (isLong) expect(medianOf(times.map(({ ms }) => ms))).toBeLessThan(mostMs);
  else expect(ratio).toBeLessThan(mostOfAScan);
}

const medianOf = (all: readonly number[]) => all.toSorted((left, right) => left - right)[all.length >> 1] as number;

// "người" is in nearly every chunk, "từ30" in a quarter of them, "từ300" in one of 25, "từ19999" in one of 500.
const rare = ["từ19999", "tu17777", '"người từ15000"', "từ19000 or từ19001", "từ18000 -một"];
const promised = {
  "frequent words": ["người", "ma", "từ30", "từ300"],
  "frequent words without accents": ["nguoi", "mot", "tu30", "tu300"],
  "rare words": rare,
  "several words": ["một đường", "mot duong", "người từ30 từ300", "người or từ30"],
  "phrases with a word that is not frequent": ['"một từ300"', '"mot tu300"', '"người từ3000"', '"một đường" từ3000'],
  "words without others": ["từ30 -mã", "từ300 -ma", "nguoi -tu30", "mot -nguoi -duong"],
};
/** Outside the promise: decision 9. */
const dear = ['"một đường"', '"mot duong"', '"người một đường"', "-nguoi", "-từ30"];

describe(`searchChunks over ${chunks} chunks`, () => {
  it.each(["admin", "viewer"] as const)("finds rare words by the index of words: %s", async (who) => {
    for (const query of rare) {
      const plan = await planOf(await statementOf(people[who], search, { query }));
      expect([...indexesOf(plan)], query).toContain("chunks_search_idx");
      expect(whole(findingHits(plan), "chunks"), query).toEqual([]);
      expect(lookedAt(findingHits(plan), "chunks"), query).toBeLessThan(chunks / 10);
    }
  });

  it("does not walk through the library for a word that is in a part of it", async () => {
    const query = "từ300";
    const plan = await planOf(await statementOf(people.viewer, search, { query }));
    expect([...indexesOf(plan)]).toContain("chunks_search_idx");
    expect(lookedAt(findingHits(plan), "chunks")).toBeLessThan(chunks / 5);
  });

  it("counts all that a viewer may find, also of a frequent word, of which it ranks the newest 1,000", async () => {
    const pages = `query($query: String!, $after: String) {
      searchChunks(query: $query, first: 100, after: $after) {
        totalCount pageInfo { hasNextPage endCursor } nodes { chunk { id } } } }`;
    type Answer = {
      searchChunks: {
        totalCount: number;
        pageInfo: { hasNextPage: boolean; endCursor: string };
        nodes: { chunk: { id: string } }[];
      };
    };
    const [known] = await lectern.database.query(`
      select count(*)::int as shared
      from chunks c join documents d on d.id = c.document_id where d.visibility = 'SHARED' and c.text ~ '\\mngười\\M'`);
    expect(known?.shared).toBeGreaterThan(1_000);
    const walked = new Set<string>();
    for (let after: string | undefined, hasNext = true; hasNext; ) {
      const { data } = await traced<Answer>(lectern, people.viewer, pages, { query: "nguoi", after });
      const { totalCount, pageInfo, nodes } = data.searchChunks;
      expect(totalCount).toBe(known?.shared);
      for (const { chunk } of nodes) walked.add(chunk.id);
      after = pageInfo.endCursor;
      hasNext = pageInfo.hasNextPage;
    }
    expect(walked.size).toBe(1_000);
  });

  it("is planned for the words each time, so that rare ones do not spoil it for frequent ones", async () => {
    for (let turn = 0; turn < 12; turn++) await traced(lectern, people.viewer, search, { query: rare[turn % 5] });
    const { reads } = lectern.application;
    const named = sql`select statement from pg_prepared_statements where statement like ${"%websearch_to_tsquery%"}`;
    // Often enough to meet each of the connections.
    const kept = await Promise.all(Array.from({ length: 20 }, () => reads.read(named)));
    expect(kept.flat()).toEqual([]);
  });

  it.each(["admin", "viewer"] as const)(
    `takes less than ${promise} in the median: %s`,
    { timeout: 300_000 },
    async (who) => {
      const ask = (query: string) => traced(lectern, people[who], search, { query });
      const times: Times[] = [];
      for (const [kind, searches] of Object.entries(promised)) {
        times.push(...(await timesOf(`${who}, ${kind}`, searches, ask)));
      }
      expectPromised(times);
      if (isLong) await timesOf(`${who}, not promised`, dear, ask);
    },
  );
});

describe(`titles of ${titles} documents`, () => {
  const searches = ["mùa n5000", "nguoi  b7777", "rùng c90", "đường z123 phố"];

  it("are found by the index of their parts, a page as well as their count", async () => {
    for (const who of ["admin", "viewer"] as const) {
      for (const [query, search] of [count, find].flatMap((one) => searches.map((text) => [one, text] as const))) {
        const plan = await planOf(await statementOf(people[who], query, { search }));
        expect([...indexesOf(plan)], search).toContain("documents_title_folded_idx");
        expect(whole(plan, "documents"), search).toEqual([]);
        expect(lookedAt(plan, "documents"), search).toBeLessThan(titles / 4);
      }
    }
  });

  it("are looked at in their order, and no further than the page, where every third is found", async () => {
    for (const search of ["n", "ng", "nguoi"]) {
      const plan = await planOf(await statementOf(people.admin, find, { search }));
      expect([...indexesOf(plan)], search).toContain("documents_created_at_id_idx");
      expect(lookedAt(plan, "documents"), search).toBeLessThan(1_000);
    }
  });

  it(`are found in less than ${promise} in the median`, async () => {
    const all = [...searches, "n", "ng", "nguoi", "zzzz", "đương"];
    const ask = (search: string) => traced(lectern, people.viewer, find, { search });
    expectPromised(await timesOf("titles", all, ask));
  });
});
