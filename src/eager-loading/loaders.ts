/**
 * The loaders of one operation: one DataLoader per ask, created on first use. They cache answers until the operation
 * ends; inside a unit of work they are cleared after each root field.
 */
import DataLoader from "dataloader";
import { answersFromRows, type Row, rootKey } from "./answers.ts";
import { type Ask, askColumn, askList, askOne, emptyAnswer } from "./ask.ts";
import { Connection } from "./connection.ts";
import type { CursorCodec } from "./cursor.ts";
import { type PageArguments, windowOf } from "./page-arguments.ts";
import type { Reader } from "./reader.ts";
import type { ColumnRelation, ListRelation, OneRelation, PageRelation } from "./relation.ts";
import { keysFromArray, statementOf } from "./statement.ts";
import type { PassedThrough } from "./table.ts";
import { type Batch, Trace } from "./trace.ts";

export type LoadersOptions<Viewer> = {
  viewer: Viewer;
  reader: Reader;
  cursors: CursorCodec;
  trace?: Trace;
};

/** Null or undefined if the parent has none; the answer is then empty without a statement. */
type Key = string | null | undefined;

export class Loaders<Viewer = PassedThrough> {
  readonly viewer: Viewer;
  readonly reader: Reader;
  readonly cursors: CursorCodec;
  readonly trace: Trace;
  readonly #byAsk = new Map<string, DataLoader<string, unknown>>();

  constructor({ viewer, reader, cursors, trace }: LoadersOptions<Viewer>) {
    this.viewer = viewer;
    this.reader = reader;
    this.cursors = cursors;
    this.trace = trace ?? new Trace();
  }

  /** The row with this key that the viewer may see, or null. */
  one<OneRow>(relation: OneRelation<OneRow>, key: Key): Promise<OneRow | null> {
    return this.load(askOne(relation), key) as Promise<OneRow | null>;
  }

  /** A page of the key's rows, which its fields read on demand. */
  page<PageRow, Arguments extends object>(
    relation: PageRelation<PageRow, Arguments>,
    args: NoInfer<Arguments>,
    pageArguments: PageArguments,
    key: string = rootKey,
  ): Connection<PageRow> {
    const window = windowOf(relation, pageArguments, this.cursors);
    return new Connection<PageRow>(this as Loaders, relation, args, window, key);
  }

  /** The key's rows; all rows of a root list, which has no key. */
  list<ListRow, Arguments extends object>(
    relation: ListRelation<ListRow, Arguments>,
    args: NoInfer<Arguments>,
    key?: Key,
  ): Promise<ListRow[]> {
    return this.load(askList(relation, args), relation.keyType === undefined ? rootKey : key) as Promise<ListRow[]>;
  }

  column<Value>(relation: ColumnRelation<Value>, key: Key): Promise<Value | null> {
    return this.load(askColumn(relation), key) as Promise<Value | null>;
  }

  async load(ask: Ask, key: unknown): Promise<unknown> {
    if (key === null || key === undefined) return emptyAnswer(ask);
    return this.#loader(ask).load(String(key));
  }

  /** Caches an answer that a plan has read. */
  prime(ask: Ask, key: unknown, answer: unknown): void {
    this.#loader(ask).clear(String(key)).prime(String(key), answer);
  }

  /** Clears the caches, since a write may have changed the rows. */
  clear(): void {
    this.#byAsk.clear();
  }

  #loader(ask: Ask): DataLoader<string, unknown> {
    let loader = this.#byAsk.get(ask.id);
    if (!loader) {
      loader = new DataLoader((keys) => this.#readBatch(ask, keys), { name: ask.name });
      this.#byAsk.set(ask.id, loader);
    }
    return loader;
  }

  async #readBatch(ask: Ask, keys: readonly string[]): Promise<unknown[]> {
    try {
      const answers = answersFromRows(ask, await this.#read(ask, keys));
      return keys.map((key) => (answers.has(key) ? answers.get(key) : emptyAnswer(ask)));
    } catch (error) {
      if (keys.length === 1 || !isDataException(error)) return keys.map(() => error);
      // One invalid key, such as text for a number, must not fail the others: bisect the batch.
      const half = keys.length >> 1;
      return [...(await this.#readBatch(ask, keys.slice(0, half))), ...(await this.#readBatch(ask, keys.slice(half)))];
    }
  }

  async #read(ask: Ask, keys: readonly string[]): Promise<Row[]> {
    const statement = statementOf(ask, keysFromArray(ask, keys), this.viewer);
    const batch: Batch = { relation: ask.name, keys: keys.length, rows: 0, ms: 0, planned: false, failed: true };
    this.trace.batches.push(batch);
    const started = performance.now();
    try {
      const rows = await this.trace.trip(() => this.reader.read(statement));
      batch.rows = rows.length;
      delete batch.failed;
      return rows;
    } finally {
      batch.ms = performance.now() - started;
    }
  }
}

/** SQLSTATE class 22: the statement is valid, but one of its values is not. */
function isDataException(error: unknown): boolean {
  return String((error as { code?: unknown } | null)?.code).startsWith("22");
}
