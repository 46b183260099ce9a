import type { Fault } from "./fault.ts";

export const faults: Fault[] = [
  {
    name: "a fragment on an interface is left out of the plan",
    file: "src/eager-loading/compile-plan.ts",
    replace: { "return isAbstractType(other) && this.#schema.isSubType(other, type);": "return other === type;" },
    tests: ["test/eager-loading/batching.test.ts", "test/eager-loading/one-round-trip.test.ts"],
  },
  {
    name: "asks with other arguments share one answer",
    file: "src/eager-loading/ask.ts",
    replace: { 'identify(relation.name, "list", { args })': 'identify(relation.name, "list", {})' },
    tests: ["test/eager-loading/batching.test.ts", "test/documents/generations.test.ts"],
  },
  {
    name: "pages of two viewers' filters share one answer",
    file: "src/eager-loading/ask.ts",
    replace: { 'identify(relation.name, "page", { args, window })': 'identify(relation.name, "page", { window })' },
    tests: ["test/eager-loading/batching.test.ts", "test/eager-loading/page-walk.test.ts"],
  },
  {
    name: "a page is cut one row too early",
    file: "src/eager-loading/answers.ts",
    replace: {
      "if (index === ask.window.size) page.hasMore = true;": "if (index === ask.window.size - 1) page.hasMore = true;",
    },
    tests: ["test/eager-loading/page-walk.test.ts"],
  },
  {
    name: "the last rows come in the wrong order",
    file: "src/eager-loading/answers.ts",
    replace: { "(page as Page).rows.reverse()": "(page as Page).rows" },
    tests: ["test/eager-loading/page-walk.test.ts"],
  },
  {
    name: "an order without the primary key loses rows with equal values",
    file: "src/eager-loading/keyset.ts",
    replace: {
      "[...(relation.orders[field] ?? []), relation.table.primaryKey]": "[...(relation.orders[field] ?? [])]",
    },
    tests: ["test/eager-loading/page-walk.test.ts"],
  },
  {
    name: "rows with null are compared as a row and lost",
    file: "src/eager-loading/keyset.ts",
    replace: {
      'if (terms.every((term) => !term.isNullable)) return compareRows(terms, direction === "ASC" ? ">" : "<", cursor);':
        'if (terms.length > 0) return compareRows(terms, direction === "ASC" ? ">" : "<", cursor);',
    },
    tests: ["test/eager-loading/page-walk.test.ts"],
  },
  {
    name: "a cursor's hash leaves its scope out",
    file: "src/eager-loading/cursor.ts",
    replace: { '.update(scope).update("\\0").update(body)': ".update(body)" },
    tests: ["test/eager-loading/page-walk.test.ts"],
  },
  {
    name: "a cursor's hash is not checked",
    file: "src/eager-loading/cursor.ts",
    replace: { "|| !timingSafeEqual(hash, this.#hash(scope, body))": "" },
    tests: ["test/eager-loading/page-walk.test.ts"],
  },
  {
    name: "a page of 101 rows is allowed",
    file: "src/eager-loading/page-arguments.ts",
    replace: { "size > maximumPageSize": "size > maximumPageSize + 1" },
    tests: ["test/documents/bad-input.test.ts"],
  },
  {
    name: "a relation forgets its rule where one row is asked",
    file: "src/eager-loading/statement.ts",
    replace: {
      'sql`select ${selectList(relation.table, "t")} from ${keyed(ask, keys)} where ${visible(relation, viewer)}`':
        'sql`select ${selectList(relation.table, "t")} from ${keyed(ask, keys)}`',
    },
    tests: ["test/users/visibility.test.ts"],
  },
  {
    name: "a count tells of rows that the viewer may not see",
    file: "src/eager-loading/statement.ts",
    replace: {
      "return filter ? sql`${filter} and ${visible(relation, viewer)}` : visible(relation, viewer);":
        "return filter ?? visible(relation, viewer);",
    },
    tests: ["test/users/visibility.test.ts"],
  },
  {
    name: "keys are not made distinct, so a row of many parents comes many times",
    file: "src/eager-loading/statement.ts",
    replace: { "sql`select unnest(${[...new Set(keys)]}": "sql`select unnest(${[...keys]}" },
    tests: ["test/eager-loading/batching.test.ts"],
  },
  {
    name: "an answer of the batch is cached over a write",
    file: "src/eager-loading/loaders.ts",
    replace: { "this.#byAsk.clear();": "" },
    tests: ["test/eager-loading/inside-mutations.test.ts"],
  },
  {
    name: "one invalid key fails the whole batch",
    file: "src/eager-loading/loaders.ts",
    replace: { "keys.length === 1 || !isDataException(error)": "keys.length > 0" },
    tests: ["test/eager-loading/page-walk.test.ts"],
  },
];
