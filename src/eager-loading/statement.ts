/**
 * Makes the statement of an ask. The keys are an array parameter in a batch, and a query in a plan: a column of the
 * parent's statement. The rest of the statement is the same.
 */
import { type Ask, generationsOf } from "./ask.ts";
import type { Cursor } from "./cursor.ts";
import { beyond, notBeyond, opposite, orderBy, orderTerms } from "./keyset.ts";
import type { AnyShared, PageRelation } from "./relation.ts";
import { columnsOf, identifier, join, raw, type Sql, selectList, sql } from "./sql.ts";
import { requireColumn } from "./table.ts";

/** A query with one column `key`, without duplicates or nulls; null for root relations. */
export type Keys = Sql | null;

export function keysFromArray(ask: Ask, keys: Iterable<string>): Keys {
  const type = keyType(ask);
  return type === null ? null : sql`select unnest(${[...new Set(keys)]}::${raw(type)}[]) as key`;
}

/** The SQL type of the keys; null for root relations. */
export function keyType(ask: Ask): string | null {
  if ("keyType" in ask.relation && ask.relation.keyType !== undefined) return ask.relation.keyType;
  return ask.relation.key === undefined ? null : requireColumn(ask.relation.table, ask.relation.key).type;
}

/** The whole statement. Its rows hold their key in `$key`; see `answersFromRows`. */
export function statementOf(ask: Ask, keys: Keys, viewer: unknown): Sql {
  const { relation } = ask;
  const key = selectKey(ask, keys);
  switch (ask.kind) {
    case "one":
      return sql`select ${selectList(relation.table, "t")} from ${keyed(ask, keys)} where ${visible(relation, viewer)}`;
    case "column":
      return columnStatement(ask, keys, viewer);
    case "count":
      // By itself for each key that has no column: a join on the condition would compare all rows with all keys.
      return isOfGeneration(ask) || ask.relation.match
        ? sql`select ${key}, (select count(*)::integer from ${table(relation)} where ${ofKey(ask)}${counted(ask, viewer)}) as "$value" from (${keys}) k(key)`
        : sql`select ${key}, count(*)::integer as "$value" from ${keyed(ask, keys)} where ${counted(ask, viewer)} group by 1`;
    case "exists":
      return keys === null
        ? sql`select exists (${rowsBeyondCursor(ask, viewer)}) as "$value"`
        : sql`select ${key}, exists (${rowsBeyondCursor(ask, viewer)}) as "$value" from (${keys}) k(key)`;
    case "page": {
      const page = pageRows(ask, viewer, selectPageRow(ask), ask.window.size + 1);
      // Left join: a key with an empty page also needs a row for `$isOutOfDate`.
      const kind = raw(isOfGeneration(ask) ? "left" : "inner");
      const rows = keys === null ? sql`(${page}) r` : sql`(${keys}) k(key) ${kind} join lateral (${page}) r on true`;
      const decorated = Object.entries(ask.relation.decorated).map(
        ([name, decorate]) => sql`${decorate(ask.args)} as ${raw(identifier(name))}`,
      );
      return sql`select ${join([key, raw("r.*"), ...decorated])} from ${rows}`;
    }
    case "list":
      if (keys === null) {
        return sql`select ${key}, ${selectList(relation.table, "t")} from ${table(relation)} where ${visible(relation, viewer)} order by ${listOrder(ask)}`;
      }
      return sql`select ${key}, ${selectList(relation.table, "t")} from (${keys}) k(key) cross join lateral (select * from ${table(relation)} where ${listMatch(ask)} and ${visible(relation, viewer)}) t order by k.key, ${listOrder(ask)}`;
  }
}

/** Query for a child's keys: the values of a column in this ask's rows, limited to the rows of the page. */
export function childKeys(ask: Ask, keys: Keys, viewer: unknown, by: string): Sql {
  const { relation } = ask;
  const value = column(ask, by);
  switch (ask.kind) {
    case "one":
      return sql`select distinct ${value} as key from ${keyed(ask, keys)} where ${visible(relation, viewer)} and ${value} is not null`;
    case "page": {
      const page = pageRows(ask, viewer, sql`${value} as key`, ask.window.size);
      return keys === null
        ? sql`select distinct r.key from (${page}) r where r.key is not null`
        : sql`select distinct r.key from (${keys}) k(key) cross join lateral (${page}) r where r.key is not null`;
    }
    case "list": {
      if (keys === null) {
        return sql`select distinct ${value} as key from ${table(relation)} where ${visible(relation, viewer)} and ${value} is not null`;
      }
      // Lateral, for an index lookup per key: a join on the condition would scan the table.
      const rows = sql`select ${value} as key from ${table(relation)} where ${listMatch(ask)} and ${visible(relation, viewer)}`;
      return sql`select distinct r.key from (${keys}) k(key) cross join lateral (${rows}) r where r.key is not null`;
    }
    default:
      throw new Error(`${ask.name} returns values, not rows, so it cannot have children.`);
  }
}

const table = (relation: AnyShared) => raw(`${identifier(relation.table.name)} t`);

const column = (ask: Ask, name: string): Sql => {
  requireColumn(ask.relation.table, name);
  return columnsOf(ask.relation.table, "t")[name] as Sql;
};

function columnStatement(ask: ColumnAsk, keys: Keys, viewer: unknown): Sql {
  const { relation } = ask;
  const { column: value } = relation;
  if (typeof value === "string") {
    return sql`select k.key as "$key", ${column(ask, value)} as "$value" from ${keyed(ask, keys)} where ${visible(relation, viewer)}`;
  }
  // Computed once: in a plan, the query for the keys contains the parents' pages.
  const asked = raw("keys");
  return sql`with ${asked}(key) as materialized (${keys}) select k.key as "$key", v.value as "$value" from ${keyed(ask, sql`select key from ${asked}`)} join (${value(asked)}) v(key, value) on v.key = k.key where ${visible(relation, viewer)}`;
}

