/** Relations of documents. A PRIVATE document is visible only to its owner and to admins. */

import type { Visibility, WorkStatus } from "../database/generated/prisma/enums.ts";
import { tables } from "../database/generated/tables.ts";
import { relations } from "../database/relations.ts";
import { type Columns, join, raw, type Sql, sql } from "../eager-loading/sql.ts";
import { foldedMatch } from "../search/folded-text.ts";
import { documentVisible } from "./document.visibility.ts";

export type DocumentFilter = {
  status?: readonly WorkStatus[] | null;
  visibility?: Visibility | null;
  search?: string | null;
  ownerId?: string | null;
};

function documentFilter(filter: DocumentFilter, document: Columns): Sql | undefined {
  const { status, visibility, search, ownerId } = filter;
  const conditions = [
    ...(status ? [sql`${document.status} = any(${status}::work_status[])`] : []),
    ...(visibility ? [sql`${document.visibility} = ${visibility}::visibility`] : []),
    ...(search ? [foldedMatch(document.titleFolded as Sql, search) ?? raw("true")] : []),
    ...(ownerId ? [sql`${document.ownerId} = ${ownerId}::uuid`] : []),
  ];
  return conditions.length === 0 ? undefined : join(conditions, " and ");
}

const pages = {
  table: tables.Document,
  orders: { CREATED_AT: ["createdAt"], UPDATED_AT: ["updatedAt"], TITLE: ["title"] },
  defaultOrder: { field: "CREATED_AT", direction: "DESC" },
  filter: documentFilter,
  visible: documentVisible,
} as const;

export const documentById = relations.one({
  name: "DocumentById",
  table: tables.Document,
  key: "id",
  visible: documentVisible,
});

export const allDocuments = relations.page({ name: "Documents", ...pages });

export const documentsByOwner = relations.page({ name: "DocumentsByOwner", key: "ownerId", ...pages });

export const documentText = relations.column({
  name: "DocumentText",
  table: tables.Document,
  key: "id",
  column: "text",
  visible: documentVisible,
});
