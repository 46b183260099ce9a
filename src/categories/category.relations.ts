/** Relations of categories. All readers see all of them. */
import { tables } from "../database/generated/tables.ts";
import { relations } from "../database/relations.ts";

export const categoryById = relations.one({ name: "CategoryById", table: tables.Category, key: "id" });

export const allCategories = relations.list({ name: "Categories", table: tables.Category, order: ["name"] });
