import type { ChunkRow } from "../database/generated/tables.ts";
import { badInput } from "../errors.ts";
import { builder } from "../graphql/builder.ts";
import { decodeGlobalId } from "../graphql/global-id.ts";
import { requireSearchText } from "../search/search-text.ts";
import {
  type ChunkHitExtra,
  chunkById,
  chunkHits,
  chunksByDocument,
  markEnd,
  markStart,
  neighboursByChunk,
} from "./chunk.relations.ts";
import { documentById } from "./document.relations.ts";
import { Document } from "./document.schema.ts";

const farthestNeighbour = 10;

export const Chunk = builder.rowNode("Chunk", {
  relation: chunkById,
  fields: (t) => ({
    document: t.one(documentById, { by: "documentId" }),
    index: t.exposeInt("index"),
    text: t.exposeString("text"),
    startOffset: t.exposeInt("startOffset"),
    endOffset: t.exposeInt("endOffset"),
    tokenCount: t.exposeInt("tokenCount"),
  }),
});

function requireDistance(argument: string, distance: number): number {
  if (distance < 0 || distance > farthestNeighbour) {
    throw badInput([argument], `From 0 to ${farthestNeighbour} neighbours, not ${distance}.`);
  }
  return distance;
}

builder.prismaObjectField(Chunk, "neighbours", (t) =>
  t.rows(neighboursByChunk, {
    type: Chunk,
    by: "id",
    description: "The chunks before and after this one, without it.",
    args: {
      before: t.arg.int({ defaultValue: 1, description: "The number of chunks before it, 10 at most." }),
      after: t.arg.int({ defaultValue: 1, description: "The number of chunks after it, 10 at most." }),
    },
    size: ({ before, after }) => (before ?? 0) + (after ?? 0),
    toArguments: ({ before, after }) => ({
      before: requireDistance("before", before ?? 0),
      after: requireDistance("after", after ?? 0),
    }),
  }),
);

builder.prismaObjectField(Document, "chunks", (t) =>
  t.page(chunksByDocument, {
    type: Chunk,
    description:
      "Its chunks, in the order of the text; none before it is COMPLETED for the first time. When it is processed again, " +
      "older cursors are refused with the reason CURSOR_OUT_OF_DATE.",
  }),
);

type ChunkHitRow = ChunkRow & ChunkHitExtra;

const ChunkHit = builder.objectRef<ChunkHitRow>("ChunkHit").implement({
  description: "A chunk that a search found.",
  fields: (t) => ({
    chunk: t.same({ type: Chunk, description: "The chunk that matches." }),
    score: t.exposeFloat("score", {
      description: "The quality of the match: higher is better. Comparable within one search.",
    }),
    snippet: t.string({
      description: "The parts of the text that match, as HTML, with <mark> around the words.",
      resolve: ({ snippet }) => escapeHtml(snippet).replaceAll(markStart, "<mark>").replaceAll(markEnd, "</mark>"),
    }),
  }),
});

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => entities[character] as string);

builder.queryField("searchChunks", (t) =>
  t.page(chunkHits, {
    type: ChunkHit,
    isForwardOnly: true,
    description:
      "Chunks that match, best first. Accents are ignored: 'nguoi' finds 'người'; chunks with the accents of the query rank " +
      'first. A query may contain "a phrase", or, and -without. `totalCount` counts all matches. The pages hold at most the ' +
      "newest 1,000 with these accents and, where there are fewer than 1,000, the newest 1,000 others.",
    args: {
      query: t.arg.string({ required: true, description: "The words to find; 1 to 1,000 characters." }),
      documentIds: t.arg.idList({ description: "Only in these documents; 100 at most." }),
    },
    toArguments: ({ query, documentIds }) => {
      if (query.trim() === "") throw badInput(["query"], "Say what to look for.");
      if (documentIds && documentIds.length > 100) throw badInput(["documentIds"], "At most 100 documents.");
      const ids = documentIds?.map((id, index) => decodeGlobalId("Document", id, ["documentIds", String(index)]));
      return { query: requireSearchText(query, ["query"]), documentIds: ids ?? null };
    },
  }),
);
