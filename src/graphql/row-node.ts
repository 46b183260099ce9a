/**
 * `builder.rowNode`: the type of a model with a global id. One call declares the type, its id and the relation that finds
 * its rows; `node` and `nodes` take the relation from the type's extensions.
 */
import SchemaBuilder, { type FieldMap, type SchemaTypes } from "@pothos/core";
import type { PrismaModelTypes, PrismaNodeRef, prismaModelName, ShapeFromSelection } from "@pothos/plugin-prisma";
import type { GraphQLSchema } from "graphql";
import type { Rows } from "../database/generated/tables.ts";
import type { OneRelation } from "../eager-loading/relation.ts";
import type { Types as OurTypes } from "./builder-types.ts";
import type { ModelName, ModelTypes } from "./models.ts";

type Model<Name extends ModelName> = PrismaModelTypes & ModelTypes[Name];
type Shape<Types extends SchemaTypes, Name extends ModelName> = ShapeFromSelection<
  Types,
  Model<Name>,
  { select: unknown; include: unknown }
>;
type Ref<Types extends SchemaTypes, Name extends ModelName> = PrismaNodeRef<Types, Model<Name>, Shape<Types, Name>>;

type RowNodeOptions<Types extends SchemaTypes, Name extends ModelName> = {
  /** The relation that finds a row by the key in its global id. */
  relation: OneRelation<Rows[Name]>;
  fields: (
    t: PothosSchemaTypes.PrismaObjectFieldBuilder<
      Types,
      Model<Name>,
      Shape<Types, Name> & { [prismaModelName]?: Model<Name>["Name"] }
    >,
  ) => FieldMap;
};

declare global {
  namespace PothosSchemaTypes {
    interface SchemaBuilder<Types extends SchemaTypes> {
      /** The type of a model's rows, with a global id. Descriptions of fields come from the model. */
      rowNode<Name extends ModelName>(model: Name, options: RowNodeOptions<Types, Name>): Ref<Types, Name>;
    }
  }
}

type Builder = PothosSchemaTypes.SchemaBuilder<OurTypes>;

/** The name of the extension that holds the relation. */
const extension = "rowsById";

function rowNode<Name extends ModelName>(
  this: Builder,
  model: Name,
  options: RowNodeOptions<OurTypes, Name>,
): Ref<OurTypes, Name>;
function rowNode(this: Builder, model: ModelName, { relation, fields }: RowNodeOptions<OurTypes, ModelName>) {
  return this.prismaNode<ModelName, [], unknown, unknown, "id">(model, {
    id: { field: "id" },
    extensions: { [extension]: relation },
    fields,
  });
}

const proto = SchemaBuilder.prototype as Builder;
proto.rowNode = rowNode;

/** The relation that finds rows of a type by id; undefined if there is no such type or it has no global id. */
export function rowsById(schema: GraphQLSchema, typename: string): OneRelation | undefined {
  return schema.getType(typename)?.extensions[extension] as OneRelation | undefined;
}
