import {
  type WorkStatus as DocumentStatusName,
  WorkStatus as statuses,
  Visibility as visibilities,
} from "../database/generated/prisma/enums.ts";
import { builder } from "../graphql/builder.ts";
import { decodeGlobalId } from "../graphql/global-id.ts";
import { SortDirection } from "../graphql/sort-direction.ts";
import { requireSearchText } from "../search/search-text.ts";
import { userById } from "../users/user.relations.ts";
import { User } from "../users/user.schema.ts";
import { allDocuments, documentById, documentsByOwner, documentText } from "./document.relations.ts";

export const DocumentStatus = builder.enumType("DocumentStatus", {
  description: "How far the processing of a document is.",
  values: {
    [statuses.PENDING]: { description: "Waiting for a worker." },
    [statuses.PROCESSING]: { description: "A worker cuts it into chunks." },
    [statuses.COMPLETED]: { description: "Cut into chunks, and found by search." },
    [statuses.FAILED]: { description: "Given up; `failure` says why." },
  },
});

export const Visibility = builder.enumType("Visibility", {
  description: "Who may read a document.",
  values: {
    [visibilities.PRIVATE]: { description: "Its owner, and admins." },
    [visibilities.SHARED]: { description: "Everybody who reads the shared library." },
  },
});

export const Document = builder.rowNode("Document", {
  relation: documentById,
  fields: (t) => ({
    title: t.exposeString("title"),
    owner: t.one(userById, { by: "ownerId" }),
    visibility: t.expose("visibility", { type: Visibility }),
    status: t.expose("status", { type: DocumentStatus }),
    version: t.exposeInt("version"),
    mimeType: t.exposeString("mimeType"),
    sizeBytes: t.expose("sizeBytes", { type: "Bytes" }),
    sha256: t.exposeString("sha256"),
    text: t.wide(documentText),
    failure: t.exposeString("failure", { nullable: true }),
    attempts: t.exposeInt("attempts"),
    progress: t.exposeFloat("progress"),
    createdAt: t.expose("createdAt", { type: "DateTime" }),
    updatedAt: t.expose("updatedAt", { type: "DateTime" }),
    processedAt: t.expose("processedAt", { type: "DateTime", nullable: true }),
  }),
});

const DocumentFilter = builder.inputType("DocumentFilter", {
  description: "Which documents; all that is given must hold.",
  fields: (t) => ({
    status: t.field({ type: [DocumentStatus], description: "In one of these states." }),
    visibility: t.field({ type: Visibility, description: "With this visibility." }),
    search: t.string({
      description: "A part of the title, without regard to case and accents; a typing mistake is forgiven.",
    }),
    ownerId: t.id({ description: "Of this user." }),
  }),
});

const DocumentOrderField = builder.enumType("DocumentOrderField", {
  description: "What documents are ordered by.",
  values: {
    CREATED_AT: { description: "When they came in." },
    UPDATED_AT: { description: "When they were last written." },
    TITLE: { description: "Their title." },
  } as const,
});

const DocumentOrder = builder.inputType("DocumentOrder", {
  description: "The order of documents; ties are broken by id.",
  fields: (t) => ({
    field: t.field({ type: DocumentOrderField, required: true, description: "What to order by." }),
    direction: t.field({ type: SortDirection, required: true, description: "Upwards or downwards." }),
  }),
});

const filterArgs = builder.args((t) => ({
  filter: t.field({ type: DocumentFilter, description: "Which documents. Absent: all." }),
  orderBy: t.field({ type: DocumentOrder, description: "In which order. Absent: newest first." }),
}));

type FilterArgs = {
  filter?: { status?: DocumentStatusName[] | null; ownerId?: string | null; search?: string | null } | null;
};

const toArguments = ({ filter }: FilterArgs) => ({
  ...filter,
  // As a set: a long list of the same is no more than one, and asks for the same.
  status: filter?.status == null ? null : [...new Set(filter.status)].sort(),
  search: filter?.search == null ? null : requireSearchText(filter.search, ["filter", "search"]),
  ownerId: filter?.ownerId == null ? null : decodeGlobalId("User", filter.ownerId, ["filter", "ownerId"]),
});

builder.queryFields((t) => ({
  document: t.lookup(documentById, {
    nullable: true,
    description: "A document by id; null when it does not exist or is not yours to see.",
    args: { id: t.arg.id({ required: true, description: "The document's id." }) },
    key: ({ id }) => decodeGlobalId("Document", id, ["id"]),
  }),
  documents: t.page(allDocuments, {
    type: Document,
    description: "All documents that you may see.",
    args: filterArgs,
    toArguments,
  }),
}));

builder.prismaObjectField(User, "documents", (t) =>
  t.page(documentsByOwner, {
    type: Document,
    description: "The user's documents that you may see.",
    args: filterArgs,
    toArguments,
  }),
);
