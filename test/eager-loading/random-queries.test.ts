/** Random queries over the whole schema answer the same with the plan, without it, and naively. */
import fc from "fast-check";
import {
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isObjectType,
} from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tables } from "../../src/database/generated/tables.ts";
import { eagerOf } from "../../src/eager-loading/field.ts";
import { buildSchema } from "../../src/graphql/schema.ts";
import { slices } from "../../src/slices.ts";
import type { Viewer } from "../../src/viewer.ts";
import { askTraced } from "../support/budget.ts";
import type { TestDatabase } from "../support/database.ts";
import { freshDatabase } from "../support/fresh-database.ts";
import { globalIdOf, uuidOf } from "../support/global-ids.ts";
import { type Lectern, type Person, startLectern } from "../support/lectern.ts";
import { type NaiveReference, naiveReference, withReadableAddresses } from "../support/naive-reference.ts";
import { generateQuery, type Pools } from "../support/query-generator.ts";
import { fillAudio, fillLibrary, processAgain, randomFrom } from "../support/random-library.ts";
import { channels, fillPlaylists, freezeNowPlaying, frozenNow } from "../support/random-playlists.ts";
import { rounds } from "../support/rounds.ts";

const schema = await buildSchema(slices);
const affordable = withShortLists(await buildSchema(slices));

const seed = Number(process.env.LECTERN_SEED ?? Date.now() % 1_000_000);
const numRuns = Number(process.env.LECTERN_RUNS ?? rounds(500, 2_000));
const searches = {
  chunks: ["zebra", "nguoi", "người", "song -zebra", "duong or river", '"chunk"'],
  names: ["ngo", "Đ", "zebra", "nguoi", "a", "nothing", "zebar", "xua duong", "đuông xưa", "nguoi vieewer"],
};
// Everything may be asked for here: what is tested is the answer, not its price.
const settings = { MAX_QUERY_COST: "10000000", MAX_QUERY_DEPTH: "100", MAX_QUERY_TOKENS: "100000" };

let database: TestDatabase;
let planned: Lectern;
let unplanned: Lectern;
let reference: NaiveReference;
let pools: Pools;
let people: { person: Person; viewer: Viewer }[];

beforeAll(async () => {
  database = await freshDatabase();
  planned = await startLectern({ database, settings });
  unplanned = await startLectern({ database, settings: { ...settings, EAGER_PLAN: "off" } });
  const roles = ["VIEWER", "VIEWER", "EDITOR", "ADMIN"] as const;
  people = [];
  for (const role of roles) {
    const person = await planned.person(`Người ${role}`, role);
    const id = uuidOf(person.id);
    people.push({ person, viewer: { id, role, sessionId: "" } });
  }
  const random = randomFrom(seed);
  await fillLibrary(database, random, { documents: 40, chunks: 7 });
  await fillAudio(database, random, { audio: 40 });
  await fillPlaylists(database, random, { playlists: 12, tracks: 6 });
  await freezeNowPlaying(database);
  reference = await naiveReference(schema, database, planned.application.cursors, searches);
  const before = await collectPools();
  // Cursors of a few documents are out of date from the beginning; some of these documents have no chunks any more.
  const again = await database.query("select id from documents where status <> 'PROCESSING' order by id limit 8");
  for (const { id } of again) {
    const texts = Array.from({ length: Math.floor(random() * 5) }, (_, index) => `zebra ${index}`);
    await processAgain(database, id as string, texts);
  }
  reference = await naiveReference(schema, database, planned.application.cursors, searches);
  pools = await collectPools();
  const chunkCursors = [...(before.cursors.ChunkConnection ?? []), ...(pools.cursors.ChunkConnection ?? [])];
  pools = { ...pools, cursors: { ...pools.cursors, ChunkConnection: [...new Set(chunkCursors)] } };
});

afterAll(async () => {
  await planned.stop();
  await unplanned.stop();
  await database.drop();
});

/** The schema for the generator, to which a root list costs what the few rows of this library do. */
function withShortLists(copy: GraphQLSchema): GraphQLSchema {
  for (const name of ["categories", "events"]) {
    const field = copy.getQueryType()?.getFields()[name];
    if (field) field.extensions = { ...field.extensions, complexity: { field: 6, multiplier: 6 } };
  }
  return copy;
}

