import type { Visibility } from "../database/generated/prisma/enums.ts";
import { changeSubscription } from "../graphql/change-subscription.ts";
import { documentById } from "./document.relations.ts";
import { isDocumentVisible } from "./document.visibility.ts";

changeSubscription<{ ownerId: string; visibility: Visibility }>("Document", {
  topic: "document",
  relation: documentById,
  isVisible: isDocumentVisible,
  description: "Changes of documents that you may see: created, changed, of another status or progress, deleted.",
});
