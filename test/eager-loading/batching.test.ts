/** One statement per relation, however many rows ask: for every relation that the schema has. */
import { type GraphQLField, getNamedType, isLeafType, isObjectType } from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { documentsByOwner } from "../../src/documents/document.relations.ts";
import { answersFromRows } from "../../src/eager-loading/answers.ts";
import { askCount, askOne, askPage } from "../../src/eager-loading/ask.ts";
import { eagerOf } from "../../src/eager-loading/field.ts";
import { keysFromArray, statementOf } from "../../src/eager-loading/statement.ts";
import { buildSchema } from "../../src/graphql/schema.ts";
import { slices } from "../../src/slices.ts";
import { userById } from "../../src/users/user.relations.ts";
import { budget, traced } from "../support/budget.ts";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { globalIdOf } from "../support/global-ids.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";

const schema = await buildSchema(slices);

const settings = { MAX_QUERY_COST: "10000000", MAX_QUERY_DEPTH: "100", MAX_QUERY_TOKENS: "100000" };
const parents = 1000;

let database: TestDatabase;
let planned: Lectern;
let unplanned: Lectern;
let admin: Person;
let ids: Record<string, string[]>;

beforeAll(async () => {
  database = await freshDatabase();
  planned = await startLectern({ database, settings });
  unplanned = await startLectern({ database, settings: { ...settings, EAGER_PLAN: "off" } });
  admin = await planned.person("Ada", "ADMIN");
  await database.query(
    `insert into users (email, name, password_hash) select n || '@many.test', 'User ' || n, '-'
     from generate_series(1, $1) n`,
    [parents],
  );
  await database.query(
    `insert into documents (owner_id, title, mime_type, size_bytes, sha256, text)
     select id, 'Document of ' || name, 'text/plain', 1, md5(id::text), 'text' from users`,
  );
  await database.query(
    `insert into chunks (document_id, index, text, start_offset, end_offset, token_count)
     select id, place, 'text', 0, 1, 1 from documents, generate_series(0, 1) place`,
  );
  // As many labels as there may be.
  await database.query("insert into categories (name) select 'Category ' || n from generate_series(1, 100) n");
  await database.query("insert into events (name) select 'Event ' || n from generate_series(1, 500) n");
  await database.query(
    `insert into audio (title, filename, uploaded_by_id, category_id, event_id, mime_type, size_bytes, sha256, sent_sha256,
                        storage_key)
     select 'Audio of ' || u.name, u.id || '.mp3', u.id, c.id, e.id, 'audio/mpeg', 1, u.id, u.id, u.id
     from (select *, row_number() over (order by id) as n from users) u
     join (select id, row_number() over (order by id) as n from categories) c on c.n = 1 + u.n % 100
     join (select id, row_number() over (order by id) as n from events) e on e.n = 1 + u.n % 500`,
  );
  await database.query(
    `select complete_audio(id, claim, '{"durationMs": 1000, "peaks": "AAAA"}') from claim_audio('a worker', 10000, '1 hour')`,
  );
  await database.query("insert into playlists (name, owner_id) select 'Playlist of ' || name, id from users");
  await database.query(
    `insert into playlist_tracks (playlist_id, audio_id, rank)
     select p.id, a.id, place from playlists p join audio a on a.uploaded_by_id = p.owner_id,
       unnest(array['V1', 'V2']) place`,
  );
  // Each playlist plays on one day of a series, and once more, a minute after the one before it.
  await database.query(
    `insert into schedule_series (playlist_id, channel, time_zone, start_time, weekdays, first_day, last_day)
     select id, 'Weekly', 'UTC', to_char(time '00:00' + n * interval '1 minute', 'HH24:MI:SS'),
       array['FRIDAY'], '2100-01-01', '2100-01-01'
     from (select id, row_number() over (order by id) as n from playlists) p`,
  );
  await database.query(
    `insert into schedules (playlist_id, channel, starts_at)
     select id, 'Once', timestamptz '2100-01-01Z' + n * interval '1 minute'
     from (select id, row_number() over (order by id) as n from playlists) p`,
  );
  const all = async (type: string, table: string) =>
    (await database.query(`select id from ${table} order by id limit ${parents}`)).map(({ id }) =>
      globalIdOf(type, id as string),
    );
  ids = {
    User: await all("User", "users"),
    Document: await all("Document", "documents"),
    Chunk: await all("Chunk", "chunks"),
    Audio: await all("Audio", "audio"),
    Category: await all("Category", "categories"),
    Event: await all("Event", "events"),
    Playlist: await all("Playlist", "playlists"),
    PlaylistTrack: await all("PlaylistTrack", "playlist_tracks"),
    Schedule: await all("Schedule", "schedules"),
    ScheduleSeries: await all("ScheduleSeries", "schedule_series"),
  };
});