/** Ids and cursors that exist, and some that do not. */
async function collectPools(): Promise<Pools> {
  const admin = people.at(-1) as (typeof people)[number];
  const query = `{
    users(first: 100) { edges { cursor node { id } } }
    documents(first: 100) { edges { cursor node { id chunks(first: 100) { edges { cursor node { id } } } } } }
    byTitle: documents(first: 100, orderBy: { field: TITLE, direction: ASC }) { edges { cursor } }
    searchChunks(query: "zebra", first: 100) { edges { cursor } }
    audios(first: 100) { edges { cursor node { id } } }
    longest: audios(first: 100, orderBy: { field: DURATION, direction: DESC }) { edges { cursor } }
    categories { id audio(first: 100) { edges { cursor } } }
    events { id audio(first: 100, orderBy: { field: DURATION, direction: ASC }) { edges { cursor } } }
    playlists(first: 100) {
      edges { cursor node { id tracks(first: 100) { edges { cursor node { id } } } series(first: 100) { edges { cursor node { id } } } } }
    }
    oldest: playlists(first: 100, orderBy: { field: CREATED_AT, direction: ASC }) { edges { cursor } }
    schedules(first: 100) { edges { cursor node { id } } }
  }`;
  type Edges = { edges: { cursor: string; node: { id: string } & Record<"chunks" | "tracks" | "series", Edges> }[] };
  type Labels = { id: string; audio: Edges }[];
  const answer = await reference.answer(query, {}, admin.viewer);
  const { categories, events, ...data } = answer.data as Record<string, Edges> &
    Record<"categories" | "events", Labels>;
  const labels = [...categories, ...events];
  const idsOf = (connection?: Edges) => connection?.edges.map(({ node }) => node.id) ?? [];
  const cursorsOf = (connection?: Edges) => connection?.edges.map(({ cursor }) => cursor) ?? [];
  const chunks = data.documents?.edges.flatMap(({ node }) => node.chunks.edges) ?? [];
  const [users, documents, audio] = [idsOf(data.users), idsOf(data.documents), idsOf(data.audios)];
  const [categoryIds, eventIds] = [categories, events].map((all) => all.map(({ id }) => id)) as [string[], string[]];
  const [tracks, series] = (["tracks", "series"] as const).map((field) => ({
    edges: data.playlists?.edges.flatMap(({ node }) => node[field].edges) ?? [],
  }));
  const [playlists, schedules] = [idsOf(data.playlists), idsOf(data.schedules)];
  const missing = (type: string) => globalIdOf(type, crypto.randomUUID());
  const anything = [
    ...users,
    ...documents.slice(0, 10),
    ...chunks.slice(0, 10).map(({ node }) => node.id),
    ...audio.slice(0, 10),
    ...labels.map(({ id }) => id),
    ...playlists,
    ...idsOf(tracks).slice(0, 10),
    ...schedules.slice(0, 10),
    ...idsOf(series),
    ...["Document", "Audio", "Category", "Playlist", "PlaylistTrack", "Schedule"].map(missing),
  ];
  return {
    ids: {
      id: anything,
      ids: anything,
      "Query.user.id": [...users, missing("User")],
      "Query.document.id": [...documents, missing("Document")],
      "Query.audio.id": [...audio, missing("Audio")],
      "Query.playlist.id": [...playlists, missing("Playlist")],
      "Query.schedule.id": [...schedules, missing("Schedule")],
      "Query.scheduleSeries.id": [...idsOf(series), missing("ScheduleSeries")],
      categoryId: [...categoryIds, missing("Category")],
      eventId: eventIds,
      uploadedById: [...users, ...audio.slice(0, 1)],
      ownerId: users,
      documentIds: documents,
    },
    cursors: {
      UserConnection: cursorsOf(data.users),
      DocumentConnection: [...cursorsOf(data.documents), ...cursorsOf(data.byTitle)],
      ChunkConnection: chunks.map(({ cursor }) => cursor),
      ChunkHitConnection: cursorsOf(data.searchChunks),
      AudioConnection: [data.audios, data.longest, ...labels.map(({ audio }) => audio)].flatMap(cursorsOf),
      PlaylistConnection: [...cursorsOf(data.playlists), ...cursorsOf(data.oldest)],
      PlaylistTrackConnection: cursorsOf(tracks),
      ScheduleConnection: cursorsOf(data.schedules),
      ScheduleSeriesConnection: cursorsOf(series),
    },
    texts: {
      query: searches.chunks,
      search: searches.names,
      channel: [...channels, ` ${channels[0]} `, "silent", " "],
      DateTime: [0, 1, 29, 60, 120, 100_000].map((minutes) =>
        new Date(frozenNow.getTime() + minutes * 60_000).toISOString(),
      ),
    },
  };
}

