/** Validates the arguments of a GraphQL connection and makes a window of them. */
import type { PageWindow } from "./ask.ts";
import { type CursorCodec, PageArgumentError } from "./cursor.ts";
import { cursorScope } from "./keyset.ts";
import type { Direction, PageRelation } from "./relation.ts";

export type PageArguments = {
  first?: number | null;
  after?: string | null;
  last?: number | null;
  before?: string | null;
  orderBy?: { field: string; direction: Direction } | null;
};

export const defaultPageSize = 20;
export const maximumPageSize = 100;

/** @throws PageArgumentError for a size out of bounds, an invalid cursor, or both `first` and `last` */
export function windowOf(relation: PageRelation, args: PageArguments, cursors: CursorCodec): PageWindow {
  const { first, after, last, before } = args;
  if (first != null && last != null) {
    throw new PageArgumentError("last", "Ask for the first or for the last rows, not for both.");
  }
  const order = args.orderBy ?? relation.defaultOrder;
  const scope = cursorScope(relation, order);
  return {
    size: sizeOf("first", first) ?? sizeOf("last", last) ?? defaultPageSize,
    isBackward: last != null,
    ...(after == null ? {} : { after: cursors.decode(scope, after, "after") }),
    ...(before == null ? {} : { before: cursors.decode(scope, before, "before") }),
    order: { field: order.field, direction: order.direction },
  };
}

function sizeOf(argument: string, size: number | null | undefined): number | undefined {
  if (size == null) return undefined;
  if (size < 1 || size > maximumPageSize) {
    throw new PageArgumentError(argument, `A page has 1 to ${maximumPageSize} rows, not ${size}.`);
  }
  return size;
}
