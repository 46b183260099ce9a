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
    description: "The chunks around this one, for context; without this one.",
    args: {
      before: t.arg.int({ defaultValue: 1, description: "How many before it, 10 at most." }),
      after: t.arg.int({ defaultValue: 1, description: "How many after it, 10 at most." }),
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
      "Its pieces, in order; none before it is COMPLETED for the first time. A cursor holds until it is processed again; " +
      "then it is refused, with the reason CURSOR_OUT_OF_DATE.",
  }),
);

type ChunkHitRow = ChunkRow & ChunkHitExtra;

const ChunkHit = builder.objectRef<ChunkHitRow>("ChunkHit").implement({
  description: "A chunk that a search found.",
  fields: (t) => ({
    chunk: t.same({ type: Chunk, description: "What was found." }),
    score: t.exposeFloat("score", { description: "The higher, the better it matches; comparable within one search." }),
    snippet: t.string({
      description: "The text, escaped for HTML, with <mark> around what matched.",
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
      "Best match first. Folds accents: 'nguoi' finds 'người', and a query with accents ranks exact accents first. " +
      'Understands "a phrase", or, and -without. totalCount counts all that match. Of many matches the pages hold the ' +
      "newest: 1,000 with their accents, and where these are fewer, 1,000 others.",
    args: {
      query: t.arg.string({ required: true, description: "What to look for; 1 to 1,000 characters." }),
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
