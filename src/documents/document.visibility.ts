/** The rule of which documents a viewer may see, in SQL for relations and in TypeScript for loaded rows. */
import type { Visibility } from "../database/generated/prisma/enums.ts";
import { type Columns, raw, type Sql, sql } from "../eager-loading/sql.ts";
import { isAdmin, type Viewer } from "../viewer.ts";

export function documentVisible(viewer: Viewer, document: Columns<"visibility" | "ownerId">): Sql {
  if (isAdmin(viewer)) return raw("true");
  const shared = sql`${document.visibility} = 'SHARED'`;
  return viewer ? sql`(${shared} or ${document.ownerId} = ${viewer.id}::uuid)` : shared;
}

/** The same rule for a recorded state of a document, such as an event's payload. */
export function isDocumentVisible(viewer: Viewer, document: { visibility: Visibility; ownerId: string }): boolean {
  return isAdmin(viewer) || document.visibility === "SHARED" || document.ownerId === viewer?.id;
}
