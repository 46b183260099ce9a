/** Search of titles and names without regard to case and accents, in the columns `title_folded` and `name_folded`. */
import { plannedEachTime, type Sql, sql } from "../eager-loading/sql.ts";

/**
 * Lower case without accents, and `d` for `đ`, like the SQL function `fold`. A test compares the two for U+0001 to
 * U+1EFF; beyond, they may differ by the Unicode versions of Node and PostgreSQL.
 */
export function fold(text: string): string {
  return text
    .normalize("NFD")
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/[đĐ]/g, "d")
    .replace(/[ςΣ]/g, "σ")
    .toLowerCase();
}

/** Minimum length of a search that tolerates mistakes: a trigram. */
const shortestWithMistakes = 3;
/** Minimum similarity of the search to a passage of the text, with its words in any order. */
const leastLikeness = "0.6";

/**
 * Condition for texts that contain the search or are similar by trigrams: with a typing mistake in a word of four or
 * more letters, or with another order of words. Undefined for a blank search, which matches every text.
 */
export function foldedMatch(folded: Sql, search: string): Sql | undefined {
  const words = fold(search)
    .split(/\s/)
    .filter((word) => word !== "");
  if (words.length === 0) return undefined;
  const wanted = words.join(" ");
  const contains = sql`${folded} like ${`%${wanted.replace(/[\\%_]/g, "\\$&")}%`}`;
  if (wanted.length < shortestWithMistakes) return sql`${plannedEachTime} ${contains}`;
  // Each word must be similar, too: otherwise a long correct word would make up for a missing one.
  const hasAllWords = sql`has_words_like(${folded}, ${words}::text[])`;
  // The index supports only the operator `<%`, whose threshold is a setting. It is set here for all sessions.
  return sql`${plannedEachTime}
    (select set_config('pg_trgm.word_similarity_threshold', ${leastLikeness}, true)) is not null and
    (${contains} or (${wanted} <% ${folded} and ${hasAllWords}))`;
}
