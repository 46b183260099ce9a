/** Watching documents: what each viewer is told of a change. */
import type { Visibility } from "../database/generated/prisma/enums.ts";
import { builder } from "../graphql/builder.ts";
import { type Change, scopeOf } from "../graphql/context.ts";
import { decodeGlobalId, encodeGlobalId } from "../graphql/global-id.ts";
import type { OutboxEvent } from "../outbox/outbox-event.ts";
import type { Viewer } from "../viewer.ts";
import { documentById, isDocumentVisible } from "./document.relations.ts";

/** Part of what the table's `record_changes` shows. */
type Payload = {
  change: "created" | "updated" | "deleted";
  ownerId: string;
  visibility: Visibility;
  before?: { ownerId: string; visibility: Visibility };
};

type DocumentChangeShape = { cursor: string; documentId: string | null; deletedId: string | null };

const DocumentChange = builder.objectRef<DocumentChangeShape>("DocumentChange").implement({
  description: "A change of a document. Either `document` or `deletedId` is present.",
  fields: (t) => ({
    cursor: t.exposeString("cursor", {
      description: "The change's position. Subscribe with it as `after` to get all changes after this one.",
    }),
    document: t.one(documentById, {
      by: "documentId",
      nullable: true,
      description: "The document as it is now, which may include later changes.",
    }),
    deletedId: t.exposeID("deletedId", {
      nullable: true,
      description: "The id of a document that was deleted or that you may no longer see.",
    }),
  }),
});

builder.subscriptionField("documentChanged", (t) =>
  t.field({
    type: DocumentChange,
    description: "Changes of documents that you may see: created, changed, of another status or progress, deleted.",
    args: {
      id: t.arg.id({ description: "Only changes of this document." }),
      after: t.arg.string({
        description: "The cursor of a change: those after it are sent first. Default: only new changes.",
      }),
    },
    subscribe: (_root, { id, after }, context) =>
      scopeOf(context.subscription, "Only a subscription watches.").watch({
        topic: "document",
        rowId: id == null ? null : decodeGlobalId("Document", id, ["id"]),
        after,
        toChange: (event, viewer) => toChange(event as OutboxEvent<Payload>, viewer),
      }) as Promise<AsyncIterable<DocumentChangeShape>>,
    resolve: (change) => change,
  }),
);

function toChange({ rowId, payload }: OutboxEvent<Payload>, viewer: Viewer): Change | null {
  const gone = { shown: { documentId: null, deletedId: encodeGlobalId("Document", rowId) } };
  const { change, before } = payload;
  if (change === "deleted") return isDocumentVisible(viewer, payload) ? gone : null;
  if (!isDocumentVisible(viewer, payload)) return before && isDocumentVisible(viewer, before) ? gone : null;
  // As it is by now: what happened since to take it away is told by an event of its own.
  return { shown: { documentId: rowId, deletedId: null }, row: { relation: documentById, key: rowId } };
}
