import { describe, expect, it } from "vitest";
import {
  beyond,
  cursorNames,
  cursorScope,
  notBeyond,
  opposite,
  orderBy,
  orderNames,
  orderTerms,
} from "../../src/eager-loading/keyset.ts";
import type { Direction } from "../../src/eager-loading/relation.ts";
import { allBooks, booksByShelf, booksFound, booksOfEdition, shown } from "../support/shelves.ts";

const titles = orderTerms(booksByShelf, {}, "TITLE");
const years = orderTerms(booksByShelf, {}, "YEAR");

describe("an order", () => {
  it("ends with the primary key, which makes it total", () => {
    expect(orderNames(booksByShelf, "TITLE")).toEqual(["title", "id"]);
    expect(orderNames(booksByShelf, "YEAR")).toEqual(["year", "id"]);
  });

  it("is by the primary key alone if the relation has no order of that name", () => {
    expect(orderNames(booksByShelf, "WEIGHT")).toEqual(["id"]);
  });

  it("is written with all its columns in the same direction", () => {
    expect(shown(orderBy(titles, "ASC"))).toEqual({ text: 't."title" ASC, t."id" ASC', values: [] });
    expect(shown(orderBy(years, "DESC"))).toEqual({ text: 't."year" DESC, t."id" DESC', values: [] });
  });

  it("may be by a computed value, which is never null", () => {
    const terms = orderTerms(booksFound, { word: "Emma" }, "RANK");
    expect(terms.map(({ name, type, isNullable }) => ({ name, type, isNullable }))).toEqual([
      { name: "rank", type: "real", isNullable: false },
      { name: "id", type: "uuid", isNullable: false },
    ]);
    expect(shown(orderBy(terms, "DESC"))).toEqual({
      text: 'rank(t."title", $1) DESC, t."id" DESC',
      values: ["Emma"],
    });
  });

  it("has the opposite direction when it is read backward", () => {
    expect(opposite("ASC")).toBe("DESC");
    expect(opposite("DESC")).toBe("ASC");
  });
});

describe("the values of a cursor", () => {
  it("are those of the order, and at the end the generation, if the relation has generations", () => {
    expect(cursorNames(booksByShelf, "TITLE")).toEqual(["title", "id"]);
    expect(cursorNames(booksOfEdition, "TITLE")).toEqual(["title", "id", "edition"]);
  });

  it("are valid for one relation, order and direction", () => {
    expect(cursorScope(allBooks, { field: "YEAR", direction: "DESC" })).toBe("AllBooks YEAR DESC");
  });
});

describe("the rows beyond a cursor", () => {
  it("are found by one comparison of rows, which is one range of an index, if no column is nullable", () => {
    const values = ["Emma", "a"];
    const comparison = (operator: string) => ({
      text: `(t."title",t."id") ${operator} ($1::text::text,$2::text::uuid)`,
      values,
    });
    expect(shown(beyond(titles, "ASC", values))).toEqual(comparison(">"));
    expect(shown(beyond(titles, "DESC", values))).toEqual(comparison("<"));
    expect(shown(notBeyond(titles, "ASC", values))).toEqual(comparison("<="));
    expect(shown(notBeyond(titles, "DESC", values))).toEqual(comparison(">="));
  });

  it("do not depend on the generation at the end of the cursor", () => {
    const terms = orderTerms(booksOfEdition, {}, "TITLE");
    expect(shown(beyond(terms, "ASC", ["Emma", "a", "7"])).values).toEqual(["Emma", "a"]);
  });

  it("are none if the cursor has too few values, since nothing is greater than null", () => {
    expect(shown(beyond(titles, "ASC", ["Emma"])).values).toEqual(["Emma", null]);
    expect(shown(beyond(years, "ASC", [])).text).toBe('((false) or (t."year" = $1::text::integer and false))');
  });
});

/**
 * The comparisons for nullable columns, evaluated on rows: a year and an id. SQL's three values are true, false and
 * null; the few operators that occur are read from the text itself.
 */
type Row = { year: number | null; id: string };

function evaluate({ text, values }: { text: string; values: unknown[] }, row: Row): boolean | null {
  let rest = text;
  const taken = (pattern: RegExp): RegExpExecArray | null => {
    const match = new RegExp(`^\\s*(?:${pattern.source})`).exec(rest);
    if (match) rest = rest.slice(match[0].length);
    return match;
  };
  const operand = (): number | string | null => {
    const column = taken(/t\."(year|id)"/);
    if (column) return row[column[1] as keyof Row];
    const parameter = taken(/\$(\d+)::text::(integer|uuid)/);
    if (!parameter) throw new Error(`No operand: ${rest}`);
    const value = values[Number(parameter[1]) - 1] as string | null;
    return value !== null && parameter[2] === "integer" ? Number(value) : value;
  };
  const simple = (): boolean | null => {
    if (taken(/\(/)) {
      const inner = either();
      if (!taken(/\)/)) throw new Error(`Not closed: ${rest}`);
      return inner;
    }
    if (taken(/false/)) return false;
    const left = operand();
    if (taken(/is null/)) return left === null;
    if (taken(/is not null/)) return left !== null;
    const operator = taken(/([<>=])/)?.[1];
    const right = operand();
    if (left === null || right === null) return null;
    return operator === "<" ? left < right : operator === ">" ? left > right : left === right;
  };
  const negated = (): boolean | null => {
    const value = simple();
    return taken(/is not true/) ? value !== true : value;
  };
  const both = (): boolean | null => {
    const all = [negated()];
    while (taken(/and/)) all.push(negated());
    return all.includes(false) ? false : all.includes(null) ? null : true;
  };
  const either = (): boolean | null => {
    const all = [both()];
    while (taken(/or/)) all.push(both());
    return all.includes(true) ? true : all.includes(null) ? null : false;
  };
  const result = either();
  if (rest.trim() !== "") throw new Error(`Not read: ${rest}`);
  return result;
}

describe("the rows beyond a cursor in an order by a nullable column", () => {
  /** In ascending order: PostgreSQL sorts null as the largest value. */
  const rows: Row[] = [
    { year: 1815, id: "a" },
    { year: 1815, id: "b" },
    { year: 2026, id: "a" },
    { year: 2026, id: "c" },
    { year: null, id: "a" },
    { year: null, id: "b" },
  ];
  const cursorAt = ({ year, id }: Row) => [year === null ? null : String(year), id];

  it.each<Direction>(["ASC", "DESC"])("are those that follow its row, %s, nulls as the largest", (direction) => {
    const ordered = direction === "ASC" ? rows : rows.toReversed();
    ordered.forEach((cursor, index) => {
      const condition = shown(beyond(years, direction, cursorAt(cursor)));
      expect(ordered.filter((row) => evaluate(condition, row) === true)).toEqual(ordered.slice(index + 1));
    });
  });

  it.each<Direction>(["ASC", "DESC"])("and all others are not beyond it, %s", (direction) => {
    const ordered = direction === "ASC" ? rows : rows.toReversed();
    ordered.forEach((cursor, index) => {
      const condition = shown(notBeyond(years, direction, cursorAt(cursor)));
      expect(ordered.filter((row) => evaluate(condition, row) === true)).toEqual(ordered.slice(0, index + 1));
    });
  });

  it("are compared to values that are parameters", () => {
    expect(shown(beyond(years, "ASC", ["1815", "a"]))).toEqual({
      text: [
        '(((t."year" > $1::text::integer or t."year" is null))',
        'or (t."year" = $2::text::integer and t."id" > $3::text::uuid))',
      ].join(" "),
      values: ["1815", "1815", "a"],
    });
  });
});
