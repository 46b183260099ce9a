/**
 * The API once more, written naively: all rows in memory, every field computed for its own parent by plain loops. It
 * shares nothing with the engine but the form of cursors and of addresses, so that what both answer alike is right.
 */
import { buildSchema, execute, type GraphQLSchema, parse, printSchema } from "graphql";
import type { Application } from "../../src/application.ts";
import type { CursorCodec } from "../../src/eager-loading/cursor.ts";
import type { Viewer } from "../../src/viewer.ts";
import type { TestDatabase } from "./database.ts";

type Row = Record<string, unknown> & { id: string };
type Tables = { users: Row[]; documents: Row[]; chunks: Row[]; categories: Row[]; events: Row[] };
type PageArguments = {
  first?: number;
  last?: number;
  after?: string;
  before?: string;
  orderBy?: { field: string; direction: string };
};

export type NaiveReference = {
  answer(
    query: string,
    variables: Record<string, unknown>,
    viewer: Viewer,
  ): Promise<{ data?: unknown; errors?: unknown }>;
};

/** @param searches the only queries that `searchChunks` will be asked, and the only ones for titles and names */
export async function naiveReference(
  schema: GraphQLSchema,
  database: TestDatabase,
  forms: Pick<Application, "cursors" | "addresses">,
  searches: { chunks: readonly string[]; names: readonly string[] },
): Promise<NaiveReference> {
  const tables = await readTables(database);
  const hits = new Map<string, Row[]>();
  for (const query of searches.chunks) hits.set(query, await readHits(database, tables, query));
  const matches = new Map<string, Set<string>>();
  for (const search of searches.names) matches.set(search, await readMatches(database, search));
  const plain = buildSchema(printSchema(schema));
  return {
    async answer(query, variables, viewer) {
      const rootValue = new Naive(tables, { hits, matches }, forms, viewer).root();
      const result = await execute({ schema: plain, document: parse(query), variableValues: variables, rootValue });
      return JSON.parse(JSON.stringify(result));
    },
  };
}

async function readTables(database: TestDatabase): Promise<Tables> {
  const read = async (sql: string) => (await database.query(sql)) as Row[];
  return {
    users: await read("select * from users"),
    // The rank stands for the title's collation, which JavaScript does not share.
    documents: await read("select *, dense_rank() over (order by title)::int as title_rank from documents"),
    chunks: await read(
      "select id, document_id, generation, index, text, start_offset, end_offset, token_count from chunks",
    ),
    categories: await read("select *, dense_rank() over (order by name)::int as name_rank from categories"),
    events: await read("select *, dense_rank() over (order by name)::int as name_rank from events"),
  };
}

async function readHits(database: TestDatabase, tables: Tables, query: string): Promise<Row[]> {
  const hits: Row[] = [];
  for (const chunk of tables.chunks) {
    const [row] = await database.query(
      `with q as (select websearch_to_tsquery('lectern', lower(normalize($2, NFC) collate "und-x-icu")) as folded,
                         websearch_to_tsquery('simple', lower(normalize($2, NFC) collate "und-x-icu")) as exact)
       select (ts_rank(c.search, folded, 1)
               + (to_tsvector('simple', lower(normalize(c.text, NFC) collate "und-x-icu")) @@ exact)::int)::double precision as score,
              ts_headline('lectern', normalize(c.text, NFC), folded,
                'StartSel=<mark>, StopSel=</mark>, ShortWord=0, MinWords=12, MaxWords=30, MaxFragments=2, FragmentDelimiter=" … "') as snippet
       from chunks c, q where c.id = $1 and c.search @@ folded`,
      [chunk.id, query],
    );
    if (row) hits.push({ ...chunk, ...row });
  }
  return hits;
}

/** The titles and names that match, each compared for itself. */
async function readMatches(database: TestDatabase, search: string): Promise<Set<string>> {
  const rows = await database.query(
    `with asked as (select fold($1) as search)
     select name from (select title as name from documents union select name from users) n, asked
     where strpos(fold(name), search) > 0 or (length(search) > 2 and word_similarity(search, fold(name)) >= 0.6 and
       (select min(word_similarity(word, fold(name))) from regexp_split_to_table(search, ' ') word) > 0.25)`,
    [search],
  );
  return new Set(rows.map(({ name }) => name as string));
}

