import { describe, expect, it } from "vitest";
import { columnsOf, identifier, plannedEachTime, selectList } from "../../src/eager-loading/sql.ts";
import { requireColumn } from "../../src/eager-loading/table.ts";
import { books, shelves, shown } from "../support/shelves.ts";

describe("an identifier in SQL", () => {
  it("is quoted, so that every name is possible", () => {
    expect(identifier("owner_id")).toBe('"owner_id"');
    expect(identifier('a "quoted" name')).toBe('"a ""quoted"" name"');
  });
});

describe("the columns of a table", () => {
  it("are written with their names in the database, under the alias", () => {
    const columns = columnsOf(shelves, "t");
    expect(Object.keys(columns)).toEqual(["id", "roomId", "name"]);
    expect(Object.values(columns).map(({ text }) => text)).toEqual(['t."id"', 't."room_id"', 't."name"']);
    expect(columnsOf(shelves, "other").roomId?.text).toBe('other."room_id"');
    expect(columnsOf(books, "t").shelfId?.text).toBe('t."shelf_id"');
  });

  it("are made once for each alias", () => {
    const [first, second] = [columnsOf(shelves, "t"), columnsOf(shelves, "u")];
    expect(columnsOf(shelves, "t")).toBe(first);
    expect(columnsOf(shelves, "u")).toBe(second);
    expect(second).not.toBe(first);
  });

  it("are selected under the names that a row has, except wide and secret ones", () => {
    expect(shown(selectList(books, "t")).text).toBe(
      't."id" as "id", t."shelf_id" as "shelfId", t."title" as "title", t."year" as "year", t."edition" as "edition"',
    );
  });

  it("are required by their names in a row", () => {
    expect(requireColumn(shelves, "roomId")).toEqual({ name: "room_id", type: "uuid", isNullable: false });
    expect(() => requireColumn(shelves, "room_id")).toThrow(new Error("shelves has no column room_id."));
  });
});

describe("a statement that is planned each time", () => {
  it("is marked by a comment, which changes nothing else", () => {
    expect(plannedEachTime.text).toBe("/* planned each time */");
  });
});
