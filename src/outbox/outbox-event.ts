/** What the outbox holds, and how it is read. */
import { empty, type Sql, sql } from "../eager-loading/sql.ts";

/** One change, as the transaction that made it wrote it down. */
export type OutboxEvent<Payload = unknown> = {
  /** Rises in the order of the commits: who sees one position sees all below it, now and for ever. */
  position: number;
  /** What kind of thing changed. */
  topic: string;
  rowId: string;
  payload: Payload;
};

/** Which events are meant: all of a topic, or those of one row. */
export type EventsOf = { topic: string; rowId?: string | null };

/** What the table holds at one moment: its ends, and its first events behind a position. */
export type OutboxPage = {
  /** Position of the oldest row. It is kept when those before it are pruned, so what lies behind it is complete. */
  oldest: number;
  newest: number;
  events: OutboxEvent[];
};

/** @param of which events; absent: all */
export function pageStatement(after: number, limit: number, of?: EventsOf): Sql {
  const isMeant = of?.rowId
    ? sql`and topic = ${of.topic} and row_id = ${of.rowId}::uuid`
    : of
      ? sql`and topic = ${of.topic}`
      : empty;
  return sql`
    select bounds.oldest, bounds.newest, o.position, o.topic, o.row_id as "rowId", o.payload
    from (select coalesce(min(position), 0) as oldest, coalesce(max(position), 0) as newest from outbox) bounds
    left join lateral (
      select * from outbox where position > ${after}::bigint ${isMeant} order by position limit ${limit}::int) o on true
    order by o.position`;
}

/** @param rows of `pageStatement`: one at least, without an event when there is none */
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