type Answer = {
  data?: unknown;
  errors?: { message: string; extensions: { code: string } }[];
  extensions?: { lectern: { statements: number; batches: { planned: boolean }[] } };
};

describe("random queries", () => {
  it(`answer the same with the plan, without it, and naively (LECTERN_SEED=${seed}, ${numRuns} queries)`, async () => {
    let statements = 0;
    let foreseen = 0;
    let withRows = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(people.length - 1), async (querySeed, who) => {
        const { person, viewer } = people[who] as (typeof people)[number];
        const random = randomFrom(querySeed);
        const choose = (most: number) => Math.floor(random() * (most + 1));
        const body = generateQuery(affordable, choose, pools);
        const expected = await reference.answer(body.query, body.variables, viewer);
        const [on, off] = await Promise.all([
          askTraced<Answer>(planned, person, body),
          askTraced<Answer>(unplanned, person, body),
        ]);
        const shown = `${body.query}\n${JSON.stringify(body.variables)}`;
        for (const answer of [on, off]) {
          expect(withReadableAddresses(answer.data ?? null), shown).toEqual(expected.data ?? null);
          expect(answer.errors !== undefined, `${shown}\n${JSON.stringify(answer.errors)}`).toBe(
            expected.errors !== undefined,
          );
          for (const error of answer.errors ?? []) expect(error.extensions.code, shown).toBe("BAD_USER_INPUT");
        }
        const batches = on.extensions?.lectern.batches ?? [];
        statements += batches.length;
        foreseen += batches.filter((batch) => batch.planned).length;
        if (batches.length > 1) withRows++;
      }),
      // A smaller seed is no smaller query, so nothing is gained by shrinking.
      { seed, numRuns, endOnFailure: true },
    );
    // A test of the plan that never plans, or of queries that never ask, would prove nothing.
    expect(withRows).toBeGreaterThan(numRuns / 3);
    expect(foreseen / statements).toBeGreaterThan(0.8);
  }, 240_000);
});

describe("a walk over the pages of audio, some of which has no duration", () => {
  const orders = ["UPLOADED_AT", "TITLE", "DURATION"].flatMap((field) =>
    ["ASC", "DESC"].map((direction) => ({ field, direction })),
  );
  type Page = {
    edges: { node: { id: string; durationMs: number | null } }[];
    pageInfo: Record<"startCursor" | "endCursor", string> & Record<"hasNextPage" | "hasPreviousPage", boolean>;
  };
  type Answers = { categories: { audio: Page }[]; audios: Page };

  it.each(orders)("by $field $direction shows on each page the rows that the reference shows", async (orderBy) => {
    const { person, viewer } = people[0] as (typeof people)[number];
    const page = `pageInfo { startCursor endCursor hasNextPage hasPreviousPage } edges { cursor node { id durationMs } }`;
    const ask = async <Answer>(field: string, variables: object) => {
      const { data } = await reference.answer(query(field), { orderBy, ...variables }, viewer);
      for (const lectern of [planned, unplanned]) {
        const body = { query: query(field), variables: { orderBy, ...variables } };
        expect(await askTraced(lectern, person, body)).toMatchObject({ data });
      }
      return data as Answer;
    };
    const query = (field: string) =>
      `query ($orderBy: AudioOrder, $first: Int, $last: Int, $after: String, $before: String) { ${field} }`;
    const audio = `(orderBy: $orderBy, first: $first, last: $last, after: $after, before: $before) { ${page} }`;

    const { audios: all } = await ask<Answers>(`audios${audio}`, { first: 100 });
    const [walked, back]: string[][] = [[], []];
    for (let after: string | null = null, more = true; more; ) {
      const { edges, pageInfo }: Page = (await ask<Answers>(`audios${audio}`, { first: 7, after })).audios;
      walked?.push(...edges.map(({ node }) => node.id));
      [after, more] = [pageInfo.endCursor, pageInfo.hasNextPage];
    }
    for (let before: string | null = null, more = true; more; ) {
      const { edges, pageInfo }: Page = (await ask<Answers>(`audios${audio}`, { last: 7, before })).audios;
      back?.unshift(...edges.map(({ node }) => node.id));
      [before, more] = [pageInfo.startCursor, pageInfo.hasPreviousPage];
    }
    const ids = all.edges.map(({ node }) => node.id);
    expect(ids).toHaveLength(40);
    expect(all.edges.filter(({ node }) => node.durationMs === null).length).toBeGreaterThan(5);
    expect([walked, back]).toEqual([ids, ids]);
    const { categories } = await ask<Answers>(`categories { audio${audio} }`, { first: 2 });
    expect(categories.flatMap((category) => category.audio.edges).length).toBeGreaterThan(5);
  });
});

