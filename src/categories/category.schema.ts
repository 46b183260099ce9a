import { builder } from "../graphql/builder.ts";
import { allCategories, categoryById } from "./category.relations.ts";
import { categoryKind } from "./category.service.ts";

export const Category = builder.rowNode("Category", {
  relation: categoryById,
  fields: (t) => ({
    name: t.exposeString("name"),
    version: t.exposeInt("version"),
  }),
});

builder.queryField("categories", (t) =>
  t.rows(allCategories, {
    type: Category,
    description: `All categories, by name. There are ${categoryKind.most} at most.`,
    size: categoryKind.most,
  }),
);
