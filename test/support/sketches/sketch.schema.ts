import { WorkStatus } from "../../../src/database/generated/prisma/enums.ts";
import { builder } from "../../../src/graphql/builder.ts";
import { servicesOf } from "../../../src/graphql/context.ts";
import { decodeGlobalId, encodeGlobalId } from "../../../src/graphql/global-id.ts";
import { userById } from "../../../src/users/user.relations.ts";
import { allSketches } from "./sketch.relations.ts";
import type { SketchRow } from "./sketch.table.ts";

const SketchStatus = builder.enumType("SketchStatus", { values: Object.values(WorkStatus) });

// Its table is of no model, so the type is none of `builder.rowNode`.
const Sketch = builder.objectRef<SketchRow>("Sketch").implement({
  fields: (t) => ({
    id: t.id({ resolve: ({ id }) => encodeGlobalId("Sketch", id) }),
    name: t.exposeString("name"),
    url: t.string({ resolve: ({ id, name }, _args, { fileAddress }) => fileAddress("sketch", id, name) }),
    pictureUrl: t.string({ resolve: ({ id }, _args, { fileAddress }) => fileAddress("sketch-picture", id, "a.svg") }),
    owner: t.one(userById, { by: "ownerId", description: "The user who made the drawing." }),
    status: t.expose("status", { type: SketchStatus }),
    failure: t.exposeString("failure", { nullable: true }),
    lines: t.exposeInt("lines", { nullable: true }),
  }),
});

builder.queryField("sketches", (t) => t.page(allSketches, { type: Sketch, description: "All drawings." }));

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