/** The relation's table, joined to the keys if the relation has any. */
function keyed(ask: Ask, keys: Keys): Sql {
  const belongs = belongsToKey(ask);
  return belongs ? sql`(${keys}) k(key) join ${table(ask.relation)} on ${belongs}` : table(ask.relation);
}

/** Condition for the rows of a key; undefined for root relations. */
function belongsToKey(ask: Ask): Sql | undefined {
  const { relation } = ask;
  if (relation.key !== undefined) return sql`${column(ask, relation.key)} = k.key`;
  if (!("window" in ask)) return undefined;
  return ask.relation.match?.(raw("k.key"), columnsOf(relation.table, "t"));
}

function visible(relation: AnyShared, viewer: unknown): Sql {
  return relation.visible?.(viewer, columnsOf(relation.table, "t")) ?? raw("true");
}

function matching(relation: PageRelation, args: object, viewer: unknown): Sql {
  const filter = relation.filter?.(args, columnsOf(relation.table, "t"), viewer);
  return filter ? sql`${filter} and ${visible(relation, viewer)}` : visible(relation, viewer);
}

function counted({ relation, args }: CountAsk, viewer: unknown): Sql {
  const { counted: filter = relation.filter } = relation;
  return matching({ ...relation, filter }, args, viewer);
}

type PageAsk = Extract<Ask, { kind: "page" }>;
type CountAsk = Extract<Ask, { kind: "count" }>;
type ExistsAsk = Extract<Ask, { kind: "exists" }>;
type ColumnAsk = Extract<Ask, { kind: "column" }>;
type ListAsk = Extract<Ask, { kind: "list" }>;
type WindowAsk = PageAsk | CountAsk | ExistsAsk;

function ofKey(ask: WindowAsk): Sql {
  const belongs = belongsToKey(ask);
  return belongs ? sql`${belongs} and ` : raw("");
}

/** True if the window has cursors with a generation. */
const isOfGeneration = ({ relation, window }: WindowAsk) => generationsOf(relation, window).length > 0;

/** The key, and whether its cursors are out of date. A separate statement would see another snapshot. */
function selectKey(ask: Ask, keys: Keys): Sql {
  if (keys === null) return raw('null as "$key"');
  if (!("window" in ask && ask.relation.generation && isOfGeneration(ask))) return raw('k.key as "$key"');
  const { column, current } = ask.relation.generation;
  const type = raw(requireColumn(ask.relation.table, column).type);
  return sql`k.key as "$key", exists (
    select 1 from (${current(raw("k.key"))}) g(now)
    where g.now <> any(${generationsOf(ask.relation, ask.window)}::text[]::${type}[])) as "$isOutOfDate"`;
}

/** The columns of a page's row, its computed values and its row number, so that the order of arrival is irrelevant. */
function selectPageRow(ask: PageAsk): Sql {
  const { relation, args } = ask;
  const columns = columnsOf(relation.table, "t");
  const computed = Object.entries(relation.computed).map(
    ([name, value]) => sql`${value.sql(args, columns)} as ${raw(identifier(name))}`,
  );
  const rowNumber = sql`row_number() over (order by ${pageOrder(ask)}) as "$row"`;
  return join([selectList(relation.table, "t"), ...computed, rowNumber]);
}

function pageDirection({ window }: PageAsk) {
  return window.isBackward ? opposite(window.order.direction) : window.order.direction;
}

function pageOrder(ask: PageAsk): Sql {
  return orderBy(orderTerms(ask.relation, ask.args, ask.window.order.field), pageDirection(ask));
}

/**
 * The limit is part of the text, not a parameter: PostgreSQL would never choose a generic plan for it, and planning
 * three levels takes longer than running them. Clients use few page sizes, so there are few texts.
 */
function pageRows(ask: PageAsk, viewer: unknown, select: Sql, limit: number): Sql {
  const { relation, args, window } = ask;
  const terms = orderTerms(relation, args, window.order.field);
  const { direction } = window.order;
  const conditions = [
    ...(window.after ? [beyond(terms, direction, window.after)] : []),
    ...(window.before ? [beyond(terms, opposite(direction), window.before)] : []),
    matching(relation, args, viewer),
  ];
  return sql`select ${select} from ${table(relation)} where ${ofKey(ask)}${join(conditions, " and ")} order by ${pageOrder(ask)} limit ${raw(String(Math.trunc(limit)))}`;
}

/** Rows excluded by the cursor: at the cursor or on its other side. */
function rowsBeyondCursor(ask: ExistsAsk, viewer: unknown): Sql {
  const { relation, args, window } = ask;
  const terms = orderTerms(relation, args, window.order.field);
  const direction = ask.beyond === "after" ? window.order.direction : opposite(window.order.direction);
  const outside = notBeyond(terms, direction, window[ask.beyond] as Cursor);
  return sql`select 1 from ${table(relation)} where ${ofKey(ask)}${matching(relation, args, viewer)} and ${outside}`;
}

function listMatch(ask: ListAsk): Sql {
  return ask.relation.match?.(raw("k.key"), ask.args, columnsOf(ask.relation.table, "t")) ?? raw("true");
}

function listOrder(ask: ListAsk): Sql {
  const names = [...ask.relation.order, ask.relation.table.primaryKey];
  return join(
    names.map((name) => column(ask, name)),
    ", ",
  );
}
