/**
 * Random queries over a whole schema: every field and argument it has, nested, aliased, in fragments and behind
 * directives, with literals and with variables. Driven by a chooser, so that a seed repeats a query.
 */
import { complexityFromQuery } from "@pothos/plugin-complexity";
import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from "graphql";

/** A whole number from 0 to `most`; smaller is simpler. */
export type Choose = (most: number) => number;

export type Pools = {
  /** Ids by the type that an argument wants, found by the argument's name; `id` and `ids` want any. */
  ids: Record<string, readonly string[]>;
  /** Cursors by connection type. */
  cursors: Record<string, readonly string[]>;
  /** Texts by argument name; `DateTime` for arguments of this type. */
  texts: Record<string, readonly string[]>;
};

export type GeneratedQuery = { query: string; variables: Record<string, unknown> };

/** Levels of objects; `maxCost` bounds what they multiply to. */
const maxDepth = 7;
const maxCost = 600;
/** Fields of a query, after which only plain values are selected. */
const maxFields = 200;

export function generateQuery(schema: GraphQLSchema, choose: Choose, pools: Pools): GeneratedQuery {
  for (let depth = 2 + choose(maxDepth - 2); ; depth--) {
    const generated = new Generator(schema, choose, pools, depth).generate();
    if (depth === 1 || costOf(schema, generated) <= maxCost) return generated;
  }
}

function costOf(schema: GraphQLSchema, { query, variables }: GeneratedQuery): number {
  return complexityFromQuery(query, { schema, variables }).complexity;
}

class Generator {
  readonly #schema: GraphQLSchema;
  readonly #choose: Choose;
  readonly #pools: Pools;
  readonly #maxDepth: number;
  readonly #fragments: string[] = [];
  readonly #declarations: string[] = [];
  readonly #variables: Record<string, unknown> = {};
  #aliases = 0;

  constructor(schema: GraphQLSchema, choose: Choose, pools: Pools, depth: number) {
    this.#maxDepth = depth;
    this.#schema = schema;
    this.#choose = choose;
    this.#pools = pools;
  }

  generate(): GeneratedQuery {
    const selection = this.#selectionSet(this.#schema.getQueryType() as GraphQLObjectType, 0);
    const declarations = this.#declarations.length === 0 ? "" : `(${this.#declarations.join(", ")})`;
    return {
      query: [`query Random${declarations} ${selection}`, ...this.#fragments].join("\n"),
      variables: this.#variables,
    };
  }

  #often(percent: number): boolean {
    return this.#choose(99) >= 100 - percent;
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#choose(items.length - 1)] as Item;
  }

  #selectionSet(type: GraphQLNamedType, depth: number): string {
    const parts = ["__typename"];
    const count = 1 + this.#choose(depth === 0 ? 2 : 3);
    for (let index = 0; index < count; index++) parts.push(this.#selection(type, depth));
    return `{ ${parts.join(" ")} }`;
  }

