import { Role as roles } from "../database/generated/prisma/enums.ts";
import { builder } from "../graphql/builder.ts";
import { decodeGlobalId } from "../graphql/global-id.ts";
import { requireSearchText } from "../search/search-text.ts";
import { isAdmin, type Viewer as ViewerShape } from "../viewer.ts";
import { allUsers, userById } from "./user.relations.ts";

export const Role = builder.enumType("Role", {
  description: "What a user may do.",
  values: {
    [roles.VIEWER]: { description: "Reads the shared library and manages own documents." },
    [roles.EDITOR]: { description: "Also uploads audio and edits playlists and schedules." },
    [roles.ADMIN]: { description: "Also manages users and sees everything." },
  },
});

export const User = builder.rowNode("User", {
  relation: userById,
  fields: (t) => ({
    name: t.exposeString("name"),
    email: t.string({
      nullable: true,
      description: "Null unless the viewer is this user or an admin.",
      resolve: (user, _args, { viewer }) => (viewer?.id === user.id || isAdmin(viewer) ? user.email : null),
    }),
    role: t.expose("role", { type: Role }),
    createdAt: t.expose("createdAt", { type: "DateTime" }),
  }),
});

const Viewer = builder.objectRef<NonNullable<ViewerShape>>("Viewer").implement({
  description: "You, as you are signed in.",
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
    description: "You. Null when not signed in.",
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
        description: "A part of the name, without regard to case and accents; a typing mistake is forgiven.",
      }),
    },
    toArguments: ({ search }) => ({ search: search == null ? null : requireSearchText(search, ["search"]) }),
  }),
}));
