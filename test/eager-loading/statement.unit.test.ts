import { describe, expect, it } from "vitest";
import {
  type Ask,
  askColumn,
  askCount,
  askExists,
  askList,
  askOne,
  askPage,
  type PageWindow,
} from "../../src/eager-loading/ask.ts";
import { sql } from "../../src/eager-loading/sql.ts";
import { childKeys, type Keys, keysFromArray, keyType, statementOf } from "../../src/eager-loading/statement.ts";
import {
  allBooks,
  bookById,
  bookRank,
  booksAlike,
  booksByShelf,
  booksFound,
  booksLent,
  booksOfEdition,
  bookText,
  everyBook,
  shelfById,
  shown,
} from "../support/shelves.ts";

const ann = { name: "Ann" };
const byTitle: PageWindow = { size: 2, isBackward: false, order: { field: "TITLE", direction: "ASC" } };
const emma = ["Emma", "a", "7"];
const persuasion = ["Persuasion", "b", "8"];

/** The keys of a batch, as they stand in a statement. */
const given = "(select unnest($1::uuid[]) as key) k(key)";
const columns = ["id", "shelf_id", "title", "year", "edition"];
const names = ["id", "shelfId", "title", "year", "edition"];
const selected = columns.map((column, index) => `t."${column}" as "${names[index]}"`).join(", ");
const numbered = (order: string) => `row_number() over (order by ${order}) as "$row"`;
const forAnn = (parameter: string) => `t."title" <> ${parameter}`;

function statement(ask: Ask, keys: Keys = keysFromArray(ask, ["x", "y"])) {
  return shown(statementOf(ask, keys, ann));
}

describe("the keys of a batch", () => {
  it("are one parameter, without duplicates, of the type of the key's column", () => {
    expect(shown(keysFromArray(askOne(bookById), ["x", "y", "x"]) ?? sql``)).toEqual({
      text: "select unnest($1::uuid[]) as key",
      values: [["x", "y"]],
    });
    expect(keyType(askOne(bookById))).toBe("uuid");
    expect(keyType(askList(booksLent, { to: "Bob" }))).toBe("text");
  });

  it("are of the type that a page without a column for them declares", () => {
    for (const ask of [
      askPage(booksAlike, {}, byTitle),
      askCount(booksAlike, {}, byTitle),
      askExists(booksAlike, {}, { ...byTitle, after: emma }, "after"),
    ]) {
      expect(keyType(ask)).toBe("uuid");
    }
  });

  it("are none for a relation without parents", () => {
    expect(keyType(askPage(allBooks, {}, byTitle))).toBeNull();
    expect(keysFromArray(askPage(allBooks, {}, byTitle), [""])).toBeNull();
    expect(keyType(askList(everyBook, {}))).toBeNull();
  });
});

describe("the statement of one row per key", () => {
  it("joins the keys, and shows what the viewer may see", () => {
    expect(statement(askOne(bookById))).toEqual({
      text: `select ${selected} from ${given} join "books" t on t."id" = k.key where ${forAnn("$2")}`,
      values: [["x", "y"], "Not for Ann"],
    });
  });

  it("shows every row of a relation that hides none", () => {
    expect(statement(askOne(shelfById)).text).toBe(
      `select t."id" as "id", t."room_id" as "roomId", t."name" as "name" from ${given} join "shelves" t on t."id" = k.key where true`,
    );
  });
});

describe("the statement of a column", () => {
  it("reads a value that is omitted from its row", () => {
    expect(statement(askColumn(bookText))).toEqual({
      text: `select k.key as "$key", t."text" as "$value" from ${given} join "books" t on t."id" = k.key where ${forAnn("$2")}`,
      values: [["x", "y"], "Not for Ann"],
    });
  });
});

describe("the statement of a computed value", () => {
  it("computes the values of all keys together, and shows those of the rows that the viewer may see", () => {
    expect(statement(askColumn(bookRank))).toEqual({
      text: `with keys(key) as materialized (select unnest($1::uuid[]) as key) select k.key as "$key", v.value as "$value" from (select key from keys) k(key) join "books" t on t."id" = k.key join (select id, rank from ranked_books(keys)) v(key, value) on v.key = k.key where ${forAnn("$2")}`,
      values: [["x", "y"], "Not for Ann"],
    });
  });
});

