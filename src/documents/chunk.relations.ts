/** Relations of chunks. */

import { tables } from "../database/generated/tables.ts";
import { relations } from "../database/relations.ts";
import { type Columns, columnsOf, raw, type Sql, sql } from "../eager-loading/sql.ts";
import { isAdmin, type Viewer } from "../viewer.ts";
import { documentVisible } from "./document.visibility.ts";

/** A chunk is visible to the viewers of its document. */
export function chunkVisible(viewer: Viewer, chunk: Columns<"documentId">): Sql {
  if (isAdmin(viewer)) return raw("true");
  const document = columnsOf(tables.Document, "d");
  return sql`exists (select 1 from documents d where ${document.id} = ${chunk.documentId} and ${documentVisible(viewer, document)})`;
}

export const chunkById = relations.one({ name: "ChunkById", table: tables.Chunk, key: "id", visible: chunkVisible });

export const chunksByDocument = relations.page({
  name: "ChunksByDocument",
  table: tables.Chunk,
  key: "documentId",
  orders: { INDEX: ["index"] },
  defaultOrder: { field: "INDEX", direction: "ASC" },
  generation: {
    column: "generation",
    current: (document) => sql`select d.generation from documents d where d.id = ${document}`,
    outOfDate: "This cursor is out of date: the document was processed again. Start from the first page.",
  },
  visible: chunkVisible,
});

export type Neighbourhood = { before: number; after: number };

export const neighboursByChunk = relations.list({
  name: "NeighboursByChunk",
  table: tables.Chunk,
  keyType: "uuid",
  order: ["index"],
  match: (key, { before, after }: Neighbourhood, chunk) => sql`
    (${chunk.documentId}, ${chunk.index}) in (
      select me.document_id, neighbour from chunks me,
        generate_series(me.index - ${before}::integer, me.index + ${after}::integer) neighbour
      where me.id = ${key} and neighbour <> me.index)`,
  visible: chunkVisible,
});