  #selection(type: GraphQLNamedType, depth: number): string {
    if (isAbstractType(type)) {
      const possible = this.#pick(this.#schema.getPossibleTypes(type));
      return `... on ${possible.name}${this.#directive()} ${this.#selectionSet(possible, depth)}`;
    }
    if (!isObjectType(type)) throw new Error(`Nothing can be selected on ${type.name}.`);
    if (depth > 0 && this.#often(12)) {
      const condition = this.#often(60) ? ` on ${this.#pick([type, ...type.getInterfaces()]).name}` : "";
      const onInterface = condition !== "" && condition !== ` on ${type.name}`;
      const inner = onInterface ? "{ id }" : this.#selectionSet(type, depth);
      return `...${condition}${this.#directive()} ${inner}`;
    }
    if (depth > 0 && this.#often(8)) {
      const name = `Fragment${this.#fragments.length}`;
      const place = this.#fragments.push("") - 1;
      this.#fragments[place] = `fragment ${name} on ${type.name} ${this.#selectionSet(type, depth)}`;
      return `...${name}${this.#directive()}`;
    }
    return this.#field(type, depth);
  }

  #field(type: GraphQLObjectType, depth: number): string {
    const all = Object.values(type.getFields());
    const leaves = all.filter((field) => isLeafType(getNamedType(field.type)));
    const deeper = all.filter((field) => !isLeafType(getNamedType(field.type)));
    const isFull = depth >= this.#maxDepth || this.#aliases > maxFields;
    const candidates = isFull ? leaves : deeper.length > 0 && this.#often(70) ? deeper : all;
    if (candidates.length === 0) return "__typename";
    const field = this.#pick(candidates);
    const args = this.#arguments(type, field);
    // Every field has an alias of its own, so that no two of one answer disagree; some come twice, to be merged.
    const head = `a${this.#aliases++}: ${field.name}${args}${this.#directive()}`;
    const named = getNamedType(field.type);
    if (isLeafType(named)) return head;
    const once = `${head} ${this.#selectionSet(named, depth + 1)}`;
    return this.#often(10) ? `${once} ${head} ${this.#selectionSet(named, depth + 1)}` : once;
  }

  #arguments(type: GraphQLObjectType, field: GraphQLField<unknown, unknown>): string {
    const given = new Set(
      field.args.filter((arg) => isNonNullType(arg.type) || this.#often(45)).map(({ name }) => name),
    );
    // `first` and `last` exclude each other; a wrong pair is chosen now and then all the same.
    if (given.has("first") && given.has("last") && !this.#often(4)) given.delete("last");
    const parts = field.args
      .filter(({ name }) => given.has(name))
      .map((arg) => `${arg.name}: ${this.#argument(type, field, arg)}`);
    return parts.length === 0 ? "" : `(${parts.join(", ")})`;
  }

  #argument(parent: GraphQLObjectType, field: GraphQLField<unknown, unknown>, arg: GraphQLArgument): string {
    const value = this.#value(arg.type, arg.name, `${parent.name}.${field.name}`, getNamedType(field.type).name);
    if (!isNonNullType(arg.type) && this.#often(4)) return "null";
    if (!this.#often(30)) return literal(value, arg.type);
    const name = `v${this.#declarations.length}`;
    if (!isNonNullType(arg.type) && this.#often(25)) {
      this.#declarations.push(`$${name}: ${arg.type} = ${literal(value, arg.type)}`);
      return `$${name}`;
    }
    this.#declarations.push(`$${name}: ${arg.type}`);
    // A variable that may be null is null now and then, or not given at all.
    if (!isNonNullType(arg.type) && this.#often(8)) {
      if (this.#often(50)) this.#variables[name] = null;
      return `$${name}`;
    }
    this.#variables[name] = value;
    return `$${name}`;
  }

  #value(type: GraphQLInputType, name: string, place: string, connection: string): unknown {
    if (isNonNullType(type)) return this.#value(type.ofType, name, place, connection);
    if (isListType(type)) {
      return Array.from({ length: this.#choose(4) }, () => this.#value(type.ofType, name, place, connection));
    }
    if (isEnumType(type)) return this.#pick(type.getValues()).name;
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter((input) => isNonNullType(input.type) || this.#often(40));
      return Object.fromEntries(
        fields.map((input) => [input.name, this.#value(input.type, input.name, place, connection)]),
      );
    }
    switch (type.name) {
      case "Int":
        return this.#often(3) ? this.#pick([0, -1, 101]) : 1 + this.#choose(6);
      case "Boolean":
        return this.#often(50);
      case "ID":
        return this.#pick(this.#pools.ids[`${place}.${name}`] ?? this.#pools.ids[name] ?? [""]);
      case "String":
        if (name === "after" || name === "before") return this.#pick(this.#pools.cursors[connection] ?? ["none"]);
        return this.#pick(this.#pools.texts[name] ?? ["a"]);
      case "DateTime":
        return this.#pick(this.#pools.texts.DateTime ?? ["2026-01-01T00:00:00Z"]);
      default:
        throw new Error(`No way to make a value of type ${type.name}.`);
    }
  }

  #directive(): string {
    if (!this.#often(12)) return "";
    const name = this.#pick(["skip", "include"]);
    const value = this.#often(50);
    if (this.#often(50)) return ` @${name}(if: ${value})`;
    const variable = `b${this.#declarations.length}`;
    if (this.#often(15)) {
      // With a default it may be left out; and null, which is an error where the directive is met.
      this.#declarations.push(`$${variable}: Boolean = ${value}`);
      if (this.#often(8)) this.#variables[variable] = null;
      return ` @${name}(if: $${variable})`;
    }
    this.#declarations.push(`$${variable}: Boolean!`);
    this.#variables[variable] = value;
    return ` @${name}(if: $${variable})`;
  }
}

/** A value as it stands in a query's text. */
function literal(value: unknown, type: GraphQLInputType): string {
  if (isNonNullType(type)) return literal(value, type.ofType);
  if (value === null || value === undefined) return "null";
  if (isListType(type)) return `[${(value as unknown[]).map((item) => literal(item, type.ofType)).join(", ")}]`;
  if (isEnumType(type)) return String(value);
  if (isInputObjectType(type)) {
    const entries = Object.entries(value as object).map(([name, item]) => {
      const field = type.getFields()[name];
      if (!field) throw new Error(`${type.name} has no ${name}.`);
      return `${name}: ${literal(item, field.type)}`;
    });
    return `{ ${entries.join(", ")} }`;
  }
  return JSON.stringify(value);
}