/** What the searches find, by their texts. */
type Found = { hits: Map<string, Row[]>; matches: Map<string, Set<string>> };

class Naive {
  readonly #tables: Tables;
  readonly #found: Found;
  readonly #cursors: CursorCodec;
  readonly #addresses: Application["addresses"];
  readonly #viewer: Viewer;
  #visible: Row[] | undefined;

  constructor(tables: Tables, found: Found, forms: Pick<Application, "cursors" | "addresses">, viewer: Viewer) {
    this.#tables = tables;
    this.#found = found;
    this.#cursors = forms.cursors;
    this.#addresses = forms.addresses;
    this.#viewer = viewer;
  }

  root(): object {
    return {
      node: ({ id }: { id: string }) => this.#node(id),
      nodes: ({ ids }: { ids: string[] }) => ids.map((id) => this.#node(id)),
      viewer: () => this.#viewer && { user: this.#user(this.#viewer.id) },
      user: ({ id }: { id: string }) => this.#user(this.#idOf("User", id)),
      users: (args: PageArguments & { search?: string }) => {
        const users = this.#tables.users.filter((user) => this.#matches(user.name, args.search));
        return this.#page(users, args, userOrder, "Users", (user) => this.#user(user.id));
      },
      document: ({ id }: { id: string }) => this.#document(this.#idOf("Document", id)),
      documents: (args: PageArguments) => this.#documents(this.#visibleDocuments(), args, "Documents"),
      categories: () => this.#tables.categories.toSorted(byValues(["name_rank"])).map(shownCategory),
      events: () => this.#tables.events.toSorted(byValues(["starts_at", "name_rank"])).map(shownEvent),
      searchChunks: (args: PageArguments & { query: string; documentIds?: string[] }) => {
        const only = args.documentIds?.map((id) => this.#idOf("Document", id));
        const hits = (this.#found.hits.get(args.query) ?? []).filter(
          (hit) => this.#isVisible(hit.document_id as string) && (!only || only.includes(hit.document_id as string)),
        );
        return this.#page(hits, args, scoreOrder, "ChunkHits", (hit) => ({
          __typename: "ChunkHit",
          score: hit.score,
          snippet: hit.snippet,
          chunk: () => this.#chunk(hit.id),
        }));
      },
    };
  }

  #node(globalId: string): unknown {
    const [type, id] = Buffer.from(globalId, "base64url").toString().split(":") as [string, string];
    switch (type) {
      case "User":
        return this.#user(id);
      case "Document":
        return this.#document(id);
      case "Chunk":
        return this.#chunk(id);
      case "Category":
        return this.#tables.categories.filter((row) => row.id === id).map(shownCategory)[0] ?? null;
      case "Event":
        return this.#tables.events.filter((row) => row.id === id).map(shownEvent)[0] ?? null;
      default:
        throw new Error("no such type");
    }
  }

  #idOf(type: string, globalId: string): string {
    const [found, id] = Buffer.from(globalId, "base64url").toString().split(":");
    if (found !== type || !id) throw new Error("wrong type");
    return id;
  }

  #user(id: string): unknown {
    const user = this.#tables.users.find((row) => row.id === id);
    if (!user) return null;
    const isOpen = this.#viewer?.id === id || this.#viewer?.role === "ADMIN";
    return {
      __typename: "User",
      id: globalId("User", id),
      name: user.name,
      email: isOpen ? user.email : null,
      role: user.role,
      createdAt: user.created_at,
      documents: (args: PageArguments) =>
        this.#documents(
          this.#visibleDocuments().filter((document) => document.owner_id === id),
          args,
          "DocumentsByOwner",
        ),
    };
  }

  #matches(name: unknown, search: string | null | undefined): boolean {
    return !search || this.#found.matches.get(search)?.has(name as string) === true;
  }

  #isVisible(documentId: string): boolean {
    return this.#visibleDocuments().some(({ id }) => id === documentId);
  }

  #visibleDocuments(): Row[] {
    this.#visible ??= this.#tables.documents.filter(
      (document) =>
        this.#viewer?.role === "ADMIN" || document.visibility === "SHARED" || document.owner_id === this.#viewer?.id,
    );
    return this.#visible;
  }

  #documents(documents: Row[], args: PageArguments & { filter?: DocumentFilter }, relation: string): unknown {
    const { status, visibility, search, ownerId } = args.filter ?? {};
    const owner = ownerId == null ? null : this.#idOf("User", ownerId);
    const rows = documents.filter(
      (document) =>
        (status == null || status.includes(document.status as string)) &&
        (visibility == null || document.visibility === visibility) &&
        this.#matches(document.title, search) &&
        (owner === null || document.owner_id === owner),
    );
    return this.#page(rows, args, documentOrder, relation, (document) => this.#document(document.id));
  }

  #document(id: string): unknown {
    const document = this.#visibleDocuments().find((row) => row.id === id);
    if (!document) return null;
    return {
      __typename: "Document",
      id: globalId("Document", id),
      title: document.title,
      owner: () => this.#user(document.owner_id as string),
      visibility: document.visibility,
      status: document.status,
      version: document.version,
      mimeType: document.mime_type,
      sizeBytes: Number(document.size_bytes),
      sha256: document.sha256,
      // All are pasted texts.
      originalUrl: this.#addresses.of({
        kind: "document",
        id,
        viewerId: this.#viewer?.id ?? null,
        name: `${document.title}.txt`,
      }),
      text: document.text,
      failure: document.failure,
      attempts: document.attempts,
      progress: document.progress,
      createdAt: document.created_at,
      updatedAt: document.updated_at,
      processedAt: document.processed_at,
      chunks: (args: PageArguments) => {
        const chunks = this.#tables.chunks.filter((chunk) => chunk.document_id === id);
        const requireCurrent = (cursor: Value[] | null) => {
          if (cursor && cursor[2] !== document.generation) throw new Error("out of date");
        };
        return this.#page(
          chunks,
          args,
          indexOrder,
          "ChunksByDocument",
          (chunk) => this.#chunk(chunk.id),
          requireCurrent,
        );
      },
    };
  }

  #chunk(id: string): unknown {
    const chunk = this.#tables.chunks.find((row) => row.id === id);
    if (!chunk || !this.#isVisible(chunk.document_id as string)) return null;
    return {
      __typename: "Chunk",
      id: globalId("Chunk", id),
      document: () => this.#document(chunk.document_id as string),
      index: chunk.index,
      text: chunk.text,
      startOffset: chunk.start_offset,
      endOffset: chunk.end_offset,
      tokenCount: chunk.token_count,
      neighbours: ({ before, after }: { before?: number | null; after?: number | null }) => {
        const [low, high] = [before ?? 0, after ?? 0];
        if (low < 0 || low > 10 || high < 0 || high > 10) throw new Error("too far");
        const index = chunk.index as number;
        return this.#tables.chunks
          .filter((other) => other.document_id === chunk.document_id && other.id !== id)
          .filter((other) => (other.index as number) >= index - low && (other.index as number) <= index + high)
          .sort((left, right) => (left.index as number) - (right.index as number))
          .map((other) => this.#chunk(other.id));
      },
    };
  }

  #page(
    rows: Row[],
    args: PageArguments,
    orderOf: (order: PageArguments["orderBy"]) => Order,
    relation: string,
    show: (row: Row) => unknown,
    /** Fails where the cursor is of rows that have been replaced. */
    requireCurrent: (cursor: Value[] | null) => void = () => {},
  ): unknown {
    const { first, last } = args;
    for (const size of [first, last]) if (size != null && (size < 1 || size > 100)) throw new Error("page size");
    if (first != null && last != null) throw new Error("first and last");
    const order = orderOf(args.orderBy);
    const place = `${relation} ${order.field} ${order.direction}`;
    const sorted = rows.toSorted((left, right) => compare(order, order.values(left), order.values(right)));
    const cursor = (row: Row) => this.#cursors.encode(place, order.values(row).map(order.shown(row)));
    const decode = (text: string | undefined, argument: string) =>
      text == null ? null : order.read(this.#cursors.decode(place, text, argument), this.#tables);
    const [after, before] = [decode(args.after, "after"), decode(args.before, "before")];
    const isAfter = (row: Row) => !after || compare(order, order.values(row), after) > 0;
    const isBefore = (row: Row) => !before || compare(order, order.values(row), before) < 0;
    const inside = sorted.filter((row) => isAfter(row) && isBefore(row));
    const size = first ?? last ?? 20;
    const shown = last == null ? inside.slice(0, size) : inside.slice(-size);
    const start = last == null ? 0 : Math.max(0, inside.length - size);
    const isLeft = (row: Row) => !isAfter(row) || inside.slice(0, start).includes(row);
    const isRight = (row: Row) => !isBefore(row) || inside.slice(start + size).includes(row);
    // Only what looks at the rows fails with a cursor that is out of date.
    const look = <Answer>(answer: () => Answer) => {
      return () => {
        requireCurrent(after);
        requireCurrent(before);
        return answer();
      };
    };
    const isOpenLeft = last == null && !after;
    const isOpenRight = last != null && !before;
    return {
      totalCount: look(() => rows.length),
      edges: look(() => shown.map((row) => ({ cursor: cursor(row), node: () => show(row) }))),
      nodes: look(() => shown.map(show)),
      pageInfo: {
        hasNextPage: isOpenRight ? false : look(() => sorted.some(isRight)),
        hasPreviousPage: isOpenLeft ? false : look(() => sorted.some(isLeft)),
        startCursor: look(() => (shown.length === 0 ? null : cursor(shown[0] as Row))),
        endCursor: look(() => (shown.length === 0 ? null : cursor(shown.at(-1) as Row))),
      },
    };
  }
}

