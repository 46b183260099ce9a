/** From a statement's rows to one answer per key: matched by the key in the row, placed by the place in the row. */
import { type Ask, emptyAnswer } from "./ask.ts";
import { CursorOutOfDateError } from "./cursor.ts";

export type Row = Record<string, unknown>;

/** A page in the order it is shown in. `hasMore`: rows follow in the direction of reading. */
export type Page<PageRow = Row> = { rows: PageRow[]; hasMore: boolean };

/** The key of a relation that has none. */
export const rootKey = "";

/**
 * Answers by key; a key without rows is missing here and answered by `emptyAnswer`. A key whose rows are of another
 * generation than a cursor has an error for an answer.
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
        // A key with a cursor of a generation has a row even when there is none to show.
        if (row.$place === null) break;
        const place = Number(row.$place) - 1;
        if (place === ask.window.size) page.hasMore = true;
        else page.rows[place] = row;
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
  if (!("window" in ask) || !ask.relation.generation) throw new Error(`${ask.name} has no cursors of a generation.`);
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

/** The rows that an answer shows, whatever its kind: what a child's keys are read from. */
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
