/** The rules of categories. */
import type { CategoryRow } from "../database/generated/tables.ts";
import type { LabelKind, LabelService } from "../labels/label-service.ts";

export type CategoryService = LabelService<CategoryRow>;

export const categoryKind: LabelKind = { type: "Category", plural: "categories", most: 100 };
