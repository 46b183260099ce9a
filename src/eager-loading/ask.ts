/**
 * An ask is a relation with its arguments: one batch, one statement. Its `id` is the relation's name with the arguments
 * in canonical form, so equal fields share an ask under any alias.
 */
import type { Cursor } from "./cursor.ts";
import type { ColumnRelation, Direction, ListRelation, OneRelation, PageRelation } from "./relation.ts";

/** The range of a relation's rows that a page shows. */
export type PageWindow = {
  /** Maximum number of rows. */
  size: number;
  /** True for `last`: the rows at the end. */
  isBackward: boolean;
  after?: Cursor;
  before?: Cursor;
  order: { field: string; direction: Direction };
};

export type Ask = { id: string; name: string } & (
  | { kind: "one"; relation: OneRelation }
  | { kind: "page"; relation: PageRelation; args: object; window: PageWindow }
  | { kind: "count"; relation: PageRelation; args: object; window: PageWindow }
  /** Whether a row exists at the cursor or outside the page; `beyond: "after"` looks before its first row. */
  | { kind: "exists"; relation: PageRelation; args: object; window: PageWindow; beyond: "after" | "before" }
  | { kind: "list"; relation: ListRelation; args: object }
  | { kind: "column"; relation: ColumnRelation }
);

export const askOne = (relation: OneRelation): Ask => ({
  kind: "one",
  id: identify(relation.name, "one", {}),
  name: relation.name,
  relation,
});

export const askPage = (relation: PageRelation, args: object, window: PageWindow): Ask => ({
  kind: "page",
  id: identify(relation.name, "page", { args, window }),
  name: relation.name,
  relation,
  args,
  window,
});

/** One ask for all windows, unless their cursors carry a generation: it must be the one that is counted. */
export const askCount = (relation: PageRelation, args: object, window: PageWindow): Ask => ({
  kind: "count",
  id: identify(relation.name, "count", { args, generations: generationsOf(relation, window) }),
  name: `${relation.name}.count`,
  relation,
  args,
  window,
});

export const askExists = (
  relation: PageRelation,
  args: object,
  window: PageWindow,
  beyond: "after" | "before",
): Ask => ({
  kind: "exists",
  id: identify(relation.name, "exists", {
    args,
    order: window.order,
    beyond,
    cursor: window[beyond],
    generations: generationsOf(relation, window),
  }),
  name: `${relation.name}.exists`,
  relation,
  args,
  window,
  beyond,
});

export const askList = (relation: ListRelation, args: object): Ask => ({
  kind: "list",
  id: identify(relation.name, "list", { args }),
  name: relation.name,
  relation,
  args,
});

export const askColumn = (relation: ColumnRelation): Ask => ({
  kind: "column",
  id: identify(relation.name, "column", {}),
  name: relation.name,
  relation,
});

/** The generations in the window's cursors; empty for relations without generations. */
export function generationsOf(relation: PageRelation, { after, before }: PageWindow): (string | null)[] {
  if (!relation.generation) return [];
  return [after, before].flatMap((cursor) => (cursor ? [cursor.at(-1) ?? null] : []));
}

/** The answer for a key without rows. */
export function emptyAnswer(ask: Ask): unknown {
  switch (ask.kind) {
    case "one":
    case "column":
      return null;
    case "page":
      return { rows: [], hasMore: false };
    case "list":
      return [];
    case "count":
      return 0;
    case "exists":
      return false;
  }
}

function identify(name: string, kind: string, parts: object): string {
  return `${name}.${kind}${canonical(parts)}`;
}

/** JSON with sorted keys and without undefined values: equal arguments make equal strings. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value instanceof Date) return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    entries.sort(([left], [right]) => (left < right ? -1 : 1));
    return `{${entries.map(([name, item]) => `${JSON.stringify(name)}:${canonical(item)}`).join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}
