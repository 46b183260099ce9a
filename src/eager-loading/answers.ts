/** From a statement's rows to one answer per key: matched by the key in the row, placed by the place in the row. */
import { type Ask, emptyAnswer } from "./ask.ts";

export type Row = Record<string, unknown>;

/** A page in the order it is shown in. `hasMore`: rows follow in the direction of reading. */
export type Page<PageRow = Row> = { rows: PageRow[]; hasMore: boolean };

/** The key of a relation that has none. */
export const rootKey = "";

/** Answers by key; a key without rows is missing here and answered by `emptyAnswer`. */
export function answersFromRows(ask: Ask, rows: readonly Row[]): Map<string, unknown> {
  const answers = new Map<string, unknown>();
  for (const row of rows) {
    const key = ask.kind === "one" ? String(row[ask.relation.key]) : String(row.$key ?? rootKey);
    switch (ask.kind) {
      case "one":
        answers.set(key, row);
        break;
      case "column":
      case "count":
      case "sum":
      case "exists":
        answers.set(key, row.$value);
        break;
      case "list":
        (gather(answers, key, ask) as Row[]).push(row);
        break;
      case "page": {
        const page = gather(answers, key, ask) as Page;
        const place = Number(row.$place) - 1;
        if (place === ask.window.size) page.hasMore = true;
        else page.rows[place] = row;
        break;
      }
    }
  }
  if (ask.kind === "page" && ask.window.isBackward) {
    for (const page of answers.values()) (page as Page).rows.reverse();
  }
  return answers;
}

function gather(answers: Map<string, unknown>, key: string, ask: Ask): unknown {
  let answer = answers.get(key);
  if (answer === undefined) {
    answer = emptyAnswer(ask);
    answers.set(key, answer);
  }
  return answer;
}

/** The rows that an answer shows, whatever its kind: what a child's keys are read from. */
export function rowsOf(ask: Ask, answer: unknown): Row[] {
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
