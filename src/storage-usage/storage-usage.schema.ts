import { builder } from "../graphql/builder.ts";
import { Viewer } from "../users/user.schema.ts";
import { ledgerId, storageUsageById } from "./storage-usage.relations.ts";

builder.prismaObject("StorageUsage", {
  name: "Storage",
  fields: (t) => ({
    usedBytes: t.expose("usedBytes", { type: "Bytes" }),
    limitBytes: t.expose("limitBytes", { type: "Bytes" }),
  }),
});

builder.objectField(Viewer, "storage", (t) =>
  t.lookup(storageUsageById, { description: "How full the library's file store is.", key: () => ledgerId }),
);
