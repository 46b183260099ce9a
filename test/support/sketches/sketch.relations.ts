import { relations } from "../../../src/database/relations.ts";
import { sketchTable } from "./sketch.table.ts";

export const sketchById = relations.one({ name: "SketchById", table: sketchTable, key: "id" });

export const sketchesByOwner = relations.page({
  name: "SketchesByOwner",
  table: sketchTable,
  key: "ownerId",
  orders: { CREATED_AT: ["createdAt"] },
  defaultOrder: { field: "CREATED_AT", direction: "DESC" },
});
