import type { Fault } from "./fault.ts";

export const faults: Fault[] = [
  {
    name: "categories are listed in the order of their creation",
    file: "src/categories/category.relations.ts",
    replace: { 'order: ["name"]': 'order: ["createdAt"]' },
  },
  {
    name: "the message names another limit of categories than the table has",
    file: "src/categories/category.service.ts",
    replace: { "most: 100": "most: 500" },
    tests: ["test/labels/labels.test.ts"],
  },
  {
    name: "the version of a category is the one of the client",
    file: "prisma/migrations/20261127120000_categories/migration.sql",
    replace: {
      'CREATE TRIGGER "{table}_version" BEFORE UPDATE ON "{table}" FOR EACH ROW EXECUTE FUNCTION "raise_version"();':
        "",
    },
    tests: ["test/labels/labels.test.ts", "test/categories/categories.test.ts"],
  },
];
