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
import { documentDownload, fileNameOf } from "./document.downloads.ts";
import { allDocuments, documentById, documentsByOwner, documentText } from "./document.relations.ts";

export const DocumentStatus = builder.enumType("DocumentStatus", {
  description: "A state of processing.",
  values: {
    [statuses.PENDING]: { description: "Waiting for a worker." },
    [statuses.PROCESSING]: { description: "A worker is reading it or splitting it into chunks." },
    [statuses.COMPLETED]: { description: "Split into chunks, which search finds." },
    [statuses.FAILED]: { description: "All attempts have failed; `failure` says why." },
  },
});

export const Visibility = builder.enumType("Visibility", {
  description: "The readers of a document.",
  values: {
    [visibilities.PRIVATE]: { description: "Its owner, and admins." },
    [visibilities.SHARED]: {
      description: "Everybody who may read the library: all users, and visitors where reading is public.",
    },
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
    originalUrl: t.string({
      description:
        "The address of the file that was sent, or of the text where no file was sent or the file was a text. It needs no headers, and acts for you: share it only with people who may read the document. It expires after 12 hours, unless the server is set otherwise; query a new one then.",
      resolve: (row, _args, { fileAddress }) => fileAddress(documentDownload.kind, row.id, fileNameOf(row)),
    }),
    failure: t.exposeString("failure", { nullable: true }),
    attempts: t.exposeInt("attempts"),
    progress: t.exposeFloat("progress"),
    createdAt: t.expose("createdAt", { type: "DateTime" }),
    updatedAt: t.expose("updatedAt", { type: "DateTime" }),
    processedAt: t.expose("processedAt", { type: "DateTime", nullable: true }),
  }),
});

const DocumentFilter = builder.inputType("DocumentFilter", {
  description: "Conditions that documents meet. All that are given must hold.",
  fields: (t) => ({
    status: t.field({ type: [DocumentStatus], description: "Documents in one of these states." }),
    visibility: t.field({ type: Visibility, description: "Documents with this visibility." }),
    search: t.string({
      description:
        "Documents whose title contains this text. Case and accents are ignored, and a typing mistake is tolerated.",
    }),
    ownerId: t.id({ description: "Documents of this user." }),
  }),
});

const DocumentOrderField = builder.enumType("DocumentOrderField", {
  description: "A property that documents are ordered by.",
  values: {
    CREATED_AT: { description: "The time of creation." },
    UPDATED_AT: { description: "The time of the last change." },
    TITLE: { description: "The title." },
  } as const,
});

const DocumentOrder = builder.inputType("DocumentOrder", {
  description: "An order of documents. Ties are broken by id.",
  fields: (t) => ({
    field: t.field({ type: DocumentOrderField, required: true, description: "The property to order by." }),
    direction: t.field({ type: SortDirection, required: true, description: "Ascending or descending." }),
  }),
});

const filterArgs = builder.args((t) => ({
  filter: t.field({ type: DocumentFilter, description: "Conditions that the documents meet. Default: none." }),
  orderBy: t.field({ type: DocumentOrder, description: "The order. Default: newest first." }),
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
    description: "The document with this id; null when there is none that you may see.",
    args: { id: t.arg.id({ required: true, description: "The document's id." }) },
    key: ({ id }) => decodeGlobalId("Document", id, ["id"]),
  }),
  documents: t.page(allDocuments, {
    type: Document,
    description: "The documents that you may see.",
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
