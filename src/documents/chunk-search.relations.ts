/** The search in chunks: matches by their words, ranked (decision 9). */
import { tables } from "../database/generated/tables.ts";
import { relations } from "../database/relations.ts";
import { columnsOf, join, plannedEachTime, raw, type Sql, sql } from "../eager-loading/sql.ts";
import type { Viewer } from "../viewer.ts";
import { chunkVisible } from "./chunk.relations.ts";

export type ChunkSearch = { query: string; documentIds: readonly string[] | null };
export type ChunkHitExtra = { score: number; snippet: string };

/** Lower case by a fixed collation: the search configurations would use that of the database. */
const lower = (text: Sql | string) => sql`lower(normalize(${text}, NFC) collate "und-x-icu")`;
const queryOf = (query: string) => sql`websearch_to_tsquery('lectern', ${lower(query)})`;
const exactQueryOf = (query: string) => sql`websearch_to_tsquery('simple', ${lower(query)})`;

/** Maximum number of ranked matches with the same accents, and of others: decision 9. */
const mostRanked = 1_000;

/** Condition for matching chunks, limited to the given documents, if any. */
function matches({ query, documentIds }: ChunkSearch, alias: string): Sql {
  const { documentId, index, text } = columnsOf(tables.Chunk, alias);
  const isMatch = sql`${raw(alias)}.search @@ ${queryOf(query)}`;
  // Cost hint: makes PostgreSQL prefer the GIN index (decision 9). The right operand is never evaluated, since no index
  // is negative, but the planner adds its cost.
  const costHint = sql`(${index} >= 0 or ${text} @@ ${text})`;
  const conditions = [isMatch, costHint];
  if (documentIds) conditions.push(sql`${documentId} = any(${documentIds}::uuid[])`);
  return join(conditions, " and ");
}

/** Query for the hits to rank: the newest with the same accents and, if those are few, the newest others. */
function candidates(search: ChunkSearch, viewer: Viewer): Sql {
  const chunk = columnsOf(tables.Chunk, "c");
  const isHit = sql`${matches(search, "c")} and ${chunkVisible(viewer, chunk)}`;
  const isExact = sql`c.search_exact @@ ${exactQueryOf(search.query)}`;
  const newest = (condition: Sql) =>
    sql`select c.id from chunks c where ${condition} order by c.id desc limit ${raw(String(mostRanked))}`;
  // If there are few exact hits, their list is complete, and excluding it is cheaper than matching again.
  const areFew = sql`(select count(*) from exact) < ${raw(String(mostRanked))}`;
  return sql`
    with exact as materialized (${newest(sql`${isHit} and ${isExact}`)})
    table exact union all (${newest(sql`${areFew} and ${isHit} and c.id not in (table exact)`)})`;
}

/** Placeholders for `<mark>`, replaced after HTML escaping. They are removed from the text first. */
export const markStart = "\u{E000}";
export const markEnd = "\u{E001}";
const headline = `StartSel=${markStart}, StopSel=${markEnd}, ShortWord=0, MinWords=12, MaxWords=30, MaxFragments=2, FragmentDelimiter=" … "`;

/** Best match first. Matches with the same accents rank above folded ones. */
export const chunkHits = relations.page({
  name: "ChunkHits",
  table: tables.Chunk,
  // Every page ranks all candidates.
  isExpensive: true,
  orders: { SCORE: ["score"] },
  defaultOrder: { field: "SCORE", direction: "DESC" },
  filter: (search: ChunkSearch, chunk, viewer) =>
    sql`${plannedEachTime} ${chunk.id} in (${candidates(search, viewer)})`,
  counted: (search) => sql`${plannedEachTime} ${matches(search, "t")}`,
  computed: {
    score: {
      type: "double precision",
      sql: ({ query }) => sql`(ts_rank(t.search, ${queryOf(query)}, 1) + case when
        t.search_exact @@ ${exactQueryOf(query)} then 1 else 0 end)::double precision`,
    },
  },
  decorated: {
    snippet: ({ query }) =>
      sql`ts_headline('lectern', translate(normalize(r.text, NFC), ${markStart + markEnd}, ''), ${queryOf(query)}, ${headline})`,
  },
  extra: {} as ChunkHitExtra,
  visible: chunkVisible,
});