describe("the statement of a list", () => {
  it("matches the rows of each key by a condition, in the order of the relation and then of the primary key", () => {
    expect(statement(askList(booksLent, { to: "Bob" }))).toEqual({
      text: `select k.key as "$key", ${selected} from (select unnest($1::text[]) as key) k(key) cross join lateral (select * from "books" t where lent(t."id", k.key, $2) and ${forAnn("$3")}) t order by k.key, t."title", t."id"`,
      values: [["x", "y"], "Bob", "Not for Ann"],
    });
  });
});

describe("the statement of a root list", () => {
  it("reads all rows of the table that the viewer may see, in order", () => {
    expect(statement(askList(everyBook, {}))).toEqual({
      text: `select null as "$key", ${selected} from "books" t where ${forAnn("$1")} order by t."title", t."id"`,
      values: ["Not for Ann"],
    });
  });
});

describe("the statement of a page", () => {
  const order = 't."title" ASC, t."id" ASC';

  it("reads for each key one row more than the page shows, with the number of each row", () => {
    expect(statement(askPage(booksByShelf, { search: "E%" }, byTitle))).toEqual({
      text: `select k.key as "$key",r.* from ${given} inner join lateral (select ${selected},${numbered(order)} from "books" t where t."shelf_id" = k.key and t."title" like $2 and true order by ${order} limit 3) r on true`,
      values: [["x", "y"], "E%"],
    });
  });

  it("has no filter if the arguments ask for none", () => {
    expect(statement(askPage(booksByShelf, {}, byTitle)).text).toContain(
      'from "books" t where t."shelf_id" = k.key and true order by',
    );
  });

  it("without keys reads the rows of the root", () => {
    const byYear: PageWindow = { size: 20, isBackward: false, order: { field: "YEAR", direction: "DESC" } };
    const years = 't."year" DESC, t."id" DESC';
    expect(statement(askPage(allBooks, {}, byYear), null)).toEqual({
      text: `select null as "$key",r.* from (select ${selected},${numbered(years)} from "books" t where ${forAnn("$1")} order by ${years} limit 21) r`,
      values: ["Not for Ann"],
    });
  });

  it("read backward has the opposite order, but the same rows between its cursors", () => {
    const window = { ...byTitle, after: emma, before: persuasion };
    const order = 't."title" DESC, t."id" DESC';
    const between =
      '(t."title",t."id") > ($2::text::text,$3::text::uuid) and (t."title",t."id") < ($4::text::text,$5::text::uuid) and true';
    const text = (direction: string) =>
      `"books" t where t."shelf_id" = k.key and ${between} order by ${direction} limit 3`;
    const values = [["x", "y"], "Emma", "a", "Persuasion", "b"];
    const backward = statement(askPage(booksByShelf, {}, { ...window, isBackward: true }));
    expect(backward.text).toContain(text(order));
    expect(backward.text).toContain(numbered(order));
    expect(backward.values).toEqual(values);
    const forward = statement(askPage(booksByShelf, {}, window));
    expect(forward.text).toContain(text('t."title" ASC, t."id" ASC'));
    expect(forward.values).toEqual(values);
  });

  it("in descending order turns the comparisons with its cursors around", () => {
    const window: PageWindow = {
      ...byTitle,
      after: persuasion,
      before: emma,
      order: { field: "TITLE", direction: "DESC" },
    };
    expect(statement(askPage(booksByShelf, {}, window)).text).toContain(
      '(t."title",t."id") < ($2::text::text,$3::text::uuid) and (t."title",t."id") > ($4::text::text,$5::text::uuid)',
    );
  });

  it("has a whole number as its limit, whatever the size is", () => {
    expect(statement(askPage(booksByShelf, {}, { ...byTitle, size: 2.9 })).text).toContain(" limit 3) r");
  });

  it("adds computed values to each row that is sorted, and decorations to the rows of the page only", () => {
    const byRank: PageWindow = { size: 2, isBackward: false, order: { field: "RANK", direction: "DESC" } };
    expect(statement(askPage(booksFound, { word: "Emma" }, byRank), null)).toEqual({
      text: [
        'select null as "$key",r.*,excerpt(r.title, $1) as "excerpt"',
        `from (select ${selected},rank(t."title", $2) as "rank",`,
        'row_number() over (order by rank(t."title", $3) DESC, t."id" DESC) as "$row" from "books" t',
        'where t."title" like $4 and reads($5) and true order by rank(t."title", $6) DESC, t."id" DESC limit 3) r',
      ]
        .join(" ")
        .replace(", row_number", ",row_number"),
      values: ["Emma", "Emma", "Emma", "Emma", "Ann", "Emma"],
    });
  });
});

