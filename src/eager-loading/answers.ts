/** Makes one answer per key. Rows carry their key and row number, so their order of arrival is irrelevant. */
import { type Ask, emptyAnswer } from "./ask.ts";
import { CursorOutOfDateError } from "./cursor.ts";

export type Row = Record<string, unknown>;

/** Rows in the order in which the API returns them. `hasMore`: more rows follow in the direction of reading. */
export type Page<PageRow = Row> = { rows: PageRow[]; hasMore: boolean };

/** The key of a relation that has none. */
export const rootKey = "";

/**
 * Answers by key. Keys without rows are missing: `emptyAnswer` supplies theirs. The answer is an error if the rows of
 * the key are of another generation than a cursor.
 */
export function answersFromRows(ask: Ask, rows: readonly Row[]): Map<string, unknown> {
  const answers = new Map<string, unknown>();
  for (const row of rows) {
    const key = ask.kind === "one" ? String(row[ask.relation.key]) : String(row.$key ?? rootKey);
    if (row.$isOutOfDate) {
      answers.set(key, outOfDate(ask));
      continue;
    }
    switch (ask.kind) {
      case "one":
        answers.set(key, row);
        break;
      case "column":
      case "count":
      case "exists":
        answers.set(key, row.$value);
        break;
      case "list":
        (gather(answers, key, ask) as Row[]).push(row);
        break;
      case "page": {
        const page = gather(answers, key, ask) as Page;
        // The left join of a page with generations: no row of the page exists for this key.
        if (row.$row === null) break;
        const index = Number(row.$row) - 1;
        if (index === ask.window.size) page.hasMore = true;
        else page.rows[index] = row;
        break;
      }
    }
  }
  if (ask.kind === "page" && ask.window.isBackward) {
    for (const page of answers.values()) if (!(page instanceof Error)) (page as Page).rows.reverse();
  }
  return answers;
}

function outOfDate(ask: Ask): CursorOutOfDateError {
  if (!("window" in ask) || !ask.relation.generation) throw new Error(`${ask.name} has no cursors with a generation.`);
  return new CursorOutOfDateError(ask.window.after ? "after" : "before", ask.relation.generation.outOfDate);
}

function gather(answers: Map<string, unknown>, key: string, ask: Ask): unknown {
  let answer = answers.get(key);
  if (answer === undefined) {
    answer = emptyAnswer(ask);
    answers.set(key, answer);
  }
  return answer;
}

/** The rows of an answer of any kind; the keys of child asks are read from them. */
export function rowsOf(ask: Ask, answer: unknown): Row[] {
  if (answer instanceof Error) return [];
  switch (ask.kind) {
    case "one":
      return answer === null ? [] : [answer as Row];
    case "page":
      return (answer as Page).rows;
    case "list":
      return answer as Row[];
    default:
      return [];
  }
}
