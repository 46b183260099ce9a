/** Relations of an invented library, for tests of the engine that need no database. */
import { relationsFor } from "../../src/eager-loading/relation.ts";
import { type Sql, sql } from "../../src/eager-loading/sql.ts";
import type { Table } from "../../src/eager-loading/table.ts";

export type Reader = { name: string };

type ShelfRow = { id: string; roomId: string; name: string };
type BookRow = { id: string; shelfId: string; title: string; year: number | null; edition: number };

export const shelves: Table<ShelfRow> = {
  name: "shelves",
  primaryKey: "id",
  columns: {
    id: { name: "id", type: "uuid", isNullable: false },
    roomId: { name: "room_id", type: "uuid", isNullable: false },
    name: { name: "name", type: "text", isNullable: false },
  },
};

export const books: Table<BookRow, BookRow & { text: string }> = {
  name: "books",
  primaryKey: "id",
  columns: {
    id: { name: "id", type: "uuid", isNullable: false },
    shelfId: { name: "shelf_id", type: "uuid", isNullable: false },
    title: { name: "title", type: "text", isNullable: false },
    year: { name: "year", type: "integer", isNullable: true },
    edition: { name: "edition", type: "integer", isNullable: false },
    text: { name: "text", type: "text", isNullable: false, isOmitted: true },
  },
};

const relations = relationsFor<Reader>();

export const shelfById = relations.one({ name: "ShelfById", table: shelves, key: "id" });

export const bookById = relations.one({
  name: "BookById",
  table: books,
  key: "id",
  visible: ({ name }, columns) => sql`${columns.title} <> ${`Not for ${name}`}`,
});

const bookOrders = { TITLE: ["title"], YEAR: ["year"] } as const;

export const booksByShelf = relations.page<typeof books, typeof bookOrders, { search?: string }>({
  name: "BooksByShelf",
  table: books,
  key: "shelfId",
  filter: ({ search }, columns) => (search === undefined ? undefined : sql`${columns.title} like ${search}`),
  orders: bookOrders,
  defaultOrder: { field: "TITLE", direction: "ASC" },
});

/** Books refer to the books like them through a table of pairs. */
export const booksAlike = relations.page({
  name: "BooksAlike",
  table: books,
  keyType: "uuid",
  match: (book, { id }) => sql`${id} in (select other_id from pairs where book_id = ${book})`,
  orders: bookOrders,
  defaultOrder: { field: "TITLE", direction: "ASC" },
  visible: ({ name }, columns) => sql`${columns.title} <> ${`Not for ${name}`}`,
});

/** Without a key: all books are on its pages. */
export const allBooks = relations.page({
  name: "AllBooks",
  table: books,
  orders: bookOrders,
  defaultOrder: { field: "YEAR", direction: "DESC" },
  visible: ({ name }, columns) => sql`${columns.title} <> ${`Not for ${name}`}`,
});

const rankOrders = { RANK: ["rank"] } as const;

/** An expensive search: its pages show the best matches with an excerpt, its count counts all matches. */
export const booksFound = relations.page<typeof books, typeof rankOrders, { word: string }>({
  name: "BooksFound",
  table: books,
  isExpensive: true,
  filter: ({ word }, columns, { name }) => sql`${columns.title} like ${word} and reads(${name})`,
  counted: ({ word }, columns) => sql`${columns.text} like ${word}`,
  orders: rankOrders,
  defaultOrder: { field: "RANK", direction: "DESC" },
  computed: { rank: { type: "real", sql: ({ word }, columns) => sql`rank(${columns.title}, ${word})` } },
  decorated: { excerpt: ({ word }) => sql`excerpt(r.title, ${word})` },
});

/** The books of a shelf are replaced all at once, by the books of the next edition. */
export const booksOfEdition = relations.page({
  name: "BooksOfEdition",
  table: books,
  key: "shelfId",
  orders: bookOrders,
  defaultOrder: { field: "TITLE", direction: "ASC" },
  generation: {
    column: "edition",
    current: (key) => sql`select edition from shelf_editions where shelf_id = ${key}`,
    outOfDate: "The shelf has a new edition.",
  },
});

export const booksLent = relations.list<typeof books, { to: string }>({
  name: "BooksLent",
  table: books,
  keyType: "text",
  match: (key, { to }, columns) => sql`lent(${columns.id}, ${key}, ${to})`,
  order: ["title"],
  visible: ({ name }, columns) => sql`${columns.title} <> ${`Not for ${name}`}`,
});

/** All books that a reader may see. */
export const everyBook = relations.list({
  name: "EveryBook",
  table: books,
  order: ["title"],
  visible: ({ name }, columns) => sql`${columns.title} <> ${`Not for ${name}`}`,
});

export const bookText = relations.column({
  name: "BookText",
  table: books,
  key: "id",
  column: "text",
  visible: ({ name }, columns) => sql`${columns.title} <> ${`Not for ${name}`}`,
});

/** The number of the books on the same shelf with smaller titles. */
export const bookRank = relations.value<number>()({
  name: "BookRank",
  table: books,
  key: "id",
  values: (keys) => sql`select id, rank from ranked_books(${keys})`,
  visible: ({ name }, columns) => sql`${columns.title} <> ${`Not for ${name}`}`,
});

/** A statement as pg receives it: its text, with white space made single, and the values of its parameters. */
export function shown({ text, values }: Sql): { text: string; values: unknown[] } {
  return { text: text.replace(/\s+/g, " "), values };
}
