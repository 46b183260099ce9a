/** The outbox's events, and the statement that reads them. */
import { empty, type Sql, sql } from "../eager-loading/sql.ts";

/** One change, written by the transaction that made it. */
export type OutboxEvent<Payload = unknown> = {
  /** In commit order: a reader that sees one position sees all lower ones. */
  position: number;
  /** The kind of row that changed. */
  topic: string;
  rowId: string;
  payload: Payload;
};

/** All events of a topic, or those of one row. */
export type EventsOf = { topic: string; rowId?: string | null };

/** The table's bounds and its first events after a position, in one snapshot. */
export type OutboxPage = {
  /** Position of the oldest row. All events after it exist, since pruning deletes only earlier rows. */
  oldest: number;
  newest: number;
  events: OutboxEvent[];
};

/** @param of the events to read; absent: all */
export function pageStatement(after: number, limit: number, of?: EventsOf): Sql {
  const filter = of?.rowId
    ? sql`and topic = ${of.topic} and row_id = ${of.rowId}::uuid`
    : of
      ? sql`and topic = ${of.topic}`
      : empty;
  return sql`
    select bounds.oldest, bounds.newest, o.position, o.topic, o.row_id as "rowId", o.payload
    from (select coalesce(min(position), 0) as oldest, coalesce(max(position), 0) as newest from outbox) bounds
    left join lateral (
      select * from outbox where position > ${after}::bigint ${filter} order by position limit ${limit}::int) o on true
    order by o.position`;
}

/** @param rows of `pageStatement`: at least one, which holds no event if there is none */
export function pageOf(rows: readonly Record<string, unknown>[]): OutboxPage {
  const [first] = rows;
  return {
    oldest: Number(first?.oldest),
    newest: Number(first?.newest),
    events: rows.flatMap((row) =>
      row.position === null ? [] : [{ ...(row as OutboxEvent), position: Number(row.position) }],
    ),
  };
}
