import type { Fault } from "./fault.ts";

export const faults: Fault[] = [
  {
    name: "every watcher is told the ids of hidden rows",
    file: "src/graphql/change-subscription.ts",
    replace: { "return before && isVisible(viewer, before) ? gone : null": "return before ? gone : null" },
    tests: ["test/outbox/watching.test.ts"],
  },
  {
    name: "every watcher is told the ids of deleted rows",
    file: "src/graphql/change-subscription.ts",
    replace: {
      'if (change === "deleted") return isVisible(viewer, payload) ? gone : null':
        'if (change === "deleted") return gone',
    },
    tests: ["test/outbox/watching.test.ts"],
  },
];
