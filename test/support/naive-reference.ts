/**
 * The API once more, written naively: all rows in memory, every field computed for its own parent by plain loops. It
 * shares nothing with the engine but the form of cursors, so that what both answer alike is right.
 *
 * Addresses of files change with the time. Both sides are compared by what their addresses say: `withReadableAddresses`.
 */
import { buildSchema, execute, type GraphQLSchema, parse, printSchema } from "graphql";
import type { CursorCodec } from "../../src/eager-loading/cursor.ts";
import type { Viewer } from "../../src/viewer.ts";
import type { TestDatabase } from "./database.ts";
import {
  compare,
  idOf,
  naivePage,
  type Order,
  orderBy,
  orderByCollation,
  type PageArguments,
  type Row,
  type Value,
} from "./naive-pages.ts";
import { NaivePlaylists, readPlaylistTables } from "./naive-playlists.ts";
import { frozenNow } from "./random-playlists.ts";

type Tables = {
  users: Row[];
  documents: Row[];
  chunks: Row[];
  audio: Row[];
  categories: Row[];
  events: Row[];
  storageUsage: Row[];
  playlists: Awaited<ReturnType<typeof readPlaylistTables>>;
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
  cursors: CursorCodec,
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
      const rootValue = new Naive(tables, { hits, matches }, cursors, viewer).root();
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
    audio: await read(
      `select *, dense_rank() over (order by title)::int as title_rank,
              title || coalesce(' ' || artist, '') || coalesce(' ' || album, '') as words from audio`,
    ),
    // By their names, in the collation of the column.
    categories: await read("select * from categories order by name"),
    events: await read("select * from events order by name"),
    storageUsage: await read("select * from storage_usage"),
    playlists: await readPlaylistTables(database),
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

/** The titles, names and words of audio that match, each compared for itself. */
async function readMatches(database: TestDatabase, search: string): Promise<Set<string>> {
  const rows = await database.query(
    `with asked as (select fold($1) as search)
     select name from (
       select title as name from documents union select name from users union select name from playlists
       union select title || coalesce(' ' || artist, '') || coalesce(' ' || album, '') from audio) n, asked
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
  readonly #viewer: Viewer;
  readonly #playlists: NaivePlaylists;
  #visible: Row[] | undefined;

  constructor(tables: Tables, found: Found, cursors: CursorCodec, viewer: Viewer) {
    this.#tables = tables;
    this.#found = found;
    this.#cursors = cursors;
    this.#viewer = viewer;
    const others = {
      user: (id: string) => this.#user(id),
      audio: (id: string) => this.#audio(id),
      address: (kind: string, id: string, name: string) => this.#address(kind, id, name),
      matches: (name: unknown, search: string | null | undefined) => this.#matches(name, search),
      page: (rows: Row[], args: PageArguments, order: Order, relation: string, show: (row: Row) => unknown) =>
        this.#page(rows, args, order, relation, show),
    };
    this.#playlists = new NaivePlaylists(tables.playlists, others, frozenNow);
  }

  root(): object {
    return {
      ...this.#playlists.root(),
      node: ({ id }: { id: string }) => this.#node(id),
      nodes: ({ ids }: { ids: string[] }) => ids.map((id) => this.#node(id)),
      viewer: () => this.#viewer && { user: this.#user(this.#viewer.id), storage: this.#storage() },
      user: ({ id }: { id: string }) => this.#user(idOf("User", id)),
      users: (args: PageArguments & { search?: string }) => {
        const users = this.#tables.users.filter((user) => this.#matches(user.name, args.search));
        return this.#page(users, args, userOrder, "Users", (user) => this.#user(user.id));
      },
      document: ({ id }: { id: string }) => this.#document(idOf("Document", id)),
      documents: (args: PageArguments) => this.#documents(this.#visibleDocuments(), args, "Documents"),
      audio: ({ id }: { id: string }) => this.#audio(idOf("Audio", id)),
      audios: (args: PageArguments) => this.#audioPage(this.#tables.audio, args, "AllAudio"),
      categories: () => this.#tables.categories.map(({ id }) => this.#category(id)),
      events: () => {
        const start = ({ starts_at: at }: Row) => (at === null ? Infinity : (at as Date).getTime());
        // Stable: events that start together stay ordered by their names.
        const sorted = this.#tables.events.toSorted((left, right) =>
          compare({ field: "STARTS_AT", direction: "ASC" }, [start(left)], [start(right)]),
        );
        return sorted.map(({ id }) => this.#event(id));
      },
      searchChunks: (args: PageArguments & { query: string; documentIds?: string[] }) => {
        const only = args.documentIds?.map((id) => idOf("Document", id));
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
      case "Audio":
        return this.#audio(id);
      case "Category":
        return this.#category(id);
      case "Event":
        return this.#event(id);
      default:
        return this.#playlists.node(type, id);
    }
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
      audio: (args: PageArguments) =>
        this.#audioPage(
          this.#tables.audio.filter((audio) => audio.uploaded_by_id === id),
          args,
          "AudioByUploader",
        ),
      playlists: (args: PageArguments) => this.#playlists.ofOwner(id, args),
    };
  }

  #storage(): unknown {
    const [usage] = this.#tables.storageUsage;
    return { usedBytes: Number(usage?.used_bytes), limitBytes: Number(usage?.limit_bytes) };
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
    const owner = ownerId == null ? null : idOf("User", ownerId);
    const rows = documents.filter(
      (document) =>
        (status == null || status.includes(document.status as string)) &&
        (visibility == null || document.visibility === visibility) &&
        this.#matches(document.title, search) &&
        (owner === null || document.owner_id === owner),
    );
    const { field, direction } = args.orderBy ?? { field: "CREATED_AT", direction: "DESC" };
    const order =
      field === "TITLE"
        ? orderByCollation(field, direction, "title", this.#tables.documents)
        : orderBy(field, direction, field === "CREATED_AT" ? "created_at" : "updated_at");
    return this.#page(rows, args, order, relation, (document) => this.#document(document.id));
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
      text: document.text,
      originalUrl: this.#address("document", id, `${document.title}.txt`),
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

  #audioPage(all: Row[], args: PageArguments & { filter?: AudioFilter }, relation: string): unknown {
    const { search, status, categoryId, eventId, uploadedById } = args.filter ?? {};
    const wanted = {
      category_id: categoryId == null ? null : idOf("Category", categoryId),
      event_id: eventId == null ? null : idOf("Event", eventId),
      uploaded_by_id: uploadedById == null ? null : idOf("User", uploadedById),
    };
    const rows = all.filter(
      (audio) =>
        (status == null || status.includes(audio.status as string)) &&
        this.#matches(audio.words, search) &&
        Object.entries(wanted).every(([column, id]) => id === null || audio[column] === id),
    );
    const { field, direction } = args.orderBy ?? { field: "UPLOADED_AT", direction: "DESC" };
    const order =
      field === "TITLE"
        ? orderByCollation(field, direction, "title", this.#tables.audio)
        : orderBy(field, direction, field === "DURATION" ? "duration_ms" : "uploaded_at");
    return this.#page(rows, args, order, relation, (audio) => this.#audio(audio.id));
  }

  #audio(id: string): unknown {
    const audio = this.#tables.audio.find((row) => row.id === id);
    if (!audio) return null;
    const stem = (audio.filename as string).replace(/\.[^.]*$/, "");
    // Beside the id and the name, an address tells which bytes it is of.
    const address = (kind: string, hash: unknown, name: string) =>
      this.#address(kind, id, `${(hash as string).slice(0, 8)}-${name}`);
    return {
      __typename: "Audio",
      id: globalId("Audio", id),
      title: audio.title,
      artist: audio.artist,
      album: audio.album,
      filename: audio.filename,
      uploadedBy: () => this.#user(audio.uploaded_by_id as string),
      category: () => this.#category(audio.category_id),
      event: () => this.#event(audio.event_id),
      status: audio.status,
      version: audio.version,
      mimeType: audio.mime_type,
      sizeBytes: Number(audio.size_bytes),
      sha256: audio.sha256,
      url: address("audio", audio.sha256, audio.filename as string),
      coverUrl:
        audio.cover_mime_type &&
        address("cover", audio.cover_sha256, `${stem}.${(audio.cover_mime_type as string).split("/")[1]}`),
      waveformUrl: audio.duration_ms === null ? null : address("waveform", audio.sha256, `${stem}.svg`),
      peaks: ({ count }: { count?: number | null }) => peaks(audio.peaks as Buffer | null, count ?? 200),
      durationMs: audio.duration_ms,
      loudnessLufs: audio.loudness_lufs,
      truePeakDb: audio.true_peak_db,
      leadingSilenceMs: audio.leading_silence_ms,
      trailingSilenceMs: audio.trailing_silence_ms,
      failure: audio.failure,
      attempts: audio.attempts,
      progress: audio.progress,
      uploadedAt: audio.uploaded_at,
      updatedAt: audio.updated_at,
      processedAt: audio.processed_at,
      playlists: (args: PageArguments) => this.#playlists.ofAudio(id, args),
    };
  }

  #category(id: unknown): unknown {
    const category = this.#tables.categories.find((row) => row.id === id);
    if (!category) return null;
    return {
      __typename: "Category",
      id: globalId("Category", category.id),
      name: category.name,
      version: category.version,
      audio: (args: PageArguments) =>
        this.#audioPage(
          this.#tables.audio.filter((audio) => audio.category_id === id),
          args,
          "AudioByCategory",
        ),
    };
  }

  #event(id: unknown): unknown {
    const event = this.#tables.events.find((row) => row.id === id);
    if (!event) return null;
    return {
      __typename: "Event",
      id: globalId("Event", event.id),
      name: event.name,
      startsAt: event.starts_at,
      endsAt: event.ends_at,
      version: event.version,
      audio: (args: PageArguments) =>
        this.#audioPage(
          this.#tables.audio.filter((audio) => audio.event_id === id),
          args,
          "AudioByEvent",
        ),
    };
  }

  #address(kind: string, id: string, name: string): string {
    return readableAddress({ kind, id, name, viewerId: this.#viewer?.id ?? "" });
  }

  #page(
    rows: Row[],
    args: PageArguments,
    order: Order,
    relation: string,
    show: (row: Row) => unknown,
    requireCurrent?: (cursor: Value[] | null) => void,
  ): unknown {
    const current = requireCurrent ? { requireCurrent } : {};
    return naivePage({ cursors: this.#cursors, rows, args, order, relation, show, ...current });
  }
}

/** The loudest of the stored bytes that lie in each slice, even in part, to three digits. */
function peaks(stored: Buffer | null, count: number): number[] | null {
  if (count < 1 || count > 1_000) throw new Error("count");
  if (!stored) return null;
  return Array.from({ length: count }, (_, slice) => {
    const [start, end] = [(slice * stored.length) / count, ((slice + 1) * stored.length) / count];
    const inside = [...stored].filter((_level, index) => index + 1 > start && index < end);
    return Math.round((1_000 * Math.max(...inside)) / 255) / 1_000;
  });
}

const addressForm =
  /^http:\/\/lectern\.test\/files\/(?<kind>\w+)\/(?<id>[\w-]+)\/(?<name>[^/?]+)\?viewer=(?<viewer>[\w-]{22})&expires=\d{10}&signature=[\w-]{22}$/;

/** A server's answer with addresses of files as the reference shows them: by what they say, without end and signature. */
export function withReadableAddresses(answer: unknown): unknown {
  if (Array.isArray(answer)) return answer.map(withReadableAddresses);
  if (answer !== null && typeof answer === "object") {
    return Object.fromEntries(Object.entries(answer).map(([name, value]) => [name, withReadableAddresses(value)]));
  }
  const { kind, id, name, viewer } = (typeof answer === "string" && addressForm.exec(answer)?.groups) || {};
  if (!kind || !id || !name || !viewer) return answer;
  const hex = Buffer.from(viewer, "base64url").toString("hex");
  const viewerId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  return readableAddress({ kind, id, name: decodeURIComponent(name), viewerId });
}

const readableAddress = ({ kind, id, name, viewerId }: Record<"kind" | "id" | "name" | "viewerId", string>) =>
  `the ${kind} of ${id}, called ${name}, for ${viewerId}`;

type AudioFilter = {
  search?: string;
  status?: string[];
  categoryId?: string;
  eventId?: string;
  uploadedById?: string;
};
type DocumentFilter = { status?: string[]; visibility?: string; search?: string; ownerId?: string };
const userOrder = orderBy("CREATED_AT", "ASC", "created_at");
/** A cursor of a chunk also tells the generation, which is the same for all chunks of a document. */
const indexOrder: Order = {
  ...orderBy("INDEX", "ASC", "index"),
  values: (row) => [row.index as number, row.id, row.generation as number],
  read: ([index, id, generation]) => [Number(index), id as string, Number(generation)],
};
const scoreOrder = orderBy("SCORE", "DESC", "score");

function globalId(type: string, id: string): string {
  return Buffer.from(`${type}:${id}`).toString("base64url");
}
