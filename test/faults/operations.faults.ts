import type { Fault } from "./fault.ts";

const idempotency = ["test/unit-of-work/idempotency.test.ts"];

export const faults: Fault[] = [
  {
    name: "the hash of an idempotent request does not hold its operation's name",
    file: "src/operations/idempotency-header.ts",
    replace: {
      '${print(document)}\\n${operationName ?? ""}\\n': "${print(document)}\\n",
      "{ document, operationName, variableValues }": "{ document, variableValues }",
    },
    tests: idempotency,
  },
  {
    name: "the hash of an idempotent request does not hold its document",
    file: "src/operations/idempotency-header.ts",
    replace: {
      '${print(document)}\\n${operationName ?? ""}\\n': '${operationName ?? ""}\\n',
      "GraphQLFormattedError, print }": "GraphQLFormattedError }",
      "{ document, operationName, variableValues }": "{ operationName, variableValues }",
    },
    tests: idempotency,
  },
  {
    name: "the hash of an idempotent request does not hold its variables",
    file: "src/operations/idempotency-header.ts",
    replace: { "addTo(hash, variableValues ?? null);": "addTo(hash, variableValues ? null : undefined);" },
    tests: idempotency,
  },
  {
    name: "the hash of an idempotent request depends on the order of its variables",
    file: "src/operations/idempotency-header.ts",
    replace: { ".sort(([left], [right]) => (left < right ? -1 : 1))": "" },
    tests: idempotency,
  },
  {
    name: "a subscription tells of a row that was hidden since",
    file: "src/operations/subscription-plugin.ts",
    replace: {
      "if ((await context.loaders.one(row.relation, row.key)) === null) return null;":
        "await context.loaders.one(row.relation, row.key);",
    },
    tests: ["test/outbox/watching.test.ts"],
  },
];
