/**
 * Titles and names are searched without regard to case and accents: `title_folded` and `name_folded` hold them folded,
 * and here is how they are asked.
 */
import { plannedEachTime, type Sql, sql } from "../eager-loading/sql.ts";

/**
 * Lower case without accents, `d` for `đ`, composed or not: what the SQL function `fold` makes. A test compares the two
 * on U+0001 to U+1EFF; further on they may differ by what Node and PostgreSQL know of Unicode.
 */
export function fold(text: string): string {
  return text
    .normalize("NFD")
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/[đĐ]/g, "d")
    .replace(/[ςΣ]/g, "σ")
    .toLowerCase();
}

/** Three characters are the least that can be compared with mistakes in them. */
const shortestWithMistakes = 3;
/** So much of the search must be there, in one place of the text and in any order of words. */
const leastLikeness = "0.6";

/**
 * Texts that contain the search, or are like it by their trigrams (three characters in a row): they may differ by a
 * typing mistake in a word of four letters or more, or by the order of words. Undefined for a search of nothing but
 * spaces, which every text matches.
 */
export function foldedMatch(folded: Sql, search: string): Sql | undefined {
  const words = fold(search)
    .split(/\s+/)
    .filter((word) => word !== "");
  if (words.length === 0) return undefined;
  const wanted = words.join(" ");
  const contains = sql`${folded} like ${`%${wanted.replace(/[\\%_]/g, "\\$&")}%`}`;
  if (wanted.length < shortestWithMistakes) return sql`${plannedEachTime} ${contains}`;
  // Of each word as well, or a long one that is right would make up for another that is missing.
  const hasAllWords = sql`has_words_like(${folded}, ${words}::text[])`;
  // The operator that the index answers takes its bound from a setting; set here, it is the same in every session.
  return sql`${plannedEachTime}
    (select set_config('pg_trgm.word_similarity_threshold', ${leastLikeness}, true)) is not null and
    (${contains} or (${wanted} <% ${folded} and ${hasAllWords}))`;
}
