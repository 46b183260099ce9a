/**
 * A page as the API shows it. Every part is read on demand: `totalCount` alone reads no rows, and `hasPreviousPage`
 * needs a statement only if there is a cursor.
 */
import type { Page } from "./answers.ts";
import { type Ask, askCount, askExists, askPage, type PageWindow } from "./ask.ts";
import type { CursorCodec } from "./cursor.ts";
import { cursorNames, cursorScope } from "./keyset.ts";
import type { PageRelation } from "./relation.ts";

/** The asks of a connection's fields, shared by the plan and the resolvers. */
export type ConnectionAsks = {
  page: Ask;
  count: Ask;
  /** Whether rows precede the page; undefined if the page's own rows answer that. */
  previous?: Ask;
  /** Whether rows follow the page; undefined if the page's own rows answer that. */
  next?: Ask;
};

export function connectionAsks(relation: PageRelation, args: object, window: PageWindow): ConnectionAsks {
  return {
    page: askPage(relation, args, window),
    count: askCount(relation, args, window),
    ...(window.after ? { previous: askExists(relation, args, window, "after") } : {}),
    ...(window.before ? { next: askExists(relation, args, window, "before") } : {}),
  };
}

/** The part of the loaders that a connection uses. */
export type AskLoaders = { load(ask: Ask, key: unknown): Promise<unknown>; cursors: CursorCodec };

export class Connection<Row = Record<string, unknown>> {
  readonly #loaders: AskLoaders;
  readonly #asks: ConnectionAsks;
  readonly #key: unknown;
  readonly #relation: PageRelation;
  readonly #window: PageWindow;

  constructor(loaders: AskLoaders, relation: PageRelation, args: object, window: PageWindow, key: unknown) {
    this.#loaders = loaders;
    this.#asks = connectionAsks(relation, args, window);
    this.#key = key;
    this.#relation = relation;
    this.#window = window;
  }

  /** The rows with their cursors, which are encoded on demand. */
  get edges(): Promise<Edge<Row>[]> {
    return this.#page().then(({ rows }) => rows.map((node) => new Edge(this, node)));
  }

  get totalCount(): Promise<number> {
    return this.#loaders.load(this.#asks.count, this.#key) as Promise<number>;
  }

  get pageInfo(): PageInfo<Row> {
    return new PageInfo(this);
  }

  async hasNextPage(): Promise<boolean> {
    if (!this.#window.isBackward && (await this.#page()).hasMore) return true;
    return this.#exists(this.#asks.next);
  }

  async hasPreviousPage(): Promise<boolean> {
    if (this.#window.isBackward && (await this.#page()).hasMore) return true;
    return this.#exists(this.#asks.previous);
  }

  /** @param index of a row in the page; negative indexes count from its end */
  async cursorAt(index: number): Promise<string | null> {
    const row = (await this.#page()).rows.at(index);
    return row === undefined ? null : this.cursor(row);
  }

  cursor(row: Row): string {
    const { order } = this.#window;
    const values = cursorNames(this.#relation, order.field).map((name) => (row as Record<string, unknown>)[name]);
    return this.#loaders.cursors.encode(cursorScope(this.#relation, order), values);
  }

  #page(): Promise<Page<Row>> {
    return this.#loaders.load(this.#asks.page, this.#key) as Promise<Page<Row>>;
  }

  async #exists(ask: Ask | undefined): Promise<boolean> {
    return ask !== undefined && ((await this.#loaders.load(ask, this.#key)) as boolean);
  }
}

class Edge<Row> {
  readonly node: Row;
  readonly #connection: Connection<Row>;

  constructor(connection: Connection<Row>, node: Row) {
    this.#connection = connection;
    this.node = node;
  }

  get cursor(): string {
    return this.#connection.cursor(this.node);
  }
}

class PageInfo<Row> {
  readonly #connection: Connection<Row>;

  constructor(connection: Connection<Row>) {
    this.#connection = connection;
  }

  get hasNextPage(): Promise<boolean> {
    return this.#connection.hasNextPage();
  }

  get hasPreviousPage(): Promise<boolean> {
    return this.#connection.hasPreviousPage();
  }

  get startCursor(): Promise<string | null> {
    return this.#connection.cursorAt(0);
  }

  get endCursor(): Promise<string | null> {
    return this.#connection.cursorAt(-1);
  }
}
