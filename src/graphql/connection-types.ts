/** Connection and edge types, such as `UserConnection`: created once per type and builder, when first used. */
import type { ObjectRef } from "@pothos/core";
import type { Connection } from "../eager-loading/connection.ts";
import type { Types } from "./builder-types.ts";

type Builder = PothosSchemaTypes.SchemaBuilder<Types>;

/** Per builder, as in Pothos' own plugins, so that another builder creates its own types. */
const connections = new WeakMap<Builder, Map<string, ObjectRef<Types, Connection>>>();

export function connectionOf<Row>(builder: Builder, type: ObjectRef<Types, Row>): ObjectRef<Types, Connection<Row>> {
  const known = connections.get(builder) ?? new Map();
  connections.set(builder, known);
  const made = known.get(type.name) ?? makeConnection(builder, type);
  known.set(type.name, made);
  return made;
}

function makeConnection<Row>(builder: Builder, type: ObjectRef<Types, Row>) {
  return builder.connectionObject(
    {
      type,
      name: `${type.name}Connection`,
      description: `A page of rows of type ${type.name}.`,
      fields: (t) => ({
        totalCount: t.int({
          description: "The number of rows on all pages; counted only when selected.",
          // The loaders return more than cursors and edges, which is the type that Pothos expects.
          resolve: (page) => (page as typeof page & Connection).totalCount,
        }),
      }),
    },
    { name: `${type.name}Edge`, description: `A row of type ${type.name} with its cursor.` },
  );
}
