import type { Fault } from "./fault.ts";

const idempotency = ["test/unit-of-work/idempotency.test.ts"];

export const faults: Fault[] = [
  {
    name: "an expired token reads the public library as a stranger",
    file: "src/operations/contexts.ts",
    replace: { "(isPublic && !hasBadToken)": "isPublic" },
    tests: ["test/operations/contexts.unit.test.ts"],
  },
  {
    name: "a cookie is set before the commit",
    file: "src/operations/contexts.ts",
    replace: { "uow.afterCommit(() => operation.setCookie(cookie))": "operation.setCookie(cookie)" },
    tests: ["test/operations/contexts.unit.test.ts"],
  },
  {
    name: "the user who signed in is still a stranger to the services",
    file: "src/operations/contexts.ts",
    replace: {
      "services: services(uow, viewer), become, progress":
        "services: services(uow, operation.viewer), become, progress",
    },
    tests: ["test/operations/contexts.unit.test.ts"],
  },
  {
    name: "an unexpected error is shown with its own message",
    file: "src/operations/error-answers.ts",
    replace: {
      "const { message, code, details: found } = meant ?? unexpected;":
        "const { code, details: found } = meant ?? unexpected; const { message } = meant ?? (original as Error);",
    },
    tests: ["test/operations/error-answers.unit.test.ts"],
  },
  {
    name: "a refusal shows the ids of the database",
    file: "src/operations/error-answers.ts",
    replace: { "const details = withGlobalIds(found);": "const details = withGlobalIds(found) && found;" },
    tests: ["test/operations/error-answers.unit.test.ts"],
  },
  {
    name: "a refusal by a trigger is an unexpected error",
    file: "src/operations/error-answers.ts",
    replace: { "quotaErrorOf(error) ?? refusalOf(error)": "quotaErrorOf(error) ?? (refusalOf(error) && undefined)" },
    tests: ["test/operations/error-answers.unit.test.ts"],
  },
  {
    name: "an error loses the path of its field",
    file: "src/operations/error-answers.ts",
    replace: { "path: location?.path ?? error.path ?? null": "path: error.path ?? null" },
    tests: ["test/operations/error-answers.unit.test.ts"],
  },
  {
    name: "every 503 advises to come back at once",
    file: "src/operations/error-answers.ts",
    replace: {
      'const isTransient = code === "OVERLOADED" || (error instanceof FileStoreError && error.mayPass);':
        "const isTransient = status === 503;",
    },
    tests: ["test/operations/error-answers.unit.test.ts"],
  },
  {
    name: "the error of a stored answer gets the id of the later request",
    file: "src/operations/error-answers.ts",
    replace: {
      "extensions: shown.extensions });\n  ready.add(answer);\n  return answer;":
        "extensions: shown.extensions });\n  return answer;",
    },
    tests: ["test/operations/error-answers.unit.test.ts"],
  },
  {
    name: "files of an idempotent request are hashed by their names alone",
    file: "src/operations/idempotency-header.ts",
    replace: { "JSON.stringify([value.name, value.sizeBytes, value.sha256])": "JSON.stringify([value.name])" },
    tests: ["test/operations/idempotency-header.unit.test.ts"],
  },
  {
    name: "a key of 256 characters is taken",
    file: "src/operations/idempotency-header.ts",
    replace: { "{1,255}$/": "{1,256}$/" },
    tests: ["test/operations/idempotency-header.unit.test.ts"],
  },
  {
    name: "the end of one operation forgets those that wait for its key",
    file: "src/operations/idempotency-header.ts",
    replace: { "if (running.get(name) === mine) running.delete(name);": "running.delete(name);" },
    tests: ["test/operations/idempotency-header.unit.test.ts"],
  },
  {
    name: "a failed operation fails those that wait for its key",
    file: "src/operations/idempotency-header.ts",
    replace: { ".then(run, run)": ".then(run)" },
    tests: ["test/operations/idempotency-header.unit.test.ts"],
  },
  {
    name: "a dry run is answered from its key",
    file: "src/operations/mutation-plugin.ts",
    replace: { "if (key && !isDryRun) return executeOnce": "if (key) return executeOnce" },
    tests: ["test/unit-of-work/idempotency.test.ts"],
  },
  {
    name: "a failed statement of a nullable field undoes nothing",
    file: "src/operations/mutation-plugin.ts",
    replace: { "if (hasFailed() && causes.length > 0)": "if (hasFailed() && data == null && causes.length > 0)" },
    tests: ["test/operations/mutation-plugin.unit.test.ts"],
  },
  {
    name: "an unknown outcome says that the other fields were undone",
    file: "src/operations/mutation-plugin.ts",
    replace: { "if (error instanceof UnknownOutcomeError) return { data: null, errors: causes };": "" },
    tests: ["test/operations/mutation-plugin.unit.test.ts"],
  },
  {
    name: "a skipped root field is prepared",
    file: "src/operations/root-fields.ts",
    replace: { "if (getDirectiveValues(GraphQLSkipDirective, selection, variables)?.if === true) continue;": "" },
    tests: ["test/operations/root-fields.unit.test.ts"],
  },
  {
    name: "preparations go on after one that failed",
    file: "src/operations/root-fields.ts",
    replace: {
      "getArgumentValues(field, node, variables), context);":
        "getArgumentValues(field, node, variables), context).catch(() => {});",
    },
    tests: ["test/operations/root-fields.unit.test.ts"],
  },
  {
    name: "the message of an invalid variable repeats its value",
    file: "src/operations/operation-variables.ts",
    replace: { "repeatsValue ? `Expected a value of type ${expected}.` : cut(reason)": "cut(reason)" },
    tests: ["test/operations/operation-variables.unit.test.ts"],
  },
  {
    name: "a query that fails keeps its share of the budget",
    file: "src/operations/query-plugin.ts",
    replace: {
      "try {\n          await readAhead": "{\n          await readAhead",
      "return await execute(ownArgs);\n        } finally {\n          release();\n        }":
        "const result = await execute(ownArgs);\n release();\n return result;\n }",
    },
    tests: ["test/operations/query-plugin.unit.test.ts"],
  },
  {
    name: "the depth of an operation is not limited",
    file: "src/operations/query-plugin.ts",
    replace: { "if (depth > maxDepth)": "if (depth > maxDepth && complexity > maxCost)" },
    tests: ["test/operations/query-plugin.unit.test.ts"],
  },
  {
    name: "the variables' limit leaves extensions out",
    file: "src/operations/request-limits.ts",
    replace: { 'requireFewValues("extensions", extensions, limits.maxVariableValues);': "" },
    tests: ["test/operations/request-limits.unit.test.ts"],
  },
  {
    name: "an escaped quote ends a string when values are counted",
    file: "src/operations/request-limits.ts",
    replace: { "if (backslashes % 2 === 0) return index;": "return index;" },
    tests: ["test/operations/request-limits.unit.test.ts"],
  },
  {
    name: "an event is read by the viewer of the subscription's beginning",
    file: "src/operations/subscription-plugin.ts",
    replace: { "const context = contextFor(outer, viewer);": "const context = contextFor(outer, outer.viewer);" },
    tests: ["test/operations/subscription-plugin.unit.test.ts"],
  },
  {
    name: "statements are shown to everybody",
    file: "src/operations/trace-plugin.ts",
    replace: { '!== "1" || !mayTrace(context)) return result;': '!== "1") return result;' },
    tests: ["test/operations/trace-plugin.unit.test.ts"],
  },
  {
    name: "a fragment that is spread again is not counted again",
    file: "src/operations/validation-plugin.ts",
    replace: {
      "#countBelow(field: FieldNode): number {\n    if (!field.selectionSet) return 0;":
        "#countBelow(field: FieldNode): number {\n    if (!field.selectionSet || this.#below.has(field)) return 0;",
    },
    tests: ["test/operations/validation-plugin.unit.test.ts"],
  },
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
    name: "a query at the limit of the cost is refused",
    file: "src/operations/query-plugin.ts",
    replace: { "if (complexity > maxCost)": "if (complexity >= maxCost)" },
    tests: ["test/operations/query-cost.test.ts"],
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
