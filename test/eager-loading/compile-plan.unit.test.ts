import { type GraphQLSchema, parse, print } from "graphql";
import { beforeAll, describe, expect, it } from "vitest";
import { type Conditions, compile, type Step } from "../../src/eager-loading/compile-plan.ts";
import { librarySchema } from "../support/library-schema.ts";
import { operationOf } from "../support/operation-of.ts";

let schema: GraphQLSchema;
beforeAll(() => {
  schema = librarySchema();
});

/** The plan as lines: a field, the selected parts of its connection, and below it the steps on its rows. */
function planOf(query: string, operationName?: string): string[] {
  const document = parse(query);
  const { steps } = compile(schema, document, operationOf(document, operationName));
  return steps.flatMap((step) => linesOf(step));
}

function linesOf(step: Step, indent = ""): string[] {
  const name = step.node.alias ? `${step.node.alias.value}: ${step.field.name}` : step.field.name;
  const parts = step.selected.map(({ part, conditions }) => part + shownConditions(conditions));
  return [
    `${indent}${name}${shownConditions(step.conditions)}${parts.length > 0 ? ` [${parts.join(", ")}]` : ""}`,
    ...[...step.children].flatMap(([typename, children]) =>
      children.flatMap((child) => linesOf(child, `${indent}  ${typename}.`)),
    ),
  ];
}

const shownConditions = (conditions: Conditions) => conditions.map((directive) => ` ${print(directive)}`).join("");

