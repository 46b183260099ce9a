import { WorkStatus } from "../../../src/database/generated/prisma/enums.ts";
import { builder } from "../../../src/graphql/builder.ts";
import { servicesOf } from "../../../src/graphql/context.ts";
import { decodeGlobalId } from "../../../src/graphql/global-id.ts";
import { registerNode } from "../../../src/graphql/node.ts";
import { userById } from "../../../src/users/user.relations.ts";
import { User } from "../../../src/users/user.schema.ts";
import { sketchById, sketchesByOwner } from "./sketch.relations.ts";
import type { SketchRow } from "./sketch.table.ts";

const SketchStatus = builder.enumType("SketchStatus", { values: Object.values(WorkStatus) });

const Sketch = builder.node(builder.objectRef<SketchRow>("Sketch"), {
  description: "A drawing.",
  id: { resolve: ({ id }) => id },
  fields: (t) => ({
    name: t.exposeString("name"),
    owner: t.one(userById, { type: User, by: "ownerId", description: "Who drew it." }),
    status: t.expose("status", { type: SketchStatus }),
    lines: t.exposeInt("lines", { nullable: true }),
  }),
});
registerNode(Sketch, sketchById);

builder.objectField(User, "sketches", (t) =>
  t.page(sketchesByOwner, { type: Sketch, by: "id", description: "The user's drawings." }),
);

const CreateSketchInput = builder.inputType("CreateSketchInput", {
  fields: (t) => ({
    name: t.string({ required: true }),
    file: t.field({ type: "File", required: true }),
  }),
});

builder.mutationFields((t) => ({
  createSketch: t.field({
    type: Sketch,
    authScopes: { signedIn: true },
    args: { input: t.arg({ type: CreateSketchInput, required: true }) },
    resolve: (_root, { input }, context) => servicesOf(context).sketches.create(input),
  }),
  deleteSketch: t.boolean({
    authScopes: { signedIn: true },
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, context) => {
      await servicesOf(context).sketches.delete(decodeGlobalId("Sketch", id, ["id"]));
      return true;
    },
  }),
}));