describe("each relation, asked by all rows of its parents at once, answers as the reference does:", () => {
  const names = Object.values(schema.getTypeMap()).flatMap((type) =>
    isObjectType(type) && type.getInterfaces().some(({ name }) => name === "Node")
      ? Object.values(type.getFields())
          .filter((field) => eagerOf(field) !== undefined)
          .map((field) => [`${type.name}.${field.name}`, type.name, field] as const)
      : [],
  );
  type Edges = { edges: { cursor: string; node: { id: string } }[] };
  type Nodes = { nodes: ({ it?: Edges | null } | null)[] };

  async function answerOf(query: string, { person, viewer }: (typeof people)[number]): Promise<Nodes> {
    const expected = await reference.answer(query, {}, viewer);
    for (const lectern of [planned, unplanned]) {
      const answer = await askTraced<Answer>(lectern, person, { query });
      expect(withReadableAddresses(answer.data ?? null), query).toEqual(expected.data ?? null);
      expect(answer.errors === undefined, query).toBe(expected.errors === undefined);
    }
    return expected.data as Nodes;
  }

  it.each(names)("%s", async (_name, typename, field) => {
    const rows = await database.query(`select id from ${tableOf(typename)} order by id limit 100`);
    const ids = JSON.stringify(rows.map(({ id }) => globalIdOf(typename, id as string)));
    const ask = (selection: string) => `{ nodes(ids: ${ids}) { ... on ${typename} { it: ${selection} } } }`;
    const type = getNamedType(field.type);
    let found = 0;
    for (const one of [people[0], people.at(-1)] as typeof people) {
      if (eagerOf(field)?.kind !== "page") {
        const { nodes } = await answerOf(ask(isLeafType(type) ? field.name : `${field.name} { id }`), one);
        found += nodes.filter((node) => node?.it != null).length;
        continue;
      }
      const page = (args: string) =>
        ask(`${field.name}(${args}) { totalCount edges { cursor node { id } } nodes { id }
          pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }`);
      for (const variant of variantsOf(field)) {
        const all = (await answerOf(page(`${variant} first: 100`), one)).nodes.flatMap((node) => node?.it?.edges ?? []);
        found += all.length;
        const cursor = all[all.length >> 1]?.cursor;
        for (const window of ["first: 2", "last: 2", ...(cursor ? [`first: 1, after: "${cursor}"`] : [])]) {
          await answerOf(page(`${variant} ${window}`), one);
        }
        if (cursor) await answerOf(page(`${variant} last: 1, before: "${cursor}"`), one);
      }
    }
    // An answer without rows would show nothing.
    expect(found).toBeGreaterThan(5);
  });

  const tableOf = (typename: string) => tables[typename as keyof typeof tables].name;

  /** The arguments for each order of a page, and for a range of time. */
  function variantsOf({ args }: GraphQLField<unknown, unknown>): string[] {
    if (args.some(({ name }) => name === "from")) {
      const at = (minutes: number) => new Date(frozenNow.getTime() + minutes * 60_000).toISOString();
      return ["", `from: "${at(0)}"`, `to: "${at(300)}"`, `from: "${at(31)}", to: "${at(100_000)}"`];
    }
    const order = args.find(({ name }) => name === "orderBy")?.type;
    const by = order && isInputObjectType(order) ? getNamedType(order.getFields().field?.type) : undefined;
    if (!isEnumType(by)) return [""];
    return by
      .getValues()
      .flatMap(({ name }) => [
        `orderBy: { field: ${name}, direction: ASC }`,
        `orderBy: { field: ${name}, direction: DESC }`,
      ]);
  }
});
