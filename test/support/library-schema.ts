/** A schema over the relations of `shelves.ts`, whose fields name them as the resolvers' fields do. */
import { buildSchema, type GraphQLSchema } from "graphql";
import { type EagerField, eagerExtensions } from "../../src/eager-loading/field.ts";
import {
  allBooks,
  bookById,
  bookRank,
  booksAlike,
  booksByShelf,
  booksFound,
  booksLent,
  bookText,
  shelfById,
} from "./shelves.ts";

const text = /* GraphQL */ `
  interface Node { id: ID! }
  enum Direction { ASC DESC }
  input Order { field: String! direction: Direction! }
  type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
  type BookEdge { cursor: String! node: Book! }
  type Books { totalCount: Int! nodes: [Book!]! edges: [BookEdge!]! pageInfo: PageInfo! }
  type Excerpt { book: Book! }
  type ExcerptEdge { node: Excerpt! }
  type Excerpts { totalCount: Int! nodes: [Excerpt!]! edges: [ExcerptEdge!]! pageInfo: PageInfo! }
  type Shelf implements Node {
    id: ID!
    name: String!
    books(search: String, first: Int, after: String, last: Int, before: String, orderBy: Order): Books!
    lent(to: String!): [Book!]!
  }
  type Book implements Node {
    id: ID!
    title: String!
    text: String
    rank: Int!
    shelf: Shelf!
    alike(first: Int, after: String, last: Int, before: String): Books!
  }
  type Reader { name: String! lent(to: String!): [Book!]! library: Library! }
  type Library { shelf(id: ID!): Shelf }
  union Thing = Shelf | Book
  type Change { kind: String! shelf: Shelf book: Book }
  type Query {
    shelf(id: ID!): Shelf
    node(id: ID!): Node
    nodes(ids: [ID!]!): [Node]!
    books(first: Int, after: String, last: Int, before: String): Books!
    found(word: String!, first: Int): Excerpts!
    reader: Reader
    thing(id: ID!): Thing
    time: String!
  }
  type Mutation { rename: Book }
  type Subscription { changes: Change! }
`;

/** Ids are `Shelf-1` and `Book-1`. */
const byId = (ids: string[]) =>
  [
    { relation: shelfById, typename: "Shelf" },
    { relation: bookById, typename: "Book" },
  ]
    .map((one) => ({ ...one, keys: ids.filter((id) => id.startsWith(one.typename)) }))
    .filter(({ keys }) => keys.length > 0);

const fields: Record<string, EagerField> = {
  "Query.shelf": { kind: "lookup", find: ({ id }) => byId([id]) },
  "Query.node": { kind: "lookup", find: ({ id }) => byId([id]) },
  "Query.thing": { kind: "lookup", find: ({ id }) => byId([id]) },
  "Library.shelf": { kind: "lookup", find: ({ id }) => byId([id]) },
  "Query.nodes": { kind: "lookup", find: ({ ids }) => byId(ids) },
  "Query.books": { kind: "page", relation: allBooks, toArguments: () => ({}) },
  "Query.found": { kind: "page", relation: booksFound, toArguments: ({ word }) => ({ word }) },
  "Shelf.books": {
    kind: "page",
    relation: booksByShelf,
    by: "id",
    toArguments: ({ search }) => (search === undefined ? {} : { search }),
  },
  "Book.shelf": { kind: "one", relation: shelfById, by: "shelfId" },
  "Book.text": { kind: "column", relation: bookText, by: "id" },
  "Book.rank": { kind: "column", relation: bookRank, by: "id" },
  "Book.alike": { kind: "page", relation: booksAlike, by: "id", toArguments: () => ({}) },
  "Excerpt.book": { kind: "same" },
  "Shelf.lent": { kind: "list", relation: booksLent, by: "name", toArguments: ({ to }) => ({ to }) },
  "Reader.lent": { kind: "list", relation: booksLent, by: "name", toArguments: ({ to }) => ({ to }) },
  "Change.shelf": { kind: "one", relation: shelfById, by: "shelfId" },
  "Change.book": { kind: "one", relation: bookById, by: "bookId" },
};

export function librarySchema(): GraphQLSchema {
  const schema = buildSchema(text);
  for (const [name, eager] of Object.entries(fields)) {
    const [type = "", field = ""] = name.split(".");
    const found = (
      schema.getType(type) as never as { getFields(): Record<string, { extensions: object }> }
    ).getFields();
    const one = found[field];
    if (!one) throw new Error(`There is no field ${name}.`);
    one.extensions = eagerExtensions(eager);
  }
  return schema;
}
