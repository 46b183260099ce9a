import { badInput } from "../errors.ts";
import { builder } from "../graphql/builder.ts";
import { chunkById, chunksByDocument, neighboursByChunk } from "./chunk.relations.ts";
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