afterAll(async () => {
  await planned.stop();
  await unplanned.stop();
  await database.drop();
});

type Edge = { typename: string; field: GraphQLField<unknown, unknown> };

/** Every field of the schema that asks a relation for each of its parents. What a subscription tells of is one parent. */
const edges: Edge[] = Object.values(schema.getTypeMap()).flatMap((type) =>
  isObjectType(type) && type.getInterfaces().some(({ name }) => name === "Node")
    ? Object.values(type.getFields())
        .filter((field) => {
          const eager = eagerOf(field);
          return eager && "by" in eager && eager.by !== undefined;
        })
        .map((field) => ({ typename: type.name, field }))
    : [],
);

/** As much of the field as there is: rows, count, and what lies around the page. */
function selectionOf({ field }: Edge): string {
  const type = getNamedType(field.type);
  if (isLeafType(type)) return field.name;
  return eagerOf(field)?.kind === "page"
    ? `${field.name}(first: 2) { totalCount nodes { id } pageInfo { hasNextPage } }`
    : `${field.name} { id }`;
}

function queryFor(edge: Edge, count: number): string {
  const lists = [];
  const of = ids[edge.typename] ?? [];
  for (let from = 0; from < count; from += 100) {
    const some = of.slice(from, Math.min(from + 100, count));
    lists.push(`n${from}: nodes(ids: ${JSON.stringify(some)}) { ... on ${edge.typename} { ${selectionOf(edge)} } }`);
  }
  return `{ ${lists.join("\n")} }`;
}

describe("every relation of the schema", () => {
  it("is found here", () => {
    expect(edges.map(({ typename, field }) => `${typename}.${field.name}`).sort()).toEqual([
      "Audio.category",
      "Audio.event",
      "Audio.peaks",
      "Audio.playlists",
      "Audio.uploadedBy",
      "Category.audio",
      "Chunk.document",
      "Chunk.neighbours",
      "Document.chunks",
      "Document.owner",
      "Document.text",
      "Event.audio",
      "Playlist.owner",
      "Playlist.schedules",
      "Playlist.series",
      "Playlist.tracks",
      "PlaylistTrack.audio",
      "PlaylistTrack.playlist",
      "PlaylistTrack.position",
      "Schedule.playlist",
      "Schedule.series",
      "ScheduleSeries.playlist",
      "ScheduleSeries.schedules",
      "User.audio",
      "User.documents",
      "User.playlists",
    ]);
  });

  it.each(edges.map((edge) => [`${edge.typename}.${edge.field.name}`, edge] as const))(
    "%s takes as many statements for all parents, 1000 of most types, as for 1",
    async (_name, edge) => {
      const isPage = eagerOf(edge.field)?.kind === "page";
      // The parents themselves, the relation, and for a page its count.
      const statements = isPage ? 3 : 2;
      for (const count of [1, 10, ids[edge.typename]?.length ?? 0]) {
        const query = queryFor(edge, count);
        expect(await budget(planned, admin, query), `planned, ${count} parents`).toEqual({ statements, roundTrips: 1 });
        expect(await budget(unplanned, admin, query), `by levels, ${count} parents`).toEqual({
          statements,
          roundTrips: 2,
        });
      }
    },
  );
});

