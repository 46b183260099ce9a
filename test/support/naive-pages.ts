/** Pages of rows in memory, by plain loops: sorted, cut at the cursors, then counted off. */
import type { CursorCodec } from "../../src/eager-loading/cursor.ts";

export type Row = Record<string, unknown> & { id: string };

export type OrderArgument = { field: string; direction: string };

export type PageArguments = {
  first?: number;
  last?: number;
  after?: string;
  before?: string;
  orderBy?: OrderArgument;
};

/** A null is compared as infinity: it is the largest value. */
export type Value = string | number;

export type Order = OrderArgument & {
  /** What rows are compared by, ending in the id. */
  values(row: Row): Value[];
  /** What a cursor holds in place of a value. */
  shown(row: Row): (value: Value, index: number) => unknown;
  /** The values again, from a cursor. */
  read(cursor: readonly (string | null)[]): Value[];
};

export type NaivePage = {
  cursors: CursorCodec;
  rows: Row[];
  args: PageArguments;
  order: Order;
  /** The name of the relation, to which cursors belong. */
  relation: string;
  show: (row: Row) => unknown;
  /** Fails where the cursor is of rows that have been replaced. */
  requireCurrent?: (cursor: Value[] | null) => void;
};

export function naivePage({ cursors, rows, args, order, relation, show, requireCurrent }: NaivePage): unknown {
  const { first, last } = args;
  for (const size of [first, last]) if (size != null && (size < 1 || size > 100)) throw new Error("page size");
  if (first != null && last != null) throw new Error("first and last");
  const place = `${relation} ${order.field} ${order.direction}`;
  const sorted = rows.toSorted((left, right) => compare(order, order.values(left), order.values(right)));
  const cursor = (row: Row) => cursors.encode(place, order.values(row).map(order.shown(row)));
  const decode = (text: string | undefined, argument: string) =>
    text == null ? null : order.read(cursors.decode(place, text, argument));
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
      requireCurrent?.(after);
      requireCurrent?.(before);
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

/** The order by a time or a number, which may be null. */
export function orderBy(field: string, direction: string, column: string): Order {
  const isTime = column.endsWith("_at");
  const plain = (value: unknown) => (isTime ? (value as Date).toISOString() : (value as Value));
  return {
    field,
    direction,
    values: (row) => [row[column] === null ? Infinity : plain(row[column]), row.id],
    shown: () => (value) => (value === Infinity ? null : value),
    read: ([value, id]) => [value == null ? Infinity : isTime ? value : Number(value), id as string],
  };
}

/** The order by a text whose characters are all ASCII and compared by their codes. */
export function orderByText(field: string, direction: string, column: string): Order {
  return {
    field,
    direction,
    values: (row) => [row[column] as string, row.id],
    shown: () => (value) => value,
    read: ([text, id]) => [text as string, id as string],
  };
}

/** The order by a text for whose collation the row's `…_rank` stands: JavaScript does not share it. */
export function orderByCollation(field: string, direction: string, column: string, all: readonly Row[]): Order {
  const rankOf = (row?: Row) => row?.[`${column}_rank`] as number;
  return {
    field,
    direction,
    values: (row) => [rankOf(row), row.id],
    shown: (row) => (value, index) => (index === 0 ? row[column] : value),
    read: ([text, id]) => [rankOf(all.find((row) => row[column] === text)), id as string],
  };
}

/** @throws Error when the id is of another type */
export function idOf(type: string, globalId: string): string {
  const [found, id] = Buffer.from(globalId, "base64url").toString().split(":");
  if (found !== type || !id) throw new Error("wrong type");
  return id;
}

/** Compares the values of rows as the order has them. */
export function compare({ direction }: OrderArgument, left: Value[], right: Value[]): number {
  for (const [index, value] of left.entries()) {
    const other = right[index] as Value;
    if (value !== other) return (value < other ? -1 : 1) * (direction === "ASC" ? 1 : -1);
  }
  return 0;
}
