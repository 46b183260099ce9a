import type { Fault } from "./fault.ts";

export const faults: Fault[] = [
  {
    name: "every watcher is told the ids of hidden rows",
    file: "src/graphql/change-subscription.ts",
    replace: { "return before && isShown(before) ? gone : null": "return before ? gone : null" },
    tests: ["test/outbox/watching.test.ts"],
  },
  {
    name: "every watcher is told the ids of deleted rows",
    file: "src/graphql/change-subscription.ts",
    replace: {
      'if (change === "deleted") return isShown(payload) ? gone : null': 'if (change === "deleted") return gone',
    },
    tests: ["test/outbox/watching.test.ts"],
  },
  {
    name: "an id of another type is taken",
    file: "src/graphql/global-id.ts",
    replace: { "if (parsed.typename !== typename)": "if (parsed.typename.length < typename.length - 4)" },
    tests: ["test/graphql/global-id.unit.test.ts"],
  },
  {
    name: "an id may be written in several ways",
    file: "src/graphql/global-id.ts",
    replace: {
      "return encodeGlobalId(typename, id) === globalId ? { typename, id } : undefined;": "return { typename, id };",
    },
    tests: ["test/graphql/global-id.unit.test.ts"],
  },
  {
    name: "a uuid may have more behind it",
    file: "src/graphql/global-id.ts",
    replace: { "[0-9a-f]{12}$/": "[0-9a-f]{12}/" },
    tests: ["test/graphql/global-id.unit.test.ts"],
  },
  {
    name: "101 nodes are found at once",
    file: "src/graphql/node.ts",
    replace: { "if (ids.length > 100)": "if (ids.length > 101)" },
    tests: ["test/graphql/node.unit.test.ts"],
  },
  {
    name: "the plan reads only the first of the nodes of a type",
    file: "src/graphql/node.ts",
    replace: { "keys: same.flatMap(({ keys }) => keys),": "" },
    tests: ["test/graphql/node.unit.test.ts"],
  },
  {
    name: "a wrong id among nodes has the path of the whole list",
    file: "src/graphql/node.ts",
    replace: { '["ids", String(index)]': '["ids"]' },
    tests: ["test/graphql/node.unit.test.ts"],
  },
  {
    name: "a deletion is told to everybody",
    file: "src/graphql/change-subscription.ts",
    replace: { "return isShown(payload) ? gone : null;": "return gone;" },
    tests: ["test/graphql/change-subscription.unit.test.ts"],
  },
  {
    name: "a row that is hidden now is told to those who never saw it",
    file: "src/graphql/change-subscription.ts",
    replace: { "before && isShown(before) ? gone : null": "before ? gone : null" },
    tests: ["test/graphql/change-subscription.unit.test.ts"],
  },
  {
    name: "a row that is hidden now just stops to be told of",
    file: "src/graphql/change-subscription.ts",
    replace: {
      "before && isShown(before) ? gone : null": "before && isShown(payload) ? gone : null",
    },
    tests: ["test/graphql/change-subscription.unit.test.ts"],
  },
  {
    name: "strangers may subscribe and find out with the first event",
    file: "src/graphql/builder.ts",
    replace: { "authorizeOnSubscribe: true": "authorizeOnSubscribe: false" },
    tests: ["test/graphql/change-subscription.unit.test.ts"],
  },
  {
    name: "every role may do as admins may",
    file: "src/viewer.ts",
    replace: { "ranks[viewer.role] >= ranks[least]": "ranks[viewer.role] <= ranks[least]" },
    tests: ["test/graphql/builder.unit.test.ts"],
  },
  {
    name: "a client with an expired token may do as a stranger",
    file: "src/graphql/builder.ts",
    replace: { "trusted: !hasBadToken": "trusted: true" },
    tests: ["test/graphql/builder.unit.test.ts"],
  },
  {
    name: "a refusal of authorization undoes fields that it does not name",
    file: "src/graphql/builder.ts",
    replace: {
      '["mutationFields", ScopeAuthPlugin, RelayPlugin': '[ScopeAuthPlugin, "mutationFields", RelayPlugin',
    },
    tests: ["test/graphql/builder.unit.test.ts"],
  },
  {
    name: "fields after a failed statement run",
    file: "src/graphql/mutation-field-plugin.ts",
    replace: { 'if (progress.hasFailed()) throw new SkippedError("The operation has failed already.");': "" },
    tests: ["test/graphql/mutation-field-plugin.unit.test.ts"],
  },
  {
    name: "a field finds rows that the field before it has changed",
    file: "src/graphql/mutation-field-plugin.ts",
    replace: { "loaders.clear();": "" },
    tests: ["test/graphql/mutation-field-plugin.unit.test.ts"],
  },
  {
    name: "a page by last costs as one of the default size",
    file: "src/graphql/relation-fields.ts",
    replace: { "rowsCost(first ?? last ?? defaultPageSize)": "rowsCost(first ?? defaultPageSize)" },
    tests: ["test/operations/query-plugin.unit.test.ts"],
  },
  {
    name: "a page of a negative size lowers the cost",
    file: "src/graphql/relation-fields.ts",
    replace: { "Math.min(Math.max(asked, 0), maximumPageSize)": "Math.min(asked, maximumPageSize)" },
    tests: ["test/operations/query-plugin.unit.test.ts"],
  },
  {
    name: "a time without a zone is taken as a local one",
    file: "src/graphql/scalars.ts",
    replace: { "([Zz]|[+-]\\d\\d:\\d\\d)$/": "([Zz]|[+-]\\d\\d:\\d\\d)?$/" },
    tests: ["test/graphql/scalars.unit.test.ts"],
  },
  {
    name: "an object that looks like a file is taken for one",
    file: "src/graphql/scalars.ts",
    replace: {
      "!(value instanceof StagedFile)": 'typeof value !== "object"',
      'multipart request."); return value;': 'multipart request."); return value as StagedFile;',
    },
    tests: ["test/graphql/scalars.unit.test.ts"],
  },
  {
    name: "nodes costs nothing",
    file: "src/graphql/node.ts",
    replace: { "complexity: ({ ids }) => ({ field: ids.length, multiplier: ids.length }),": "complexity: 0," },
    tests: ["test/operations/query-cost.test.ts"],
  },
  {
    name: "nodes costs as much as one node",
    file: "src/graphql/node.ts",
    replace: { "complexity: ({ ids }) => ({ field: ids.length, multiplier: ids.length }),": "" },
    tests: ["test/operations/query-cost.test.ts"],
  },
  {
    name: "what is selected on nodes counts once",
    file: "src/graphql/node.ts",
    replace: { "field: ids.length, multiplier: ids.length": "field: ids.length, multiplier: 1" },
    tests: ["test/operations/query-cost.test.ts"],
  },
  {
    name: "the last rows of a page cost as much as a page of the default size",
    file: "src/graphql/relation-fields.ts",
    replace: {
      "rowsCost(first ?? last ?? defaultPageSize)": "rowsCost(first ?? defaultPageSize)",
      "complexity: ({ first, last }": "complexity: ({ first }",
    },
    tests: ["test/operations/query-cost.test.ts"],
  },
  {
    name: "neighbours cost as much as one row",
    file: "src/graphql/relation-fields.ts",
    replace: { "rowsCost(size(args))": "rowsCost(Math.min(1, size(args)))" },
    tests: ["test/operations/query-cost.test.ts"],
  },
  {
    name: "ids of the database are shown in lists",
    file: "src/graphql/global-id.ts",
    replace: {
      "if (Array.isArray(value)) return value.map(withGlobalIds);": "if (Array.isArray(value)) return value;",
    },
    tests: ["test/graphql/global-id.unit.test.ts"],
  },
];
