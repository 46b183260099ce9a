import type { Fault } from "./fault.ts";

export const faults: Fault[] = [
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