describe("the plan of a query", () => {
  it("holds the fields that ask relations, with those on their rows below them", () => {
    expect(planOf(`{ time shelf(id: "Shelf-1") { name books { nodes { title text shelf { name } } } } }`)).toEqual([
      "shelf",
      "  Shelf.books [page]",
      "  Shelf.  Book.text",
      "  Shelf.  Book.shelf",
    ]);
  });

  it("tells the parts of a connection that are selected", () => {
    expect(planOf("{ books { totalCount } }")).toEqual(["books [count]"]);
    expect(planOf("{ books { nodes { title } edges { cursor } } }")).toEqual(["books [page, page]"]);
    expect(planOf("{ books { pageInfo { hasNextPage hasPreviousPage } } }")).toEqual(["books [next, previous]"]);
    expect(planOf("{ books { pageInfo { startCursor } } }")).toEqual(["books [page]"]);
    expect(planOf("{ books { pageInfo { endCursor } } }")).toEqual(["books [page]"]);
    expect(planOf("{ books { __typename pageInfo { __typename } } }")).toEqual(["books"]);
  });

  it("holds the steps on the rows of a page, whether they are nodes or in edges", () => {
    expect(planOf("{ books { nodes { text } edges { cursor node { shelf { name } } } } }")).toEqual([
      "books [page, page, page]",
      "  Book.text",
      "  Book.shelf",
    ]);
  });

  it("passes objects that have no row, but not to fields that need one", () => {
    expect(planOf(`{ reader { name lent(to: "Ann") { title } library { shelf(id: "Shelf-1") { name } } } }`)).toEqual([
      "shelf",
    ]);
  });

  it("passes objects that show their parent's row under another type", () => {
    expect(planOf(`{ found(word: "Emma") { nodes { book { text } } } }`)).toEqual(["found [page]", "  Excerpt.text"]);
  });

  it("has the steps for each type that an object of an interface or a union may have", () => {
    const fields = `... on Shelf { books { totalCount } } ... on Book { text }`;
    const steps = ["  Shelf.books [count]", "  Book.text"];
    expect(planOf(`{ node(id: "Book-1") { ${fields} } }`)).toEqual(["node", ...steps]);
    expect(planOf(`{ thing(id: "Book-1") { ${fields} } }`)).toEqual(["thing", ...steps]);
    expect(planOf(`{ nodes(ids: ["Book-1"]) { id ... on Node { ...Text } } } fragment Text on Book { text }`)).toEqual([
      "nodes",
      "  Book.text",
    ]);
  });

  it("has no steps for fragments on other types", () => {
    expect(planOf(`{ shelf(id: "Shelf-1") { ... on Node { id ... on Book { text } } } }`)).toEqual(["shelf"]);
    expect(planOf(`{ shelf(id: "Shelf-1") { ... on Nothing { books { totalCount } } } }`)).toEqual(["shelf"]);
  });

  it("holds a field under each of its aliases, and in each of its fragments", () => {
    const query = `
      query Two { one: shelf(id: "Shelf-1") { ...Books ... { books { totalCount } } } ...Other ...Missing }
      fragment Books on Shelf { few: books(first: 1) { totalCount } }
      fragment Other on Query { shelf(id: "Shelf-2") { name } }`;
    expect(planOf(query)).toEqual(["one: shelf", "  Shelf.few: books [count]", "  Shelf.books [count]", "shelf"]);
  });

  it("keeps the conditions on the path to each field, and no other directives", () => {
    const query = `
      query Some($a: Boolean!, $b: Boolean!) {
        ... @include(if: $a) { shelf(id: "Shelf-1") @skip(if: $b) @other {
          books @skip(if: $a) { totalCount @include(if: $b) nodes @skip(if: $b) { text @include(if: $a) } }
          ...Name @skip(if: $a)
        } }
      }
      fragment Name on Shelf { lent(to: "Ann") { title } }`;
    expect(planOf(query)).toEqual([
      "shelf @include(if: $a) @skip(if: $b)",
      "  Shelf.books @skip(if: $a) [count @include(if: $b), page @skip(if: $b)]",
      "  Shelf.  Book.text @skip(if: $b) @include(if: $a)",
      "  Shelf.lent @skip(if: $a)",
    ]);
  });

  it("keeps the conditions of edges and of pageInfo for what is inside them", () => {
    const query = `
      query Some($a: Boolean!, $b: Boolean!) { books {
        edges @skip(if: $a) { node @skip(if: $b) { text } }
        pageInfo @include(if: $a) { hasNextPage @skip(if: $b) hasPreviousPage startCursor }
      } }`;
    expect(planOf(query)).toEqual([
      "books [page @skip(if: $a), page @skip(if: $a) @skip(if: $b), next @include(if: $a) @skip(if: $b), previous @include(if: $a), page @include(if: $a)]",
      "  Book.text @skip(if: $a) @skip(if: $b)",
    ]);
  });

  it("leaves out fields that do not exist, and fields that lack a selection", () => {
    expect(planOf("{ weather books { weather } shelf reader }")).toEqual(["books", "shelf"]);
    expect(planOf("{ books { nodes edges pageInfo } }")).toEqual(["books [page, page]"]);
    expect(planOf("{ books { edges { node } } found { nodes { book } } books }")).toEqual([
      "books [page, page]",
      "found [page]",
      "books",
    ]);
  });

  it("is that of the operation that is to run", () => {
    const query = `query One { books { totalCount } } query Other { shelf(id: "Shelf-1") { name } }`;
    expect(planOf(query, "One")).toEqual(["books [count]"]);
    expect(planOf(query, "Other")).toEqual(["shelf"]);
  });

  it("is empty if the schema has no such operations", () => {
    const document = parse("mutation { rename { title } }");
    const queries = librarySchema().toConfig();
    const other = new (schema.constructor as typeof GraphQLSchema)({ ...queries, mutation: null });
    expect(compile(other, document, operationOf(document))).toEqual({ schema: other, steps: [] });
  });

  it("ends after 10,000 selections, since fragments in fragments grow exponentially", () => {
    const doubling = Array.from(
      { length: 20 },
      (_, level) => `fragment F${level} on Query { ...F${level + 1} ...F${level + 1} }`,
    );
    const query = `{ time ...F0 } ${doubling.join(" ")} fragment F20 on Query { books { totalCount } }`;
    const { length } = planOf(query);
    expect(length).toBeGreaterThan(1_000);
    expect(length).toBeLessThan(10_000);
    const fields = (count: number) => `{ ${"time ".repeat(count)} books { totalCount } }`;
    expect(planOf(fields(9_998))).toEqual(["books [count]"]);
    expect(planOf(fields(9_999))).toEqual(["books"]);
    expect(planOf(fields(10_000))).toEqual([]);
  });
});

describe("the plan of a subscription", () => {
  it("begins below its root field, with the event as the row", () => {
    expect(
      planOf("subscription { changes { kind shelf { books { totalCount } } book @skip(if: true) { title } } }"),
    ).toEqual(["shelf", "  Shelf.books [count]", "book @skip(if: true)"]);
    expect(planOf("subscription { weather changes }")).toEqual([]);
  });
});
