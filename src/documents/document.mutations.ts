import type { DocumentRow } from "../database/generated/tables.ts";
import { builder } from "../graphql/builder.ts";
import { servicesOf } from "../graphql/context.ts";
import { decodeGlobalId } from "../graphql/global-id.ts";
import { currentRow, deletionPayload, rowInput, rowPayload, versionFields } from "../graphql/versioned-mutations.ts";
import { Document, Visibility } from "./document.schema.ts";

const DocumentSource = builder.inputType("DocumentSource", {
  isOneOf: true,
  description: "A text, a file, or a file that was sent before.",
  fields: (t) => ({
    text: t.string({ description: "A pasted text." }),
    file: t.field({
      type: "File",
      description:
        "A text, Markdown, HTML, PDF or DOCX file. Its content decides which; only Markdown is told by its name.",
    }),
    uploadId: t.id({
      description:
        "Your complete resumable upload: the last part of its address. It is removed when the operation has succeeded.",
    }),
  }),
});

const CreateDocumentInput = builder.inputType("CreateDocumentInput", {
  description: "A new document.",
  fields: (t) => ({
    source: t.field({ type: DocumentSource, required: true, description: "The text or file." }),
    title: t.string({
      description:
        "1 to 500 characters. Default: the document's own title or first heading, the file's name, or the first line.",
    }),
    visibility: t.field({ type: Visibility, defaultValue: "PRIVATE", description: "Its readers." }),
  }),
});

const UpdateDocumentInput = builder.inputType("UpdateDocumentInput", {
  description: "Changes of a document. Fields that are absent stay as they are.",
  fields: (t) => ({
    ...versionFields(t, Document),
    title: t.string({ description: "1 to 500 characters." }),
    visibility: t.field({ type: Visibility, description: "Its readers." }),
  }),
});

const DeleteDocumentInput = rowInput("DeleteDocumentInput", Document, "A document to delete.");
const ReprocessDocumentInput = rowInput("ReprocessDocumentInput", Document, "A document to process again.");

const CreateDocumentPayload = builder
  .objectRef<{ row: DocumentRow; isDuplicate: boolean }>("CreateDocumentPayload")
  .implement({
    description: "The new document, or the one of the same bytes that you had already.",
    fields: (t) => ({
      document: currentRow(t, Document),
      isDuplicate: t.exposeBoolean("isDuplicate", {
        description: "True when you had a document of the same bytes already. It is returned, unchanged.",
      }),
    }),
  });
const UpdateDocumentPayload = rowPayload("UpdateDocumentPayload", Document, "The document with its changes.");
const ReprocessDocumentPayload = rowPayload("ReprocessDocumentPayload", Document, "The document, PENDING again.");
const DeleteDocumentPayload = deletionPayload("DeleteDocumentPayload", Document);

const documentId = (id: string) => decodeGlobalId("Document", id, ["input", "id"]);

builder.mutationFields((t) => ({
  createDocument: t.field({
    type: CreateDocumentPayload,
    authScopes: { signedIn: true },
    description: "Creates a document, which is PENDING until a worker reads it and splits it into chunks.",
    prepare: ({ input }, context) => servicesOf(context).documents.prepareCreate(input),
    args: { input: t.arg({ type: CreateDocumentInput, required: true, description: "The document." }) },
    resolve: async (_root, { input }, context) => {
      const { document, isDuplicate } = await servicesOf(context).documents.create(input);
      return { row: document, isDuplicate };
    },
  }),
  updateDocument: t.field({
    type: UpdateDocumentPayload,
    authScopes: { signedIn: true },
    description: "Changes the title or the readers of a document.",
    args: { input: t.arg({ type: UpdateDocumentInput, required: true, description: "The changes." }) },
    resolve: async (_root, { input }, context) => ({
      row: await servicesOf(context).documents.update({ ...input, id: documentId(input.id) }),
    }),
  }),
  deleteDocument: t.field({
    type: DeleteDocumentPayload,
    authScopes: { signedIn: true },
    description: "Deletes a document and its chunks.",
    args: { input: t.arg({ type: DeleteDocumentInput, required: true, description: "The document." }) },
    resolve: async (_root, { input }, context) => {
      await servicesOf(context).documents.delete({ ...input, id: documentId(input.id) });
      return { deletedId: input.id };
    },
  }),
  reprocessDocument: t.field({
    type: ReprocessDocumentPayload,
    authScopes: { signedIn: true },
    description: "Sends a COMPLETED or FAILED document to the workers again.",
    args: { input: t.arg({ type: ReprocessDocumentInput, required: true, description: "The document." }) },
    resolve: async (_root, { input }, context) => ({
      row: await servicesOf(context).documents.reprocess({ ...input, id: documentId(input.id) }),
    }),
  }),
}));