describe("the statement of a count", () => {
  it("groups the rows of all keys", () => {
    expect(statement(askCount(booksByShelf, { search: "E%" }, byTitle))).toEqual({
      text: `select k.key as "$key", count(*)::integer as "$value" from ${given} join "books" t on t."shelf_id" = k.key where t."title" like $2 and true group by 1`,
      values: [["x", "y"], "E%"],
    });
  });

  it("uses another filter than the page if the relation has one", () => {
    expect(statement(askCount(booksFound, { word: "Emma" }, byTitle), null)).toEqual({
      text: 'select null as "$key", count(*)::integer as "$value" from "books" t where t."text" like $1 and true group by 1',
      values: ["Emma"],
    });
  });
});

describe("the statements of a page whose rows refer to their keys through another table", () => {
  const ofKey = 't."id" in (select other_id from pairs where book_id = k.key) and';

  it("reads the rows of each key by an index, like those of any other page", () => {
    const order = 't."title" ASC, t."id" ASC';
    expect(statement(askPage(booksAlike, {}, byTitle))).toEqual({
      text: `select k.key as "$key",r.* from ${given} inner join lateral (select ${selected},${numbered(order)} from "books" t where ${ofKey} ${forAnn("$2")} order by ${order} limit 3) r on true`,
      values: [["x", "y"], "Not for Ann"],
    });
  });

  it("counts for each key by itself: a join would compare every row with every key", () => {
    expect(statement(askCount(booksAlike, {}, byTitle))).toEqual({
      text: `select k.key as "$key", (select count(*)::integer from "books" t where ${ofKey} ${forAnn("$1")}) as "$value" from (select unnest($2::uuid[]) as key) k(key)`,
      values: ["Not for Ann", ["x", "y"]],
    });
  });

  it("looks for each key at the rows outside its page", () => {
    expect(statement(askExists(booksAlike, {}, { ...byTitle, after: emma }, "after")).text).toBe(
      `select k.key as "$key", exists (select 1 from "books" t where ${ofKey} ${forAnn("$1")} and (t."title",t."id") <= ($2::text::text,$3::text::uuid)) as "$value" from (select unnest($4::uuid[]) as key) k(key)`,
    );
  });
});

describe("the statement of the rows outside a page", () => {
  it("looks at its cursor and before it", () => {
    expect(statement(askExists(booksByShelf, { search: "E%" }, { ...byTitle, after: emma }, "after"))).toEqual({
      text: `select k.key as "$key", exists (select 1 from "books" t where t."shelf_id" = k.key and t."title" like $1 and true and (t."title",t."id") <= ($2::text::text,$3::text::uuid)) as "$value" from (select unnest($4::uuid[]) as key) k(key)`,
      values: ["E%", "Emma", "a", ["x", "y"]],
    });
  });

  it("looks at its other cursor and after it", () => {
    const ask = askExists(booksByShelf, {}, { ...byTitle, before: persuasion }, "before");
    expect(statement(ask).text).toContain('(t."title",t."id") >= ($1::text::text,$2::text::uuid)');
    expect(statement(ask).values).toEqual(["Persuasion", "b", ["x", "y"]]);
  });

  it("without keys looks at the rows of the root", () => {
    expect(statement(askExists(allBooks, {}, { ...byTitle, after: emma }, "after"), null)).toEqual({
      text: `select exists (select 1 from "books" t where ${forAnn("$1")} and (t."title",t."id") <= ($2::text::text,$3::text::uuid)) as "$value"`,
      values: ["Not for Ann", "Emma", "a"],
    });
  });
});

