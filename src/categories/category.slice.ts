/** Categories: what kind of recording an audio is. */
import { type CategoryRow, tables } from "../database/generated/tables.ts";
import { type LabelRepository, labelRepository } from "../labels/label-repository.ts";
import { LabelService } from "../labels/label-service.ts";
import type { Slice } from "../slice.ts";
import { type CategoryService, categoryKind } from "./category.service.ts";

declare module "../unit-of-work/unit-of-work.ts" {
  interface Repositories {
    categories: LabelRepository<CategoryRow>;
  }
}
declare module "../graphql/context.ts" {
  interface Services {
    categories: CategoryService;
  }
}

export const categorySlice: Slice = {
  types: () => Promise.all([import("./category.schema.ts"), import("./category.mutations.ts")]),
  repositories: (uow) => ({ categories: labelRepository(uow, tables.Category) }),
  open: () => ({
    services: ({ categories: labels }, viewer) => ({
      categories: new LabelService({ kind: categoryKind, labels, viewer }),
    }),
  }),
  async seed({ servicesOf }) {
    const { categories } = servicesOf("editor");
    for (const name of ["Music", "Speech"]) await categories.create({ name });
  },
};
