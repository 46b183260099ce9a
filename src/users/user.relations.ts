/** Relations of users. All readers see all users; the schema hides the e-mail address. */

import { tables } from "../database/generated/tables.ts";
import { relations } from "../database/relations.ts";
import { foldedMatch } from "../search/folded-text.ts";

export const userById = relations.one({ name: "UserById", table: tables.User, key: "id" });

export type UserSearch = { search?: string | null };

export const allUsers = relations.page({
  name: "Users",
  table: tables.User,
  orders: { CREATED_AT: ["createdAt"] },
  defaultOrder: { field: "CREATED_AT", direction: "ASC" },
  filter: ({ search }: UserSearch, user) => (search ? foldedMatch(user.nameFolded, search) : undefined),
});
