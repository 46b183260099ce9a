/** What a relation's field takes from the data model, and what is refused: by the compiler, and when the schema is built. */
import SchemaBuilder from "@pothos/core";
import { getNullableType, isNonNullType, isObjectType } from "graphql";
import { describe, expect, it } from "vitest";
import { allCategories } from "../../src/categories/category.relations.ts";
import { chunksByDocument, neighboursByChunk } from "../../src/documents/chunk.relations.ts";
import { documentById, documentsByOwner, documentText } from "../../src/documents/document.relations.ts";
import { Document } from "../../src/documents/document.schema.ts";
import { builder } from "../../src/graphql/builder.ts";
import type { BuilderTypes, Types } from "../../src/graphql/builder-types.ts";
import { rowsById } from "../../src/graphql/row-node.ts";
import { buildSchema } from "../../src/graphql/schema.ts";
import { allPlaylists, playlistsByAudio, trackPosition } from "../../src/playlists/playlist.relations.ts";
import { Playlist } from "../../src/playlists/playlist.schema.ts";
import { slices } from "../../src/slices.ts";
import { userById } from "../../src/users/user.relations.ts";
import type { FieldsOf } from "./relation-fields.types.ts";

const schema = await buildSchema(slices);

describe("a relation's field", () => {
  const owner = fieldOf("Document", "owner");

  it("is of the type that shows the relation's rows, nullable as the column is, described as in the data model", () => {
    expect([String(owner.type), owner.description]).toEqual(["User!", "The user who created it."]);
    const text = fieldOf("Document", "text");
    expect(isNonNullType(text.type)).toBe(false);
    expect(String(getNullableType(text.type))).toBe("String");
    expect(text.description).not.toContain("@omit");
  });

  it.each<[string, (t: FieldsOf<"Document">) => ReturnType<FieldsOf<"Document">["string"]>, string]>([
    [
      "by a column that does not refer to its rows",
      (t) => t.one(userById, { by: "id" as "ownerId" }) as never,
      "UserById finds rows by users.id, which Document.id does not refer to.",
    ],
    [
      "for rows that do not refer to the parent",
      (t) => t.page(documentsByOwner, { type: Document, description: "" }) as never,
      "DocumentsByOwner finds rows by documents.ownerId, which does not refer to Document.",
    ],
  ])("is refused %s", (_case, field, message) => {
    const other = new SchemaBuilder<BuilderTypes>(builder.options);
    other.queryType({ fields: (t) => ({ nothing: t.int({ resolve: () => 0 }) }) });
    other.rowNode("Document", { relation: documentById, fields: (t) => ({ wrong: field(t) }) });
    expect(() => other.toSchema()).toThrow(message);
  });

  it("of a wide column is refused on any other type", () => {
    const other = new SchemaBuilder<BuilderTypes>(builder.options);
    other.queryType({ fields: (t) => ({ text: t.wide(documentText) as never }) });
    expect(() => other.toSchema()).toThrow("DocumentText is a column of Document: no other type shows it.");
  });

  it("of a computed value is never null, described by itself, and refused on any other type", () => {
    const position = fieldOf("PlaylistTrack", "position");
    expect([String(position.type), position.description]).toEqual(["Int!", "Its index in the playlist, from 0."]);
    const other = new SchemaBuilder<BuilderTypes>(builder.options);
    const options = { type: "Int", description: "", toValue: (position: number | null) => position } as const;
    other.queryType({ fields: (t) => ({ position: t.wide(trackPosition, options) as never }) });
    expect(() => other.toSchema()).toThrow("TrackPosition is a column of PlaylistTrack: no other type shows it.");
  });

  it("of a list or page is refused with a key that the relation does not have, and without one that it has", () => {
    const refused = (rows: (t: PothosSchemaTypes.QueryFieldBuilder<Types, object>) => unknown) => {
      const other = new SchemaBuilder<BuilderTypes>(builder.options);
      other.queryType({ fields: (t) => ({ rows: rows(t) as never }) });
      return expect(() => other.toSchema());
    };
    const options = { type: builder.objectRef<object>("Row"), description: "", size: 1 };
    refused((t) => t.rows(allCategories, { ...options, by: "id" as never })).toThrow(
      "Categories has no key of its own: omit `by`.",
    );
    refused((t) => t.rows(neighboursByChunk, options)).toThrow("NeighboursByChunk finds rows by a key: say `by`.");
    const page = { type: Playlist, description: "" };
    refused((t) => t.page(allPlaylists, { ...page, by: "id" as never })).toThrow(
      "AllPlaylists has no key of its own: omit `by`.",
    );
    refused((t) => t.page(playlistsByAudio, page)).toThrow("PlaylistsByAudio finds rows by a key: say `by`.");
  });

  it("of a relation with a key is refused on a type of no model", () => {
    const other = new SchemaBuilder<BuilderTypes>(builder.options);
    other.queryType({
      fields: (t) => ({
        chunks: t.page(chunksByDocument, { type: other.objectRef("Chunk"), description: "" }) as never,
      }),
    });
    expect(() => other.toSchema()).toThrow("ChunksByDocument finds rows by chunks.documentId, which does not refer to");
  });
});

describe("a type of rows", () => {
  it("says by which relation node finds them", () => {
    expect(rowsById(schema, "Document")).toBe(documentById);
    expect(rowsById(schema, "User")).toBe(userById);
    expect(rowsById(schema, "DocumentConnection")).toBeUndefined();
    expect(rowsById(schema, "Nothing")).toBeUndefined();
  });

  it("is of every model that implements Node", () => {
    const nodes = Object.values(schema.getTypeMap()).filter(
      (type) => isObjectType(type) && type.getInterfaces().some(({ name }) => name === "Node"),
    );
    expect(nodes.map(({ name }) => name).sort()).toEqual([
      "Audio",
      "Category",
      "Chunk",
      "Document",
      "Event",
      "Playlist",
      "PlaylistTrack",
      "Schedule",
      "ScheduleSeries",
      "User",
    ]);
    for (const { name } of nodes) expect(rowsById(schema, name), name).toBeDefined();
  });
});

it("Pothos' Prisma plugin has no client to load with", () => {
  const { client } = builder.options.prisma;
  expect(client).toBeTypeOf("function");
  expect(client).toThrow("Rows are loaded by relations");
});

function fieldOf(typename: string, name: string) {
  const type = schema.getType(typename);
  const field = isObjectType(type) ? type.getFields()[name] : undefined;
  if (!field) throw new Error(`${typename} has no field ${name}.`);
  return field;
}