describe("three levels", () => {
  const query = (first: number) => `{
    users(first: ${first}) { nodes { name documents(first: 5) { totalCount nodes { title chunks(first: 5) { nodes { text } } } } } }
  }`;

  it("of users, documents and chunks are four statements for 1, 10 and 100 users", async () => {
    for (const first of [1, 10, 100]) {
      expect(await budget(planned, admin, query(first))).toEqual({ statements: 4, roundTrips: 1 });
      expect(await budget(unplanned, admin, query(first))).toEqual({ statements: 4, roundTrips: 3 });
    }
  });

  it("count one statement for a relation asked with the same arguments in several places", async () => {
    const again = `{ documents(first: 3) { nodes { a: owner { name } b: owner { email documents(first: 1) { nodes { owner { id } } } } } } }`;
    expect(await budget(planned, admin, again)).toEqual({ statements: 3, roundTrips: 1 });
  });

  it("count a statement for each different argument", async () => {
    const two = `{ user(id: "${admin.id}") { a: documents(first: 1) { nodes { id } } b: documents(first: 2) { nodes { id } } } }`;
    expect(await budget(planned, admin, two)).toEqual({ statements: 3, roundTrips: 1 });
  });

  it("filter under 100 parents in one statement", async () => {
    const filtered = `{ users(first: 100) { nodes { documents(filter: { status: [FAILED] }, first: 1) { totalCount nodes { id } } } } }`;
    const { data, cost } = await traced<{ users: { nodes: { documents: { totalCount: number } }[] } }>(
      planned,
      admin,
      filtered,
    );
    expect(cost).toMatchObject({ statements: 3, roundTrips: 1 });
    expect(data.users.nodes.map(({ documents }) => documents.totalCount)).toEqual(Array(100).fill(0));
  });

  it("look behind a cursor in one statement for 1, 10 and 100 parents", async () => {
    const newest = await traced<{ users: { nodes: { documents: { pageInfo: { endCursor: string } } }[] } }>(
      planned,
      admin,
      "{ users(first: 1) { nodes { documents(first: 1) { pageInfo { endCursor } } } } }",
    );
    const after = newest.data.users.nodes[0]?.documents.pageInfo.endCursor;
    for (const first of [1, 10, 100]) {
      const behind = `{ users(first: ${first}) { nodes { documents(first: 1, after: "${after}") { pageInfo { hasPreviousPage } } } } }`;
      expect(await budget(planned, admin, behind)).toEqual({ statements: 2, roundTrips: 1 });
      expect(await budget(unplanned, admin, behind)).toEqual({ statements: 2, roundTrips: 2 });
    }
  });

  it("read nothing but a count for totalCount alone, and no count where none is selected", async () => {
    const counted = await traced(planned, admin, "{ documents { totalCount } }");
    expect(counted.cost.batches.map(({ relation }) => relation)).toEqual(["Documents.count"]);
    const listed = await traced(planned, admin, "{ documents { nodes { id } } }");
    expect(listed.cost.batches.map(({ relation }) => relation)).toEqual(["Documents"]);
  });

  it("read the wide text only where it is selected", async () => {
    const narrow = await traced(planned, admin, "{ documents(first: 2) { nodes { title } } }");
    expect(narrow.cost.batches.map(({ relation }) => relation)).toEqual(["Documents"]);
    const wide = await traced(planned, admin, "{ documents(first: 2) { nodes { text } } }");
    expect(wide.cost.batches.map(({ relation }) => relation)).toEqual(["Documents", "DocumentText"]);
  });
});

describe("a batch", () => {
  const viewer = { id: "00000000-0000-7000-8000-000000000000", role: "ADMIN" as const, sessionId: "" };

  it("takes 100,000 keys in one statement", async () => {
    const real = (await database.query("select id from users order by id")).map(({ id }) => id as string);
    const keys = [...real, ...Array.from({ length: 100_000 - real.length }, () => crypto.randomUUID())];
    const ask = askOne(userById);
    const rows = await planned.application.reads.read(statementOf(ask, keysFromArray(ask, keys), viewer));
    const answers = answersFromRows(ask, rows);
    expect(answers.size).toBe(real.length);
    for (const id of real) expect(answers.get(id)).toMatchObject({ id });
  });

  it("pages and counts for 100,000 keys", async () => {
    const real = (await database.query("select id from users order by id")).map(({ id }) => id as string);
    const keys = [...real, ...Array.from({ length: 100_000 - real.length }, () => crypto.randomUUID())];
    const window = { size: 1, isBackward: false, order: documentsByOwner.defaultOrder };
    for (const make of [askPage, askCount]) {
      const ask = make(documentsByOwner as never, {}, window);
      const rows = await planned.application.reads.read(statementOf(ask, keysFromArray(ask, keys), viewer));
      expect(answersFromRows(ask, rows).size).toBe(real.length);
    }
  });
});
