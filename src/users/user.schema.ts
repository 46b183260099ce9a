import { Role as roles } from "../database/generated/prisma/enums.ts";
import { builder } from "../graphql/builder.ts";
import { decodeGlobalId } from "../graphql/global-id.ts";
import { requireSearchText } from "../search/search-text.ts";
import { isAdmin, type Viewer as ViewerShape } from "../viewer.ts";
import { allUsers, userById } from "./user.relations.ts";

export const Role = builder.enumType("Role", {
  description: "The rights of a user. An ADMIN has those of an EDITOR, who has those of a VIEWER.",
  values: {
    [roles.VIEWER]: { description: "Reads shared documents, and creates, changes and deletes own ones." },
    [roles.EDITOR]: {
      description: "Also uploads, changes and deletes audio, categories, events, playlists and schedules.",
    },
    [roles.ADMIN]: {
      description: "Also reads, changes and deletes all documents, sees e-mail addresses, and changes roles.",
    },
  },
});

export const User = builder.rowNode("User", {
  relation: userById,
  fields: (t) => ({
    name: t.exposeString("name"),
    email: t.string({
      nullable: true,
      description: "The e-mail address; null unless you are this user or an admin.",
      resolve: (user, _args, { viewer }) => (viewer?.id === user.id || isAdmin(viewer) ? user.email : null),
    }),
    role: t.expose("role", { type: Role }),
    createdAt: t.expose("createdAt", { type: "DateTime" }),
  }),
});

export const Viewer = builder.objectRef<NonNullable<ViewerShape>>("Viewer").implement({
  description: "The user who is signed in.",
  fields: (t) => ({
    user: t.lookup(userById, { description: "Your account.", key: (_args, viewer) => viewer?.id ?? null }),
  }),
});

builder.queryFields((t) => ({
  viewer: t.field({
    type: Viewer,
    nullable: true,
    skipTypeScopes: true,
    authScopes: { trusted: true },
    description: "The user who is signed in; null when nobody is.",
    resolve: (_root, _args, { viewer }) => viewer,
  }),
  user: t.lookup(userById, {
    nullable: true,
    description: "A user by id; null when there is none.",
    args: { id: t.arg.id({ required: true, description: "The user's id." }) },
    key: ({ id }) => decodeGlobalId("User", id, ["id"]),
  }),
  users: t.page(allUsers, {
    type: User,
    description: "All users, oldest first.",
    args: {
      search: t.arg.string({
        description:
          "Users whose name contains this text. Case and accents are ignored, and a typing mistake is tolerated.",
      }),
    },
    toArguments: ({ search }) => ({ search: search == null ? null : requireSearchText(search, ["search"]) }),
  }),
}));
