/** Read by tsc alone: a line that compiles although an error is expected there is an error. */
import { Audio } from "../../src/audio/audio.schema.ts";
import { tables } from "../../src/database/generated/tables.ts";
import { relations } from "../../src/database/relations.ts";
import { documentById } from "../../src/documents/document.relations.ts";
import { sql } from "../../src/eager-loading/sql.ts";
import { builder } from "../../src/graphql/builder.ts";
import type { ModelName } from "../../src/graphql/models.ts";
import { playlistsByAudio, trackPosition } from "../../src/playlists/playlist.relations.ts";
import { Playlist } from "../../src/playlists/playlist.schema.ts";
import { userById } from "../../src/users/user.relations.ts";

/** The field builder that `rowNode` gives to a model. */
export type FieldsOf<Name extends ModelName> = Parameters<Parameters<typeof builder.rowNode<Name>>[1]["fields"]>[0];

const playlists = {
  name: "",
  table: tables.Playlist,
  orders: { NAME: ["name"] },
  defaultOrder: { field: "NAME", direction: "ASC" },
} as const;

/** Never called. */
export const fields = {
  fieldsOfDocument: (t: FieldsOf<"Document">) => [
    t.one(userById, { by: "ownerId" }),
    // @ts-expect-error the id of a document is no key of a user
    t.one(userById, { by: "id" }),
    // @ts-expect-error a column that refers to nothing
    t.one(userById, { by: "title" }),
    // @ts-expect-error the owner is a user, not a document
    t.one(documentById, { by: "ownerId" }),
    // @ts-expect-error its rows are documents
    t.same({ type: builder.objectRef<{ email: string }>("Other"), description: "" }),
  ],
  fieldsOfChunk: (t: FieldsOf<"Chunk">) => [
    t.one(documentById, { by: "documentId" }),
    // @ts-expect-error a chunk refers to its document, not to a user
    t.one(userById, { by: "documentId" }),
    // @ts-expect-error a column that is left out of the rows
    t.exposeString("search"),
  ],
  fieldsOfAudio: (t: FieldsOf<"Audio">) => [
    t.page(playlistsByAudio, { type: Playlist, by: "id", description: "" }),
    // @ts-expect-error a number is no key
    t.page(playlistsByAudio, { type: Playlist, by: "durationMs", description: "" }),
    // @ts-expect-error its rows are playlists
    t.page(playlistsByAudio, { type: Audio, by: "id", description: "" }),
  ],
  fieldsOfTrack: (t: FieldsOf<"PlaylistTrack">) => [
    t.wide(trackPosition, { type: "Int", description: "", toValue: (position) => position }),
    // @ts-expect-error the position is a number
    t.wide(trackPosition, { type: "String", description: "", toValue: (position) => position }),
    // @ts-expect-error a computed value has no comment in the data model
    t.wide(trackPosition),
  ],
  relationsOfPages: () => [
    relations.page({ ...playlists, match: (audio, { id }) => sql`${id} = ${audio}`, keyType: "uuid" }),
    // @ts-expect-error a condition for keys whose type is unknown
    relations.page({ ...playlists, match: (audio, { id }) => sql`${id} = ${audio}` }),
    // @ts-expect-error both a column and a condition
    relations.page({ ...playlists, key: "ownerId", match: (audio, { id }) => sql`${id} = ${audio}`, keyType: "uuid" }),
  ],
  nodeOfAnotherModel: () =>
    // @ts-expect-error rows that are users are no documents
    builder.rowNode("Document", { relation: userById, fields: () => ({}) }),
  loadingByThePlugin: (t: FieldsOf<"Document">) =>
    // @ts-expect-error the plugin knows no relation
    t.relation("owner"),
};
