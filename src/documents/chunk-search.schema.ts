import type { ChunkRow } from "../database/generated/tables.ts";
import { badInput } from "../errors.ts";
import { builder } from "../graphql/builder.ts";
import { decodeGlobalId } from "../graphql/global-id.ts";
import { requireSearchText } from "../search/search-text.ts";
import { Chunk } from "./chunk.schema.ts";
import { type ChunkHitExtra, chunkHits, markEnd, markStart } from "./chunk-search.relations.ts";

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