const shownCategory = ({ id, name, version }: Row) => ({
  __typename: "Category",
  id: globalId("Category", id),
  name,
  version,
});

const shownEvent = ({ id, name, version, starts_at: startsAt, ends_at: endsAt }: Row) => ({
  __typename: "Event",
  id: globalId("Event", id),
  name,
  version,
  startsAt,
  endsAt,
});

/** Ascending by the columns; null is the last of all. */
const byValues = (columns: readonly string[]) => (left: Row, right: Row) => {
  const column = columns.find((name) => Number(left[name]) !== Number(right[name]));
  if (column === undefined) return 0;
  const [one, other] = [left[column], right[column]];
  if (one === null || other === null) return one === null ? 1 : -1;
  return Number(one) - Number(other);
};

type DocumentFilter = { status?: string[]; visibility?: string; search?: string; ownerId?: string };
type Value = string | number;

type Order = {
  field: string;
  direction: string;
  /** What rows are compared by, ending in the id. */
  values(row: Row): Value[];
  /** What a cursor holds in place of a value. */
  shown(row: Row): (value: Value, index: number) => unknown;
  /** The values again, from a cursor. */
  read(cursor: readonly (string | null)[], tables: Tables): Value[];
};

function orderBy(field: string, direction: string, column: string): Order {
  const isTime = column.endsWith("_at");
  return {
    field,
    direction,
    values: (row) => [isTime ? (row[column] as Date).toISOString() : (row[column] as Value), row.id],
    shown: () => (value) => value,
    read: ([value, id]) => [isTime ? (value as string) : Number(value), id as string],
  };
}

