import { labelMutations } from "../labels/label-mutations.ts";
import { Category } from "./category.schema.ts";

labelMutations(Category, { serviceOf: ({ categories }) => categories, details: () => ({}) });
