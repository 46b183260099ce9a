/** Read by tsc alone: a line that compiles although an error is expected there is an error. */
import { documentById } from "../../src/documents/document.relations.ts";
import { builder } from "../../src/graphql/builder.ts";
import type { ModelName } from "../../src/graphql/models.ts";
import { userById } from "../../src/users/user.relations.ts";

/** The field builder that `rowNode` gives to a model. */
export type FieldsOf<Name extends ModelName> = Parameters<Parameters<typeof builder.rowNode<Name>>[1]["fields"]>[0];

/** Never called. */
export const fields = {
  fieldsOfDocument: (t: FieldsOf<"Document">) => [
    t.one(userById, { by: "ownerId" }),
    // @ts-expect-error the id of a document is no key of a user
    t.one(userById, { by: "id" }),
    // @ts-expect-error a column that refers to nothing
    t.one(userById, { by: "title" }),
    // @ts-expect-error the owner is a user, not a document
    t.one(documentById, { by: "ownerId" }),
    // @ts-expect-error its rows are documents
    t.same({ type: builder.objectRef<{ email: string }>("Other"), description: "" }),
  ],
  fieldsOfChunk: (t: FieldsOf<"Chunk">) => [
    t.one(documentById, { by: "documentId" }),
    // @ts-expect-error a chunk refers to its document, not to a user
    t.one(userById, { by: "documentId" }),
    // @ts-expect-error a column that is left out of the rows
    t.exposeString("search"),
  ],
  nodeOfAnotherModel: () =>
    // @ts-expect-error rows that are users are no documents
    builder.rowNode("Document", { relation: userById, fields: () => ({}) }),
  loadingByThePlugin: (t: FieldsOf<"Document">) =>
    // @ts-expect-error the plugin knows no relation
    t.relation("owner"),
};