describe("a statement with the cursor of a generation", () => {
  const window = { ...byTitle, after: emma, before: persuasion };
  const isOutOfDate = (first: number) =>
    `exists ( select 1 from (select edition from shelf_editions where shelf_id = k.key) g(now) where g.now <> any($${first}::text[]::integer[])) as "$isOutOfDate"`;

  it("finds out with the page whether the generation is the current one, also for a key without rows", () => {
    const { text, values } = statement(askPage(booksOfEdition, {}, window));
    expect(text).toContain(
      `select k.key as "$key", ${isOutOfDate(1)},r.* from (select unnest($2::uuid[]) as key) k(key)`,
    );
    expect(text).toContain(" left join lateral (");
    expect(values.slice(0, 2)).toEqual([
      ["7", "8"],
      ["x", "y"],
    ]);
  });

  it("counts for each key by itself, so that a key without rows has a count", () => {
    expect(statement(askCount(booksOfEdition, {}, window))).toEqual({
      text: `select k.key as "$key", ${isOutOfDate(1)}, (select count(*)::integer from "books" t where t."shelf_id" = k.key and true) as "$value" from (select unnest($2::uuid[]) as key) k(key)`,
      values: [
        ["7", "8"],
        ["x", "y"],
      ],
    });
  });

  it("finds out with the rows outside a page, too", () => {
    const { text } = statement(askExists(booksOfEdition, {}, window, "after"));
    expect(text).toContain(`select k.key as "$key", ${isOutOfDate(1)}, exists (select 1`);
  });

  it("is like any other if there is no cursor", () => {
    const page = statement(askPage(booksOfEdition, {}, byTitle));
    expect(page.text).not.toContain("shelf_editions");
    expect(page.text).toContain(" inner join lateral (");
    expect(statement(askCount(booksOfEdition, {}, byTitle)).text).toContain("group by 1");
  });
});

describe("the keys of a child", () => {
  const keys = (ask: Ask, by: string, parentKeys = keysFromArray(ask, ["x"])) =>
    shown(childKeys(ask, parentKeys, ann, by));

  it("are a column of the rows that the parent's keys have", () => {
    expect(keys(askOne(bookById), "shelfId")).toEqual({
      text: `select distinct t."shelf_id" as key from ${given} join "books" t on t."id" = k.key where ${forAnn("$2")} and t."shelf_id" is not null`,
      values: [["x"], "Not for Ann"],
    });
    expect(keys(askList(booksLent, { to: "Bob" }), "shelfId")).toEqual({
      text: `select distinct r.key from (select unnest($1::text[]) as key) k(key) cross join lateral (select t."shelf_id" as key from "books" t where lent(t."id", k.key, $2) and ${forAnn("$3")}) r where r.key is not null`,
      values: [["x"], "Bob", "Not for Ann"],
    });
    expect(keys(askList(everyBook, {}), "shelfId", null)).toEqual({
      text: `select distinct t."shelf_id" as key from "books" t where ${forAnn("$1")} and t."shelf_id" is not null`,
      values: ["Not for Ann"],
    });
  });

  it("are those of the rows that the page shows: the row after it has no children", () => {
    const order = 't."title" ASC, t."id" ASC';
    expect(keys(askPage(booksByShelf, {}, byTitle), "id").text).toBe(
      `select distinct r.key from ${given} cross join lateral (select t."id" as key from "books" t where t."shelf_id" = k.key and true order by ${order} limit 2) r where r.key is not null`,
    );
    expect(keys(askPage(allBooks, {}, byTitle), "shelfId", null).text).toBe(
      `select distinct r.key from (select t."shelf_id" as key from "books" t where ${forAnn("$1")} order by ${order} limit 2) r where r.key is not null`,
    );
  });

  it("are those of the rows that a page shows for keys in another table", () => {
    const order = 't."title" ASC, t."id" ASC';
    expect(keys(askPage(booksAlike, {}, byTitle), "id")).toEqual({
      text: `select distinct r.key from ${given} cross join lateral (select t."id" as key from "books" t where t."id" in (select other_id from pairs where book_id = k.key) and ${forAnn("$2")} order by ${order} limit 2) r where r.key is not null`,
      values: [["x"], "Not for Ann"],
    });
  });

  it("are a mistake in the program if the parent has no rows, or no such column", () => {
    expect(() => keys(askColumn(bookText), "id")).toThrow(
      new Error("BookText returns values, not rows, so it cannot have children."),
    );
    expect(() => keys(askOne(bookById), "owner")).toThrow(new Error("books has no column owner."));
  });
});
