import type { DocumentRow } from "../database/generated/tables.ts";
import { builder } from "../graphql/builder.ts";
import { servicesOf } from "../graphql/context.ts";
import { decodeGlobalId } from "../graphql/global-id.ts";
import { Document, Visibility } from "./document.schema.ts";

const DocumentSource = builder.inputType("DocumentSource", {
  isOneOf: true,
  description: "Exactly one: a pasted text, or a file in this request.",
  fields: (t) => ({
    text: t.string({ description: "The text itself." }),
    file: t.field({
      type: "File",
      description: "A text, Markdown, HTML, PDF or DOCX file. What it is, is seen from its bytes, not from its name.",
    }),
  }),
});

const CreateDocumentInput = builder.inputType("CreateDocumentInput", {
  description: "A new document. Without a title, the text's own.",
  fields: (t) => ({
    source: t.field({ type: DocumentSource, required: true, description: "The text." }),
    title: t.string({
      description: "1 to 500 characters. Absent: the title or first heading, the file's name, or the first line.",
    }),
    visibility: t.field({ type: Visibility, defaultValue: "PRIVATE", description: "Who may read it." }),
  }),
});

const UpdateDocumentInput = builder.inputType("UpdateDocumentInput", {
  description: "Changes of a document. What is absent stays as it is.",
  fields: (t) => ({
    id: t.id({ required: true, description: "The document." }),
    expectedVersion: t.int({ required: true, description: "The version that you saw; another one is a CONFLICT." }),
    title: t.string({ description: "1 to 500 characters." }),
    visibility: t.field({ type: Visibility, description: "Who may read it." }),
  }),
});

const existing = (name: string, description: string) =>
  builder.inputType(name, {
    description,
    fields: (t) => ({
      id: t.id({ required: true, description: "The document." }),
      expectedVersion: t.int({ description: "The version that you saw; another one is a CONFLICT. Absent: any." }),
    }),
  });

const DeleteDocumentInput = existing("DeleteDocumentInput", "Which document to delete.");
const ReprocessDocumentInput = existing("ReprocessDocumentInput", "Which document to process again.");

const payload = (name: string, description: string) =>
  builder.objectRef<{ document: DocumentRow }>(name).implement({
    description,
    fields: (t) => ({
      document: t.field({ type: Document, description: "As it is now.", resolve: ({ document }) => document }),
    }),
  });

const CreateDocumentPayload = builder
  .objectRef<{ document: DocumentRow; isDuplicate: boolean }>("CreateDocumentPayload")
  .implement({
    description: "The document that holds the text.",
    fields: (t) => ({
      document: t.field({ type: Document, description: "As it is now.", resolve: ({ document }) => document }),
      isDuplicate: t.exposeBoolean("isDuplicate", {
        description: "True when the same bytes were already this owner's document, which is then returned.",
      }),
    }),
  });
const UpdateDocumentPayload = payload("UpdateDocumentPayload", "The document with its changes.");
const ReprocessDocumentPayload = payload("ReprocessDocumentPayload", "The document, PENDING again.");
const DeleteDocumentPayload = builder.objectRef<{ deletedId: string }>("DeleteDocumentPayload").implement({
  description: "What is gone.",
  fields: (t) => ({ deletedId: t.exposeID("deletedId", { description: "The id that the document had." }) }),
});

const documentId = (id: string) => decodeGlobalId("Document", id, ["input", "id"]);

builder.mutationFields((t) => ({
  createDocument: t.field({
    type: CreateDocumentPayload,
    authScopes: { signedIn: true },
    description: "Takes a text or a file in. It is PENDING until a worker has read it and cut it into chunks.",
    prepare: ({ input }, context) => servicesOf(context).documents.prepareCreate(input),
    args: { input: t.arg({ type: CreateDocumentInput, required: true, description: "The text." }) },
    resolve: (_root, { input }, context) => servicesOf(context).documents.create(input),
  }),
  updateDocument: t.field({
    type: UpdateDocumentPayload,
    authScopes: { signedIn: true },
    description: "Renames a document or changes who may read it.",
    args: { input: t.arg({ type: UpdateDocumentInput, required: true, description: "The changes." }) },
    resolve: async (_root, { input }, context) => ({
      document: await servicesOf(context).documents.update({ ...input, id: documentId(input.id) }),
    }),
  }),
  deleteDocument: t.field({
    type: DeleteDocumentPayload,
    authScopes: { signedIn: true },
    description: "Deletes a document with its chunks.",
    args: { input: t.arg({ type: DeleteDocumentInput, required: true, description: "The document." }) },
    resolve: async (_root, { input }, context) => {
      await servicesOf(context).documents.delete({ ...input, id: documentId(input.id) });
      return { deletedId: input.id };
    },
  }),
  reprocessDocument: t.field({
    type: ReprocessDocumentPayload,
    authScopes: { signedIn: true },
    description: "Cuts a COMPLETED or FAILED document into chunks again.",
    args: { input: t.arg({ type: ReprocessDocumentInput, required: true, description: "The document." }) },
    resolve: async (_root, { input }, context) => ({
      document: await servicesOf(context).documents.reprocess({ ...input, id: documentId(input.id) }),
    }),
  }),
}));