const userOrder = () => orderBy("CREATED_AT", "ASC", "created_at");
/** A cursor of a chunk also tells the generation, which is the same for all chunks of a document. */
const indexOrder = (): Order => ({
  ...orderBy("INDEX", "ASC", "index"),
  values: (row) => [row.index as number, row.id, row.generation as number],
  read: ([index, id, generation]) => [Number(index), id as string, Number(generation)],
});
const scoreOrder = () => orderBy("SCORE", "DESC", "score");

function documentOrder(order: PageArguments["orderBy"]): Order {
  const { field, direction } = order ?? { field: "CREATED_AT", direction: "DESC" };
  if (field !== "TITLE") return orderBy(field, direction, field === "CREATED_AT" ? "created_at" : "updated_at");
  return {
    field,
    direction,
    values: (row) => [row.title_rank as number, row.id],
    shown: (row) => (value, index) => (index === 0 ? row.title : value),
    read: ([title, id], { documents }) => [
      documents.find((document) => document.title === title)?.title_rank as number,
      id as string,
    ],
  };
}

function compare({ direction }: Order, left: Value[], right: Value[]): number {
  for (const [index, value] of left.entries()) {
    const other = right[index] as Value;
    if (value !== other) return (value < other ? -1 : 1) * (direction === "ASC" ? 1 : -1);
  }
  return 0;
}

function globalId(type: string, id: string): string {
  return Buffer.from(`${type}:${id}`).toString("base64url");
}
