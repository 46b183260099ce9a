import type { Fault } from "./fault.ts";

const rules = ["test/labels/label-service.unit.test.ts"];
const races = ["test/labels/labels.test.ts"];
const api = ["test/categories/categories.test.ts", "test/events/events.test.ts"];

export const faults: Fault[] = [
  {
    name: "a name that another label has is refused without naming it",
    file: "src/labels/label-service.ts",
    replace: { "if (present && present.id !== id) throw this.#duplicate(present.name);": "void present;" },
    tests: rules,
  },
  {
    name: "the case of a label's name cannot be changed",
    file: "src/labels/label-service.ts",
    replace: { "if (present && present.id !== id)": "if (present)" },
    tests: rules,
  },
  {
    name: "a label is overwritten by a client that read an older version",
    file: "src/labels/label-service.ts",
    replace: {
      "requireVersion(kind.type, label, expectedVersion)":
        "requireVersion(kind.type, label, expectedVersion && label.version)",
    },
    tests: rules,
  },
  {
    name: "the rule of a kind of labels is checked for new labels only",
    file: "src/labels/label-service.ts",
    replace: { "kind.requireValid?.({ ...label, ...changes }": "void ({ ...label, ...changes }" },
    tests: rules,
  },
  {
    name: "a change of a label is checked without the details that stay",
    file: "src/labels/label-service.ts",
    replace: { "requireValid?.({ ...label, ...changes }": "requireValid?.({ ...changes }" },
    tests: ["test/events/events.test.ts"],
  },
  {
    name: "every role may delete labels",
    file: "src/labels/label-service.ts",
    replace: {
      "async delete({ id, expectedVersion }: ExistingLabel): Promise<void> { this.#requireEditor();":
        "async delete({ id, expectedVersion }: ExistingLabel): Promise<void> {",
    },
    tests: rules,
  },
  {
    name: "a full table is an error of the server",
    file: "src/labels/label-repository.ts",
    replace: { 'if (isLimitReached(error)) throw new LimitReachedError("The table is full.", { cause: error });': "" },
    tests: races,
  },
  {
    name: "of two labels that take a name at the same time, the second is an error of the server",
    file: "src/labels/label-repository.ts",
    replace: { 'if (isUniqueViolation(error)) throw new NameTakenError("The name is in use.", { cause: error });': "" },
    tests: races,
  },
  {
    name: "an accent makes another name of a label",
    file: "src/labels/label-repository.ts",
    replace: { "where t.name_folded = fold(${name})": "where t.name = ${name}" },
    tests: api,
  },
  {
    name: "two editors at the same time create more labels than there may be",
    file: "prisma/migrations/20261127120000_categories/migration.sql",
    replace: { "PERFORM pg_advisory_xact_lock(hashtext('limit_{table}'));": "" },
    tests: races,
  },
  {
    name: "one label more than there may be is allowed",
    file: "prisma/migrations/20261127120000_categories/migration.sql",
    replace: { "(SELECT count(*) FROM {table}) > {most}": "(SELECT count(*) FROM {table}) > {most} + 1" },
    tests: races,
  },
];
